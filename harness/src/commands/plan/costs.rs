//! The costs of a plan in words and in a matrix.

use std::collections::HashMap;

use harness_engine::cost::Estimate;
use harness_engine::registry::readable;
use harness_engine::run::Forecast;
use harness_render::terminal::{Style, table};

use super::asked::Asked;
use super::state::State;
use crate::thousands::thousands;

/// What the time of a GPU or a core is counted in.
struct Unit {
    name: &'static str,
    seconds: f64,
}

impl Unit {
    fn of(seconds: f64) -> Self {
        match seconds {
            ..120.0 => Self {
                name: "seconds",
                seconds: 1.0,
            },
            ..7200.0 => Self {
                name: "minutes",
                seconds: 60.0,
            },
            _ => Self {
                name: "hours",
                seconds: 3600.0,
            },
        }
    }

    fn number(&self, seconds: f64) -> String {
        match seconds / self.seconds {
            number if number >= 99.95 => thousands(number.round() as u64),
            number if number >= 0.05 => format!("{number:.1}"),
            _ => "<0.1".to_owned(),
        }
    }
}

/// A time in words: `45 s`, `12 min`, `5.2 h` or `12 days`.
pub(super) fn duration(seconds: f64) -> String {
    match seconds {
        ..1.0 => "less than 1 s".to_owned(),
        ..90.0 => format!("{seconds:.0} s"),
        ..5400.0 => format!("{:.0} min", seconds / 60.0),
        ..172_800.0 => format!("{:.1} h", seconds / 3600.0),
        _ => format!("{} days", thousands((seconds / 86_400.0).round() as u64)),
    }
}

/// A method, or what all share, on a data set.
type Pair<'a> = (Option<&'a str>, &'a str);

/// Methods × data sets, with sums, in the unit that suits the total.
pub(super) fn matrix(forecast: &Forecast, estimate: &Estimate, style: &Style) -> String {
    let mut datasets: Vec<&str> = Vec::new();
    let mut methods: Vec<&str> = Vec::new();
    let mut states: HashMap<(&str, &str), State> = HashMap::new();
    for cell in &forecast.cells {
        if !states.contains_key(&(cell.method.as_str(), cell.dataset.as_str())) {
            if !datasets.contains(&cell.dataset.as_str()) {
                datasets.push(&cell.dataset);
            }
            if !methods.contains(&cell.method.as_str()) {
                methods.push(&cell.method);
            }
        }
        let state = State::of(&cell.state);
        let kept = states.entry((&cell.method, &cell.dataset)).or_insert(state);
        *kept = worse(*kept, state);
    }
    let mut seconds: HashMap<Pair<'_>, f64> = HashMap::new();
    for share in &estimate.shares {
        // A shifted data set's base that is no column of its own.
        if !datasets.contains(&share.dataset.as_str()) {
            datasets.push(&share.dataset);
        }
        seconds.insert(
            (share.method.as_deref(), &share.dataset),
            share.processor_seconds,
        );
    }
    let total = estimate.processor_seconds();
    let unit = Unit::of(total);
    let sum = |of: &dyn Fn(&Pair<'_>) -> bool| -> f64 {
        let own = seconds.iter().filter(|(at, _)| of(at));
        own.map(|(_, seconds)| *seconds).sum()
    };
    let entry = |method: Option<&str>, dataset: &str| {
        let state = method.and_then(|method| states.get(&(method, dataset)));
        match (seconds.get(&(method, dataset)), state) {
            (_, Some(State::Broken)) => "broken".to_owned(),
            (_, Some(State::NotInjectable)) => "no fit".to_owned(),
            (Some(seconds), _) => unit.number(*seconds),
            (None, Some(State::Stored)) => "stored".to_owned(),
            (None, _) => "–".to_owned(),
        }
    };
    let row = |label: &str, method: Option<&str>| {
        let entries = datasets.iter().map(|dataset| entry(method, dataset));
        let all = sum(&|(own, _)| *own == method);
        let all = std::iter::once(unit.number(all));
        (label.to_owned(), entries.chain(all).collect())
    };
    let mut rows = vec![row("features, zero-shot", None)];
    rows.extend(methods.iter().map(|method| row(method, Some(method))));
    let sums = datasets
        .iter()
        .map(|dataset| unit.number(sum(&|(_, own)| own == dataset)));
    let total = std::iter::once(unit.number(total));
    rows.push(("all".to_owned(), sums.chain(total).collect()));
    let heads = datasets.iter().map(|name| (*name).to_owned());
    let heads: Vec<String> = heads.chain(["all".to_owned()]).collect();
    format!(
        "{} {} to do, by method and data set\n{}",
        processor(estimate),
        unit.name,
        table(&heads, &rows, style)
    )
}

/// What does the work.
fn processor(estimate: &Estimate) -> &'static str {
    match estimate.gpus {
        Some(_) => "GPU",
        None => "CPU",
    }
}

/// Of the states of two cells, the one that the matrix shows.
fn worse(one: State, other: State) -> State {
    let rank = |state| match state {
        State::Stored => 0,
        State::NotInjectable => 1,
        State::Waiting => 2,
        State::ToRun => 3,
        State::Broken => 4,
    };
    if rank(other) > rank(one) { other } else { one }
}

/// Total, wall time, memory and disk.
pub(super) fn sums(forecast: &Forecast, estimate: &Estimate, asked: &Asked<'_>) -> String {
    let total = estimate.processor_seconds();
    let unit = Unit::of(total);
    let throughput = estimate.throughput;
    let several = |count: usize, name: &str| match count {
        1 => format!("1 {name}"),
        count => format!("{count} {name}s"),
    };
    let (place, here, name) = match &estimate.gpus {
        Some(gpus) => (
            format!(
                "on one {} in {}, {:.1} ms for each call",
                gpus.name,
                gpus.precision,
                throughput.call_seconds * 1e3
            ),
            several(asked.here, "GPU"),
            "GPU",
        ),
        None => (
            "in one thread".to_owned(),
            several(asked.here, "worker"),
            "core",
        ),
    };
    let there = asked.there.map_or_else(String::new, |count| {
        let wall = duration(estimate.wall_seconds(count));
        format!(", {wall} on {}", several(count, name))
    });
    let bytes = estimate.worker_bytes;
    format!(
        "About {} {} {} at {:.0} GFLOP/s (text tower) and {:.0} GFLOP/s (image tower) {place}, measured now\n\
         Wall time: {} on this machine ({here}){there}\n\
         Memory: up to {} a worker, {} for {}; disk: {}\n",
        unit.number(total),
        processor(estimate),
        unit.name,
        throughput.text / 1e9,
        throughput.image / 1e9,
        duration(estimate.wall_seconds(asked.here)),
        readable(bytes),
        readable(bytes.saturating_mul(forecast.workers as u64)),
        several(forecast.workers, "worker"),
        readable(estimate.disk_bytes),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_numbers_are_short() {
        let words = [0.2, 45.0, 720.0, 18_720.0, 1e6, 1e9].map(duration);
        assert_eq!(
            words,
            [
                "less than 1 s",
                "45 s",
                "12 min",
                "5.2 h",
                "12 days",
                "11,574 days"
            ]
        );
        let hours = Unit::of(1e9);
        let numbers = [1e9, 3600.0, 100.0].map(|seconds| hours.number(seconds));
        assert_eq!(numbers, ["277,778", "1.0", "<0.1"]);
    }
}
