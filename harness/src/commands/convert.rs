//! `harness convert`.

use std::path::{Path, PathBuf};

use harness_engine::convert::{self, Conversion, Limits, ModuleMethod, Options, TrainingRecord};
use harness_engine::schedule::WorkerCommand;
use harness_report::ExitCode;

use crate::cli::ConvertArguments;
use crate::failure::Failure;
use crate::output;

pub(crate) fn convert(arguments: &ConvertArguments) -> Result<ExitCode, Failure> {
    let conversion = Conversion {
        input: match arguments.module {
            Some(_) => input_file(&arguments.input),
            None => arguments.input.clone(),
        },
        output: arguments.output.clone(),
        options: Options {
            key: arguments.key.clone(),
            leave_out: arguments.leave_out.clone(),
            drop: arguments.drop.clone(),
            strip_prefix: arguments.strip_prefix.clone(),
            rename: arguments.rename.clone(),
            widen: arguments.widen,
            ..Options::default()
        },
        module: arguments
            .module
            .map(|method| trained(arguments, method))
            .transpose()?,
        limits: Limits {
            memory: arguments.memory,
            cpu: arguments.cpu,
            time: arguments.timeout,
        },
    };
    let written = convert::convert(&conversion, &reader()?)?;
    for note in &written.converted.notes {
        say!("note: {note}");
    }
    if !written.converted.left_out.is_empty() {
        say!("left out: {}", written.converted.left_out.join(", "));
    }
    output::print(&format!(
        "Summary tensors={} bytes={} sha256-of-input={} file={}\n",
        written.converted.tensors.len(),
        written.converted.bytes,
        written.sha256,
        arguments.output.display()
    ))?;
    Ok(ExitCode::Ok)
}

/// The command of the process that reads checkpoints.
pub(super) fn reader() -> Result<WorkerCommand, Failure> {
    Ok(WorkerCommand {
        args: vec!["convert-worker".into()],
        ..WorkerCommand::this_executable()
            .map_err(|error| Failure::new(ExitCode::SetUp, format!("this executable: {error}")))?
    })
}

/// The weights in a folder that PEFT wrote or that is a backbone; other paths as they are.
pub(super) fn input_file(path: &Path) -> PathBuf {
    let names = [
        "adapter_model.safetensors",
        "adapter_model.bin",
        "open_clip_model.safetensors",
        "model.safetensors",
    ];
    let mut files = names.map(|name| path.join(name)).into_iter();
    files
        .find(|file| path.is_dir() && file.is_file())
        .unwrap_or_else(|| path.to_owned())
}

/// The process that `convert` starts.
pub(crate) fn convert_worker() -> Result<ExitCode, Failure> {
    convert::serve().map_err(|error| {
        Failure::new(ExitCode::SetUp, format!("the conversion stopped: {error}"))
    })?;
    Ok(ExitCode::Ok)
}

fn trained(arguments: &ConvertArguments, method: ModuleMethod) -> Result<TrainingRecord, Failure> {
    Ok(TrainingRecord {
        method,
        source: arguments.source.clone().unwrap_or_default(),
        dataset: arguments.dataset.clone().unwrap_or_default(),
        classes: match &arguments.classes {
            Some(path) => class_ids(path)?,
            None => Vec::new(),
        },
        seed: arguments.seed.unwrap_or_default(),
        init: Some(arguments.init.clone()).filter(|words| !words.is_empty()),
        config: arguments.config.clone(),
        values: arguments.values.clone(),
    })
}

fn class_ids(path: &Path) -> Result<Vec<String>, Failure> {
    let text =
        fs_err::read_to_string(path).map_err(|error| Failure::new(ExitCode::SetUp, error))?;
    Ok(text.lines().map(str::to_owned).collect())
}
