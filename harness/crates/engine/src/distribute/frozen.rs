//! What a plan was made for: a task that finds anything else computes nothing.

use std::collections::BTreeMap;

use harness_report::selection::Selection;
use harness_store::sha256_hex;
use serde::{Deserialize, Serialize};

use crate::plan::Inputs;
use crate::plugin_ref::file_name;

/// Digests of everything that decides the results of a plan, by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Frozen {
    /// Of the executable.
    program: String,
    /// Of the suite's values, without its cluster settings.
    suite: String,
    /// The cells that were selected, as arguments.
    selection: String,
    plugins: BTreeMap<String, String>,
    backbones: BTreeMap<String, String>,
    datasets: BTreeMap<String, String>,
    modules: BTreeMap<String, String>,
}

impl Frozen {
    pub(super) fn of(inputs: &Inputs, selection: &Selection) -> Self {
        let mut suite = inputs.suite.clone();
        suite.slurm = None;
        let suite = serde_json::to_vec(&suite)
            .expect("a suite was read from a file and is representable as JSON");
        let methods = inputs.methods.iter();
        Self {
            program: inputs.engine.sha256.clone(),
            suite: sha256_hex(&suite),
            selection: selection.arguments().trim().to_owned(),
            plugins: methods
                .clone()
                .map(|row| {
                    let method = &row.method;
                    (
                        file_name(method.plugin.file()),
                        method.plugin_sha256.clone(),
                    )
                })
                .collect(),
            backbones: inputs
                .backbones
                .iter()
                .map(|facts| {
                    let files = facts.reference.files.present();
                    let sha256 = files.map_or_else(String::new, |files| files.sha256.clone());
                    (facts.reference.name.clone(), sha256)
                })
                .collect(),
            datasets: inputs
                .datasets
                .iter()
                .map(|facts| {
                    let files = facts.reference.files.present();
                    let sha256 =
                        files.map_or_else(String::new, |files| files.manifest_sha256.clone());
                    (facts.reference.name.clone(), sha256)
                })
                .collect(),
            modules: methods
                .filter_map(|row| {
                    let file = row.module.as_ref()?;
                    Some((row.label.clone(), file.sha256.clone()))
                })
                .collect(),
        }
    }

    /// What differs in `found`, in words; empty if nothing does.
    pub fn differences(&self, found: &Self) -> Vec<String> {
        let Self {
            program,
            suite,
            selection,
            plugins,
            backbones,
            datasets,
            modules,
        } = self;
        let mut all = Vec::new();
        if *program != found.program {
            all.push(changed("the harness executable", program, &found.program));
        }
        if *suite != found.suite {
            all.push(changed("the suite", suite, &found.suite));
        }
        if *selection != found.selection {
            let shown = |text: &str| match text {
                "" => "no --only".to_owned(),
                text => text.to_owned(),
            };
            let (was, is) = (shown(selection), shown(&found.selection));
            all.push(format!("the selection changed (was {was}, is {is})"));
        }
        for (kind, before, now) in [
            ("plugin", plugins, &found.plugins),
            ("backbone", backbones, &found.backbones),
            ("data set", datasets, &found.datasets),
            ("module file of", modules, &found.modules),
        ] {
            for (name, was) in before {
                match now.get(name) {
                    Some(is) if is == was => {}
                    Some(is) => all.push(changed(&format!("the {kind} {name}"), was, is)),
                    None => all.push(format!("the {kind} {name} is gone")),
                }
            }
            let new = now.keys().filter(|name| !before.contains_key(*name));
            all.extend(new.map(|name| format!("the {kind} {name} is new")));
        }
        all
    }
}

fn changed(what: &str, was: &str, is: &str) -> String {
    let short = |digest: &str| digest.chars().take(12).collect::<String>();
    format!("{what} changed (was {}, is {})", short(was), short(is))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::fixture;

    #[test]
    fn what_changed_is_named() {
        let inputs = fixture::inputs(&["t"]);
        let selection = Selection::default();
        let frozen = Frozen::of(&inputs, &selection);
        assert!(frozen.differences(&frozen.clone()).is_empty());
        let mut other = inputs.clone();
        other.methods[0].method.plugin_sha256 = "another".to_owned();
        other.suite.shots = vec![4];
        other.engine.sha256 = "b".to_owned();
        let found = frozen
            .differences(&Frozen::of(&other, &selection))
            .join("; ");
        for part in [
            "the harness executable",
            "the suite",
            "the plugin coop.so changed (was sha of coop, is another)",
        ] {
            assert!(found.contains(part), "{found}");
        }
        let narrowed = "method=coop".parse().unwrap();
        let narrowed: Selection = [narrowed].into_iter().collect();
        let found = frozen
            .differences(&Frozen::of(&inputs, &narrowed))
            .join("; ");
        assert!(found.contains("was no --only"), "{found}");
    }

    #[test]
    fn settings_of_the_cluster_are_not_frozen() {
        let inputs = fixture::inputs(&["t"]);
        let mut other = inputs.clone();
        other.suite.slurm = Some(crate::suite::SlurmOptions::default());
        let of = |inputs: &Inputs| Frozen::of(inputs, &Selection::default());
        assert_eq!(of(&inputs), of(&other));
    }
}
