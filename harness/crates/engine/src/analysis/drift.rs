//! Change of the text tower between two backbones.

use candle_core::Tensor;
use harness_backbone::{Activation, TextParameter};
use harness_data::Summary;
use harness_report::drift::{
    Backbone, ChangeSum, DatasetDrift, Drift, FeatureChange, LayerDrift, ParameterDrift,
};

use super::AnalysisError;
use super::subject::Subject;
use crate::registry::{SearchPath, find_dataset};
use crate::suite::DatasetEntry;

/// Prompts that go through a tower at once.
const BATCH: usize = 32;

/// Parameter change by layer, and change of the states at the end token over the class
/// prompts of each data set (every template with every class name, each backbone with
/// its own tokenizer).
///
/// # Errors
/// A backbone or data set cannot be used, or the text towers are of different shapes.
pub fn drift(
    search_path: &SearchPath,
    source: &str,
    target: &str,
    datasets: &[String],
) -> Result<Drift, AnalysisError> {
    let prompts = datasets
        .iter()
        .map(|name| class_prompts(search_path, name))
        .collect::<Result<Vec<_>, _>>()?;
    let source = Subject::load(search_path, source)?;
    let target = Subject::load(search_path, target)?;
    let pair = Pair { source, target };
    let layers = pair.parameters()?;
    let datasets = datasets.iter().zip(prompts).map(|(name, prompts)| {
        Ok(DatasetDrift {
            name: name.clone(),
            prompts: prompts.len() as u64,
            layers: pair.features(&prompts)?,
        })
    });
    Ok(Drift {
        schema: Drift::FORMAT.to_owned(),
        datasets: datasets.collect::<Result<_, AnalysisError>>()?,
        source: describe(&pair.source),
        target: describe(&pair.target),
        layers,
    })
}

/// Every template with every class name, as zero-shot classification reads them.
fn class_prompts(search_path: &SearchPath, name: &str) -> Result<Vec<String>, AnalysisError> {
    let entry = DatasetEntry::named(name);
    let (path, opening) =
        find_dataset(search_path, &entry, "").map_err(|error| AnalysisError::Input {
            path: name.into(),
            reason: format!("{error}; `harness list datasets` shows those that need no path"),
        })?;
    let summary = Summary::read(&path, &opening).map_err(|source| AnalysisError::Dataset {
        name: name.to_owned(),
        source,
    })?;
    let prompts = summary.templates.iter().flat_map(|template| {
        let names = summary
            .classes
            .iter()
            .map(|class| class.name.replace('_', " "));
        names.map(move |name| template.replace("{}", &name))
    });
    Ok(prompts.collect())
}

fn describe(subject: &Subject) -> Backbone {
    Backbone {
        name: subject.name.clone(),
        layout: subject.architecture.layout.clone(),
        sha256: subject.files.sha256.clone(),
        activation: match subject.backbone.activation() {
            Activation::QuickGelu => "quick-gelu",
            Activation::Gelu => "gelu",
        }
        .to_owned(),
    }
}

struct Pair {
    source: Subject,
    target: Subject,
}

impl Pair {
    fn parameters(&self) -> Result<Vec<LayerDrift>, AnalysisError> {
        let of = |subject: &Subject| {
            let parameters = subject.backbone.text().parameters();
            parameters.map_err(|error| subject.error(error))
        };
        let (old, new) = (of(&self.source)?, of(&self.target)?);
        let (before, after) = (self.source.layers(), self.target.layers());
        if before != after {
            return Err(
                self.incomparable(format!("the text towers have {before} and {after} blocks"))
            );
        }
        let mut layers: Vec<LayerDrift> = Vec::new();
        let mut sums: Vec<ChangeSum> = Vec::new();
        for (old, new) in old.iter().zip(&new) {
            if (&old.name, old.tensor.dims()) != (&new.name, new.tensor.dims()) {
                return Err(self.incomparable(format!(
                    "{} is {:?} in one, {} is {:?} in the other",
                    old.name,
                    old.tensor.dims(),
                    new.name,
                    new.tensor.dims()
                )));
            }
            let sum = ChangeSum::of(&values(old)?, &values(new)?);
            if old.layer == layers.len() {
                sums.push(ChangeSum::default());
                layers.push(LayerDrift {
                    name: layer_name(old.layer, before),
                    change: sum.change(),
                    parameters: Vec::new(),
                });
            }
            sums[old.layer] = sums[old.layer].plus(sum);
            layers[old.layer].change = sums[old.layer].change();
            layers[old.layer].parameters.push(ParameterDrift {
                name: old.name.clone(),
                shape: old.tensor.dims().to_vec(),
                change: sum.change(),
            });
        }
        Ok(layers)
    }

    fn features(&self, prompts: &[String]) -> Result<Vec<FeatureChange>, AnalysisError> {
        let old = self.source.states(prompts)?;
        let new = self.target.states(prompts)?;
        let layers = old.iter().zip(&new).enumerate().map(|(layer, (old, new))| {
            let pairs = old.iter().map(Vec::as_slice);
            let pairs = pairs.zip(new.iter().map(Vec::as_slice));
            FeatureChange::mean(pairs)
                .ok_or_else(|| self.incomparable(format!("a state after layer {layer} is zero")))
        });
        layers.collect()
    }

    fn incomparable(&self, reason: String) -> AnalysisError {
        AnalysisError::Incomparable {
            source_name: self.source.name.clone(),
            target_name: self.target.name.clone(),
            reason,
        }
    }
}

impl Subject {
    fn layers(&self) -> usize {
        self.backbone.dims().text.layers
    }

    /// State at the end token by layer and prompt.
    fn states(&self, prompts: &[String]) -> Result<Vec<Vec<Vec<f32>>>, AnalysisError> {
        let rows = self.prompts(prompts)?;
        let mut states = vec![Vec::new(); self.layers() + 2];
        for batch in rows.chunks(BATCH) {
            let trace = self.backbone.text().trace_ids(batch);
            let trace: Vec<Tensor> = trace.map_err(|error| self.error(error))?;
            for (layer, state) in states.iter_mut().zip(trace) {
                layer.extend(state.to_vec2::<f32>()?);
            }
        }
        Ok(states)
    }
}

fn values(parameter: &TextParameter) -> Result<Vec<f32>, AnalysisError> {
    Ok(parameter.tensor.flatten_all()?.to_vec1::<f32>()?)
}

fn layer_name(layer: usize, blocks: usize) -> String {
    match layer {
        0 => "embeddings".to_owned(),
        layer if layer > blocks => "projection".to_owned(),
        layer => format!("block {layer}"),
    }
}
