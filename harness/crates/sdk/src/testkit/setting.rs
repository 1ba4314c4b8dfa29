//! Dimensions and task of the toy host.

use harness_abi::wire::{
    BackboneFacts, Class, ImageFacts, Role, Setting, Site, TaskFacts, TextFacts,
};

use super::{
    image_tower::{IMAGE_LAYERS, IMAGE_WIDTH, PATCHES},
    text_tower::{CONTEXT, EMBED, LAYERS, VOCAB},
};

const CLASSES: [&str; 3] = ["red fox", "owl", "sea_otter"];

/// Images in each split.
pub(super) const ROWS: usize = 12;

pub(super) fn setting(role: Role, width: usize) -> Setting {
    let classes = CLASSES.iter().enumerate().map(|(i, name)| Class {
        id: format!("c{i}"),
        name: (*name).to_owned(),
    });
    Setting {
        backbone: BackboneFacts {
            name: format!("toy-{width}"),
            embed_dim: EMBED,
            text: TextFacts {
                width,
                layers: LAYERS,
                heads: 2,
                context_length: CONTEXT,
                vocab_size: VOCAB,
                activation: "gelu".into(),
            },
            image: ImageFacts {
                width: IMAGE_WIDTH,
                layers: IMAGE_LAYERS,
                heads: 2,
                patches: PATCHES,
                has_ln_pre: true,
                has_rope: false,
            },
            sites: vec![
                Site::TextInput,
                Site::TextBlock,
                Site::ImageInput,
                Site::ImageBlock,
                Site::Weight,
                Site::Bias,
                Site::ImageFeature,
                Site::TextFeature,
                Site::Logits,
            ],
            parameters: vec![],
        },
        role,
        task: TaskFacts {
            dataset: "toy".into(),
            classes: classes.collect(),
            templates: vec!["a photo of a {}.".into()],
            train_rows: ROWS,
            train_views: 1,
            val_rows: ROWS,
        },
    }
}
