//! @TYPE@: learned vectors before the class name, as in CoOp (arXiv 2109.01134). Replace what
//! differs in your method.

use harness_sdk::{
    Card, Host, Init, Method, Parameter, Parameters, Prompts, Result, Tensor, export_plugin,
    schemars::JsonSchema,
    serde::{Deserialize, Serialize},
    wire::{DataNeed, Family, Setting, Site},
};

/// What a suite can set under `config:`. Unknown keys are errors.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "harness_sdk::serde", default, deny_unknown_fields)]
#[schemars(crate = "harness_sdk::schemars")]
pub struct Config {
    /// M, the number of learned vectors.
    length: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self { length: 4 }
    }
}

/// What is computed from the backbone at hand, and again on a target.
pub struct @TYPE@ {
    start: u32,
    /// Token ids of `name . [EOT]` of each class.
    names: Vec<Vec<u32>>,
}

impl Method for @TYPE@ {
    type Config = Config;

    fn card() -> Card {
        Card {
            id: "@NAME@",
            title: "@TYPE@: one line on its idea",
            paper: "unpublished",
            family: Family::Input,
            depth: "text input",
            sites: &[Site::TextInput],
            data: DataNeed::Features,
            recomputed: &["token ids of the class names"],
            deviations: &[],
        }
    }

    /// `self.ctx = nn.Parameter(token_embedding("a photo of a"))`
    fn parameters(config: &Config, setting: &Setting) -> Result<Vec<Parameter>> {
        let shape = [config.length, setting.backbone.text.width];
        let init = Init::Words("a photo of a".to_owned());
        Ok(vec![Parameter::new("ctx", &shape, init)])
    }

    fn setup(_config: &Config, host: &Host) -> Result<Self> {
        let names = host.class_names();
        let texts: Vec<String> = names.iter().map(|name| format!("{name}.")).collect();
        let mut tokens = host.tokenize(&texts)?;
        for row in &mut tokens.rows {
            row.push(tokens.end_of_text);
        }
        Ok(Self {
            start: tokens.start_of_text,
            names: tokens.rows,
        })
    }

    /// `encode(cat([SOS], ctx, name . [EOT]))`, `[C, E]`; the harness adds the cosine logits,
    /// the cross entropy and the training. Other hooks: `logits`, `loss`, `images`, `recipe`.
    fn classifier(&self, host: &Host, parameters: &Parameters) -> Result<Tensor> {
        let prompts = Prompts::new(self.names.len())
            .tokens(&[self.start])
            .context(parameters.get("ctx")?)?
            .class_tokens(&self.names);
        Ok(prompts.encode(host)?.squeeze(0)?)
    }
}

export_plugin!(@TYPE@);
