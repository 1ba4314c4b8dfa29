//! `harness plugin lock`.

use harness_engine::lock::{PluginSource, lock};
use harness_engine::run::Settings;
use harness_report::ExitCode;

use crate::cli::LockArguments;
use crate::failure::Failure;
use crate::progress::Reporter;
use crate::settings::{interpreter, worker_command};
use crate::suite_path::find_suite;
use crate::{interrupt, output, table};

pub(super) fn lock_plugins(arguments: &LockArguments) -> Result<ExitCode, Failure> {
    let settings = Settings {
        store: arguments.store.clone(),
        data: arguments.data.clone(),
        python: arguments.python.as_deref().map(interpreter),
        ..Settings::new(
            find_suite(&arguments.suite)?,
            worker_command()?,
            interrupt::watch()?,
        )
    };
    let mut reporter = Reporter::new();
    let locked = lock(&settings, &mut reporter);
    reporter.finish();
    let (path, entry) = locked?;
    let rows = entry.plugins.iter().map(|plugin| {
        let source = match plugin.source {
            PluginSource::Suite => "suite",
            PluginSource::Environment => "HARNESS_PLUGIN_PATH",
            PluginSource::Harness => "harness",
        };
        vec![
            plugin.name.clone(),
            plugin.version.clone(),
            source.to_owned(),
            plugin.file.clone(),
            plugin.sha256.clone(),
        ]
    });
    let head = ["PLUGIN", "VERSION", "FROM", "FILE", "SHA-256"];
    let mut text = table::plain(&head, rows) + "\n";
    if !entry.downloads.is_empty() {
        let rows = entry.downloads.iter().map(|one| vec![one.clone()]);
        text += &(table::plain(&["REPOSITORY"], rows) + "\n");
    }
    output::print(&format!(
        "{text}Summary written={} plugins={} repositories={}\n",
        path.display(),
        entry.plugins.len(),
        entry.downloads.len()
    ))?;
    Ok(ExitCode::Ok)
}
