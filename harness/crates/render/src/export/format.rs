//! Which format a file is written in.

use std::path::Path;

/// A file format, named by the ending of a file's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The report itself, which `harness` reads back.
    Json,
    /// A row a cell and condition.
    Csv,
    /// A row a method, data set, shots and upgrade, over seeds.
    CsvSummary,
    /// A row a class of each of these.
    CsvClasses,
    /// Tables as GitHub and GitLab show them.
    Markdown,
    /// Tables for a paper.
    Latex,
    /// Test cases as Jenkins and GitLab read them.
    Junit,
    /// One page for a browser.
    Html,
}

/// A file name that ends in none of [`Format::ENDINGS`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown file extension, expected one of {}", endings())]
pub struct UnknownEnding;

impl Format {
    /// What a file's name ends in; a longer ending before the one that it ends in.
    pub const ENDINGS: [(&'static str, Format); 8] = [
        (".json", Self::Json),
        (".summary.csv", Self::CsvSummary),
        (".classes.csv", Self::CsvClasses),
        (".csv", Self::Csv),
        (".md", Self::Markdown),
        (".tex", Self::Latex),
        (".xml", Self::Junit),
        (".html", Self::Html),
    ];

    /// The format of the file at `path`, whatever the case of its ending.
    ///
    /// # Errors
    /// When the name ends in nothing known.
    pub fn of(path: &Path) -> Result<Self, UnknownEnding> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let name = name.to_ascii_lowercase();
        Self::ENDINGS
            .into_iter()
            .find(|(ending, _)| name.len() > ending.len() && name.ends_with(ending))
            .map(|(_, format)| format)
            .ok_or(UnknownEnding)
    }
}

fn endings() -> String {
    Format::ENDINGS.map(|(ending, _)| ending).join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ending_decides() {
        for (name, format) in [
            ("r.json", Format::Json),
            ("a.b/r.CSV", Format::Csv),
            ("r.summary.csv", Format::CsvSummary),
            ("r.classes.csv", Format::CsvClasses),
            ("r.md", Format::Markdown),
            ("r.tex", Format::Latex),
            ("junit.xml", Format::Junit),
            ("r.html", Format::Html),
        ] {
            assert_eq!(Format::of(Path::new(name)), Ok(format), "{name}");
        }
        for name in ["r.pdf", "json", ".json", "r.json/", "r.json.gz", ""] {
            let found = Format::of(Path::new(name));
            if name == "r.json/" {
                assert_eq!(found, Ok(Format::Json), "a path ends in its last name");
            } else {
                assert_eq!(found, Err(UnknownEnding), "{name}");
            }
        }
        let message = UnknownEnding.to_string();
        assert!(message.contains(".json, .summary.csv"), "{message}");
    }
}
