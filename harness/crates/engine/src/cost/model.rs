//! Floating-point operations of a unit.

use std::cell::OnceCell;
use std::iter::Sum;

use harness_abi::wire::{DataNeed, Family, MethodCard, Site};
use harness_backbone::{ACTIVATION_LIMIT, Dims, Tokenizer, clip_b16, clip_l14};
use harness_data::KnownDataset;

use super::flops::{self, Prompts};
use super::throughput::Throughput;
use crate::job::{Draw, PORTION_ROWS, Portion, UnitWork};
use crate::plan::{DatasetIndex, Fits, Inputs, MethodInput, Placement, Unit};
use crate::registry::{BackboneFacts, DatasetFacts};

/// Tokens that all class prompts begin with: the start and "a photo of a", or as many vectors.
const BEGINNING: usize = 5;
/// Tokens behind them where the class names are not known: a name, a full stop, the end.
const REST: usize = 5;
/// Classes and test images where nothing is known of a data set.
const UNKNOWN: (usize, usize) = (100, 5000);
/// Forward and backward in forward passes: frozen weights get no gradient, and changes of weights are
/// of low rank.
const PASSES: f64 = 2.0;
/// Images that the tower reads at once.
const IMAGE_BATCH: usize = 64;
/// What a unit takes besides the towers, in seconds: for shares of the time alone.
const OVERHEAD: f64 = 0.1;

/// Floating-point operations in each tower.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Operations {
    pub(crate) text: f64,
    pub(crate) image: f64,
    /// Times that a tower is called, forward or forward and back.
    pub(crate) calls: f64,
}

impl Operations {
    /// Seconds of a processor at its throughput.
    pub(crate) fn seconds(self, throughput: Throughput) -> f64 {
        let calls = self.calls * throughput.call_seconds;
        self.text / throughput.text + self.image / throughput.image + calls
    }
}

impl Sum for Operations {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |sum, one| Self {
            text: sum.text + one.text,
            image: sum.image + one.image,
            calls: sum.calls + one.calls,
        })
    }
}

/// Counts the operations of units.
///
/// Counted are the towers: images of the test split and of the draws, class prompts of
/// zero-shots and evaluations, and for trainings the class prompts of each step (and its
/// images, where the method reads pixels). What prompts begin with counts once, as the text
/// tower computes it. Training a method that only reads features costs nothing, and one that
/// changes the image tower alone encodes its texts once. Left out are validation images, and
/// what a method that writes prompts for each image costs more.
pub(crate) struct CostModel<'i> {
    inputs: &'i Inputs,
    fits: &'i Fits,
    /// In the order of [`Inputs::backbones`].
    dims: Vec<Dims>,
    /// In the order of [`Inputs::datasets`]; counted when first needed.
    sizes: OnceCell<Vec<Size>>,
    /// Most bytes of activations that a worker's text tower keeps for its gradients.
    pub(super) activations: u64,
}

/// Numbers of a data set that decide its cost.
pub(super) struct Size {
    pub(super) classes: usize,
    train: usize,
    pub(super) test: usize,
    /// Tokens of each class prompt behind those that all begin with.
    rests: Vec<usize>,
    /// Whether the files are on disk; if not, features are planned as one portion.
    is_present: bool,
}

impl<'i> CostModel<'i> {
    pub(crate) fn new(inputs: &'i Inputs, fits: &'i Fits) -> Self {
        Self {
            inputs,
            fits,
            dims: inputs.backbones.iter().map(dims).collect(),
            sizes: OnceCell::new(),
            activations: ACTIVATION_LIMIT as u64,
        }
    }

    /// With workers that keep at most so many bytes of activations.
    pub(crate) fn with_activations(mut self, bytes: u64) -> Self {
        self.activations = bytes;
        self
    }

    /// A unit's share of the time at the usual throughput of a core.
    pub(crate) fn weight(&self, unit: &Unit) -> f64 {
        OVERHEAD + self.operations(unit).seconds(Throughput::USUAL)
    }

    /// The operations of one unit.
    pub(crate) fn operations(&self, unit: &Unit) -> Operations {
        let (dims, size) = self.place(unit);
        match &unit.work {
            UnitWork::Survey { .. } => Operations::default(),
            UnitWork::Features { portion, .. } => {
                let rows = size.rows(portion);
                Operations {
                    text: 0.0,
                    image: rows as f64 * flops::of_image(&dims.image),
                    calls: rows.div_ceil(IMAGE_BATCH) as f64,
                }
            }
            UnitWork::ZeroShot { .. } => Operations {
                text: size.prompts(dims, Sharing::Beginning),
                image: 0.0,
                calls: 1.0,
            },
            UnitWork::Train { draw, .. } => {
                let sharing = self.sharing(unit);
                let training = self
                    .method(unit)
                    .map(|m| training(m, dims, size, sharing, *draw));
                let evaluation = self.evaluation(unit, dims, size);
                training.into_iter().chain([evaluation]).sum()
            }
            UnitWork::Inject { .. } => self.evaluation(unit, dims, size),
        }
    }

    /// A module on the test split.
    fn evaluation(&self, unit: &Unit, dims: &Dims, size: &Size) -> Operations {
        let reads_pixels = self
            .method(unit)
            .is_some_and(|method| method.card.data == DataNeed::Pixels);
        let images = if reads_pixels { size.test } else { 0 };
        Operations {
            text: size.prompts(dims, self.sharing(unit).without_dropout()),
            image: images as f64 * flops::of_image(&dims.image),
            calls: (1 + images.div_ceil(IMAGE_BATCH)) as f64,
        }
    }

    /// The backbone and the data set of a unit.
    pub(super) fn place(&self, unit: &Unit) -> (&Dims, &Size) {
        (&self.dims[unit.backbone.0], self.size(unit.dataset))
    }

    /// What the class prompts of a unit share.
    fn sharing(&self, unit: &Unit) -> Sharing {
        let Some(method) = unit.method else {
            return Sharing::Beginning;
        };
        let at = Placement {
            method,
            backbone: unit.backbone,
            dataset: unit.dataset,
        };
        if self.inputs[method].card.sites.contains(&Site::Weight) {
            Sharing::Nothing
        } else if self.fits.is_by_class(at) {
            Sharing::Start
        } else {
            Sharing::Beginning
        }
    }

    pub(super) fn method(&self, unit: &Unit) -> Option<&'i MethodInput> {
        unit.method.map(|method| &self.inputs[method])
    }

    fn size(&self, DatasetIndex(dataset): DatasetIndex) -> &Size {
        let sizes = self.sizes.get_or_init(|| {
            let tokenizer = Tokenizer::clip().ok();
            let datasets = self.inputs.datasets.iter();
            datasets
                .map(|facts| Size::of(facts, tokenizer.as_ref()))
                .collect()
        });
        &sizes[dataset]
    }
}

/// What class prompts begin with and is computed once.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sharing {
    /// The start and a context.
    Beginning,
    /// The start alone: each class has a context of its own.
    Start,
    /// Nothing: low-rank changes may drop values.
    Nothing,
}

impl Sharing {
    fn without_dropout(self) -> Self {
        match self {
            Self::Nothing => Self::Beginning,
            other => other,
        }
    }
}

/// The steps of a training.
fn training(
    method: &MethodInput,
    dims: &Dims,
    size: &Size,
    sharing: Sharing,
    draw: Draw,
) -> Operations {
    if method.card.family == Family::Features {
        return Operations::default();
    }
    let recipe = method.recipe();
    let batch = recipe.batch as f64;
    let images = size.drawn(draw) as f64;
    // The last incomplete batch is dropped, unless it is the only one.
    let steps_per_epoch = (images / batch).floor().max(1.0);
    let steps = match recipe.steps_per_shot {
        Some(steps) => steps as f64 * f64::from(draw.shots),
        None => recipe.epochs as f64 * steps_per_epoch,
    };
    // Texts that do not change are encoded once, before the first step.
    let (texts, text_passes) = match changes_text(&method.card) {
        true => (steps, PASSES),
        false => (1.0, 1.0),
    };
    let image_steps = match method.card.data {
        DataNeed::Pixels => steps,
        _ => 0.0,
    };
    Operations {
        text: texts * text_passes * size.prompts(dims, sharing),
        image: image_steps * PASSES * batch.min(images) * flops::of_image(&dims.image),
        calls: texts + image_steps,
    }
}

/// Whether a method's texts are others at every step. All sites of VPT are in the image tower.
fn changes_text(card: &MethodCard) -> bool {
    let of_images = |site: &Site| {
        matches!(
            site,
            Site::ImageInput | Site::ImageBlock | Site::ImageFeature
        )
    };
    card.sites.is_empty() || !card.sites.iter().all(of_images)
}

/// Dimensions of a backbone; those of the usual B/16 or L/14 if its files are not on disk.
fn dims(facts: &BackboneFacts) -> Dims {
    let known = facts.architecture.present();
    known.map(|known| known.dims.clone()).unwrap_or_else(|| {
        if facts.reference.name.contains("l14") {
            clip_l14()
        } else {
            clip_b16()
        }
    })
}

impl Size {
    /// What is published of a data set whose files are not on disk.
    fn of(facts: &DatasetFacts, tokenizer: Option<&Tokenizer>) -> Self {
        let Some(known) = facts.contents.present() else {
            let published = KnownDataset::find(&facts.reference.name).map(|known| known.sizes);
            let (classes, test) = published.map_or(UNKNOWN, |sizes| (sizes.classes, sizes.test));
            return Self {
                classes,
                train: published.map_or(usize::MAX, |sizes| sizes.train),
                test,
                rests: vec![REST; classes],
                is_present: false,
            };
        };
        let [train, _, test] = known.sizes;
        Self {
            classes: known.class_names.len(),
            train,
            test,
            rests: tokenizer
                .and_then(|tokenizer| rests(&known.class_names, tokenizer))
                .unwrap_or_else(|| vec![REST; known.class_names.len()]),
            is_present: true,
        }
    }

    /// Tokens of the longest class prompt.
    pub(super) fn longest(&self) -> usize {
        BEGINNING + self.rests.iter().max().copied().unwrap_or(REST)
    }

    /// Operations of the class prompts, once.
    fn prompts(&self, dims: &Dims, sharing: Sharing) -> f64 {
        let shared = match sharing {
            Sharing::Beginning => BEGINNING,
            Sharing::Start => 1,
            Sharing::Nothing => 0,
        };
        let rests = self.rests.iter().map(|rest| BEGINNING - shared + rest);
        flops::of_prompts(&dims.text, Prompts::new(shared, rests))
    }

    /// Training images of a draw.
    pub(super) fn drawn(&self, draw: Draw) -> usize {
        let most = self.classes.saturating_mul(draw.shots as usize);
        most.min(self.train)
    }

    /// Images of a portion of the test split or of a draw.
    pub(super) fn rows(&self, portion: &Portion) -> usize {
        let all = match portion.draw {
            None => self.test,
            Some(draw) => self.drawn(draw),
        };
        if !self.is_present {
            return all;
        }
        let before = portion.number * PORTION_ROWS;
        all.saturating_sub(before).min(PORTION_ROWS)
    }
}

/// Tokens of each class prompt with CLIP's own tokenizer behind those that all begin with. None
/// if a prompt cannot be tokenised.
fn rests(names: &[String], tokenizer: &Tokenizer) -> Option<Vec<usize>> {
    let counts = names.iter().map(|name| {
        let prompt = format!("a photo of a {}.", name.replace('_', " "));
        let ids = tokenizer.prompt(&prompt, 77)?;
        Ok::<_, harness_backbone::BackboneError>(ids.len().saturating_sub(BEGINNING))
    });
    counts.collect::<Result<_, _>>().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::Presence;
    use crate::plan::{Fits, Plan, fixture};
    use crate::registry::Contents;
    use harness_report::selection::Selection;

    fn is_near(a: f64, b: f64) -> bool {
        (a / b - 1.0).abs() < 1e-9
    }

    fn plan(inputs: &Inputs) -> Plan {
        Plan::new(inputs, &Selection::default(), &Fits::assumed())
    }

    fn total(inputs: &Inputs) -> Operations {
        let fits = Fits::assumed();
        let model = CostModel::new(inputs, &fits);
        let units = plan(inputs).graph.units;
        units.iter().map(|unit| model.operations(unit)).sum()
    }

    fn inputs(family: &str, data: &str, seeds: &[u64]) -> Inputs {
        let mut inputs = fixture::inputs(&["t"]);
        inputs.suite.oracle = false;
        inputs.suite.seeds = seeds.to_vec().into();
        inputs.methods[0].card = fixture::card(family, data);
        inputs.datasets[0].contents = Presence::Absent;
        inputs
    }

    #[test]
    fn a_training_reads_its_classes_at_every_step_and_features_are_shared() {
        let dims = clip_b16();
        let (classes, test) = (UNKNOWN.0 as f64, UNKNOWN.1 as f64);
        let rests = vec![REST; UNKNOWN.0];
        let one_pass = flops::of_prompts(&dims.text, Prompts::new(BEGINNING, rests));
        let zero_shots = 2.0 * one_pass;
        let tests = 2.0 * one_pass;
        let steps = 10.0 * (16.0 * classes / 8.0).floor();
        let draw = 16.0 * classes * flops::of_image(&dims.image);
        let images = 2.0 * test * flops::of_image(&dims.image) + draw;

        let one = total(&inputs("input", "features", &[1]));
        assert!(is_near(
            one.text,
            zero_shots + tests + steps * 2.0 * one_pass
        ));
        assert!(is_near(one.image, images));
        // The same seed again costs nothing, another seed no test images.
        assert_eq!(total(&inputs("input", "features", &[1, 1])), one);
        let two = total(&inputs("input", "features", &[1, 2]));
        assert!(is_near(two.image, images + draw));
        assert!(is_near(two.text, 2.0 * one.text - zero_shots));

        let features = total(&inputs("features", "features", &[1]));
        assert!(is_near(features.text, zero_shots + tests));
        assert!(is_near(features.image, images));
        let mut low_rank = inputs("weights", "pixels", &[1]);
        low_rank.methods[0].card.sites = vec![Site::Weight];
        let low_rank = total(&low_rank);
        assert!(low_rank.text > one.text && low_rank.image > images);
    }

    #[test]
    fn a_method_of_the_image_tower_encodes_its_texts_once() {
        let rests = vec![REST; UNKNOWN.0];
        let one_pass = flops::of_prompts(&clip_b16().text, Prompts::new(BEGINNING, rests));
        let mut inputs = inputs("deep", "pixels", &[1]);
        let both = total(&inputs);
        inputs.methods[0].card.sites = vec![Site::ImageInput, Site::ImageBlock];
        let images_alone = total(&inputs);
        // Two zero-shots, two tests, one training.
        assert!(is_near(images_alone.text, 5.0 * one_pass));
        assert_eq!(images_alone.image, both.image);
    }

    #[test]
    fn portions_and_views_add_up_to_the_images() {
        let mut inputs = inputs("features", "features", &[1]);
        inputs.datasets[0].contents = Presence::Present(Contents {
            templates: Vec::new(),
            class_names: vec!["tench".to_owned(); 10],
            class_ids: Vec::new(),
            sizes: [5000, 0, 2 * PORTION_ROWS + 1],
            train_per_class: Vec::new(),
            missing: 0,
        });
        inputs.suite.images.views = 3;
        let dims = clip_b16();
        let test = 2.0 * (2 * PORTION_ROWS + 1) as f64;
        let images = test + 3.0 * 160.0;
        let found = total(&inputs).image;
        assert!(is_near(found, images * flops::of_image(&dims.image)));
    }

    #[test]
    fn every_unit_has_a_share_of_the_time() {
        let inputs = inputs("features", "features", &[1]);
        let fits = Fits::assumed();
        let model = CostModel::new(&inputs, &fits);
        let (surveys, _) = Plan::surveys(&inputs, &Selection::default());
        for unit in surveys.units.iter().chain(&plan(&inputs).graph.units) {
            assert!(model.weight(unit) > 0.0, "{}", unit.name);
        }
    }
}
