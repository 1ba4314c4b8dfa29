//! Names, shapes and starting values of every tensor, in the layouts open_clip writes.

use std::collections::BTreeMap;

use candle_core::{Device, Tensor, Var};
use rand_distr::{Distribution, Normal};

use super::recipe::{ImageTower, Shape};
use crate::error::EmbeddedError;
use crate::stream::stream;
use crate::world::SIDE;

/// Trained tensors by state-dict name.
pub(crate) type Parameters = BTreeMap<String, Var>;

#[derive(Clone, Copy)]
enum Start {
    Zero,
    One,
    /// Normal with this deviation.
    Random(f64),
    /// ln(1 / 0.07), CLIP's first temperature.
    LogitScale,
}

struct Builder {
    tensors: Vec<(String, Vec<usize>, Start)>,
}

impl Builder {
    fn add(&mut self, name: impl Into<String>, shape: &[usize], start: Start) {
        self.tensors.push((name.into(), shape.to_vec(), start));
    }

    fn norm(&mut self, name: &str, width: usize) {
        self.add(format!("{name}.weight"), &[width], Start::One);
        self.add(format!("{name}.bias"), &[width], Start::Zero);
    }

    fn linear(&mut self, name: &str, out: usize, inner: usize, deviation: f64) {
        self.add(
            format!("{name}.weight"),
            &[out, inner],
            Start::Random(deviation),
        );
        self.add(format!("{name}.bias"), &[out], Start::Zero);
    }

    /// Blocks as CLIP starts them: residual outputs smaller the deeper the tower.
    fn clip_blocks(&mut self, prefix: &str, width: usize, layers: usize) {
        let inner = (width as f64).powf(-0.5);
        let residual = inner * (2.0 * layers as f64).powf(-0.5);
        for layer in 0..layers {
            let block = format!("{prefix}transformer.resblocks.{layer}");
            self.norm(&format!("{block}.ln_1"), width);
            self.add(
                format!("{block}.attn.in_proj_weight"),
                &[3 * width, width],
                Start::Random(inner),
            );
            self.add(
                format!("{block}.attn.in_proj_bias"),
                &[3 * width],
                Start::Zero,
            );
            self.linear(&format!("{block}.attn.out_proj"), width, width, residual);
            self.norm(&format!("{block}.ln_2"), width);
            let fc = (2.0 * width as f64).powf(-0.5);
            self.linear(&format!("{block}.mlp.c_fc"), 4 * width, width, fc);
            self.linear(&format!("{block}.mlp.c_proj"), width, 4 * width, residual);
        }
    }

    fn text(&mut self, prefix: &str, shape: &Shape) {
        let width = shape.text_width;
        let (vocab, length) = (shape.vocab, shape.context_length);
        self.add(
            format!("{prefix}token_embedding.weight"),
            &[vocab, width],
            Start::Random(0.02),
        );
        self.add(
            format!("{prefix}positional_embedding"),
            &[length, width],
            Start::Random(0.01),
        );
        self.clip_blocks(prefix, width, shape.text_layers);
        self.norm(&format!("{prefix}ln_final"), width);
        let projection = Start::Random((width as f64).powf(-0.5));
        self.add(
            format!("{prefix}text_projection"),
            &[width, shape.embed],
            projection,
        );
        self.add("logit_scale", &[], Start::LogitScale);
    }

    fn clip_image(&mut self, shape: &Shape) {
        let (width, patch) = (shape.image_width, shape.patch);
        let scale = (width as f64).powf(-0.5);
        let tokens = (SIDE / patch).pow(2) + 1;
        let patches = Start::Random((3.0 * (patch * patch) as f64).powf(-0.5));
        self.add("visual.class_embedding", &[width], Start::Random(scale));
        self.add(
            "visual.positional_embedding",
            &[tokens, width],
            Start::Random(scale),
        );
        self.add("visual.conv1.weight", &[width, 3, patch, patch], patches);
        self.norm("visual.ln_pre", width);
        self.clip_blocks("visual.", width, shape.image_layers);
        self.norm("visual.ln_post", width);
        self.add("visual.proj", &[width, shape.embed], Start::Random(scale));
    }

    fn eva_image(&mut self, shape: &Shape) {
        let (width, patch) = (shape.image_width, shape.patch);
        let scale = (width as f64).powf(-0.5);
        let tokens = (SIDE / patch).pow(2) + 1;
        let trunk = "visual.trunk";
        let patches = Start::Random((3.0 * (patch * patch) as f64).powf(-0.5));
        self.add(
            format!("{trunk}.cls_token"),
            &[1, 1, width],
            Start::Random(scale),
        );
        self.add(
            format!("{trunk}.pos_embed"),
            &[1, tokens, width],
            Start::Random(scale),
        );
        self.add(
            format!("{trunk}.patch_embed.proj.weight"),
            &[width, 3, patch, patch],
            patches,
        );
        self.add(
            format!("{trunk}.patch_embed.proj.bias"),
            &[width],
            Start::Zero,
        );
        let residual = scale * (2.0 * shape.image_layers as f64).powf(-0.5);
        let hidden = width * 8 / 3;
        for layer in 0..shape.image_layers {
            let block = format!("{trunk}.blocks.{layer}");
            self.norm(&format!("{block}.norm1"), width);
            self.linear(&format!("{block}.attn.q_proj"), width, width, scale);
            self.add(
                format!("{block}.attn.k_proj.weight"),
                &[width, width],
                Start::Random(scale),
            );
            self.linear(&format!("{block}.attn.v_proj"), width, width, scale);
            self.norm(&format!("{block}.attn.norm"), width);
            self.linear(&format!("{block}.attn.proj"), width, width, residual);
            self.norm(&format!("{block}.norm2"), width);
            self.linear(&format!("{block}.mlp.fc1_g"), hidden, width, scale);
            self.linear(&format!("{block}.mlp.fc1_x"), hidden, width, scale);
            self.norm(&format!("{block}.mlp.norm"), hidden);
            self.linear(&format!("{block}.mlp.fc2"), width, hidden, residual);
        }
        self.norm(&format!("{trunk}.norm"), width);
        self.linear(&format!("{trunk}.head"), shape.embed, width, scale);
    }
}

/// The prefix of text tensors: open_clip nests the text tower when the image tower is timm's.
pub(crate) fn text_prefix(tower: ImageTower) -> &'static str {
    match tower {
        ImageTower::Clip => "",
        ImageTower::Eva02 => "text.",
    }
}

/// Whether a state-dict name belongs to the image tower.
pub(crate) fn is_image(name: &str) -> bool {
    name.starts_with("visual.")
}

/// Fresh tensors for both towers; the same seed gives the same values.
pub(crate) fn initial(shape: &Shape, seed: u64) -> Result<Parameters, EmbeddedError> {
    let mut builder = Builder {
        tensors: Vec::new(),
    };
    match shape.tower {
        ImageTower::Clip => builder.clip_image(shape),
        ImageTower::Eva02 => builder.eva_image(shape),
    }
    builder.text(text_prefix(shape.tower), shape);
    let mut parameters = Parameters::new();
    for (index, (name, dims, start)) in builder.tensors.into_iter().enumerate() {
        let count = dims.iter().product();
        let values: Vec<f32> = match start {
            Start::Zero => vec![0.0; count],
            Start::One => vec![1.0; count],
            Start::LogitScale => vec![(1.0f32 / 0.07).ln()],
            Start::Random(deviation) => {
                let normal = Normal::new(0.0, deviation)
                    .map_err(|error| EmbeddedError::Training(format!("{name}: {error}")))?;
                let mut rng = stream(seed, index as u64);
                (0..count).map(|_| normal.sample(&mut rng) as f32).collect()
            }
        };
        let tensor = Tensor::from_vec(values, dims, &Device::Cpu)?;
        parameters.insert(name, Var::from_tensor(&tensor)?);
    }
    Ok(parameters)
}
