//! `harness schema`.

use harness_report::{ExitCode, report_schema};

use super::plan::plan_schema;
use crate::cli::Schema;
use crate::failure::Failure;
use crate::output;

pub(crate) fn schema(of: Schema) -> Result<ExitCode, Failure> {
    let schema = match of {
        Schema::Suite => harness_engine::suite::schema(),
        Schema::Report => report_schema().to_value(),
        Schema::Plan => plan_schema(),
    };
    output::print(&format!("{schema:#}\n"))?;
    Ok(ExitCode::Ok)
}
