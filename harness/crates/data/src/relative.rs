//! Paths in a manifest, which must stay inside the data set's folder.

use std::path::{Component, Path};

/// Whether `path` is relative and stays below the folder it is joined to.
///
/// Backslashes and drive letters are refused everywhere, so that a manifest means the same on
/// every system.
pub(crate) fn stays_inside(path: &str) -> bool {
    let plain = !path.is_empty() && !path.contains(['\\', ':', '\0']);
    plain
        && Path::new(path)
            .components()
            .all(|part| matches!(part, Component::Normal(_)))
}

#[cfg(test)]
mod tests {
    use super::stays_inside;

    #[test]
    fn accepts_only_paths_below_the_folder() {
        for good in ["a.png", "banded/banded_0117.jpg", "a/b/c..d.png"] {
            assert!(stays_inside(good), "{good}");
        }
        for bad in [
            "",
            "/etc/passwd",
            "../a.png",
            "a/../../b",
            "./a",
            "C:\\a",
            "C:a",
            "a\\..\\b",
            "a\0b",
        ] {
            assert!(!stays_inside(bad), "{bad:?}");
        }
    }
}
