//! The methods whose checkpoints are converted, and how their files are recognised.

use serde::{Deserialize, Serialize};

use super::weights::{ROOT, plain};

/// A method whose checkpoints become modules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ModuleMethod {
    Coop,
    Cocoop,
    Kgcoop,
    Prograd,
    Maple,
    Ivlp,
    Promptsrc,
    DeepLanguage,
    Vpt,
    Tcp,
    ClipLora,
    TipAdapter,
    TipAdapterF,
    Taskres,
    ClipAdapter,
}

impl ModuleMethod {
    /// Every method.
    pub const ALL: [Self; 15] = [
        Self::Coop,
        Self::Cocoop,
        Self::Kgcoop,
        Self::Prograd,
        Self::Maple,
        Self::Ivlp,
        Self::Promptsrc,
        Self::DeepLanguage,
        Self::Vpt,
        Self::Tcp,
        Self::ClipLora,
        Self::TipAdapter,
        Self::TipAdapterF,
        Self::Taskres,
        Self::ClipAdapter,
    ];

    /// Id of the method.
    pub fn id(self) -> &'static str {
        match self {
            Self::Coop => "coop",
            Self::Cocoop => "cocoop",
            Self::Kgcoop => "kgcoop",
            Self::Prograd => "prograd",
            Self::Maple => "maple",
            Self::Ivlp => "ivlp",
            Self::Promptsrc => "promptsrc",
            Self::DeepLanguage => "deep-language",
            Self::Vpt => "vpt",
            Self::Tcp => "tcp",
            Self::ClipLora => "clip-lora",
            Self::TipAdapter => "tip-adapter",
            Self::TipAdapterF => "tip-adapter-f",
            Self::Taskres => "taskres",
            Self::ClipAdapter => "clip-adapter",
        }
    }

    /// What a file of the method holds.
    pub fn title(self) -> &'static str {
        match self {
            Self::Coop => "prompt learner of CoOp",
            Self::Cocoop => "prompt learner of CoCoOp",
            Self::Kgcoop => "prompt learner of KgCoOp",
            Self::Prograd => "prompt learner of ProGrad",
            Self::Maple => "prompt learner of MaPLe",
            Self::Ivlp => "prompt learner of IVLP",
            Self::Promptsrc => "prompt learner of PromptSRC",
            Self::DeepLanguage => "prompt learner of deep language prompting",
            Self::Vpt => "visual prompts of VPT",
            Self::Tcp => "prompt learner of TCP",
            Self::ClipLora => "low-rank updates of CLIP-LoRA or PEFT",
            Self::TipAdapter => "cache of Tip-Adapter",
            Self::TipAdapterF => "cache of Tip-Adapter-F",
            Self::Taskres => "residuals of TaskRes",
            Self::ClipAdapter => "adapter of CLIP-Adapter",
        }
    }

    /// The method with an id.
    pub fn find(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.id() == id)
    }

    /// The methods whose files have tensors of these names and shapes. Several share CoOp's
    /// form, and IVLP's.
    pub fn recognise<'t>(tensors: impl Iterator<Item = (&'t str, &'t [u64])>) -> Vec<Self> {
        let tensors: Vec<(&str, &[u64])> =
            tensors.map(|(name, shape)| (plain(name), shape)).collect();
        let shape = |name: &str| {
            let mut found = tensors.iter();
            found
                .find(|(other, _)| *other == name)
                .map(|(_, shape)| *shape)
        };
        let has = |name: &str| shape(name).is_some();
        let any = |part: &str| tensors.iter().any(|(name, _)| name.contains(part));
        let deep = |tower: &str| {
            let mut names = tensors.iter().map(|(name, _)| name);
            names.any(|name| name.starts_with(tower) && name.ends_with(".VPT_shallow"))
        };
        if any(".lora_A.") || any(".w_lora_A") {
            return vec![Self::ClipLora];
        }
        if has("text_feature_residuals") {
            return vec![Self::Taskres];
        }
        if has("fc.0.weight") && has("fc.2.weight") {
            return vec![Self::ClipAdapter];
        }
        if let [(_, [_, _])] = tensors.as_slice()
            && has(ROOT)
        {
            return vec![Self::TipAdapter, Self::TipAdapterF];
        }
        if !has("ctx") {
            return match has("image_encoder.VPT") {
                true => vec![Self::Vpt],
                false => Vec::new(),
            };
        }
        if has("proj.weight") || any("compound_prompts_text.") {
            return vec![Self::Maple];
        }
        if has("image_encoder.VPT") || deep("image_encoder.") {
            return match any("ZS_image_encoder.") {
                true => vec![Self::Promptsrc],
                false => vec![Self::Ivlp, Self::Promptsrc],
            };
        }
        if deep("text_encoder.") {
            return vec![Self::DeepLanguage];
        }
        if has("bias_vectors") {
            return vec![Self::Kgcoop];
        }
        match (shape("meta_net.linear2.weight"), shape("ctx")) {
            (Some([out, _]), Some([_, width])) if out == width => vec![Self::Cocoop],
            (Some([out, _]), Some([length, width])) if *out == length.saturating_mul(*width) => {
                vec![Self::Tcp]
            }
            (Some(_), _) => Vec::new(),
            (None, Some([_, _, _])) => vec![Self::Coop],
            (None, _) => vec![Self::Coop, Self::Kgcoop, Self::Prograd],
        }
    }
}
