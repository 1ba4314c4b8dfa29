//! `harness data picks`.

use harness_engine::data::{self, Draw, Picked, Sampler};
use harness_engine::registry::Places;
use harness_report::ExitCode;

use crate::cli::{self, DrawnSplit, PicksArguments};
use crate::failure::Failure;
use crate::output;

pub(crate) fn picks(arguments: &PicksArguments) -> Result<ExitCode, Failure> {
    let places = Places::of_current_folder().with_data(arguments.data.as_deref(), None);
    let draw = Draw {
        shots: arguments.shots,
        seed: arguments.seed,
        sampler: match arguments.sampler {
            cli::Sampler::Coop => Sampler::Coop,
            cli::Sampler::ClipLora => Sampler::ClipLora,
        },
    };
    let picked = data::picks(&places, &arguments.name, draw)
        .map_err(|error| Failure::new(ExitCode::SetUp, error))?;
    let Picked {
        train,
        val,
        image_folder,
        sha256,
        unread_pickles,
    } = picked;
    if let Some(folder) = unread_pickles {
        eprintln!(
            "note: the pickles in {} are not read: they hold absolute paths of the machine that \
             wrote them, and a pickle runs code when it is loaded; the same picks are drawn anew",
            folder.display()
        );
    }
    let paths = match arguments.split {
        DrawnSplit::Train => train,
        DrawnSplit::Val => val,
    };
    eprintln!(
        "{} images, paths from {}; sampler {}, picks_sha256 of both splits {sha256}",
        paths.len(),
        image_folder.display(),
        draw.sampler
    );
    let lines: String = paths.iter().map(|path| format!("{path}\n")).collect();
    output::print(&lines)?;
    Ok(ExitCode::Ok)
}
