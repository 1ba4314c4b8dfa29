//! CoCoOp: conditional context optimisation (Zhou et al., arXiv 2203.05557).
//!
//! A small network maps each image's feature to a vector that is added to every context
//! vector, so that each image has its own class prompts. Several images are encoded in
//! one request, one group each.

mod meta_net;

use harness_sdk::{
    Batch, Card, ClassPrompts, Context, Host, Method, Parameter, Parameters, Recipe, Result,
    Tensor, export_plugin, ops,
    wire::{DataNeed, Family, Setting, Site},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Most prompts (images times classes) per request; bounds memory.
const MAX_PROMPTS: usize = 1024;

/// Configuration of CoCoOp.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    context: Context,
}

/// CoCoOp for one backbone.
pub struct CoCoOp {
    prompts: ClassPrompts,
}

impl Method for CoCoOp {
    type Config = Config;

    fn card() -> Card {
        Card {
            id: "cocoop",
            title: "CoCoOp: conditional context optimisation",
            paper: "arXiv 2203.05557",
            family: Family::Input,
            depth: "text input",
            sites: &[Site::TextInput],
            data: DataNeed::Features,
            recomputed: &[
                "token ids and embeddings of the class names",
                "image features that condition the context",
            ],
            deviations: &[
                "images are encoded in groups; the reference encodes one at a time, with the same result",
                "parameters are f32; the reference trains in f16",
                "training images are single unaugmented views unless the suite's `images` says otherwise; the reference trains on random crops of 8 to 100 % of the area, flipped half of the time",
            ],
        }
    }

    fn recipe(_config: &Config, _setting: &Setting) -> Recipe {
        Recipe {
            epochs: 10,
            batch: 1,
            ..Recipe::default()
        }
    }

    fn parameters(config: &Config, setting: &Setting) -> Result<Vec<Parameter>> {
        let mut parameters = vec![config.context.parameter("ctx", setting, false)?];
        parameters.extend(meta_net::parameters(&setting.backbone));
        Ok(parameters)
    }

    fn setup(config: &Config, host: &Host) -> Result<Self> {
        Ok(Self {
            prompts: config.context.prompts(host)?,
        })
    }

    fn logits(
        &self,
        host: &Host,
        parameters: &Parameters,
        batch: &Batch,
        _classifier: &Tensor,
    ) -> Result<Tensor> {
        let images = ops::normalize(&batch.features(host)?)?;
        let shift = meta_net::forward(&images, parameters)?;
        let context = parameters.get("ctx")?.unsqueeze(0)?;
        // [B, M, D]
        let contexts = context.broadcast_add(&shift.unsqueeze(1)?)?;
        let count = images.dim(0)?;
        let chunk = (MAX_PROMPTS / host.classes().max(1)).max(1);
        let mut logits = vec![];
        for start in (0..count).step_by(chunk) {
            let length = chunk.min(count - start);
            let context = contexts.narrow(0, start, length)?.unsqueeze(1)?;
            let text = self.prompts.with_context(&context)?.encode(host)?;
            let image = images.narrow(0, start, length)?.unsqueeze(2)?;
            logits.push(ops::normalize(&text)?.matmul(&image)?.squeeze(2)?);
        }
        Ok((Tensor::cat(&logits, 0)? * host.logit_scale())?)
    }
}

export_plugin!(CoCoOp);
