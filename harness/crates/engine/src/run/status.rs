//! How a cell ended, from how its units ended.

use harness_report::Status;

use super::results::Results;
use crate::plan::{CellPlan, NotMeasured, UnitIndex, UnitResult};
use crate::schedule::TaskResult;

/// Bytes of a log that go into a report.
const LOG_TAIL: usize = 4096;

/// The status of a cell: the worst status of its units, the first of equally bad ones.
pub(crate) fn of_cell(cell: &CellPlan, results: &Results) -> Status {
    let zeros = [Ok(cell.zero_source), Ok(cell.zero_target)];
    let measured = [cell.base.clone(), cell.new.clone()];
    let mut worst = Status::Ok;
    let mut consider = |unit: Result<UnitIndex, NotMeasured>| {
        let status = match unit {
            Ok(unit) => of_unit(unit, results),
            Err(NotMeasured::NotInjectable(reason)) => Status::NotInjectable { reason },
            Err(NotMeasured::SurveyFailed(result)) => of_result(&result),
        };
        if rank(&status) > rank(&worst) {
            worst = status;
        }
    };
    measured.into_iter().chain(zeros).for_each(&mut consider);
    match &cell.oracle {
        // The oracle is extra: a module that cannot be retrained may still move well.
        None | Some(Err(NotMeasured::NotInjectable(_))) => {}
        Some(oracle) => consider(oracle.clone()),
    }
    worst
}

/// The status that a unit's result gives its cell.
pub(crate) fn of_unit(unit: UnitIndex, results: &Results) -> Status {
    let mut unit = unit;
    // A chain of needs is never longer than the number of units.
    for _ in 0..=results.len() {
        match results.get(unit) {
            Some(TaskResult::Blocked { by }) => unit = *by,
            Some(result) => return of_result(result),
            None => break,
        }
    }
    Status::NotRun
}

fn of_result(result: &UnitResult) -> Status {
    match result {
        TaskResult::Finished { .. } => Status::Ok,
        TaskResult::NotInjectable { reason } => Status::NotInjectable {
            reason: reason.clone(),
        },
        TaskResult::Failed { message, .. } => Status::Failed {
            message: message.clone(),
        },
        TaskResult::Crashed { message, log } => Status::Crashed {
            message: message.clone(),
            log: end_of(log),
        },
        TaskResult::TimedOut { seconds, log } => Status::TimedOut {
            seconds: *seconds,
            log: end_of(log),
        },
        TaskResult::Blocked { .. } | TaskResult::NotRun => Status::NotRun,
    }
}

fn rank(status: &Status) -> u8 {
    match status {
        Status::Ok => 0,
        Status::NotInjectable { .. } => 1,
        Status::NotRun => 2,
        Status::Failed { .. } | Status::Crashed { .. } | Status::TimedOut { .. } => 3,
    }
}

fn end_of(log: &str) -> String {
    let mut start = log.len().saturating_sub(LOG_TAIL);
    while !log.is_char_boundary(start) {
        start += 1;
    }
    log[start..].to_owned()
}
