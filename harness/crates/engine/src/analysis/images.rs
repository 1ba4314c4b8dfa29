//! The image files below a folder.

use std::path::{Path, PathBuf};

use super::AnalysisError;

/// File names that count as images.
const EXTENSIONS: [&str; 12] = [
    "png", "jpg", "jpeg", "jfif", "webp", "bmp", "gif", "tif", "tiff", "ppm", "pgm", "pnm",
];

/// Image files below a folder in byte order of their paths relative to it; hidden
/// files and folders are passed over.
pub(crate) fn list(folder: &Path) -> Result<Vec<String>, AnalysisError> {
    let mut names = Vec::new();
    walk(folder, &PathBuf::new(), &mut names)?;
    names.sort();
    if names.is_empty() {
        return Err(AnalysisError::Input {
            path: folder.to_owned(),
            reason: format!("no image file found; looked for {}", EXTENSIONS.join(", ")),
        });
    }
    Ok(names)
}

fn walk(root: &Path, below: &Path, names: &mut Vec<String>) -> Result<(), AnalysisError> {
    let folder = root.join(below);
    let unreadable = |reason: String| AnalysisError::Input {
        path: folder.clone(),
        reason,
    };
    let entries = std::fs::read_dir(&folder).map_err(|error| unreadable(error.to_string()))?;
    for entry in entries {
        let entry = entry.map_err(|error| unreadable(error.to_string()))?;
        let name = entry
            .file_name()
            .into_string()
            .map_err(|name| unreadable(format!("the file name {} is not UTF-8", name.display())))?;
        let path = below.join(&name);
        let kind = entry.file_type();
        let kind = kind.map_err(|error| unreadable(error.to_string()))?;
        if name.starts_with('.') {
            continue;
        }
        // A link to a folder is not followed, so that no loop is walked.
        if kind.is_dir() {
            walk(root, &path, names)?;
        } else if is_image(&name) {
            names.push(path.to_string_lossy().into_owned());
        }
    }
    Ok(())
}

fn is_image(name: &str) -> bool {
    let extension = Path::new(name).extension().and_then(|e| e.to_str());
    extension.is_some_and(|e| EXTENSIONS.contains(&e.to_ascii_lowercase().as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_listed_in_order_and_litter_is_not() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("b/.cache")).unwrap();
        for name in [
            "c.PNG",
            "b/x.jpeg",
            "b/.cache/y.png",
            "a.txt",
            ".d.png",
            "a.gif",
        ] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        assert_eq!(list(folder.path()).unwrap(), ["a.gif", "b/x.jpeg", "c.PNG"]);
        let empty = list(&folder.path().join("b/.cache/nowhere")).unwrap_err();
        assert!(empty.to_string().contains("nowhere"), "{empty}");
    }
}
