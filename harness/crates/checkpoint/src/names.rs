//! The names of tensors as a layout has them, from those that training left.

use std::collections::BTreeMap;

use super::obstacle::Obstacle;
use super::options::Options;

/// Data-parallel training, compilation and training loops that hold the model as an attribute.
const WRAPPERS: [&str; 3] = ["module.", "_orig_mod.", "model."];
/// A compiled part of a model has this inside its names.
const COMPILED: &str = "._orig_mod.";
/// One tensor of every text tower that is known, and one of every image tower.
const TEXT: [&str; 3] = [
    "text_model.embeddings.token_embedding.weight",
    "text.token_embedding.weight",
    "token_embedding.weight",
];
const IMAGE: [&str; 4] = [
    "vision_model.embeddings.patch_embedding.weight",
    "visual.conv1.weight",
    "visual.trunk.patch_embed.proj.weight",
    "visual.patch_embed.proj.weight",
];

/// Tensors under their new names.
pub(crate) struct Renamed<T> {
    pub(crate) tensors: BTreeMap<String, T>,
    pub(crate) notes: Vec<String>,
    pub(crate) obstacles: Vec<Obstacle>,
}

/// Renames as the options say, and without them as the names themselves do.
pub(crate) fn rename<T>(tensors: BTreeMap<String, T>, options: &Options) -> Renamed<T> {
    let prefix = match &options.strip_prefix {
        Some(prefix) => prefix.clone(),
        None => prefix(&tensors),
    };
    let mut renamed = Renamed {
        tensors: BTreeMap::new(),
        notes: Vec::new(),
        obstacles: Vec::new(),
    };
    if !prefix.is_empty() && options.strip_prefix.is_none() {
        renamed.notes.push(format!(
            "names of tensors begin with `{prefix}`, which is left out"
        ));
    }
    for (name, tensor) in tensors {
        let Some(rest) = name.strip_prefix(&prefix) else {
            let reason = format!(
                "beside the weights under `{prefix}`; leave it out with --drop '{name}' or a pattern"
            );
            renamed.obstacles.push((name, reason));
            continue;
        };
        let rest = rest.replace(COMPILED, ".");
        let changed = options.rename.iter().find_map(|(from, to)| {
            let end = rest.strip_prefix(from.as_str())?;
            Some(format!("{to}{end}"))
        });
        let new = changed.unwrap_or(rest);
        if renamed.tensors.insert(new.clone(), tensor).is_some() {
            let reason = format!("becomes `{new}`, as another tensor does");
            renamed.obstacles.push((name, reason));
        }
    }
    renamed
}

/// What comes before the names: wrappers that all have, or what leads to a known layout.
fn prefix<T>(tensors: &BTreeMap<String, T>) -> String {
    if tensors.is_empty() {
        return String::new();
    }
    let mut common = String::new();
    let is_common = |prefix: &str, wrapper: &str| {
        let mut rests = tensors.keys().map(|name| name.strip_prefix(prefix));
        rests.all(|rest| rest.is_some_and(|rest| rest.starts_with(wrapper)))
    };
    while let Some(wrapper) = WRAPPERS.iter().find(|w| is_common(&common, w)) {
        common.push_str(wrapper);
    }
    let before = |markers: &[&str]| -> Option<&str> {
        tensors.keys().find_map(|name| {
            let mut prefixes = markers
                .iter()
                .filter_map(|marker| name.strip_suffix(marker));
            prefixes.find(|prefix| prefix.is_empty() || prefix.ends_with('.'))
        })
    };
    match (before(&TEXT), before(&IMAGE)) {
        (Some(text), Some(image)) if text == image => text.to_owned(),
        _ => common,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str], options: &Options) -> (Vec<String>, Vec<String>) {
        let tensors = names.iter().map(|name| ((*name).to_owned(), ())).collect();
        let renamed = rename(tensors, options);
        let obstacles = renamed.obstacles.into_iter().map(|(name, _)| name);
        (renamed.tensors.into_keys().collect(), obstacles.collect())
    }

    #[test]
    fn wrappers_and_what_leads_to_a_layout_are_left_out() {
        let plain = Options::default();
        for (found, expected) in [
            (&["module._orig_mod.ctx"][..], &["ctx"][..]),
            (&["model.a", "loss.b"], &["loss.b", "model.a"]),
            (
                &[
                    "net.clip.token_embedding.weight",
                    "net.clip.visual.conv1.weight",
                ],
                &["token_embedding.weight", "visual.conv1.weight"],
            ),
            (
                &[
                    "text.token_embedding.weight",
                    "visual._orig_mod.patch_embed.proj.weight",
                ],
                &[
                    "text.token_embedding.weight",
                    "visual.patch_embed.proj.weight",
                ],
            ),
        ] {
            assert_eq!(names(found, &plain).0, expected, "{found:?}");
        }
        let beside = [
            "clip.token_embedding.weight",
            "clip.visual.conv1.weight",
            "head.weight",
        ];
        assert_eq!(names(&beside, &plain).1, ["head.weight"]);
    }

    #[test]
    fn a_prefix_and_new_beginnings_can_be_given() {
        let options = Options {
            strip_prefix: Some("a.".into()),
            rename: vec![("old.".into(), "new.".into())],
            ..Options::default()
        };
        let (tensors, obstacles) = names(&["a.old.x", "a.y", "b.z"], &options);
        assert_eq!(
            (tensors, obstacles),
            (vec!["new.x".into(), "y".into()], vec!["b.z".into()])
        );
        let options = Options {
            rename: vec![("x".into(), "y".into())],
            ..Options::default()
        };
        assert_eq!(names(&["x", "y"], &options).1, ["y"]);
    }
}
