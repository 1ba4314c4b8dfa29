//! Towers that are known by name and not computed.

use super::catalog::Catalog;

/// What is computed, for messages.
const SUPPORTED: &str = "supported are the ViT of CLIP in the names of transformers and open_clip, and \
                         EVA02-CLIP in the names of timm and the EVA-CLIP repository";

/// Beginnings of names, and what has them.
const MARKERS: [(&str, &str); 12] = [
    (
        "visual.attnpool.",
        "a ResNet image tower (RN50 and its kin)",
    ),
    ("visual.layer1.", "a ResNet image tower (RN50 and its kin)"),
    ("text_decoder.", "CoCa, with a text decoder"),
    ("visual.trunk.attn_pool.", "SigLIP, with attention pooling"),
    ("vision_model.head.", "SigLIP, with attention pooling"),
    (
        "logit_bias",
        "a model with a sigmoid logit bias, as SigLIP has it",
    ),
    (
        "visual.trunk.stem",
        "a convolutional image tower of timm, such as ConvNeXt",
    ),
    (
        "visual.trunk.stages.",
        "a convolutional image tower of timm, such as ConvNeXt",
    ),
    (
        "text.transformer.embeddings.",
        "a text tower of transformers, such as RoBERTa",
    ),
    (
        "text.transformer.encoder.",
        "a text tower of transformers, such as RoBERTa",
    ),
    ("visual.blocks.0.mlp.fc1.", "EVA01, with a plain MLP"),
    ("visual.trunk.blocks.0.mlp.fc1.", "a plain ViT of timm"),
];

/// What the names are known to be, if it is not computed.
pub(crate) fn unsupported(catalog: &Catalog) -> Option<String> {
    let (_, what) = MARKERS
        .iter()
        .find(|(marker, _)| catalog.shapes().any(|(name, _)| name.starts_with(marker)))?;
    Some(format!("{what}, is not supported; {SUPPORTED}"))
}
