//! CLIP-LoRA: low-rank adaptation of both towers (Zanella and Ben Ayed, arXiv
//! 2405.18541), after LoRA (Hu et al., arXiv 2106.09685).
//!
//! The query, key and value projections of every block become
//! y = W x + α/√r · B A dropout(x). Only A and B are trained; B starts at 0, which is
//! zero-shot CLIP.

mod config;

use harness_sdk::{
    Batch, Card, Edits, Error, Host, Init, Method, OptimizerKind, Parameter, Parameters, Prompts,
    Recipe, Result, Schedule, Tensor, export_plugin,
    wire::{DataNeed, Family, Setting, Site, Tower},
};

pub use config::{Blocks, Config, Encoder, Projection};

/// CLIP-LoRA for one backbone.
pub struct ClipLora {
    config: Config,
    /// `[SOS] template with name [EOS]` of every class.
    prompts: Vec<Vec<u32>>,
    /// Text features `[C, E]` if the text tower is not adapted.
    frozen: Option<Tensor>,
}

/// A tower's number of blocks and width.
fn dims(setting: &Setting, tower: Tower) -> (usize, usize) {
    let backbone = &setting.backbone;
    match tower {
        Tower::Text => (backbone.text.layers, backbone.text.width),
        Tower::Image => (backbone.image.layers, backbone.image.width),
    }
}

/// The adapted blocks of a tower, all of which it has.
fn blocks(config: &Config, setting: &Setting, tower: Tower) -> Result<Vec<usize>> {
    let (layers, _) = dims(setting, tower);
    let Some(blocks) = &config.blocks else {
        return Ok((0..layers).collect());
    };
    let blocks = blocks.of(tower);
    match blocks.iter().find(|block| **block >= layers) {
        Some(block) => Err(Error::NotInjectable(format!(
            "needs block {block} of the {}, {} has {layers} blocks",
            match tower {
                Tower::Text => "text tower",
                Tower::Image => "image tower",
            },
            setting.backbone.name
        ))),
        None => Ok(blocks.to_vec()),
    }
}

/// Prefix of a projection's parameters: `text.3.q`.
fn site(tower: Tower, layer: usize, projection: Projection) -> String {
    let tower = match tower {
        Tower::Text => "text",
        Tower::Image => "image",
    };
    format!("{tower}.{layer}.{}", projection.name())
}

impl ClipLora {
    fn edits(&self, host: &Host, parameters: &Parameters, tower: Tower) -> Result<Edits> {
        let mut edits = Edits::new(tower);
        for layer in blocks(&self.config, host.setting(), tower)? {
            for &projection in &self.config.projections {
                let site = site(tower, layer, projection);
                let a = parameters.get(&format!("{site}.a"))?;
                let b = parameters.get(&format!("{site}.b"))?;
                let weight = format!("blocks.{layer}.attn.{}.weight", projection.name());
                let dropout = host.dropout(self.config.dropout, &site);
                edits = edits.low_rank(&weight, (a, b), self.config.scale(), dropout);
            }
        }
        Ok(edits)
    }

    fn encode(&self, host: &Host, edits: &Edits) -> Result<Tensor> {
        let prompts = Prompts::new(self.prompts.len()).class_tokens(&self.prompts);
        Ok(prompts.with_edits(edits).encode(host)?.squeeze(0)?)
    }
}

impl Method for ClipLora {
    type Config = Config;

    fn card() -> Card {
        Card {
            id: "clip-lora",
            title: "CLIP-LoRA: low-rank adaptation of both towers",
            paper: "arXiv 2405.18541",
            family: Family::Weights,
            depth: "q, k, v of every block of both towers",
            sites: &[Site::Weight],
            data: DataNeed::Pixels,
            recomputed: &["token ids of the class names"],
            deviations: &[
                "logits are scaled by the backbone's own logit scale, not by a constant 100",
                "all methods share one few-shot split; the reference samples val before train",
                "training images are single unaugmented views unless the suite's `images` says otherwise; the reference trains on random crops of 8 to 100 % of the area, flipped half of the time",
            ],
        }
    }

    fn recipe(_config: &Config, _setting: &Setting) -> Recipe {
        Recipe {
            optimizer: OptimizerKind::AdamW,
            lr: 2e-4,
            weight_decay: 1e-2,
            schedule: Schedule::StepCosine,
            min_lr: 1e-6,
            steps_per_shot: Some(500),
            ..Recipe::default()
        }
    }

    fn parameters(config: &Config, setting: &Setting) -> Result<Vec<Parameter>> {
        config.check()?;
        let mut parameters = vec![];
        for tower in config.encoder.towers() {
            let (_, width) = dims(setting, *tower);
            for layer in blocks(config, setting, *tower)? {
                for &projection in &config.projections {
                    let site = site(*tower, layer, projection);
                    // kaiming_uniform(a = √5), torch's default for a linear layer.
                    let bound = 1.0 / (width as f64).sqrt();
                    let (a, b) = (format!("{site}.a"), format!("{site}.b"));
                    let init = Init::Uniform { bound };
                    parameters.push(Parameter::new(&a, &[config.rank, width], init));
                    parameters.push(Parameter::new(&b, &[width, config.rank], Init::Zeros));
                }
            }
        }
        Ok(parameters)
    }

    fn setup(config: &Config, host: &Host) -> Result<Self> {
        let mut method = Self {
            config: config.clone(),
            prompts: host.class_prompts(&config.template)?,
            frozen: None,
        };
        if config.encoder == Encoder::Image {
            method.frozen = Some(method.encode(host, &Edits::new(Tower::Text))?);
        }
        Ok(method)
    }

    fn classifier(&self, host: &Host, parameters: &Parameters) -> Result<Tensor> {
        Ok(match &self.frozen {
            Some(features) => features.clone(),
            None => self.encode(host, &self.edits(host, parameters, Tower::Text)?)?,
        })
    }

    fn images(&self, host: &Host, parameters: &Parameters, batch: &Batch) -> Result<Tensor> {
        if self.config.encoder == Encoder::Text {
            return batch.frozen_features(host);
        }
        let edits = self.edits(host, parameters, Tower::Image)?;
        host.encode_image(batch, &edits)
    }
}

export_plugin!(ClipLora);
