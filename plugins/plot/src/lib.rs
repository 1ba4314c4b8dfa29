//! PLOT: prompt learning with optimal transport (Chen et al., arXiv 2210.01253).
//!
//! Each class has several prompts. They are matched with the patches of an image by the transport
//! plan T of least entropy-regularised cost, and the class scores
//! Σ_mn T_mn cos(patch_m, prompt_n). No gradient flows through the plan.

mod transport;

use harness_sdk::{
    Batch, Card, ClassPrompts, Context, Error, Feature, Host, Init, Method, Parameter, Parameters,
    Recipe, Result, Tensor, export_plugin, ops,
    wire::{DataNeed, Family, ImageStage, Setting, Site},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Configuration of PLOT.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// N, the number of prompts.
    prompts: usize,
    /// M, the number of context vectors of each.
    length: usize,
    /// Weight of the entropy.
    epsilon: f64,
    /// Most iterations of Sinkhorn's algorithm.
    iterations: usize,
    /// Mean change of an image's row scaling below which the iteration ends.
    threshold: f64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            prompts: 4,
            length: 16,
            epsilon: 0.1,
            iterations: 100,
            threshold: 1e-2,
        }
    }
}

impl Config {
    fn context(&self) -> Context {
        Context {
            length: self.length,
            init: None,
            ..Context::default()
        }
    }
}

/// PLOT for one backbone.
pub struct Plot {
    prompts: ClassPrompts,
    config: Config,
}

impl Method for Plot {
    type Config = Config;

    const USES: &'static [Feature] = &[Feature::ImageActivations];
    const STOPS_GRADIENTS: bool = true;

    fn card() -> Card {
        Card {
            id: "plot",
            title: "PLOT: prompts matched with patches by optimal transport",
            paper: "arXiv 2210.01253",
            family: Family::Input,
            depth: "text input",
            sites: &[Site::TextInput, Site::Logits],
            data: DataNeed::Pixels,
            recomputed: &[
                "token ids and embeddings of the class names",
                "patch features",
            ],
            deviations: &[
                "patches are those of a vision transformer's last block, projected like the class token; the reference reads the grid of a ResNet",
                "the iteration ends for each image by itself; the reference ends it for a whole batch, so that predictions depend on the batch",
                "batch 32, the reference's number for its small data sets; 128 for the others",
                "parameters are f32; the reference trains in f16",
                "training images are single unaugmented views unless the suite's `images` says otherwise; the reference trains on random crops, flipped half of the time",
            ],
        }
    }

    fn recipe(_config: &Config, _setting: &Setting) -> Recipe {
        Recipe::default()
    }

    fn parameters(config: &Config, setting: &Setting) -> Result<Vec<Parameter>> {
        let fits = |value: f64| value > 0.0 && value.is_finite();
        if config.prompts == 0 || !fits(config.epsilon) || !fits(config.threshold) {
            return Err(Error::Config(
                "prompts must be at least 1; epsilon and threshold must be positive".into(),
            ));
        }
        // Refuses what does not fit the text tower.
        config.context().parameter("ctx", setting, false)?;
        let shape = [config.prompts, config.length, setting.backbone.text.width];
        let init = Init::Normal { std: 0.02 };
        Ok(vec![Parameter::new("ctx", &shape, init)])
    }

    fn setup(config: &Config, host: &Host) -> Result<Self> {
        Ok(Self {
            prompts: config.context().prompts(host)?,
            config: config.clone(),
        })
    }

    /// The features of all prompts, `[N, C, E]`.
    fn classifier(&self, host: &Host, parameters: &Parameters) -> Result<Tensor> {
        let contexts = parameters.get("ctx")?.unsqueeze(1)?;
        self.prompts.with_context(&contexts)?.encode(host)
    }

    fn logits(
        &self,
        host: &Host,
        _parameters: &Parameters,
        batch: &Batch,
        classifier: &Tensor,
    ) -> Result<Tensor> {
        let patches = host.image_activations(batch, ImageStage::PatchFeatures)?;
        let (images, count, width) = patches.dims3()?;
        let (prompts, classes, _) = classifier.dims3()?;
        let text = ops::normalize(classifier)?;
        let text = text.reshape((prompts * classes, width))?.t()?;
        let patches = ops::normalize(&patches)?;
        let mut rows = vec![];
        for image in 0..images {
            let cosines = patches.get(image)?.matmul(&text)?;
            // [M, N, C] to [C, M, N]
            let cosines = cosines
                .reshape((count, prompts, classes))?
                .permute((2, 0, 1))?
                .contiguous()?;
            let plan = transport::plan(&cosines.detach(), &self.config)?;
            rows.push((cosines * plan)?.sum((1, 2))?);
        }
        Ok((Tensor::stack(&rows, 0)? * host.logit_scale())?)
    }
}

export_plugin!(Plot);
