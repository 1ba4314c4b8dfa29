//! Dimensions and constants of both towers, from tensor shapes and the configuration.

use super::catalog::Catalog;
use super::config::Config;
use super::layout::{CheckpointLayout, ImageNames, TextNames};
use super::rope_buffers::is_rope_table;
use crate::dims::{Activation, Dims, ImageDims, TextDims};
use crate::error::Result;

/// LayerNorm epsilon of CLIP unless configured.
const CLIP_EPS: f32 = 1e-5;
/// LayerNorm epsilon of EVA02's image tower.
const EVA_EPS: f32 = 1e-6;
/// Width of an attention head in open_clip and timm unless configured.
const HEAD_WIDTH: usize = 64;
/// Side of the grid to which EVA02 rescales its rotary coordinates unless configured.
const ROPE_GRID: usize = 16;

/// Shapes and constants of both towers.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Architecture {
    /// How the tensors are named.
    pub layout: CheckpointLayout,
    /// Dimensions of both towers.
    pub dims: Dims,
    /// LayerNorm epsilon of the text tower.
    pub text_eps: f32,
    /// LayerNorm epsilon of the image tower.
    pub image_eps: f32,
    /// Activation of the image tower's MLP; not used by EVA02's SwiGLU.
    pub image_activation: Activation,
    /// Side of the patch grid of the stored position embeddings.
    pub(crate) stored_grid: usize,
    /// Side of the reference grid of the rotary coordinates.
    pub(crate) rope_grid: usize,
    /// How the loaded model differs from the stored one, one line per difference.
    pub notes: Vec<String>,
    /// End-of-text token, if configured.
    pub(crate) end_token: Option<u32>,
}

/// A scalar that OpenAI's published archives store as a tensor.
const OPENAI_BUFFER: &str = "input_resolution";

impl Architecture {
    /// Reads dimensions from names and shapes, and the rest from the configuration.
    pub(crate) fn read(
        catalog: &Catalog,
        config: &Config,
        layout: CheckpointLayout,
    ) -> Result<Self> {
        if !config.fits(&layout) {
            let key = Config::wanted(&layout).replace('`', "");
            let name = layout.name();
            return Err(config.error(&key, format!("layout {name} needs these sections")));
        }
        if layout.is_transformers() {
            config.is_clip()?;
        } else {
            config.refuse_unknown_computation()?;
            config.knows_activation(catalog.has(OPENAI_BUFFER))?;
        }
        let (text, embed_dim) = text_dims(catalog, config, layout.text)?;
        let image = image_dims(catalog, config, layout.image)?;
        let hf = layout.is_transformers();
        config.agrees(if hf { "projection_dim" } else { "embed_dim" }, embed_dim)?;
        let text_eps = match hf {
            true => config.number("text_config.layer_norm_eps", CLIP_EPS)?,
            false => config.number("text_cfg.norm_kwargs.eps", CLIP_EPS)?,
        };
        let image_eps = match layout.image {
            ImageNames::Transformers => config.number("vision_config.layer_norm_eps", CLIP_EPS)?,
            ImageNames::OpenClip => config.number("vision_cfg.norm_kwargs.eps", CLIP_EPS)?,
            ImageNames::Timm | ImageNames::EvaClip => EVA_EPS,
        };
        let image_activation = match hf {
            true => config.hidden_act("vision_config")?,
            false => config.quick_gelu()?,
        };
        Ok(Self {
            end_token: match hf {
                true => end_token(config, text.vocab_size)?,
                false => None,
            },
            stored_grid: image.image_size / image.patch_size,
            notes: [catalog.notes(), config.notes()].concat(),
            rope_grid: rope_grid(catalog, config, layout.image, &image)?,
            layout,
            dims: Dims {
                embed_dim,
                text,
                image,
            },
            text_eps,
            image_eps,
            image_activation,
        })
    }
}

impl Architecture {
    /// The same towers for another image size, with interpolated position embeddings.
    pub(crate) fn at_size(mut self, config: &Config, size: usize) -> Result<Self> {
        let image = &mut self.dims.image;
        if size == image.image_size {
            return Ok(self);
        }
        let key = "image size";
        if size == 0 || !size.is_multiple_of(image.patch_size) {
            let reason = format!(
                "{size} is not a multiple of the patch size {}",
                image.patch_size
            );
            return Err(config.error(key, reason));
        }
        let intp = "vision_cfg.intp_freq";
        if self.layout.image == ImageNames::EvaClip && config.value(intp).is_none() {
            let reason = "key is missing; EVA-CLIP's default is false (rotary coordinates are not \
                          rescaled), which is only supported at the stored image size";
            return Err(config.error(intp, reason.into()));
        }
        self.notes.push(format!(
            "position embeddings are interpolated from {} to {size} pixels",
            image.image_size
        ));
        image.image_size = size;
        image.patches = (size / image.patch_size).pow(2);
        Ok(self)
    }
}

/// Dimensions of the text tower, and of the joint embedding.
fn text_dims(catalog: &Catalog, config: &Config, names: TextNames) -> Result<(TextDims, usize)> {
    let [vocab_size, width] = catalog.dims(&names.token_embedding())?;
    let blocks = names.blocks();
    let layers = catalog.blocks(&blocks)?;
    let (section, keys, context_length, embed_dim, mlp, activation) = match names {
        TextNames::Transformers => {
            let [context, _] = catalog.dims("text_model.embeddings.position_embedding.weight")?;
            let [embed, _] = catalog.dims("text_projection.weight")?;
            let [mlp, _] = catalog.dims(&format!("{blocks}0.mlp.fc1.weight"))?;
            let keys = [
                "hidden_size",
                "num_hidden_layers",
                "num_attention_heads",
                "max_position_embeddings",
            ];
            let activation = config.hidden_act("text_config")?;
            ("text_config", keys, context, embed, mlp, activation)
        }
        TextNames::OpenClip(prefix) => {
            let [context, _] = catalog.dims(&format!("{prefix}positional_embedding"))?;
            let [_, embed] = catalog.dims(&format!("{prefix}text_projection"))?;
            let [mlp, _] = catalog.dims(&format!("{blocks}0.mlp.c_fc.weight"))?;
            let keys = ["width", "layers", "heads", "context_length"];
            ("text_cfg", keys, context, embed, mlp, config.quick_gelu()?)
        }
    };
    let [k_width, k_layers, k_heads, k_context] = keys.map(|key| format!("{section}.{key}"));
    config.agrees(&k_width, width)?;
    config.agrees(&k_layers, layers)?;
    config.agrees(&k_context, context_length)?;
    config.agrees(&format!("{section}.vocab_size"), vocab_size)?;
    config.agrees(&format!("{section}.intermediate_size"), mlp)?;
    let heads = config.require(&k_heads)?;
    check_heads(config, &k_heads, width, heads)?;
    let dims = TextDims {
        width,
        layers,
        heads,
        mlp,
        context_length,
        vocab_size,
        activation,
    };
    Ok((dims, embed_dim))
}

/// Dimensions of the image tower.
fn image_dims(catalog: &Catalog, config: &Config, names: ImageNames) -> Result<ImageDims> {
    let patch_embedding = names.patch_embedding();
    let [width, channels, patch_size, patch_width] = catalog.dims(patch_embedding)?;
    if channels != 3 || patch_size != patch_width {
        return Err(catalog.error(
            patch_embedding,
            "three channels and a square patch".into(),
            format!("[{width}, {channels}, {patch_size}, {patch_width}]"),
        ));
    }
    let blocks = names.blocks();
    let layers = catalog.blocks(blocks)?;
    let (position_name, mlp_name) = match names {
        ImageNames::Transformers => (
            "vision_model.embeddings.position_embedding.weight",
            "mlp.fc1.weight",
        ),
        ImageNames::OpenClip => ("visual.positional_embedding", "mlp.c_fc.weight"),
        ImageNames::Timm => ("visual.trunk.pos_embed", "mlp.fc1_g.weight"),
        ImageNames::EvaClip => ("visual.pos_embed", "mlp.w1.weight"),
    };
    let positions = if names.is_eva() {
        catalog.dims::<3>(position_name)?[1]
    } else {
        catalog.dims::<2>(position_name)?[0]
    };
    let [mlp, _] = catalog.dims(&format!("{blocks}0.{mlp_name}"))?;
    let patches = positions - 1;
    let grid = patches.isqrt();
    if patches == 0 || grid * grid != patches {
        return Err(catalog.error(
            position_name,
            "one position for the class token, the rest a square grid of patches".into(),
            format!("{positions} positions"),
        ));
    }
    let image_size = grid * patch_size;
    let (heads_key, heads) = image_heads(config, names, width)?;
    check_heads(config, &heads_key, width, heads)?;
    if names.is_eva() && !(width / heads).is_multiple_of(4) {
        let reason = format!(
            "head width {} is not a multiple of 4, as RoPE requires",
            width / heads
        );
        return Err(config.error(&heads_key, reason));
    }
    let (width_key, layers_key) = match names {
        ImageNames::Transformers => (
            "vision_config.hidden_size",
            "vision_config.num_hidden_layers",
        ),
        ImageNames::Timm => (
            "vision_cfg.overrides.embed_dim",
            "vision_cfg.overrides.depth",
        ),
        _ => ("vision_cfg.width", "vision_cfg.layers"),
    };
    config.agrees(width_key, width)?;
    config.agrees(layers_key, layers)?;
    let (size_key, patch_key) = match names {
        ImageNames::Transformers => {
            config.agrees("vision_config.intermediate_size", mlp)?;
            ("vision_config.image_size", "vision_config.patch_size")
        }
        ImageNames::Timm => (
            "vision_cfg.overrides.img_size",
            "vision_cfg.overrides.patch_size",
        ),
        _ => ("vision_cfg.image_size", "vision_cfg.patch_size"),
    };
    config.side_agrees(size_key, image_size)?;
    config.side_agrees(patch_key, patch_size)?;
    Ok(ImageDims {
        width,
        layers,
        heads,
        mlp,
        patch_size,
        image_size,
        patches,
        has_ln_pre: !names.is_eva(),
        has_rope: names.is_eva(),
    })
}

/// Number of heads of the image tower, and the key it comes from.
fn image_heads(config: &Config, names: ImageNames, width: usize) -> Result<(String, usize)> {
    match names {
        ImageNames::Transformers => {
            let key = "vision_config.num_attention_heads";
            Ok((key.into(), config.require(key)?))
        }
        ImageNames::Timm => {
            let key = "vision_cfg.overrides.num_heads";
            let heads = match is_published_eva02(config) {
                true => config.count(key)?.unwrap_or(width / HEAD_WIDTH),
                false => config.require(key)?,
            };
            Ok((key.into(), heads))
        }
        ImageNames::OpenClip | ImageNames::EvaClip => {
            let key = "vision_cfg.head_width";
            let head_width = config.count(key)?.unwrap_or(HEAD_WIDTH);
            if !width.is_multiple_of(head_width) {
                let reason = format!("width {width} is not a multiple of head width {head_width}");
                return Err(config.error(key, reason));
            }
            Ok((key.into(), width / head_width))
        }
    }
}

fn check_heads(config: &Config, key: &str, width: usize, heads: usize) -> Result<()> {
    if heads > 0 && width.is_multiple_of(heads) {
        return Ok(());
    }
    let reason = format!("width {width} is not divisible by {heads} heads");
    Err(config.error(key, reason))
}

/// The end-of-text token of transformers' configuration. OpenAI's files have the placeholder 2.
fn end_token(config: &Config, vocab_size: usize) -> Result<Option<u32>> {
    match config.count("text_config.eos_token_id")? {
        Some(id) if id != 2 && id < vocab_size => Ok(u32::try_from(id).ok()),
        _ => Ok(None),
    }
}

/// Whether this is one of timm's own EVA02 models, which share head width and rotary grid.
fn is_published_eva02(config: &Config) -> bool {
    let name = config.text("vision_cfg.timm_model_name");
    name.is_some_and(|name| name.starts_with("eva02_"))
}

/// Side of the reference grid of the rotary coordinates; `ROPE_GRID` if the key's absence implies it.
fn rope_grid(
    catalog: &Catalog,
    config: &Config,
    names: ImageNames,
    image: &ImageDims,
) -> Result<usize> {
    match names {
        ImageNames::Timm => {
            // timm writes the grid as a pair.
            let key = "vision_cfg.overrides.ref_feat_shape.0";
            match is_published_eva02(config) {
                true => Ok(config.count(key)?.unwrap_or(ROPE_GRID)),
                false => config.require(key),
            }
        }
        ImageNames::EvaClip => {
            let grid = config
                .count("vision_cfg.pt_hw_seq_len")?
                .unwrap_or(ROPE_GRID);
            // Stored tables are compared with the computed ones, so a wrong guess is noticed.
            let has_tables = catalog.shapes().any(|(name, _)| is_rope_table(name));
            let unknown = |key: &str| {
                let reason = "key is missing; EVA-CLIP's default is false, but only true is supported. \
                              Set it to true if the model was trained that way";
                Err(config.error(key, reason.into()))
            };
            if !has_tables && config.value("vision_cfg.rope").is_none() {
                return unknown("vision_cfg.rope");
            }
            let is_rescaled = image.image_size / image.patch_size != grid;
            if !has_tables && is_rescaled && config.value("vision_cfg.intp_freq").is_none() {
                return unknown("vision_cfg.intp_freq");
            }
            Ok(grid)
        }
        ImageNames::Transformers | ImageNames::OpenClip => Ok(ROPE_GRID),
    }
}
