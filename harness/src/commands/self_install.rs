//! `harness self install` and `harness self uninstall`.

use std::path::{Path, PathBuf};

use harness_report::ExitCode;

use crate::failure::Failure;
use crate::install::{Contents, install, uninstall};
use crate::output;

pub(crate) fn self_install(prefix: Option<&Path>) -> Result<ExitCode, Failure> {
    let prefix = or_default(prefix)?;
    let contents = Contents::gather()?;
    install(&contents, &prefix).map_err(|error| not_written(&prefix, &error))?;
    let folder = prefix.join("bin");
    output::print(&format!(
        "installed {}: {} plugins, {} suites, embedded data, completions and man pages under {}\n",
        folder.join("harness").display(),
        contents.plugins,
        contents.suites,
        prefix.display()
    ))?;
    let path = std::env::var_os("PATH").unwrap_or_default();
    if !std::env::split_paths(&path).any(|listed| listed == folder) {
        say!("hint: add {} to PATH", folder.display());
    }
    Ok(ExitCode::Ok)
}

pub(crate) fn self_uninstall(prefix: Option<&Path>) -> Result<ExitCode, Failure> {
    let prefix = or_default(prefix)?;
    let removed = uninstall(&prefix).map_err(|error| not_written(&prefix, &error))?;
    if removed == 0 {
        let message = format!("no installation under {}", prefix.display());
        return Err(Failure::new(ExitCode::SetUp, message).hint("name its prefix with --prefix"));
    }
    output::print(&format!(
        "removed {removed} files from {}\n",
        prefix.display()
    ))?;
    Ok(ExitCode::Ok)
}

fn or_default(prefix: Option<&Path>) -> Result<PathBuf, Failure> {
    let home = || std::env::var_os("HOME").filter(|home| !home.is_empty());
    match (prefix, home()) {
        (Some(prefix), _) => std::path::absolute(prefix)
            .map_err(|error| Failure::new(ExitCode::Usage, format!("--prefix: {error}"))),
        (None, Some(home)) => Ok(PathBuf::from(home).join(".local")),
        (None, None) => Err(Failure::new(
            ExitCode::Usage,
            "HOME is not set: name the folder with --prefix",
        )),
    }
}

fn not_written(prefix: &Path, error: &std::io::Error) -> Failure {
    let message = format!("{}: {error}", prefix.display());
    Failure::new(ExitCode::OutputNotWritten, message).hint("--prefix names another folder")
}
