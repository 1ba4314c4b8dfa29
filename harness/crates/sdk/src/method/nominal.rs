//! Backbones and a task that stand for any, for what a card says before there is one.

use harness_abi::wire::{
    BackboneFacts, Class, ImageFacts, Role, Setting, Site, TaskFacts, TextFacts, Tower,
};

use super::tower_names::{TowerSize, tower_parameters};

/// Sizes that tell settings apart.
struct Sizes {
    embed_dim: usize,
    /// Width and heads.
    text: (usize, usize),
    image: (usize, usize),
    patches: usize,
    classes: usize,
}

/// A source with the dimensions of CLIP ViT-B/16 and 1000 classes of 16 images.
pub(crate) fn nominal_setting() -> Setting {
    setting(&Sizes {
        embed_dim: 512,
        text: (512, 8),
        image: (768, 12),
        patches: 196,
        classes: 1000,
    })
}

/// Another source of as many blocks: no two of its sizes are to those of [`nominal_setting`] in the
/// same proportion, so that a number of both settings belongs to one size alone.
pub(crate) fn other_setting() -> Setting {
    setting(&Sizes {
        embed_dim: 640,
        text: (768, 12),
        image: (1024, 16),
        patches: 256,
        classes: 900,
    })
}

fn setting(sizes: &Sizes) -> Setting {
    const LAYERS: usize = 12;
    let tower = |tower, width, norms: &[&str]| {
        let size = TowerSize {
            tower,
            layers: LAYERS,
            width,
            hidden: 4 * width,
        };
        tower_parameters(size, norms)
    };
    let mut parameters = tower(Tower::Text, sizes.text.0, &["ln_final"]);
    parameters.extend(tower(Tower::Image, sizes.image.0, &["ln_pre", "ln_post"]));
    Setting {
        backbone: BackboneFacts {
            name: "ViT-B/16".into(),
            embed_dim: sizes.embed_dim,
            text: TextFacts {
                width: sizes.text.0,
                layers: LAYERS,
                heads: sizes.text.1,
                context_length: 77,
                vocab_size: 49408,
                activation: "quick-gelu".into(),
            },
            image: ImageFacts {
                width: sizes.image.0,
                layers: LAYERS,
                heads: sizes.image.1,
                patches: sizes.patches,
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
            parameters,
        },
        role: Role::Source,
        task: TaskFacts {
            dataset: "nominal".into(),
            classes: (0..sizes.classes)
                .map(|i| Class {
                    id: format!("c{i}"),
                    name: format!("class {i}"),
                })
                .collect(),
            templates: vec!["a photo of a {}.".into()],
            train_rows: 16 * sizes.classes,
            train_views: 1,
            val_rows: 4 * sizes.classes,
        },
    }
}
