//! `harness export`.

use std::path::Path;

use harness_render::export::export_comparison;
use harness_report::gate::judge;
use harness_report::selection::Selection;
use harness_report::{ExitCode, GateRule};

use crate::cli::ExportArguments;
use crate::failure::Failure;
use crate::figure_files::write_figures;
use crate::report_files::{write, write_each};
use crate::reports::{read_plain, refuse_mismatches, selected};
use crate::tracker_files::write_trackers;

pub(crate) fn export(arguments: &ExportArguments) -> Result<ExitCode, Failure> {
    let read = |path: &Path| read_plain(path, arguments.allow_edited);
    let selection: Selection = arguments.only.iter().cloned().collect();
    let report = read(&arguments.report)?;
    selected(&selection, [&report])?;
    let report = selection.restrict(report);
    let Some(path) = &arguments.compare else {
        let tables = arguments.tables.options(arguments.figures.look.columns);
        let code = write(&report, &tables, &arguments.output)
            .worst(write_trackers(&report, &arguments.trackers));
        return Ok(match &arguments.figures.figures {
            Some(folder) => code.worst(write_figures(&report, folder, &arguments.figures)),
            None => code,
        });
    };
    let old = selection.restrict(read(path)?);
    let judgement = judge(&report, &old, GateRule::default(), |_| true);
    refuse_mismatches(&judgement, path, arguments.allow_mismatch)?;
    Ok(write_each(&arguments.output, |path| {
        export_comparison(&report, &old, path)
    }))
}
