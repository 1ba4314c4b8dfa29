//! `harness predict`: what a module says of a user's own pictures.

use std::fmt::Write;
use std::time::Duration;

use harness_engine::predict::{PredictRequest, Predictions, predict as classify};
use harness_engine::schedule::Pool;
use harness_report::ExitCode;

use crate::cli::PredictArguments;
use crate::failure::Failure;
use crate::progress::Reporter;
use crate::settings::{places, worker_command};
use crate::writable::check_files;
use crate::{interrupt, local_path, output};

/// Time a batch of images may take.
const TIME_LIMIT: Duration = Duration::from_secs(600);

pub(crate) fn predict(arguments: &PredictArguments) -> Result<ExitCode, Failure> {
    check_files(&arguments.output)?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let pool = Pool {
        command: worker_command()?,
        jobs: arguments.jobs.map_or(cores, usize::from),
        devices: Vec::new(),
        time_limit: TIME_LIMIT,
        // Nothing of a prediction is stored.
        store: std::env::temp_dir(),
        cancel: interrupt::watch()?,
    };
    let mut reporter = Reporter::new();
    let found = classify(
        places()?.with_data(arguments.data.as_deref(), None),
        PredictRequest {
            module: &arguments.module,
            backbone: &arguments.backbone,
            images: &arguments.images,
            dataset: arguments.dataset.as_deref(),
            top: usize::from(arguments.top),
        },
        &pool,
        &mut reporter,
    );
    reporter.finish();
    let found = found.map_err(|error| {
        let failure = Failure::new(error.exit_code(), &error);
        match local_path::hint(&arguments.backbone) {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    })?;
    for note in &found.notes {
        say!("note: {note}");
    }
    let csv = csv(&found);
    match &arguments.output {
        None => output::print(&csv)?,
        Some(path) => {
            harness_store::write_atomically(path, csv.as_bytes())
                .map_err(|error| unwritten(path, &error))?;
            let changed = found.predictions.iter();
            let changed = changed.filter(|one| one.labels[0].class != one.zero_shot.class);
            output::print(&format!(
                "Summary images={} classes={} changed-by-module={} file={}\n",
                found.images.len(),
                found.classes.len(),
                changed.count(),
                path.display()
            ))?;
        }
    }
    Ok(ExitCode::Ok)
}

fn unwritten(path: &std::path::Path, error: &dyn std::fmt::Display) -> Failure {
    let message = format!("{}: cannot be written: {error}", path.display());
    Failure::new(ExitCode::OutputNotWritten, message)
}

/// A line for each image: its path, the labels with their scores, and what the backbone says
/// without the module.
fn csv(found: &Predictions) -> String {
    let most = found.predictions.iter().map(|one| one.labels.len()).max();
    let mut text = String::from("image,label,score");
    for at in 2..=most.unwrap_or(1) {
        let _ = write!(text, ",label_{at},score_{at}");
    }
    text += ",zero_shot_label,zero_shot_score\n";
    for (image, one) in found.images.iter().zip(&found.predictions) {
        text += &field(&image.to_string_lossy());
        for scored in one.labels.iter().chain([&one.zero_shot]) {
            let name = field(&found.classes[scored.class]);
            let _ = write!(text, ",{name},{:.6}", scored.score);
        }
        text.push('\n');
    }
    text
}

/// A field of RFC 4180. One that a spreadsheet would take for a formula is given as text.
fn field(text: &str) -> String {
    let text = match text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        true => format!("'{text}"),
        false => text.to_owned(),
    };
    match text.contains(['"', ',', '\n', '\r']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use harness_engine::predict::{Prediction, Scored};

    use super::{Predictions, csv};

    #[test]
    fn names_of_images_and_classes_stay_in_their_fields() {
        let scored = |class, score| Scored { class, score };
        let found = Predictions {
            images: vec!["a,b.png".into(), "=x.png".into()],
            predictions: vec![
                Prediction {
                    labels: vec![scored(1, 0.75), scored(0, 0.25)],
                    zero_shot: scored(0, 0.5),
                };
                2
            ],
            classes: vec!["say \"a\"".to_owned(), "b".to_owned()],
            notes: Vec::new(),
        };
        assert_eq!(
            csv(&found),
            "image,label,score,label_2,score_2,zero_shot_label,zero_shot_score\n\
             \"a,b.png\",b,0.750000,\"say \"\"a\"\"\",0.250000,\"say \"\"a\"\"\",0.500000\n\
             '=x.png,b,0.750000,\"say \"\"a\"\"\",0.250000,\"say \"\"a\"\"\",0.500000\n"
        );
    }
}
