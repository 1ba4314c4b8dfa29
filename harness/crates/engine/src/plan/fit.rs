//! Which method fits which backbone, as the surveys say.

use std::collections::{BTreeMap, HashMap};

use super::Inputs;
use super::cells::Trouble;
use super::graph::Place;
use crate::job::Output;
use crate::schedule::TaskResult;

/// The answer of a survey.
#[derive(Clone, Debug, PartialEq)]
enum Fit {
    Fits {
        shapes: BTreeMap<String, Vec<usize>>,
        parameters: u64,
    },
    No(Trouble),
}

/// The answers of all surveys.
#[derive(Clone, Debug, Default)]
pub struct Fits {
    by_place: HashMap<Place, Fit>,
}

impl Fits {
    /// Takes the result of the survey at a place.
    pub(crate) fn add(&mut self, at: Place, result: TaskResult) {
        let fit = match result {
            TaskResult::Finished { output, .. } => match *output {
                Output::Surveyed {
                    shapes, parameters, ..
                } => Fit::Fits { shapes, parameters },
                other => Fit::No(Trouble::Broken(TaskResult::Failed {
                    message: format!("the survey answered {other:?}"),
                    log: String::new(),
                })),
            },
            TaskResult::NotInjectable { reason } => Fit::No(Trouble::NotInjectable(reason)),
            other => Fit::No(Trouble::Broken(other)),
        };
        self.by_place.insert(at, fit);
    }

    /// Why a module cannot be trained at a place, if so.
    pub(crate) fn training(&self, inputs: &Inputs, at: Place) -> Option<Trouble> {
        match self.by_place.get(&at) {
            Some(Fit::Fits { .. }) => None,
            Some(Fit::No(Trouble::NotInjectable(reason))) => {
                let backbone = &inputs.backbones[at.backbone].reference.name;
                Some(Trouble::NotInjectable(format!(
                    "cannot be trained on {backbone}: {reason}"
                )))
            }
            Some(Fit::No(trouble)) => Some(trouble.clone()),
            None => Some(Trouble::Broken(TaskResult::NotRun)),
        }
    }

    /// Why a module that was trained at `from` cannot be injected at `to`, if so.
    pub(crate) fn injection(&self, inputs: &Inputs, from: Place, to: Place) -> Option<Trouble> {
        match (self.by_place.get(&from), self.by_place.get(&to)) {
            (_, Some(Fit::No(trouble))) => Some(trouble.clone()),
            (Some(Fit::Fits { shapes: here, .. }), Some(Fit::Fits { shapes: there, .. })) => {
                difference(inputs, (from, here), (to, there)).map(Trouble::NotInjectable)
            }
            _ => Some(Trouble::Broken(TaskResult::NotRun)),
        }
    }

    /// Trained numbers of a method, where they are the same everywhere.
    pub(crate) fn parameters(&self, method: usize) -> Option<u64> {
        let mut counts = self.by_place.iter().filter_map(|(at, fit)| match fit {
            Fit::Fits { parameters, .. } if at.method == method => Some(*parameters),
            _ => None,
        });
        let first = counts.next()?;
        counts.all(|count| count == first).then_some(first)
    }
}

type Shapes = BTreeMap<String, Vec<usize>>;

/// The first carried tensor that has another shape, in words.
fn difference(
    inputs: &Inputs,
    (from, here): (Place, &Shapes),
    (to, there): (Place, &Shapes),
) -> Option<String> {
    let place = |at: Place| {
        let backbone = &inputs.backbones[at.backbone].reference.name;
        let dataset = &inputs.datasets[at.dataset].reference.name;
        if from.backbone == to.backbone {
            dataset.clone()
        } else {
            backbone.clone()
        }
    };
    let shown = |shapes: &Shapes, name: &str| match shapes.get(name) {
        Some(shape) => format!("{shape:?}"),
        None => "nothing".to_owned(),
    };
    here.keys()
        .chain(there.keys())
        .find(|name| here.get(*name) != there.get(*name))
        .map(|name| {
            format!(
                "{name} is {} on {}, {} needs {}",
                shown(here, name),
                place(from),
                place(to),
                shown(there, name)
            )
        })
}
