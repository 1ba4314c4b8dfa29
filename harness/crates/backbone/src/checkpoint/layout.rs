//! Recognising a state dict by its tensor names.

use super::catalog::Catalog;
use super::rope_buffers::{is_rope_buffer, is_rope_table};
use super::unsupported::unsupported;
use crate::error::{BackboneError, Result};

/// How the text tower's tensors are named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TextNames {
    /// transformers: `text_model.encoder.layers.N.self_attn.q_proj`.
    Transformers,
    /// open_clip: `transformer.resblocks.N.attn.in_proj_weight`, all under this prefix.
    OpenClip(&'static str),
}

/// How the image tower's tensors are named, which also tells its architecture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ImageNames {
    /// A plain ViT in transformers' names.
    Transformers,
    /// A plain ViT in open_clip's names.
    OpenClip,
    /// EVA02 in timm's names under `visual.trunk.`.
    Timm,
    /// EVA02 in the names of the EVA-CLIP repository.
    EvaClip,
}

/// A state-dict layout: the naming scheme of both towers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CheckpointLayout {
    pub(crate) text: TextNames,
    pub(crate) image: ImageNames,
}

impl TextNames {
    /// The name of the token embedding, which tells the scheme.
    pub(crate) fn token_embedding(self) -> String {
        match self {
            Self::Transformers => "text_model.embeddings.token_embedding.weight".into(),
            Self::OpenClip(prefix) => format!("{prefix}token_embedding.weight"),
        }
    }

    pub(crate) fn blocks(self) -> String {
        match self {
            Self::Transformers => "text_model.encoder.layers.".into(),
            Self::OpenClip(prefix) => format!("{prefix}transformer.resblocks."),
        }
    }
}

impl ImageNames {
    /// The name of the patch embedding, which tells the scheme.
    pub(crate) fn patch_embedding(self) -> &'static str {
        match self {
            Self::Transformers => "vision_model.embeddings.patch_embedding.weight",
            Self::OpenClip => "visual.conv1.weight",
            Self::Timm => "visual.trunk.patch_embed.proj.weight",
            Self::EvaClip => "visual.patch_embed.proj.weight",
        }
    }

    pub(crate) fn blocks(self) -> &'static str {
        match self {
            Self::Transformers => "vision_model.encoder.layers.",
            Self::OpenClip => "visual.transformer.resblocks.",
            Self::Timm => "visual.trunk.blocks.",
            Self::EvaClip => "visual.blocks.",
        }
    }

    /// Whether the tower is EVA02 rather than a plain ViT.
    pub(crate) fn is_eva(self) -> bool {
        matches!(self, Self::Timm | Self::EvaClip)
    }
}

impl CheckpointLayout {
    /// The layout of weights from the names and shapes of their tensors; `origin` is named in
    /// errors.
    ///
    /// # Errors
    /// A tower is missing, or is of an architecture that is not supported.
    pub fn recognise(
        origin: &str,
        shapes: impl Iterator<Item = (String, Vec<usize>)>,
    ) -> Result<Self> {
        Self::detect(&Catalog::new(origin.to_owned(), shapes.collect()))
    }

    pub(crate) fn detect(catalog: &Catalog) -> Result<Self> {
        let texts = [
            TextNames::Transformers,
            TextNames::OpenClip(""),
            TextNames::OpenClip("text."),
        ];
        let images = [
            ImageNames::Transformers,
            ImageNames::OpenClip,
            ImageNames::Timm,
            ImageNames::EvaClip,
        ];
        let text = texts
            .into_iter()
            .find(|t| catalog.has(&t.token_embedding()));
        let image = images
            .into_iter()
            .find(|i| catalog.has(i.patch_embedding()));
        let unknown = |reason: String| BackboneError::Layout {
            origin: catalog.origin.clone(),
            reason,
        };
        if let Some(what) = unsupported(catalog) {
            return Err(unknown(what));
        }
        let text = text.ok_or_else(|| {
            let names = texts.map(TextNames::token_embedding).join(", ");
            unknown(format!(
                "no text tower: expected one of {names}; found {}",
                catalog.sample()
            ))
        })?;
        let image = image.ok_or_else(|| {
            let names = images.map(ImageNames::patch_embedding).join(", ");
            unknown(format!(
                "no image tower: expected one of {names}; found {}",
                catalog.sample()
            ))
        })?;
        if (text == TextNames::Transformers) != (image == ImageNames::Transformers) {
            return Err(unknown(format!(
                "{} and {} come from different layouts",
                text.token_embedding(),
                image.patch_embedding()
            )));
        }
        Ok(Self { text, image })
    }

    /// Whether this is transformers' `CLIPModel`.
    pub fn is_transformers(&self) -> bool {
        self.text == TextNames::Transformers
    }

    /// `hf-clip`, `open-clip`, `open-clip-eva02` or `eva-clip-rei`.
    pub fn name(&self) -> &'static str {
        match self.image {
            ImageNames::Transformers => "hf-clip",
            ImageNames::OpenClip => "open-clip",
            ImageNames::Timm => "open-clip-eva02",
            ImageNames::EvaClip => "eva-clip-rei",
        }
    }
}

/// Buffers of some checkpoints that no tower needs.
pub(crate) fn is_buffer(name: &str) -> bool {
    const JIT: [&str; 3] = ["input_resolution", "context_length", "vocab_size"];
    JIT.contains(&name)
        || name.ends_with("position_ids")
        || name == "attn_mask"
        || name.ends_with(".attn_mask")
        || is_rope_table(name)
        || is_rope_buffer(name)
}
