//! A backbone and a task that stand for any, for what a card says before there is one.

use harness_abi::wire::{
    BackboneFacts, Class, ImageFacts, Role, Setting, Site, TaskFacts, TextFacts,
};

/// A source with the dimensions of CLIP ViT-B/16 and 1000 classes of 16 images.
pub(crate) fn nominal_setting() -> Setting {
    Setting {
        backbone: BackboneFacts {
            name: "ViT-B/16".into(),
            embed_dim: 512,
            text: TextFacts {
                width: 512,
                layers: 12,
                heads: 8,
                context_length: 77,
                vocab_size: 49408,
                activation: "quick-gelu".into(),
            },
            image: ImageFacts {
                width: 768,
                layers: 12,
                heads: 12,
                patches: 196,
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
        role: Role::Source,
        task: TaskFacts {
            dataset: "nominal".into(),
            classes: (0..1000)
                .map(|i| Class {
                    id: format!("c{i}"),
                    name: format!("class {i}"),
                })
                .collect(),
            templates: vec!["a photo of a {}.".into()],
            train_rows: 16_000,
            train_views: 1,
            val_rows: 4000,
        },
    }
}
