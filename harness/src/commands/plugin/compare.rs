//! `harness plugin compare`.

use std::fmt::Write;
use std::path::Path;

use harness_engine::job::{Compared, ComparisonStep, JobOutput};
use harness_engine::plugin_check::{ComparisonFile, Inputs, Reply, Subject, compare};
use harness_render::terminal::one_line;
use harness_report::ExitCode;

use super::build;
use super::library::{Library, card, draw, set_up};
use crate::cli::{ComparePluginArguments, TrialDraw, TrialPlace};
use crate::failure::Failure;
use crate::output;
use crate::progress::Reporter;

/// Characters of a message.
const WIDEST: usize = 1000;

/// What is compared, by the options or by the file.
struct Wanted {
    method: Option<String>,
    config: serde_json::Value,
    draw: TrialDraw,
    place: TrialPlace,
    batch: usize,
    step: ComparisonStep,
}

impl Wanted {
    fn of(arguments: &ComparePluginArguments) -> Result<Self, Failure> {
        let place = arguments.on.clone();
        if let Some(path) = &arguments.expected {
            let file = ComparisonFile::read(path).map_err(set_up)?;
            let about = file.about;
            return Ok(Self {
                method: Some(about.method),
                config: about.config,
                draw: TrialDraw {
                    shots: about.shots,
                    seed: about.seed,
                },
                place: TrialPlace {
                    source: about.backbone,
                    dataset: about.dataset,
                    ..place
                },
                batch: about.batch,
                step: ComparisonStep::Compare {
                    path: absolute(path)?,
                    tolerance: arguments.tolerance as f32,
                },
            });
        }
        let Some(path) = &arguments.write_inputs else {
            return Err(set_up("expected --expected FILE or --write-inputs FILE"));
        };
        Ok(Self {
            method: arguments.method.clone(),
            config: arguments.config.clone(),
            draw: arguments.draw.clone(),
            place,
            batch: arguments.batch,
            step: ComparisonStep::WriteInputs {
                path: absolute(path)?,
            },
        })
    }
}

/// Workers may have another working directory.
fn absolute(path: &Path) -> Result<std::path::PathBuf, Failure> {
    std::path::absolute(path).map_err(|error| set_up(format!("{}: {error}", path.display())))
}

pub(super) fn compare_plugin(arguments: &ComparePluginArguments) -> Result<ExitCode, Failure> {
    let wanted = Wanted::of(arguments)?;
    let path = build::library(&arguments.plugin)?;
    let library = Library::open(&path, &wanted.place)?;
    let card = card(&library.plugin, wanted.method.as_deref())?;
    // Nothing is moved to another backbone.
    let alone = TrialPlace {
        target: wanted.place.source.clone(),
        ..wanted.place.clone()
    };
    let inputs: Inputs = library.inputs(&alone)?;
    let subject = Subject {
        plugin: &library.plugin,
        method: &card.id,
        config: wanted.config.clone(),
        draw: draw(&wanted.draw),
    };
    let pool = library.pool(&wanted.place)?;
    let mut reporter = Reporter::new();
    let step = (wanted.batch, wanted.step);
    let reply = compare(subject, &inputs, step, &pool, &mut reporter);
    reporter.finish();
    match reply.map_err(set_up)? {
        Reply::Done(done) => match *done {
            JobOutput::InputsWritten => {
                if let Some(path) = &arguments.write_inputs {
                    output::print(&format!("wrote {}\n", path.display()))?;
                }
                Ok(ExitCode::Ok)
            }
            JobOutput::Compared(all) => {
                match arguments.json {
                    true => output::print_json(&all)?,
                    false => output::print(&render(&card.id, &all))?,
                }
                Ok(match all.iter().all(|one| one.agrees) {
                    true => ExitCode::Ok,
                    false => ExitCode::PluginCheck,
                })
            }
            other => Err(Failure::new(
                ExitCode::PluginCheck,
                format!("unexpected reply to a comparison: {other:?}"),
            )),
        },
        Reply::Failed { message, log } => {
            for line in log.lines() {
                say!("| {}", one_line(line, WIDEST));
            }
            Err(Failure::new(
                ExitCode::PluginCheck,
                one_line(&message, WIDEST),
            ))
        }
        Reply::NotRun => Ok(ExitCode::Outstanding),
    }
}

fn render(method: &str, all: &[Compared]) -> String {
    let mut text = format!("{}\n", one_line(method, WIDEST));
    let name = |one: &Compared| format!("{} {:?}", one_line(&one.name, WIDEST), one.shape);
    let widest = all
        .iter()
        .map(|one| name(one).len())
        .max()
        .unwrap_or_default();
    for one in all {
        let word = if one.agrees { "agrees" } else { "differs" };
        let distance = (one.expected - one.found).abs();
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "  {word:<8} {:<widest$}  off by {distance:.1e} of {:.1e}",
            name(one),
            one.scale,
        );
        if !one.agrees {
            let _ = write!(
                text,
                " at {:?}: expected {}, found {}",
                one.at, one.expected, one.found
            );
        }
        text.push('\n');
    }
    let differing = all.iter().filter(|one| !one.agrees).count();
    let _ = writeln!(
        text,
        "Summary tensors={} agree={} differ={differing}",
        all.len(),
        all.len() - differing,
    );
    text
}
