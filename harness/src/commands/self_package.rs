//! `harness self package`.

use std::path::Path;

use harness_report::ExitCode;

use crate::failure::Failure;
use crate::install::{Contents, write_archive};
use crate::output;

pub(crate) fn self_package(folder: &Path) -> Result<ExitCode, Failure> {
    let contents = Contents::gather()?;
    let path = write_archive(&contents, folder).map_err(|error| {
        let message = format!("{}: {error}", folder.display());
        Failure::new(ExitCode::OutputNotWritten, message)
    })?;
    output::print(&format!("{}\n", path.display()))?;
    Ok(ExitCode::Ok)
}
