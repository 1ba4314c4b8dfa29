//! What `run` and `plan` have in common.

use std::path::Path;

use harness_engine::registry::SearchPath;
use harness_engine::run::{DeviceSettings, OtherMethods, RunError, Settings};
use harness_engine::schedule::WorkerCommand;
use harness_report::ExitCode;

use crate::cli::SuiteArguments;
use crate::failure::Failure;
use crate::interrupt;
use crate::suite_path::find_suite;

/// The arguments as the engine wants them.
pub(crate) fn settings(arguments: &SuiteArguments) -> Result<Settings<'static>, Failure> {
    Ok(Settings {
        suite: find_suite(&arguments.suite)?,
        text: None,
        other_methods: other_methods(arguments)?,
        selection: arguments.only.iter().cloned().collect(),
        store: arguments.store.clone(),
        data: arguments.data.clone(),
        jobs: arguments.jobs.map(usize::from),
        device: DeviceSettings {
            choice: arguments.device,
            precision: arguments.precision,
            jobs_each: arguments.jobs_per_gpu.map(usize::from),
            elsewhere: false,
        },
        memory: arguments.memory.map(mebibytes),
        worker_memory: arguments.worker_memory.map(mebibytes),
        suite_plugins: !arguments.no_plugins_from_suite,
        is_locked: arguments.locked,
        python: arguments.python.as_deref().map(interpreter),
        fresh: arguments.fresh,
        rehash: arguments.rehash,
        command: worker_command()?,
        cancel: interrupt::watch()?,
        command_line: command_line(),
    })
}

fn mebibytes(count: u64) -> u64 {
    count.saturating_mul(1 << 20)
}

/// The plugins and methods of the command line; paths are relative to the current folder.
fn other_methods(arguments: &SuiteArguments) -> Result<OtherMethods, Failure> {
    let plugins = arguments.plugin.iter().map(|path| {
        let found = path.canonicalize().map_err(|error| {
            let message = format!("--plugin {}: {error}", path.display());
            Failure::new(ExitCode::SetUp, message)
                .hint("name a shared library, such as target/debug/libmy_method.so, a folder, or a Python file")
        })?;
        Ok(found)
    });
    Ok(OtherMethods {
        plugins: plugins.collect::<Result<_, Failure>>()?,
        methods: arguments.method.clone(),
    })
}

/// The interpreter that a command line names: a path relative to the current folder, or a name.
pub(crate) fn interpreter(named: &Path) -> String {
    let is_path = named.components().count() > 1 || named.is_dir();
    let whole = is_path.then(|| std::path::absolute(named).ok()).flatten();
    let path = whole.unwrap_or_else(|| named.to_owned());
    path.to_string_lossy().into_owned()
}

/// What backbones and data sets are called without a suite.
pub(crate) fn places() -> Result<SearchPath, Failure> {
    let places = SearchPath::of_current_folder().with_aliases();
    Ok(places.map_err(RunError::from)?)
}

/// This executable as a worker.
pub(crate) fn worker_command() -> Result<WorkerCommand, Failure> {
    WorkerCommand::this_executable().map_err(|error| {
        Failure::new(
            ExitCode::SetUp,
            format!("cannot find this executable: {error}"),
        )
    })
}

/// The command line with the program's name in place of its path.
pub(crate) fn command_line() -> Vec<String> {
    let arguments = std::env::args_os().skip(1);
    let arguments = arguments.map(|argument| argument.to_string_lossy().into_owned());
    std::iter::once("harness".to_owned())
        .chain(arguments)
        .collect()
}
