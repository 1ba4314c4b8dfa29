//! Writing predictions image by image: a line each, and pages of those that changed.

use harness_engine::run::{Finished, TestImages};
use harness_render::samples::{Picture, Pictures, write_pages};
use harness_report::ExitCode;
use harness_store::replace_file;

use crate::cli::RunArguments;
use crate::failure::Failure;

/// Longest side of a picture in a page, in pixels.
const SIDE: u32 = 256;

/// Writes what was asked for of the predictions of a run.
pub(crate) fn write_samples(
    arguments: &RunArguments,
    finished: &Finished<'_>,
) -> Result<ExitCode, Failure> {
    if arguments.log_samples.is_none() && arguments.samples.is_none() {
        return Ok(ExitCode::Ok);
    }
    let images = finished
        .test_images()
        .map_err(|error| Failure::new(ExitCode::SetUp, error))?;
    let mut code = ExitCode::Ok;
    if let Some(path) = &arguments.log_samples
        && let Err(error) = replace_file(path, |out| finished.write_samples(&images, out))
    {
        let message = format!("{}: cannot be written: {error}", path.display());
        code = Failure::new(ExitCode::OutputNotWritten, message).report();
    }
    if let Some(folder) = &arguments.samples {
        let cells = finished.predictions();
        let most = arguments.samples_per_kind;
        match write_pages(&finished.report, &cells, &Shown(images), most, folder) {
            Ok(count) => say!(
                "wrote {count} pages of images to {}",
                folder.join("index.html").display()
            ),
            Err(error) => {
                code = code.worst(Failure::new(ExitCode::OutputNotWritten, error).report());
            }
        }
    }
    Ok(code)
}

/// The test images at the size of a page.
struct Shown(TestImages);

impl Pictures for Shown {
    fn picture(&self, dataset: &str, image: usize) -> Option<Picture> {
        let thumbnail = self.0.thumbnail(dataset, image, SIDE)?;
        Some(Picture {
            media_type: thumbnail.media_type,
            bytes: thumbnail.bytes,
            width: thumbnail.width,
            height: thumbnail.height,
        })
    }

    fn name(&self, dataset: &str, image: usize) -> String {
        self.0.name(dataset, image)
    }
}
