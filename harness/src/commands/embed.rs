//! `harness embed`.

use harness_engine::analysis::{self, EmbedInputs};
use harness_report::ExitCode;

use crate::cli::EmbedArguments;
use crate::failure::Failure;
use crate::progress::Counter;
use crate::settings::places;
use crate::{local_path, output};

pub(crate) fn embed(arguments: &EmbedArguments) -> Result<ExitCode, Failure> {
    let inputs = EmbedInputs {
        texts: arguments.text.as_deref(),
        images: arguments.images.as_deref(),
    };
    let mut counter = Counter::new("embedded");
    let result = analysis::embed(
        &places()?,
        &arguments.backbone,
        inputs,
        &arguments.output,
        &mut |done, total| counter.tick(done, total),
    );
    counter.finish();
    let embedded = result.map_err(|error| {
        let failure = Failure::from(error);
        match local_path::hint(&arguments.backbone) {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    })?;
    for note in &embedded.notes {
        say!("note: {note}");
    }
    output::print(&format!(
        "Summary texts={} images={} width={} file={}\n",
        embedded.texts,
        embedded.images,
        embedded.width,
        arguments.output.display()
    ))?;
    Ok(ExitCode::Ok)
}
