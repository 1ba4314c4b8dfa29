//! What a plugin knows of a backbone and a data set, without their files.

use harness_abi::wire::{
    BackboneFacts, Class, ImageFacts, NamedParameter, Role, Setting, Site, TaskFacts, TextFacts,
    Tower,
};
use harness_backbone::{Activation, Dims};

/// The sites that the towers offer.
const OFFERED: [Site; 9] = [
    Site::TextInput,
    Site::TextBlock,
    Site::ImageInput,
    Site::ImageBlock,
    Site::Weight,
    Site::Bias,
    Site::ImageFeature,
    Site::TextFeature,
    Site::Logits,
];

/// A backbone's dimensions under its name in the suite.
pub fn backbone_facts(name: &str, dims: &Dims) -> BackboneFacts {
    let named = |tower, list: Vec<harness_backbone::NamedParameter>| {
        list.into_iter().map(move |p| NamedParameter {
            tower,
            name: p.name,
            shape: p.shape,
        })
    };
    let text = named(Tower::Text, dims.text_parameters());
    BackboneFacts {
        name: name.to_owned(),
        embed_dim: dims.embed_dim,
        text: TextFacts {
            width: dims.text.width,
            layers: dims.text.layers,
            heads: dims.text.heads,
            context_length: dims.text.context_length,
            vocab_size: dims.text.vocab_size,
            activation: match dims.text.activation {
                Activation::QuickGelu => "quick-gelu".to_owned(),
                Activation::Gelu => "gelu".to_owned(),
            },
        },
        image: ImageFacts {
            width: dims.image.width,
            layers: dims.image.layers,
            heads: dims.image.heads,
            patches: dims.image.patches,
            has_ln_pre: dims.image.has_ln_pre,
            has_rope: dims.image.has_rope,
        },
        sites: OFFERED.to_vec(),
        parameters: text
            .chain(named(Tower::Image, dims.image_parameters()))
            .collect(),
    }
}

/// A data set's facts; the few-shot draw is not made yet.
pub fn task_facts(name: &str, classes: Vec<Class>, templates: &[String]) -> TaskFacts {
    TaskFacts {
        dataset: name.to_owned(),
        classes,
        templates: templates.to_vec(),
        train_rows: 0,
        train_views: 1,
        val_rows: 0,
    }
}

/// The setting for a survey.
pub fn setting(backbone: BackboneFacts, role: Role, task: TaskFacts) -> Setting {
    Setting {
        backbone,
        role,
        task,
    }
}
