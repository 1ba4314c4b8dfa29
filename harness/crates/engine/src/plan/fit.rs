//! Which method fits which backbone, according to the surveys.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::graph::Placement;
use super::{Inputs, MethodIndex, NotMeasured, UnitResult};
use crate::job::JobOutput;

/// The answer of a survey.
#[derive(Clone, Debug, PartialEq)]
enum Fit {
    Fits {
        shapes: Shapes,
        class_axes: BTreeMap<String, usize>,
        optional: BTreeSet<String>,
        parameters: u64,
    },
    DoesNot(NotMeasured),
}

/// The answers of all surveys.
#[derive(Clone, Debug, Default)]
pub struct Fits {
    /// Whether every module is assumed to fit where no survey was done.
    is_assumed: bool,
    by_placement: HashMap<Placement, Fit>,
}

impl Fits {
    /// Assumes that every module fits: for the cost of cells that wait for files.
    pub(crate) fn assumed() -> Self {
        Self {
            is_assumed: true,
            ..Self::default()
        }
    }

    /// Adds the result of a survey.
    pub(crate) fn add(&mut self, at: Placement, result: UnitResult) {
        let fit = match result {
            UnitResult::Finished { output, .. } => match Arc::unwrap_or_clone(output) {
                JobOutput::Surveyed {
                    shapes,
                    class_axes,
                    optional,
                    parameters,
                    ..
                } => Fit::Fits {
                    shapes,
                    class_axes,
                    optional,
                    parameters,
                },
                other => Fit::DoesNot(NotMeasured::SurveyFailed(UnitResult::Failed {
                    message: format!("unexpected reply to a survey: {other:?}"),
                    log: String::new(),
                })),
            },
            UnitResult::NotInjectable { reason } => {
                Fit::DoesNot(NotMeasured::NotInjectable(reason))
            }
            other => Fit::DoesNot(NotMeasured::SurveyFailed(other)),
        };
        self.by_placement.insert(at, fit);
    }

    /// Why a module cannot be trained at a placement; none if it can.
    pub(crate) fn training(&self, inputs: &Inputs, at: Placement) -> Option<NotMeasured> {
        match self.by_placement.get(&at) {
            Some(Fit::Fits { .. }) => None,
            Some(Fit::DoesNot(NotMeasured::NotInjectable(reason))) => {
                let backbone = &inputs[at.backbone].reference.name;
                Some(NotMeasured::NotInjectable(format!(
                    "cannot be trained on {backbone}: {reason}"
                )))
            }
            Some(Fit::DoesNot(why)) => Some(why.clone()),
            None => self.unknown(),
        }
    }

    /// Why a module that was trained at `from` cannot be injected at `to`; none if it can.
    pub(crate) fn injection(
        &self,
        inputs: &Inputs,
        from: Placement,
        to: Placement,
    ) -> Option<NotMeasured> {
        match (self.by_placement.get(&from), self.by_placement.get(&to)) {
            (_, Some(Fit::DoesNot(why))) => Some(why.clone()),
            (
                Some(Fit::Fits {
                    shapes,
                    class_axes,
                    optional,
                    ..
                }),
                Some(Fit::Fits {
                    shapes: there,
                    optional: may_lack,
                    ..
                }),
            ) => {
                let mut here = without_classes(shapes, class_axes);
                let mut there = without_classes(there, class_axes);
                let common: BTreeSet<String> = here
                    .keys()
                    .filter(|n| there.contains_key(*n))
                    .cloned()
                    .collect();
                if common.is_empty() && !optional.is_empty() {
                    let target = &inputs[to.backbone].reference.name;
                    return Some(NotMeasured::NotInjectable(format!(
                        "no tensor of the module has a counterpart in {target}"
                    )));
                }
                here.retain(|name, _| common.contains(name) || !optional.contains(name));
                there.retain(|name, _| common.contains(name) || !may_lack.contains(name));
                lacking(inputs, from, to, class_axes)
                    .or_else(|| difference(inputs, (from, &here), (to, &there)))
                    .map(NotMeasured::NotInjectable)
            }
            _ => self.unknown(),
        }
    }

    /// Whether a module at a placement has a tensor with an entry for each class; not if no survey
    /// was done.
    pub(crate) fn is_by_class(&self, at: Placement) -> bool {
        matches!(self.by_placement.get(&at), Some(Fit::Fits { class_axes, .. }) if !class_axes.is_empty())
    }

    fn unknown(&self) -> Option<NotMeasured> {
        (!self.is_assumed).then_some(NotMeasured::SurveyFailed(UnitResult::NotRun))
    }

    /// Tensors of a module trained at `from` that have no counterpart at `to` and stay
    /// out of it, block numbers as `*`.
    pub(crate) fn left_out(&self, from: Placement, to: Placement) -> Vec<String> {
        let (
            Some(Fit::Fits {
                shapes, optional, ..
            }),
            Some(Fit::Fits { shapes: there, .. }),
        ) = (self.by_placement.get(&from), self.by_placement.get(&to))
        else {
            return Vec::new();
        };
        let names = shapes.keys().filter(|name| !there.contains_key(*name));
        let names = names.filter(|name| optional.contains(*name));
        let names: BTreeSet<String> = names.map(|name| every_block(name)).collect();
        names.into_iter().collect()
    }

    /// Trained numbers of a method, where they are the same everywhere; none where
    /// the training images decide.
    pub(crate) fn parameters(&self, method: MethodIndex) -> Option<u64> {
        let mut counts = self.by_placement.iter().filter_map(|(at, fit)| match fit {
            Fit::Fits { parameters, .. } if at.method == method => Some(*parameters),
            _ => None,
        });
        let first = counts.next()?;
        (first > 0 && counts.all(|count| count == first)).then_some(first)
    }
}

/// `image.blocks.3.mlp.fc.bias` as `image.blocks.*.mlp.fc.bias`.
fn every_block(name: &str) -> String {
    let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let parts = name
        .split('.')
        .map(|part| if is_number(part) { "*" } else { part });
    parts.collect::<Vec<_>>().join(".")
}

type Shapes = BTreeMap<String, Vec<usize>>;

/// Missing classes that a reason names.
const NAMED: usize = 5;

/// Shapes without their class dimension, whose entries are selected by class id.
fn without_classes(shapes: &Shapes, class_axes: &BTreeMap<String, usize>) -> Shapes {
    let mut shapes = shapes.clone();
    for (name, &axis) in class_axes {
        if let Some(shape) = shapes.get_mut(name).filter(|shape| axis < shape.len()) {
            shape.remove(axis);
        }
    }
    shapes
}

/// The classes at `to` that a module which is bound to those at `from` does not have.
fn lacking(
    inputs: &Inputs,
    from: Placement,
    to: Placement,
    class_axes: &BTreeMap<String, usize>,
) -> Option<String> {
    let name = class_axes.keys().next()?;
    let (here, there) = (&inputs[from.dataset], &inputs[to.dataset]);
    let held = &here.contents.present()?.class_ids;
    let names: HashSet<&str> = held.iter().map(String::as_str).collect();
    let wanted = &there.contents.present()?.class_ids;
    let missing: Vec<&str> = wanted
        .iter()
        .map(String::as_str)
        .filter(|id| !names.contains(id))
        .collect();
    if missing.is_empty() {
        return None;
    }
    let more = match missing.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Some(format!(
        "{name} is bound to the {} classes of {}; of the classes of {} it lacks {}{more}",
        held.len(),
        here.reference.name,
        there.reference.name,
        missing[..missing.len().min(NAMED)].join(", ")
    ))
}

/// A message about the first carried tensor whose shapes differ.
fn difference(
    inputs: &Inputs,
    (from, here): (Placement, &Shapes),
    (to, there): (Placement, &Shapes),
) -> Option<String> {
    let place = |at: Placement| {
        let backbone = &inputs[at.backbone].reference.name;
        let dataset = &inputs[at.dataset].reference.name;
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
