//! Which images of a data set a few-shot run trains and validates on.

use std::collections::HashMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::Mersenne;
use harness_store::FieldDigest;

/// Images of the val split per class, at most; CoOp's choice.
const VAL_SHOTS: usize = 4;

/// The protocol whose order of draws is followed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sampler {
    /// Train before val: CoOp and everything built on it.
    #[default]
    Coop,
    /// Val before train.
    ClipLora,
}

impl Sampler {
    /// `coop` or `clip-lora`.
    pub fn as_str(self) -> &'static str {
        match self {
            Sampler::Coop => "coop",
            Sampler::ClipLora => "clip-lora",
        }
    }
}

impl fmt::Display for Sampler {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// The picked images, as indices into the splits, in the order of the protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picks {
    pub train: Vec<usize>,
    pub val: Vec<usize>,
    /// Hex SHA-256 over both lists; equal when the same images were picked in the same order.
    pub sha256: String,
}

/// Picks `shots` training and at most `min(shots, 4)` validation images per class.
///
/// Classes come in the order in which they first appear in the labels; a class with fewer images
/// gives all of them, in their order. Both splits are drawn from one stream seeded with `seed`.
pub fn few_shot(
    train_labels: &[u32],
    val_labels: &[u32],
    shots: usize,
    seed: u64,
    sampler: Sampler,
) -> Picks {
    let mut random = Mersenne::new(seed);
    let val_shots = shots.min(VAL_SHOTS);
    let (train, val) = match sampler {
        Sampler::Coop => {
            let train = pick(&mut random, train_labels, shots);
            (train, pick(&mut random, val_labels, val_shots))
        }
        Sampler::ClipLora => {
            let val = pick(&mut random, val_labels, val_shots);
            (pick(&mut random, train_labels, shots), val)
        }
    };
    let mut digest = FieldDigest::default();
    for list in [&train, &val] {
        digest.number(list.len() as u64);
        for &index in list {
            digest.number(index as u64);
        }
    }
    let sha256 = digest.hex();
    Picks { train, val, sha256 }
}

fn pick(random: &mut Mersenne, labels: &[u32], shots: usize) -> Vec<usize> {
    let mut picks = Vec::new();
    for members in by_first_appearance(labels) {
        if members.len() < shots {
            picks.extend(members);
        } else {
            let drawn = random.sample(members.len(), shots);
            picks.extend(drawn.into_iter().map(|index| members[index]));
        }
    }
    picks
}

/// The indices of each class, classes in the order in which they first appear.
fn by_first_appearance(labels: &[u32]) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut position = HashMap::new();
    for (index, &label) in labels.iter().enumerate() {
        let group = *position.entry(label).or_insert_with(|| {
            groups.push(Vec::new());
            groups.len() - 1
        });
        groups[group].push(index);
    }
    groups
}
