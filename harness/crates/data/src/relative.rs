//! Paths in a manifest, which must stay inside the data set's folder.

use std::path::{Component, Path, PathBuf};

use crate::problems::Problems;

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

/// Reads the paths of a list that people and spreadsheets write: with `./`, with backslashes, or
/// absolute where they lie below the folder.
pub(crate) struct PathReader {
    /// Folders below which an absolute path may lie, resolved, the first that fits is used.
    roots: Vec<PathBuf>,
}

impl PathReader {
    pub(crate) fn new(roots: &[&Path]) -> Self {
        let resolved = roots.iter().flat_map(|root| {
            let absolute = std::path::absolute(root).ok();
            absolute.into_iter().chain(fs_err::canonicalize(root).ok())
        });
        Self {
            roots: resolved.collect(),
        }
    }

    /// The path relative to the folder, with slashes. What was changed is a note, and what cannot
    /// be read a problem; `location` says where the path was found.
    pub(crate) fn read(
        &self,
        path: &str,
        location: &dyn Fn() -> String,
        problems: &mut Problems,
    ) -> Option<String> {
        let mut found = path.to_owned();
        while let Some(rest) = found.strip_prefix("./").or(found.strip_prefix(".\\")) {
            found = rest.to_owned();
        }
        if is_of_windows(&found) {
            let kind = "absolute path of a Windows machine (make it relative to the data set)";
            problems.add(kind, location());
            return None;
        }
        if found.contains('\\') {
            found = found.replace('\\', "/");
            problems.note(
                "backslash read as a slash, as Windows writes it",
                location(),
            );
        }
        if Path::new(&found).is_absolute() {
            let mut roots = self.roots.iter();
            let below = roots.find_map(|root| Path::new(&found).strip_prefix(root).ok());
            let Some(below) = below.and_then(Path::to_str) else {
                let kind = "absolute path outside the data set's folder (make it relative)";
                problems.add(kind, location());
                return None;
            };
            found = below.to_owned();
            problems.note("absolute path read relative to the folder", location());
        }
        if stays_inside(&found) {
            return Some(found);
        }
        let kind = if found.split('/').any(|part| part == "..") {
            "path with `..`"
        } else if found.is_empty() {
            "empty path"
        } else {
            "path with a colon, a NUL or a dot component"
        };
        problems.add(kind, location());
        None
    }
}

/// Whether a path begins with a drive letter or names a network share.
fn is_of_windows(path: &str) -> bool {
    let mut start = path.chars();
    let has_drive = start.next().is_some_and(|c| c.is_ascii_alphabetic())
        && start.next() == Some(':')
        && matches!(start.next(), Some('\\' | '/'));
    has_drive || path.starts_with("\\\\")
}

#[cfg(test)]
mod tests {
    use super::*;

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

    fn read(path: &str) -> Result<(String, usize), &'static str> {
        let reader = PathReader::new(&[Path::new("/data/pets/images"), Path::new("/data/pets")]);
        let mut problems = Problems::default();
        let found = reader.read(path, &|| path.to_owned(), &mut problems);
        let notes = problems.take_notes().len();
        match found {
            Some(found) => Ok((found, notes)),
            None => Err(problems.into_groups()[0].kind),
        }
    }

    #[test]
    fn paths_are_mended_where_only_one_reading_is_possible() {
        for (path, expected, notes) in [
            ("img/x.png", "img/x.png", 0),
            ("./img/x.png", "img/x.png", 0),
            (".\\img\\x.png", "img/x.png", 1),
            ("img\\x.png", "img/x.png", 1),
            ("/data/pets/images/red/0.png", "red/0.png", 1),
            ("/data/pets/other/0.png", "other/0.png", 1),
        ] {
            assert_eq!(read(path), Ok((expected.to_owned(), notes)), "{path}");
        }
    }

    #[test]
    fn the_others_are_refused_for_their_own_reason() {
        for (path, reason) in [
            (
                "/home/someone/images/0.png",
                "outside the data set's folder",
            ),
            ("C:\\data\\0.png", "Windows machine"),
            ("D:/data/0.png", "Windows machine"),
            ("\\\\server\\share\\0.png", "Windows machine"),
            ("../0.png", "`..`"),
            ("a\\..\\..\\b", "`..`"),
            ("/data/pets/../cats/0.png", "`..`"),
            ("", "empty path"),
            ("a:b", "colon"),
        ] {
            let kind = read(path).unwrap_err();
            assert!(kind.contains(reason), "{path}: {kind}");
        }
    }
}
