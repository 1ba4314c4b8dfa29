//! What a module's file is called: `coop_digits_16shot_seed1.safetensors`.

use std::collections::HashMap;

use harness_abi::wire::ModuleHeader;
use harness_report::Seeds;

use crate::registry::ModuleFile;

/// Characters of each part of a name.
const LONGEST_PART: usize = 60;

/// A module with a file name that tells it from the others of its set.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedModule {
    /// With its extension.
    pub name: String,
    pub file: ModuleFile,
}

/// Method, data set, shots and seed, as far as the header says: `coop_digits_16shot_seed1`.
pub fn file_stem(header: &ModuleHeader) -> String {
    let shots = header.origin.as_ref().map(|origin| origin.shots);
    let shots = shots.map_or_else(String::new, |shots| format!("_{shots}shot"));
    let Seeds { split, training } = seeds_of(header);
    let split = match split == training {
        true => String::new(),
        false => format!("_split{split}"),
    };
    format!(
        "{}_{}{shots}{split}_seed{training}",
        part(&header.method),
        part(&header.dataset),
    )
}

/// The seeds that a module was trained with.
pub fn seeds_of(header: &ModuleHeader) -> Seeds {
    let split = header.origin.as_ref().and_then(|origin| origin.split_seed);
    Seeds {
        split: split.unwrap_or(header.seed),
        training: header.seed,
    }
}

/// Names for a set of modules. Where several have the same, each gets its source, and where
/// that is the same too, the start of its hash.
pub fn name_all(files: Vec<ModuleFile>) -> Vec<NamedModule> {
    let mut stems: Vec<String> = files.iter().map(|file| file_stem(&file.header)).collect();
    extend_duplicates(&mut stems, &files, |file| part(&file.header.source));
    extend_duplicates(&mut stems, &files, |file| {
        file.sha256.chars().take(8).collect()
    });
    let named = stems.into_iter().zip(files);
    named
        .map(|(stem, file)| NamedModule {
            name: format!("{stem}.safetensors"),
            file,
        })
        .collect()
}

fn extend_duplicates(
    stems: &mut [String],
    files: &[ModuleFile],
    more: impl Fn(&ModuleFile) -> String,
) {
    let mut counts: HashMap<String, usize> = HashMap::new();
    for stem in stems.iter() {
        *counts.entry(stem.clone()).or_default() += 1;
    }
    for (stem, file) in stems.iter_mut().zip(files) {
        if counts.get(stem.as_str()).is_some_and(|count| *count > 1) {
            *stem = format!("{stem}_{}", more(file));
        }
    }
}

/// A name as part of a file name: of a path its last component, and nothing that a shell or
/// a file system reads in another way.
fn part(name: &str) -> String {
    let last = name.trim_end_matches('/').rsplit('/').next();
    let characters = last.unwrap_or_default().chars().take(LONGEST_PART);
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    let plain: String = characters
        .map(|c| if is_plain(c) { c } else { '-' })
        .collect();
    match plain.trim_start_matches('.') {
        "" => "unnamed".to_owned(),
        plain => plain.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn file(dataset: &str, source: &str, sha256: &str) -> ModuleFile {
        let header = json!({
            "format": "harness-module/1", "plugin": "p", "plugin_version": "1",
            "method": "coop", "config": {}, "source": source, "dataset": dataset,
            "classes": [], "seed": 1,
        });
        ModuleFile {
            path: "x".into(),
            sha256: sha256.to_owned(),
            bytes: 1,
            header: serde_json::from_value(header).unwrap(),
        }
    }

    #[test]
    fn names_are_readable_safe_and_unique() {
        let names = |files: Vec<ModuleFile>| -> Vec<String> {
            name_all(files).into_iter().map(|one| one.name).collect()
        };
        assert_eq!(
            names(vec![
                file("digits", "a", "1111111111"),
                file("../my data", "a", "2222222222"),
                file("shapes", "a", "3333333333"),
                file("shapes", "b", "4444444444"),
                file("shapes", "b", "5555555555"),
                file("..", "a", "6666666666"),
            ]),
            [
                "coop_digits_seed1.safetensors",
                "coop_my-data_seed1.safetensors",
                "coop_shapes_seed1_a.safetensors",
                "coop_shapes_seed1_b_44444444.safetensors",
                "coop_shapes_seed1_b_55555555.safetensors",
                "coop_unnamed_seed1.safetensors",
            ]
        );
    }
}
