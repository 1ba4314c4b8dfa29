//! `harness run`.

use harness_engine::modules::export;
use harness_engine::run::Finished;
use harness_render::terminal;
use harness_report::{ExitCode, Status};

use super::fetch::fetch_missing;
use super::gate::Gate;
use super::task::{assemble, run_task};
use crate::cli::{Part, RunArguments};
use crate::fail_on::fail_on;
use crate::failure::Failure;
use crate::live::serve;
use crate::measure::measure;
use crate::outcome::outcome;
use crate::output;
use crate::report_files::write;
use crate::reports::{baseline_of, read_baseline};
use crate::sample_files::write_samples;
use crate::settings::settings;
use crate::writable::{check_files, check_folder};
use harness_render::export::TableOptions;

pub(crate) fn run(arguments: &RunArguments) -> Result<ExitCode, Failure> {
    let settings = settings(&arguments.suite)?;
    if arguments.gate {
        // Fail before hours are spent on a report that cannot be compared.
        let suite = arguments.suite.suite.display().to_string();
        let baseline = baseline_of(&suite, arguments.rule.baseline.as_ref())?;
        read_baseline(&baseline, arguments.rule.allow_edited)?;
    } else if arguments.rule.is_given() {
        return Err(Failure::new(
            ExitCode::Usage,
            "--baseline, --margin, --alpha, --strict and --allow-mismatch belong to --gate",
        ));
    }
    let task = arguments.task.asked()?;
    if let Some(task) = &task
        && let Part::Stage(stage, shard) = task.part
    {
        return run_task(&settings, task.plan, (stage, shard));
    }
    check_files(arguments.output.iter().chain(&arguments.log_samples))?;
    for folder in arguments.keep_modules.iter().chain(&arguments.samples) {
        check_folder(folder)?;
    }
    if let Some(task) = task {
        let finished = assemble(&settings, task.plan)?;
        return conclude(arguments, &finished);
    }
    if !arguments.offline {
        fetch_missing(&settings)?;
    }
    let shown = serve(arguments.serve, &settings.suite)?;
    let board = shown.as_ref().map(|shown| &shown.board);
    let finished = measure(&settings, arguments.show_log, board)?;
    let code = conclude(arguments, &finished);
    if let Some(shown) = shown {
        shown.finish(&finished.report);
    }
    code
}

/// Writes and prints what was asked for of a run that ended.
fn conclude(arguments: &RunArguments, finished: &Finished<'_>) -> Result<ExitCode, Failure> {
    let report = &finished.report;
    let mut code = outcome(report);
    code = code.worst(write(report, &TableOptions::default(), &arguments.output));
    code = code.worst(write_samples(arguments, finished).unwrap_or_else(Failure::report));
    if let Some(folder) = &arguments.keep_modules {
        let kept = finished
            .modules()
            .map_err(|error| Failure::new(ExitCode::SetUp, error));
        let kept = kept.and_then(|modules| Ok(export(&modules, folder)?));
        code = code.worst(kept.map_or_else(Failure::report, |_| ExitCode::Ok));
    }
    let style = output::style(arguments.suite.color);
    output::print(&match arguments.details {
        true => terminal::render_details(report, &style),
        false => terminal::render(report, &style),
    })?;
    let outstanding = report
        .cells
        .iter()
        .filter(|cell| cell.status == Status::NotRun);
    match outstanding.count() {
        0 => {}
        count => say!(
            "interrupted with {count} cells outstanding; run the same command again to continue"
        ),
    }
    if arguments.gate {
        let gate = Gate {
            rule: &arguments.rule,
            only: &arguments.suite.only,
            color: arguments.suite.color,
            file: arguments
                .output
                .iter()
                .find(|path| path.extension().is_some_and(|ending| ending == "json")),
        };
        // What the run itself ended with must not be lost.
        code = code.worst(gate.compare(report).unwrap_or_else(Failure::report));
    }
    code = code.worst(fail_on(&arguments.fail_on, report));
    Ok(code)
}
