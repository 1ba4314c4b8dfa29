//! How far the class embeddings of two backbones differ.

use harness_report::metrics::{Embeddings, linear_cka, procrustes};
use harness_report::{TextDrift, Upgrade};

use super::results::Results;
use super::setup::SetUp;
use crate::job::{ClassEmbeddings, JobOutput};

/// One for each upgrade and data set whose zero-shots have both been measured.
pub(super) fn text_drift(setup: &SetUp<'_>, results: &Results) -> Vec<TextDrift> {
    let inputs = &setup.inputs;
    let mut found: Vec<TextDrift> = Vec::new();
    for cell in &setup.plan.cells {
        let upgrade = Upgrade {
            source: inputs[cell.source].reference.name.clone(),
            target: inputs[cell.target].reference.name.clone(),
        };
        let dataset = &inputs[cell.dataset].reference.name;
        let is_same = |one: &TextDrift| one.upgrade == upgrade && one.dataset == *dataset;
        if found.iter().any(is_same) {
            continue;
        }
        let text = |unit| results.output(unit).and_then(embeddings);
        let (Some(source), Some(target)) = (text(cell.zero_source), text(cell.zero_target)) else {
            continue;
        };
        let distances = (linear_cka(source, target), procrustes(source, target));
        if let (Some(cka), Some(procrustes)) = distances {
            found.push(TextDrift {
                upgrade,
                dataset: dataset.clone(),
                cka,
                procrustes,
            });
        }
    }
    found
}

fn embeddings(output: &JobOutput) -> Option<Embeddings<'_>> {
    match output {
        JobOutput::ZeroShot {
            text: Some(ClassEmbeddings { width, values }),
            ..
        } => Some(Embeddings {
            values,
            width: *width,
        }),
        _ => None,
    }
}
