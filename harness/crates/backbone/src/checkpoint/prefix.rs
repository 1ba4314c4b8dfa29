//! What training tools put before the names of tensors.

/// Data-parallel training, compilation and training loops that hold the model as an attribute.
const WRAPPERS: [&str; 3] = ["module.", "_orig_mod.", "model."];
/// A compiled part of a model has this inside its names.
const COMPILED: &str = "._orig_mod.";

/// How the names of a file become those of a layout.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Renaming {
    /// Before every name.
    pub(crate) prefix: String,
}

impl Renaming {
    /// The wrappers that all names have in common, in any order and number.
    pub(crate) fn of<'n>(names: impl Iterator<Item = &'n str> + Clone) -> Self {
        let mut prefix = String::new();
        if names.clone().next().is_none() {
            return Self { prefix };
        }
        let is_common = |prefix: &str, wrapper: &str| {
            let mut rests = names.clone().map(|name| name.strip_prefix(prefix));
            rests.all(|rest| rest.is_some_and(|rest| rest.starts_with(wrapper)))
        };
        while let Some(wrapper) = WRAPPERS.iter().find(|w| is_common(&prefix, w)) {
            prefix.push_str(wrapper);
        }
        Self { prefix }
    }

    pub(crate) fn apply(&self, name: &str) -> String {
        let name = name.strip_prefix(&self.prefix).unwrap_or(name);
        name.replace(COMPILED, ".")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrappers_are_taken_away_in_any_order_and_only_where_all_names_have_them() {
        for (names, prefix) in [
            (
                &["module._orig_mod.a", "module._orig_mod.b"][..],
                "module._orig_mod.",
            ),
            (&["_orig_mod.module.a"], "_orig_mod.module."),
            (&["model.a", "loss.b"], ""),
            (&["a"], ""),
            (&[], ""),
        ] {
            assert_eq!(
                Renaming::of(names.iter().copied()).prefix,
                prefix,
                "{names:?}"
            );
        }
        let renaming = Renaming::of(["module.visual._orig_mod.proj"].into_iter());
        assert_eq!(
            renaming.apply("module.visual._orig_mod.proj"),
            "visual.proj"
        );
    }
}
