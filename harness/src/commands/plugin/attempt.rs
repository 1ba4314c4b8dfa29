//! `harness plugin try`.

use std::fmt::Write;
use std::sync::atomic::AtomicBool;

use harness_engine::job::{JobOutput, Moved, Trial};
use harness_engine::plugin_check::{Reply, Subject, attempt};
use harness_render::terminal::one_line;
use harness_report::ExitCode;
use serde::Serialize;

use super::build;
use super::curve::bars;
use super::library::{Library, card, draw};
use super::watch::Snapshot;
use crate::cli::TryPluginArguments;
use crate::failure::Failure;
use crate::progress::Reporter;
use crate::thousands::thousands;
use crate::{interrupt, output};

/// Characters of a message.
const WIDEST: usize = 1000;

pub(super) fn try_plugin(arguments: &TryPluginArguments) -> Result<ExitCode, Failure> {
    let cancel = interrupt::watch()?;
    if !arguments.watch {
        return once(arguments, cancel);
    }
    interrupt::scheduling();
    loop {
        let before = Snapshot::of(&arguments.plugin);
        if let Err(failure) = once(arguments, cancel) {
            failure.report();
        }
        say!(
            "waiting for changes of {}; Ctrl-C ends",
            arguments.plugin.display()
        );
        if !before.wait_for_change(&arguments.plugin, cancel) {
            return Ok(ExitCode::Ok);
        }
    }
}

fn once(arguments: &TryPluginArguments, cancel: &'static AtomicBool) -> Result<ExitCode, Failure> {
    let path = build::library(&arguments.plugin)?;
    let library = Library::open_until(&path, &arguments.on, cancel)?;
    let card = card(&library.plugin, arguments.method.as_deref())?;
    let inputs = library.inputs(&arguments.on)?;
    let subject = Subject {
        plugin: &library.plugin,
        method: &card.id,
        config: arguments.config.clone(),
        draw: draw(&arguments.draw),
    };
    let pool = library.pool(&arguments.on)?;
    let mut reporter = Reporter::new().with_logs(true);
    let reply = attempt(subject, &inputs, &pool, &mut reporter);
    reporter.finish();
    let reply = reply.map_err(|error| Failure::new(ExitCode::SetUp, error))?;
    match reply {
        Reply::Done(done) => match *done {
            JobOutput::Tried(trial) => {
                match arguments.json {
                    true => output::print_json(&Line::of(&card.id, &trial))?,
                    false => output::print(&render(&card.id, arguments, &trial))?,
                }
                Ok(ExitCode::Ok)
            }
            other => Err(Failure::new(
                ExitCode::PluginCheck,
                format!("unexpected reply to a trial: {other:?}"),
            )),
        },
        Reply::Failed { message, log } => {
            let failure = Failure::new(ExitCode::PluginCheck, one_line(&message, WIDEST));
            // What a failure printed reaches no observer.
            for line in log.lines() {
                say!("| {}", one_line(line, WIDEST));
            }
            Err(failure)
        }
        Reply::NotRun => Ok(ExitCode::Outstanding),
    }
}

/// A trial as JSON.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Line<'t> {
    method: &'t str,
    #[serde(flatten)]
    trial: &'t Trial,
}

impl<'t> Line<'t> {
    fn of(method: &'t str, trial: &'t Trial) -> Self {
        Self { method, trial }
    }
}

fn render(method: &str, arguments: &TryPluginArguments, trial: &Trial) -> String {
    let (place, draw) = (&arguments.on, &arguments.draw);
    let mut text = format!(
        "{method} on {}, {} shots, seed {}: {} → {}, {} test images\n",
        place.dataset,
        draw.shots,
        draw.seed,
        place.source,
        place.target,
        thousands(trial.test_images),
    );
    // Writing to a String cannot fail.
    if let [first, .., last] = trial.losses.as_slice() {
        let curve = bars(&trial.losses);
        let _ = writeln!(text, "loss  {first:.3} {curve} {last:.3}");
    }
    let _ = writeln!(
        text,
        "{} steps in {:.1} s, {} trained parameters",
        thousands(trial.steps),
        trial.train_seconds,
        thousands(trial.parameters),
    );
    let gradients = match (trial.checked_gradients, trial.steps) {
        (true, _) => "gradients agree with finite differences of the loss",
        (false, 0) => "no step was taken, so there are no gradients",
        (false, _) => {
            "gradients were not compared: the loss stops some on purpose, or the SDK is old"
        }
    };
    let _ = writeln!(text, "{gradients}\n");
    let _ = writeln!(
        text,
        "{:<8} {:>9} {:>9} {:>9}",
        "", "zero-shot", "module", "gain"
    );
    let mut row = |name: &str, zero: f64, module: f64| {
        let (zero, module) = (100.0 * zero, 100.0 * module);
        let gain = module - zero;
        let _ = writeln!(text, "{name:<8} {zero:>7.2} % {module:>7.2} % {gain:>+9.2}");
    };
    row("source", trial.zero_source, trial.base);
    match &trial.new {
        Moved::Accuracy(new) => row("target", trial.zero_target, *new),
        Moved::NotInjectable(reason) => {
            let reason = one_line(reason, WIDEST);
            let _ = writeln!(text, "target   not injectable: {reason}");
        }
    }
    text
}
