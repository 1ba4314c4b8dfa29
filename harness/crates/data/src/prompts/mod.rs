//! Prompt templates: an ensemble by name, or a list in the suite.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

/// The templates that replace those of a data set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Templates {
    /// `imagenet-7` or `imagenet-80`.
    Ensemble(String),
    /// Each with exactly one `{}`.
    Own(Vec<String>),
}

static ENSEMBLES: LazyLock<BTreeMap<String, Vec<String>>> = LazyLock::new(|| {
    serde_yaml::from_str(include_str!("ensembles.yaml"))
        .expect("ensembles.yaml is part of the program, and a test reads it")
});

impl Templates {
    /// Names of the ensembles.
    pub fn ensembles() -> impl Iterator<Item = &'static str> {
        ENSEMBLES.keys().map(String::as_str)
    }

    /// The templates; none for an ensemble that does not exist.
    pub(crate) fn list(&self) -> Vec<String> {
        match self {
            Templates::Ensemble(name) => ENSEMBLES.get(name).cloned().unwrap_or_default(),
            Templates::Own(templates) => templates.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ensembles_have_seven_and_eighty() {
        for (name, count, third) in [
            ("imagenet-7", 7, "a origami {}."),
            ("imagenet-80", 80, "a sculpture of a {}."),
        ] {
            let list = Templates::Ensemble(name.to_owned()).list();
            assert_eq!((list.len(), list[2].as_str()), (count, third));
            assert!(list.iter().all(|t| t.matches("{}").count() == 1));
        }
        assert_eq!(Templates::ensembles().count(), 2);
    }
}
