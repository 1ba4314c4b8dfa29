//! CoOp: context optimisation (Zhou et al., arXiv 2109.01134).
//!
//! M learned vectors replace the words before the class name, shared by all classes or one
//! set per class. Loss: cross entropy.

use harness_sdk::{
    Card, ClassPrompts, Context, Host, Method, Parameter, Parameters, Result, Tensor,
    export_plugin,
    wire::{DataNeed, Family, Setting, Site},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Configuration of CoOp.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The learned context.
    context: Context,
    /// One context per class ("CSC") instead of a shared one.
    class_specific: bool,
}

/// CoOp for one backbone.
pub struct CoOp {
    prompts: ClassPrompts,
}

impl Method for CoOp {
    type Config = Config;

    fn card() -> Card {
        Card {
            id: "coop",
            title: "CoOp: context optimisation",
            paper: "arXiv 2109.01134",
            family: Family::Input,
            depth: "text input",
            sites: &[Site::TextInput],
            data: DataNeed::Features,
            recomputed: &["token ids and embeddings of the class names"],
            deviations: &[
                "parameters are f32; the reference trains in f16, which loses small updates",
                "M = 4 and 50 epochs, as in the CoCoOp paper's cross-dataset experiments; the CoOp paper uses M = 16 from N(0, 0.02²) and 200 epochs",
                "training images are single unaugmented views unless the suite's `images` says otherwise; the reference trains on random crops of 8 to 100 % of the area, flipped half of the time",
            ],
        }
    }

    fn parameters(config: &Config, setting: &Setting) -> Result<Vec<Parameter>> {
        let ctx = config
            .context
            .parameter("ctx", setting, config.class_specific)?;
        Ok(vec![ctx])
    }

    fn setup(config: &Config, host: &Host) -> Result<Self> {
        Ok(Self {
            prompts: config.context.prompts(host)?,
        })
    }

    fn classifier(&self, host: &Host, parameters: &Parameters) -> Result<Tensor> {
        let features = self.prompts.encode(host, parameters.get("ctx")?)?;
        Ok(features)
    }
}

export_plugin!(CoOp);
