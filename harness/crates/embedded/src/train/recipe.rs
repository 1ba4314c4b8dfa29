//! What distinguishes the three backbones. All numbers were fixed before any module was moved
//! between backbones.

use crate::caption::Voice;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ImageTower {
    /// OpenAI's: class token, learned positions, `ln_pre`, QuickGELU.
    Clip,
    /// EVA02's: rotary positions, SwiGLU, sub-LN, no `ln_pre`; GELU in the text tower.
    Eva02,
}

/// Dimensions of both towers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub(crate) tower: ImageTower,
    pub(crate) image_width: usize,
    pub(crate) image_layers: usize,
    pub(crate) patch: usize,
    pub(crate) text_width: usize,
    pub(crate) text_layers: usize,
    pub(crate) heads: usize,
    pub(crate) context_length: usize,
    pub(crate) vocab: usize,
    pub(crate) embed: usize,
}

/// One stage of training.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stage {
    pub(crate) steps: usize,
    /// Peak learning rate.
    pub(crate) rate: f64,
}

/// How a backbone is made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Recipe {
    pub(crate) name: &'static str,
    pub(crate) tower: ImageTower,
    pub(crate) seed: u64,
    pub(crate) labels: Stage,
    pub(crate) alignment: Stage,
    pub(crate) voice: Voice,
    /// The backbone whose text tower is the starting point.
    pub(crate) text_from: Option<&'static str>,
}

/// Pictures per step, both stages.
pub(crate) const BATCH: usize = 128;
/// Decoupled weight decay of matrices.
pub(crate) const DECAY: f64 = 0.05;
/// Rate of the image tower in the second stage, as a share of the text tower's: it stays strong and
/// only loosely aligned.
pub(crate) const IMAGE_SHARE: f64 = 0.1;

const CARELESS: Voice = Voice {
    wrong: 0.25,
    exact: 0.0,
    missing: 0.15,
};
const CAREFUL: Voice = Voice {
    wrong: 0.08,
    exact: 0.15,
    missing: 0.05,
};

/// In the order in which they are made.
pub(crate) const BACKBONES: [Recipe; 3] = [
    Recipe {
        name: "micro-clip",
        tower: ImageTower::Clip,
        seed: 1_001,
        labels: Stage {
            steps: 900,
            rate: 1e-3,
        },
        alignment: Stage {
            steps: 400,
            rate: 1e-3,
        },
        voice: CARELESS,
        text_from: None,
    },
    Recipe {
        name: "micro-eva-clip",
        tower: ImageTower::Eva02,
        seed: 2_001,
        labels: Stage {
            steps: 900,
            rate: 1e-3,
        },
        alignment: Stage {
            steps: 500,
            rate: 5e-4,
        },
        voice: CAREFUL,
        text_from: Some("micro-clip"),
    },
    Recipe {
        name: "micro-clip-unrelated",
        tower: ImageTower::Clip,
        seed: 3_001,
        labels: Stage {
            steps: 900,
            rate: 1e-3,
        },
        alignment: Stage {
            steps: 400,
            rate: 1e-3,
        },
        voice: CARELESS,
        text_from: None,
    },
];

impl Recipe {
    /// Dimensions, given how many tokens the tokenizer knows.
    pub(crate) fn shape(&self, vocab: usize) -> Shape {
        Shape {
            tower: self.tower,
            image_width: 128,
            image_layers: 4,
            patch: 8,
            text_width: 128,
            text_layers: 3,
            heads: 4,
            context_length: 32,
            vocab,
            embed: 128,
        }
    }
}
