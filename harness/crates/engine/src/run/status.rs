//! How a cell ended, from how its units ended.

use std::collections::HashMap;

use harness_report::Status;

use crate::plan::{CellPlan, Trouble};
use crate::schedule::TaskResult;

/// Bytes of a log that go into a report.
const LOG_TAIL: usize = 4096;

/// The status of a cell: the gravest of its units', the first of equal ones.
pub(crate) fn of_cell(cell: &CellPlan, results: &HashMap<usize, TaskResult>) -> Status {
    let zeros = [Ok(cell.zero_source), Ok(cell.zero_target)];
    let measured = [cell.base.clone(), cell.new.clone()];
    let mut worst = Status::Ok;
    let mut consider = |unit: Result<usize, Trouble>| {
        let status = match unit {
            Ok(unit) => of_unit(unit, results),
            Err(Trouble::NotInjectable(reason)) => Status::NotInjectable { reason },
            Err(Trouble::Broken(result)) => of_result(&result),
        };
        if rank(&status) > rank(&worst) {
            worst = status;
        }
    };
    measured.into_iter().chain(zeros).for_each(&mut consider);
    match &cell.oracle {
        // The oracle is extra: that it does not exist is no news about the move.
        None | Some(Err(Trouble::NotInjectable(_))) => {}
        Some(oracle) => consider(oracle.clone()),
    }
    worst
}

/// The status that a unit's result gives its cell.
pub(crate) fn of_unit(unit: usize, results: &HashMap<usize, TaskResult>) -> Status {
    let mut unit = unit;
    // A chain of needs is never longer than the number of units.
    for _ in 0..=results.len() {
        match results.get(&unit) {
            Some(TaskResult::Blocked { by }) => unit = *by,
            Some(result) => return of_result(result),
            None => break,
        }
    }
    Status::NotRun
}

fn of_result(result: &TaskResult) -> Status {
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
