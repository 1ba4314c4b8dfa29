//! Which backbones replace which.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Entries of a suite's `upgrades`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Upgrade {
    Targets(Targets),
    Chain(Chain),
}

/// A source backbone and the backbones that its modules are moved to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Targets {
    /// The backbone that modules are trained on: a name or a path.
    #[schemars(length(min = 1))]
    pub source: String,
    /// The backbones that they are injected into.
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    pub targets: Vec<String>,
}

/// Backbones that replace one another: modules of each are moved to every later one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Chain {
    /// The backbones from the oldest to the newest: names or paths.
    #[schemars(length(min = 2), extend("uniqueItems" = true))]
    pub chain: Vec<String>,
}

/// An upgrade from one backbone to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pair<'s> {
    pub(crate) source: &'s str,
    pub(crate) target: &'s str,
    /// The backbones before the source in chains: a module that was trained on one of them can
    /// be trained again on the source.
    pub(crate) before: Vec<&'s str>,
    /// Whether modules come to the source trained: it begins a chain or is named as a source.
    pub(crate) begins: bool,
}

impl Upgrade {
    /// An upgrade from one backbone to some others.
    pub fn to_targets(source: impl Into<String>, targets: Vec<String>) -> Self {
        Self::Targets(Targets {
            source: source.into(),
            targets,
        })
    }

    /// How many pairs of source and target it stands for.
    pub(super) fn pairs(&self) -> usize {
        match self {
            Self::Targets(Targets { targets, .. }) => targets.len(),
            Self::Chain(Chain { chain }) => {
                let steps = chain.len().saturating_sub(1);
                chain.len().saturating_mul(steps) / 2
            }
        }
    }

    /// Each source with its target, in order, and the backbones before the source.
    fn steps(&self) -> Vec<(&str, &str, &[String])> {
        match self {
            Self::Targets(Targets { source, targets }) => {
                let targets = targets.iter();
                targets
                    .map(|target| (source.as_str(), target.as_str(), &[][..]))
                    .collect()
            }
            Self::Chain(Chain { chain }) => {
                let mut steps = Vec::new();
                for (at, source) in chain.iter().enumerate() {
                    for target in &chain[at + 1..] {
                        steps.push((source.as_str(), target.as_str(), &chain[..at]));
                    }
                }
                steps
            }
        }
    }
}

/// The upgrades of all entries, each once, in the order of the suite.
pub(crate) fn pairs(upgrades: &[Upgrade]) -> Vec<Pair<'_>> {
    let mut pairs: Vec<Pair<'_>> = Vec::new();
    for (source, target, before) in upgrades.iter().flat_map(Upgrade::steps) {
        let before = before.iter().map(String::as_str);
        let mut known = pairs.iter_mut();
        match known.find(|pair| (pair.source, pair.target) == (source, target)) {
            None => pairs.push(Pair {
                source,
                target,
                begins: before.len() == 0,
                before: before.collect(),
            }),
            Some(pair) => {
                pair.begins |= before.len() == 0;
                for name in before {
                    if !pair.before.contains(&name) {
                        pair.before.push(name);
                    }
                }
            }
        }
    }
    pairs
}

/// The chains of a suite.
pub(crate) fn chains(upgrades: &[Upgrade]) -> impl Iterator<Item = &[String]> {
    upgrades.iter().filter_map(|upgrade| match upgrade {
        Upgrade::Chain(Chain { chain }) => Some(chain.as_slice()),
        Upgrade::Targets(_) => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn a_chain_is_every_upgrade_to_a_later_backbone_and_each_pair_comes_once() {
        let upgrades = [
            Upgrade::Chain(Chain {
                chain: names("a b c"),
            }),
            Upgrade::to_targets("b", names("c d")),
        ];
        let found = pairs(&upgrades);
        let short: Vec<_> = found
            .iter()
            .map(|pair| {
                (
                    pair.source,
                    pair.target,
                    pair.before.as_slice(),
                    pair.begins,
                )
            })
            .collect();
        assert_eq!(
            short,
            [
                ("a", "b", &[][..], true),
                ("a", "c", &[], true),
                ("b", "c", &["a"], true),
                ("b", "d", &[], true),
            ]
        );
        assert!(!pairs(&upgrades[..1])[2].begins);
        assert_eq!(chains(&upgrades).collect::<Vec<_>>(), [["a", "b", "c"]]);
    }
}
