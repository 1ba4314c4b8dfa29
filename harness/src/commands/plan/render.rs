//! A plan as text: a matrix of costs, sums, and everything that is out of the ordinary.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use harness_engine::registry::{AbsentFile, readable};
use harness_engine::run::{CellState, Forecast, Proposal};
use harness_render::terminal::{Style, one_line};

use super::asked::{Asked, run_command};
use super::costs::{duration, matrix, sums};
use super::state::State;
use crate::absent_inputs::blocks;
use crate::power;

/// Upgrades that are listed.
const UPGRADES: usize = 8;

pub(super) fn render(forecast: &Forecast, asked: &Asked<'_>, style: &Style) -> String {
    let mut text = upgrades(forecast);
    if let Some(estimate) = &forecast.estimate {
        text.push('\n');
        text.push_str(&matrix(forecast, estimate, style));
    }
    text.push_str(&reasons(forecast));
    text.push_str(&left_out(forecast));
    text.push_str(&power::warning(forecast, style));
    text.push_str(&missing(forecast, &asked.suite.suite));
    // Writing to a String cannot fail.
    let _ = write!(
        text,
        "\nTo do: {}, {}, {}, {}\n",
        counted(forecast.features, "feature set"),
        counted(forecast.zero_shots, "zero-shot"),
        counted(forecast.trainings, "training"),
        counted(forecast.injections, "injection"),
    );
    if let Some(estimate) = &forecast.estimate {
        text.push_str(&sums(forecast, estimate, asked));
    }
    text.push_str(&proposal(forecast, asked));
    let count = |wanted: State| {
        let states = forecast.cells.iter().map(|cell| State::of(&cell.state));
        states.filter(|state| *state == wanted).count()
    };
    let states = State::ALL.map(|state| format!(" {}={}", state.word(), count(state)));
    let _ = writeln!(
        text,
        "Summary cells={}{}",
        forecast.cells.len(),
        states.concat()
    );
    text
}

/// What is measured: upgrades, shots and seeds.
fn upgrades(forecast: &Forecast) -> String {
    let mut pairs: Vec<(&str, &str)> = Vec::new();
    let (mut shots, mut seeds) = (Vec::new(), Vec::new());
    for cell in &forecast.cells {
        let pair = (cell.source.as_str(), cell.target.as_str());
        if pairs.last() != Some(&pair) && !pairs.contains(&pair) {
            pairs.push(pair);
        }
        if shots.last() != Some(&cell.shots) && !shots.contains(&cell.shots) {
            shots.push(cell.shots);
        }
        if seeds.last() != Some(&cell.seed) && seeds.len() <= LISTED && !seeds.contains(&cell.seed)
        {
            seeds.push(cell.seed);
        }
    }
    let mut text = String::new();
    for (source, target) in pairs.iter().take(UPGRADES) {
        let _ = writeln!(text, "{} → {}", one_line(source, 60), one_line(target, 60));
    }
    if pairs.len() > UPGRADES {
        let _ = writeln!(text, "and {} more upgrades", pairs.len() - UPGRADES);
    }
    let _ = writeln!(text, "shots {}; seeds {}", listed(&shots), listed(&seeds));
    text
}

/// Numbers that are listed.
const LISTED: usize = 10;

fn listed<N: ToString>(numbers: &[N]) -> String {
    let shown: Vec<String> = numbers.iter().take(LISTED).map(N::to_string).collect();
    match numbers.len() > LISTED {
        true => format!("{}, …", shown.join(", ")),
        false => shown.join(", "),
    }
}

/// What fits into the budget, with the command that runs it.
fn proposal(forecast: &Forecast, asked: &Asked<'_>) -> String {
    let (Some(proposal), Some(budget)) = (&forecast.proposal, asked.budget) else {
        return String::new();
    };
    let plural = if asked.processors() == 1 { "" } else { "s" };
    let frame = format!(
        "{} with {} worker{plural}",
        duration(budget),
        asked.processors()
    );
    match proposal {
        Proposal::Everything => format!("All of it fits into {frame}\n"),
        Proposal::Nothing { cheapest_seconds } => format!(
            "Nothing fits into {frame}: the cheapest method on one data set takes {}\n",
            duration(*cheapest_seconds)
        ),
        Proposal::Part {
            selection,
            cells,
            wall_seconds,
            ..
        } => format!(
            "Into {frame} fit {cells} of {} cells, in {}:\n    {}\n",
            forecast.cells.len(),
            duration(*wall_seconds),
            run_command(asked, selection)
        ),
    }
}

fn counted(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

/// Every file that is not on disk, and how it comes there.
fn missing(forecast: &Forecast, suite: &Path) -> String {
    let absent = &forecast.absent;
    if absent.is_empty() {
        return String::new();
    }
    let mut text = format!("\nNot on this machine:\n\n{}\n", blocks(absent));
    let fetchable = absent.iter().filter(|input| input.request.is_some());
    let files: Vec<&AbsentFile> = fetchable.flat_map(|input| &input.files).collect();
    if !files.is_empty() {
        let sizes = files.iter().map(|file| file.size.or(file.about));
        let known: Vec<u64> = sizes.flatten().collect();
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "\n`harness fetch {}` gets {} files: about {}, and {} small ones of unknown size",
            suite.display(),
            files.len(),
            readable(known.iter().sum()),
            files.len() - known.len(),
        );
    }
    text
}

/// What has no counterpart in a target and stays out of it, once a method and target.
fn left_out(forecast: &Forecast) -> String {
    let mut found: BTreeMap<(&str, &str), &[String]> = BTreeMap::new();
    for cell in forecast.cells.iter().filter(|c| !c.left_out.is_empty()) {
        found.insert((&cell.method, &cell.target), &cell.left_out);
    }
    let mut text = String::new();
    for ((method, target), names) in found {
        let names = one_line(&names.join(", "), 400);
        let _ = write!(
            text,
            "\nno counterpart in {target} for what {method} trains:\n    {names}\n"
        );
    }
    text
}

/// Places that are listed for a reason.
const PLACES: usize = 12;

/// Data sets by method and target.
type Places<'a> = BTreeMap<(&'a str, &'a str), Vec<&'a str>>;

/// Every reason once, with the methods and data sets it holds for.
fn reasons(forecast: &Forecast) -> String {
    let mut cells: BTreeMap<(&str, &str), Places<'_>> = BTreeMap::new();
    for cell in &forecast.cells {
        let (word, reason) = match &cell.state {
            CellState::NotInjectable { reason } => ("not injectable", reason),
            CellState::Broken { message } => ("broken", message),
            _ => continue,
        };
        let places = cells.entry((word, reason)).or_default();
        let datasets = places.entry((&cell.method, &cell.target)).or_default();
        if !datasets.contains(&cell.dataset.as_str()) {
            datasets.push(&cell.dataset);
        }
    }
    let mut text = String::new();
    for ((word, reason), places) in cells {
        let _ = write!(text, "\n{word}: {}\n", one_line(reason, 300));
        for ((method, target), datasets) in places.iter().take(PLACES) {
            let _ = writeln!(
                text,
                "    {} into {}, {}",
                one_line(method, 60),
                one_line(target, 60),
                one_line(&datasets.join(", "), 200)
            );
        }
        if places.len() > PLACES {
            let _ = writeln!(text, "    and {} more", places.len() - PLACES);
        }
    }
    text
}
