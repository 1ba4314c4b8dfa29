//! `harness verify`.

use std::fmt::Write;

use harness_engine::analysis::{self, Verification};
use harness_render::terminal::one_line;
use harness_report::ExitCode;

use crate::cli::VerifyArguments;
use crate::failure::Failure;
use crate::settings::places;
use crate::{output, table};

pub(crate) fn verify(arguments: &VerifyArguments) -> Result<ExitCode, Failure> {
    if arguments.reference && cfg!(not(feature = "reference")) {
        return Err(without_reference());
    }
    let places = places()?;
    let name = &arguments.backbone;
    let mut found = Vec::new();
    if let Some(expected) = &arguments.expected {
        found.push(analysis::verify(&places, name, expected)?);
    }
    #[cfg(feature = "reference")]
    if arguments.reference {
        found.push(analysis::verify_reference(&places, name)?);
    }
    let tolerance = arguments.tolerance;
    output::print(&render(&found, tolerance))?;
    let comparisons = found.iter().flat_map(|one| &one.comparisons);
    let agree = comparisons.into_iter().all(|one| one.agrees(tolerance));
    Ok(if agree {
        ExitCode::Ok
    } else {
        ExitCode::Disagreement
    })
}

/// candle-transformers is compiled on request only.
fn without_reference() -> Failure {
    Failure::new(
        ExitCode::SetUp,
        "--reference needs candle-transformers, which this build does not contain",
    )
    .hint("build with it: `cargo run --features reference -- verify BACKBONE --reference`")
}

fn render(found: &[Verification], tolerance: f64) -> String {
    let mut text = String::new();
    let (mut count, mut agreed) = (0, 0);
    // Writing to a String cannot fail.
    for one in found {
        let framework = one.framework.as_deref().unwrap_or("a file");
        let _ = writeln!(
            text,
            "{}, layout {}, sha256 {}\nagainst vectors of {}",
            one.backbone,
            one.layout,
            one.sha256,
            one_line(framework, 80),
        );
        let rows = one.comparisons.iter().map(|comparison| {
            let agrees = comparison.agrees(tolerance);
            count += 1;
            agreed += usize::from(agrees);
            let shape = match &comparison.shape[..] {
                [] => "1".to_owned(),
                shape => shape
                    .iter()
                    .map(usize::to_string)
                    .collect::<Vec<_>>()
                    .join(" × "),
            };
            let error = match (comparison.exact, comparison.error) {
                (true, 0.0) => "identical".to_owned(),
                (true, share) => format!("{:.0} % differ", (share * 100.0).ceil()),
                (false, error) => format!("{error:.1e}"),
            };
            vec![
                comparison.quantity.to_owned(),
                shape,
                error,
                if agrees { "agrees" } else { "DIFFERS" }.to_owned(),
            ]
        });
        let head = ["QUANTITY", "SHAPE", "LARGEST RELATIVE ERROR", ""];
        text.push_str(&table::plain(&head, rows.collect::<Vec<_>>()));
        text.push('\n');
    }
    let _ = writeln!(
        text,
        "Summary quantities={count} agreed={agreed} tolerance={tolerance:e}"
    );
    text
}
