//! What a suite will cost: operations of the towers over the pace of this machine.

use std::collections::HashSet;

use harness_abi::wire::{DataNeed, Family, MethodCard};
use harness_backbone::{Dims, Throughput, Tokenizer};
use harness_data::KnownDataset;

use super::forecast::{CellState, ForecastCell};
use crate::plan::{Inputs, MethodInput};
use crate::registry::Registry;

/// Tokens of a class prompt where the class names are not at hand.
const TOKENS: usize = 18;
/// Forward and backward, where weights are frozen and where they are not, in forward passes.
const TO_INPUT: f64 = 2.0;
const TO_WEIGHTS: f64 = 3.0;

/// CPU time of the cells that are not stored.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    pub cpu_hours: f64,
    /// Measured before.
    pub pace: Throughput,
}

impl Estimate {
    /// Counts what cells need, each training and evaluation once. None if nothing is
    /// left to do, or the pace cannot be measured.
    ///
    /// Counted are the towers: images of the test split and of the draws, class prompts
    /// of zero-shots and evaluations, and for trainings the class prompts of each step
    /// (and its images, where the method reads pixels). A method that reads features
    /// only trains for nothing. One that writes prompts for each image costs more.
    pub(super) fn new(
        cells: &[ForecastCell],
        inputs: &Inputs,
        registry: &Registry,
    ) -> Option<Self> {
        let mut work = Work::new(inputs);
        for cell in cells {
            if matches!(cell.state, CellState::Stored | CellState::Broken { .. }) {
                continue;
            }
            let method = inputs.methods.iter().find(|m| m.label == cell.method)?;
            let (_, card) = registry.method(&method.method.id)?;
            work.cell(cell, method, card)?;
        }
        if work.text + work.image == 0.0 {
            return None;
        }
        let pace = Throughput::measure().ok()?;
        let seconds = work.text / pace.text + work.image / pace.image;
        Some(Self {
            cpu_hours: seconds / 3600.0,
            pace,
        })
    }
}

/// Operations of each tower.
struct Work<'i> {
    inputs: &'i Inputs,
    text: f64,
    image: f64,
    /// What has been counted.
    seen: HashSet<String>,
}

/// What a data set costs.
struct Size {
    classes: f64,
    test: f64,
    tokens: usize,
}

impl<'i> Work<'i> {
    fn new(inputs: &'i Inputs) -> Self {
        Self {
            inputs,
            text: 0.0,
            image: 0.0,
            seen: HashSet::new(),
        }
    }

    fn cell(&mut self, cell: &ForecastCell, method: &MethodInput, card: &MethodCard) -> Option<()> {
        let datasets = &self.inputs.datasets;
        let mut names = datasets.iter().map(|facts| &facts.reference.name);
        let dataset = names.position(|name| *name == cell.dataset)?;
        let trained_on = self.inputs.training_set(dataset);
        let (tested, shown) = (self.size(dataset), self.size(trained_on));
        let name = &datasets[trained_on].reference.name;
        let draw = format!("{name} {} {}", cell.shots, cell.seed);
        for backbone in [&cell.source, &cell.target] {
            let dims = self.dims(backbone);
            if self.is_new(format!("zero {backbone} {}", cell.dataset)) {
                self.image += tested.test * dims.image.flops();
                self.text += tested.classes * dims.text.flops(tested.tokens);
            }
            let is_trained = backbone == &cell.source || self.inputs.suite.oracle;
            if is_trained && self.is_new(format!("draw {backbone} {draw}")) {
                self.image += f64::from(cell.shots) * shown.classes * dims.image.flops();
            }
            if is_trained && self.is_new(format!("train {} {backbone} {draw}", cell.method)) {
                self.training(&dims, &shown, f64::from(cell.shots), method, card);
            }
            // Base and New, and what the target's own training gives.
            let modules = if backbone == &cell.target && self.inputs.suite.oracle {
                2.0
            } else {
                1.0
            };
            let module = format!("{} {draw} {} {backbone}", cell.method, cell.source);
            if self.is_new(format!("test {module} {}", cell.dataset)) {
                self.text += modules * tested.classes * dims.text.flops(tested.tokens);
                if card.data == DataNeed::Pixels {
                    self.image += modules * tested.test * dims.image.flops();
                }
            }
        }
        Some(())
    }

    fn training(
        &mut self,
        dims: &Dims,
        size: &Size,
        shots: f64,
        method: &MethodInput,
        card: &MethodCard,
    ) {
        let own = card.recipe.clone().unwrap_or_default();
        // The suite's check has rejected values that no recipe can have.
        let recipe = own.with(&method.recipe).unwrap_or(own);
        let batch = recipe.batch as f64;
        let images = shots * size.classes;
        // The last incomplete batch is dropped, unless it is the only one.
        let an_epoch = (images / batch).floor().max(1.0);
        let steps = match recipe.steps_per_shot {
            Some(steps) => steps as f64 * shots,
            None => recipe.epochs as f64 * an_epoch,
        };
        let passes = match card.family {
            Family::Features => return,
            Family::Input | Family::Deep => TO_INPUT,
            Family::Weights => TO_WEIGHTS,
        };
        self.text += steps * passes * size.classes * dims.text.flops(size.tokens);
        if card.data == DataNeed::Pixels {
            self.image += steps * passes * batch.min(images) * dims.image.flops();
        }
    }

    fn is_new(&mut self, what: String) -> bool {
        self.seen.insert(what)
    }

    /// Dimensions of a backbone; those of the usual B/16 or L/14 if its files are not here.
    fn dims(&self, name: &str) -> Dims {
        let mut backbones = self.inputs.backbones.iter();
        let facts = backbones.find(|facts| facts.reference.name == name);
        let known = facts.and_then(|facts| facts.architecture.present());
        known
            .map(|known| known.dims.clone())
            .unwrap_or_else(|| match name.contains("l14") {
                true => Dims::nominal(768, 1024, 24),
                false => Dims::nominal(512, 768, 12),
            })
    }

    fn size(&self, dataset: usize) -> Size {
        let facts = &self.inputs.datasets[dataset];
        if facts.class_names.is_empty() {
            let published = KnownDataset::find(&facts.reference.name).map(|known| known.sizes);
            let (classes, test) = published.map_or((100, 5000), |s| (s.classes, s.test));
            return Size {
                classes: classes as f64,
                test: test as f64,
                tokens: TOKENS,
            };
        }
        Size {
            classes: facts.class_names.len() as f64,
            test: facts.sizes[2] as f64,
            tokens: longest(&facts.class_names).unwrap_or(TOKENS),
        }
    }
}

/// Tokens of the longest class prompt with CLIP's own tokenizer: prompts are as long as
/// the longest of them.
fn longest(names: &[String]) -> Option<usize> {
    let tokenizer = Tokenizer::clip().ok()?;
    let prompt = |name: &String| format!("a photo of a {}.", name.replace('_', " "));
    let counts = names.iter().map(|name| tokenizer.prompt(&prompt(name), 77));
    counts.filter_map(|ids| Some(ids.ok()?.len())).max()
}

#[cfg(test)]
mod tests {
    use harness_abi::wire::Recipe;
    use serde_json::json;

    use super::*;
    use crate::plan::fixture;

    fn cell(seed: u64) -> ForecastCell {
        ForecastCell {
            method: "coop".to_owned(),
            dataset: "d".to_owned(),
            source: "s".to_owned(),
            target: "t".to_owned(),
            shots: 16,
            seed,
            left_out: Vec::new(),
            state: CellState::ToRun,
        }
    }

    fn card(family: &str, data: &str) -> MethodCard {
        let card = json!({
            "id": "coop", "title": "", "paper": "", "family": family, "depth": "", "sites": [],
            "needs": [], "data": data, "carried": [], "recomputed": [],
            "recipe": Recipe { epochs: 10, batch: 8, ..Recipe::default() },
        });
        serde_json::from_value(card).unwrap()
    }

    fn is_near(a: f64, b: f64) -> bool {
        (a / b - 1.0).abs() < 1e-9
    }

    /// Text and image operations of some cells.
    fn work(cells: &[ForecastCell], inputs: &Inputs, card: &MethodCard) -> (f64, f64) {
        let mut work = Work::new(inputs);
        for cell in cells {
            work.cell(cell, &inputs.methods[0], card).unwrap();
        }
        (work.text, work.image)
    }

    #[test]
    fn a_training_reads_its_classes_at_every_step_and_features_are_shared() {
        let mut inputs = fixture::inputs(&["t"]);
        inputs.suite.oracle = false;
        let size = Work::new(&inputs).size(0);
        let dims = Dims::nominal(512, 768, 12);
        let one_pass = size.classes * dims.text.flops(size.tokens);
        let zero_shots = 2.0 * one_pass;
        let tests = 2.0 * one_pass;
        let steps = 10.0 * (16.0 * size.classes / 8.0).floor();
        let images = (2.0 * size.test + 16.0 * size.classes) * dims.image.flops();

        let input = card("input", "features");
        let found = work(&[cell(1)], &inputs, &input);
        assert!(is_near(
            found.0,
            zero_shots + tests + steps * 2.0 * one_pass
        ));
        assert!(is_near(found.1, images));
        // The same cell again costs nothing, another seed no test images.
        assert_eq!(work(&[cell(1), cell(1)], &inputs, &input), found);
        let both = work(&[cell(1), cell(2)], &inputs, &input);
        let draw = 16.0 * size.classes * dims.image.flops();
        assert!(is_near(both.1, images + draw));
        assert!(is_near(both.0, 2.0 * found.0 - zero_shots));

        let features = work(&[cell(1)], &inputs, &card("features", "features"));
        assert!(is_near(features.0, zero_shots + tests));
        assert!(is_near(features.1, images));
        let pixels = work(&[cell(1)], &inputs, &card("weights", "pixels"));
        assert!(pixels.0 > found.0 && pixels.1 > images);
    }
}
