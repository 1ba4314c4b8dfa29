//! `harness data few-shot`.

use harness_engine::data::{self, Draw, FewShotPaths, Sampler};
use harness_engine::registry::SearchPath;
use harness_report::ExitCode;

use crate::cli::{self, DrawnSplit, FewShotArguments};
use crate::failure::Failure;
use crate::{local_path, output};

pub(crate) fn few_shot(arguments: &FewShotArguments) -> Result<ExitCode, Failure> {
    let places = SearchPath::of_current_folder().with_data(arguments.data.as_deref(), None);
    let draw = Draw {
        shots: arguments.shots,
        seeds: arguments.seed.into(),
        sampler: match arguments.sampler {
            cli::Sampler::Coop => Sampler::Coop,
            cli::Sampler::ClipLora => Sampler::ClipLora,
        },
    };
    let sampled = data::few_shot(&places, &arguments.name, draw).map_err(|error| {
        let failure = Failure::new(ExitCode::SetUp, error);
        match local_path::hint(&arguments.name) {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    })?;
    let FewShotPaths {
        train,
        val,
        image_folder,
        sha256,
        unread_pickles,
    } = sampled;
    if let Some(folder) = unread_pickles {
        say!(
            "note: the pickles in {} are not read: they contain absolute paths of the machine that \
             wrote them, and a pickle runs code when it is loaded; the same few-shot split is sampled from the seed",
            folder.display()
        );
    }
    let paths = match arguments.split {
        DrawnSplit::Train => train,
        DrawnSplit::Val => val,
    };
    say!(
        "{} images, paths from {}; sampler {}, picks_sha256 of both splits {sha256}",
        paths.len(),
        image_folder.display(),
        draw.sampler
    );
    let lines: String = paths.iter().map(|path| format!("{path}\n")).collect();
    output::print(&lines)?;
    Ok(ExitCode::Ok)
}
