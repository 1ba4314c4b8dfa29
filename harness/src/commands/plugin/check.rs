//! `harness plugin check`.

use std::fmt::Write;

use harness_engine::job::MethodCheck;
use harness_engine::plugin_check::{Checked, Inputs, Outcome, check, variants};
use harness_engine::registry::RegisteredPlugin;
use harness_engine::schedule::Pool;
use harness_render::terminal::one_line;
use harness_report::ExitCode;
use serde::Serialize;
use serde_json::Value;

use super::library::{Library, card};
use crate::cli::CheckPluginArguments;
use crate::failure::Failure;
use crate::output;
use crate::progress::Reporter;

/// Characters of a message or of a line of a log.
const WIDEST: usize = 1000;
/// Last lines of a log that are shown.
const LOG_LINES: usize = 5;

pub(crate) fn plugin_check(arguments: &CheckPluginArguments) -> Result<ExitCode, Failure> {
    let library = Library::open(&arguments.plugin, &arguments.on)?;
    let mut reporter = Reporter::new();
    let inputs = library.inputs(&arguments.on)?;
    let (plugin, pool) = (&library.plugin, library.pool(&arguments.on)?);
    let checked = run(arguments, plugin, &inputs, &pool, &mut reporter);
    reporter.finish();
    let checked = checked?;
    match arguments.json {
        true => output::print_json(&checked.iter().map(Line::of).collect::<Vec<_>>())?,
        false => output::print(&render(&checked))?,
    }
    let has = |is_kind: fn(&Outcome) -> bool| checked.iter().any(|one| is_kind(&one.outcome));
    Ok(
        if has(|outcome| matches!(outcome, Outcome::Failed { .. })) {
            ExitCode::PluginCheck
        } else if has(|outcome| *outcome == Outcome::NotRun) {
            ExitCode::Outstanding
        } else {
            ExitCode::Ok
        },
    )
}

fn run(
    arguments: &CheckPluginArguments,
    plugin: &RegisteredPlugin,
    inputs: &Inputs,
    pool: &Pool<'_>,
    reporter: &mut Reporter,
) -> Result<Vec<Checked>, Failure> {
    let cards = match &arguments.method {
        Some(id) => vec![card(plugin, Some(id))?],
        None => plugin.descriptor.methods.iter().collect(),
    };
    let mut checked = Vec::new();
    for card in cards {
        let configs = match arguments.config.is_empty() {
            true => variants(&card.config_schema),
            false => arguments.config.clone(),
        };
        let found = check((plugin, card), &configs, inputs, pool, reporter);
        checked.extend(found.map_err(|error| Failure::new(ExitCode::SetUp, error))?);
    }
    Ok(checked)
}

/// What a check is called, and what it asks.
fn name(check: MethodCheck) -> (&'static str, &'static str) {
    match check {
        MethodCheck::Configuration => ("configuration", "unknown keys are refused by name"),
        MethodCheck::Card => ("card", "the card names what a module carries"),
        MethodCheck::Training => (
            "training",
            "trains; gradients agree with finite differences; tapes are released",
        ),
        MethodCheck::Determinism => ("determinism", "the same seed gives the same bytes"),
        MethodCheck::SelfInjection => (
            "self-injection",
            "the same bits each time on the source, and the same module back",
        ),
        MethodCheck::Target => ("target", "finite logits on the target, or a reason"),
        MethodCheck::DamagedModules => ("damaged-modules", "damaged modules are refused"),
        MethodCheck::Rows => ("rows", "images that do not exist are refused"),
    }
}

/// One check as JSON.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Line<'c> {
    method: &'c str,
    config: &'c Value,
    check: &'static str,
    /// `passed`, `failed`, `skipped` or `not-run`.
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'c str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    log: Option<&'c str>,
}

impl<'c> Line<'c> {
    fn of(checked: &'c Checked) -> Self {
        let (outcome, message, log) = match &checked.outcome {
            Outcome::Passed { note } => ("passed", note.as_deref(), None),
            Outcome::Failed { message, log } => {
                ("failed", Some(message.as_str()), Some(log.as_str()))
            }
            Outcome::Skipped => ("skipped", Some("needs a training"), None),
            Outcome::NotRun => ("not-run", None, None),
        };
        Self {
            method: &checked.method,
            config: &checked.config,
            check: name(checked.check).0,
            outcome,
            message,
            log: log.filter(|log| !log.is_empty()),
        }
    }
}

fn render(checked: &[Checked]) -> String {
    let mut text = String::new();
    let mut last = None;
    // Writing to a String cannot fail.
    for one in checked {
        let subject = (&one.method, &one.config);
        if last != Some(subject) {
            let config = one_line(&one.config.to_string(), WIDEST);
            let _ = writeln!(text, "{} {config}", one_line(&one.method, WIDEST));
            last = Some(subject);
        }
        let line = Line::of(one);
        let question = name(one.check).1;
        let _ = writeln!(text, "  {:<8}{:<17}{question}", line.outcome, line.check);
        if let (Some(message), true) = (line.message, line.outcome != "skipped") {
            let _ = writeln!(text, "          {}", one_line(message, WIDEST));
        }
        let log: Vec<&str> = line.log.unwrap_or_default().lines().collect();
        for said in &log[log.len().saturating_sub(LOG_LINES)..] {
            let _ = writeln!(text, "          | {}", one_line(said, WIDEST));
        }
    }
    let count = |word: &str| {
        checked
            .iter()
            .filter(|one| Line::of(one).outcome == word)
            .count()
    };
    let counts = ["passed", "failed", "skipped", "not-run"].map(|w| format!(" {w}={}", count(w)));
    let _ = writeln!(text, "Summary checks={}{}", checked.len(), counts.concat());
    text
}
