//! `harness schema`.

use harness_report::{ExitCode, report_schema};

use crate::cli::Format;
use crate::failure::Failure;
use crate::output;

pub(crate) fn schema(of: Format) -> Result<ExitCode, Failure> {
    let schema = match of {
        Format::Suite => harness_engine::suite::schema(),
        Format::Report => report_schema().to_value(),
    };
    output::print(&format!("{schema:#}\n"))?;
    Ok(ExitCode::Ok)
}
