//! Selecting the images on which a few-shot run trains and validates.

use std::collections::HashMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::Mersenne;
use harness_store::FieldDigest;

/// Most validation images per class, as in CoOp.
const VAL_SHOTS: usize = 4;

/// The protocol that decides the order of sampling.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sampler {
    /// Train before val: CoOp and everything built on it.
    #[default]
    Coop,
    /// Val before train.
    ClipLora,
}

impl std::str::FromStr for Sampler {
    type Err = UnknownSampler;

    fn from_str(name: &str) -> Result<Self, UnknownSampler> {
        let mut all = [Sampler::Coop, Sampler::ClipLora].into_iter();
        let found = all.find(|sampler| sampler.as_str() == name);
        found.ok_or_else(|| UnknownSampler(name.to_owned()))
    }
}

/// A sampler that this version does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown sampler {0:?}")]
pub struct UnknownSampler(String);

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

/// The selected images, as indices into the splits, in the order of the protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FewShotSplit {
    pub train: Vec<usize>,
    pub val: Vec<usize>,
    /// Hex SHA-256 over both lists; equal for the same images in the same order.
    pub sha256: String,
}

/// Selects `shots` training and at most `min(shots, 4)` validation images per class.
///
/// Classes are in the order in which they first appear in the labels; a class with fewer images
/// contributes all of them in their order. Both splits are sampled from one stream seeded with
/// `seed`.
pub fn few_shot(
    train_labels: &[u32],
    val_labels: &[u32],
    shots: usize,
    seed: u64,
    sampler: Sampler,
) -> FewShotSplit {
    let mut random = Mersenne::new(seed);
    let val_shots = shots.min(VAL_SHOTS);
    let (train, val) = match sampler {
        Sampler::Coop => {
            let train = select(&mut random, train_labels, shots);
            (train, select(&mut random, val_labels, val_shots))
        }
        Sampler::ClipLora => {
            let val = select(&mut random, val_labels, val_shots);
            (select(&mut random, train_labels, shots), val)
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
    FewShotSplit { train, val, sha256 }
}

fn select(random: &mut Mersenne, labels: &[u32], shots: usize) -> Vec<usize> {
    let mut selected = Vec::new();
    for members in by_first_appearance(labels) {
        if members.len() < shots {
            selected.extend(members);
        } else {
            let drawn = random.sample(members.len(), shots);
            selected.extend(drawn.into_iter().map(|index| members[index]));
        }
    }
    selected
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
