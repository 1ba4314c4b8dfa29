//! Texts from a file.

use std::path::Path;

use super::AnalysisError;

/// One text per line.
pub(super) fn texts(path: &Path) -> Result<Vec<String>, AnalysisError> {
    let input = |reason: String| AnalysisError::Input {
        path: path.to_owned(),
        reason,
    };
    let bytes = std::fs::read(path).map_err(|error| input(error.to_string()))?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let line = 1 + error.as_bytes()[..error.utf8_error().valid_up_to()]
            .iter()
            .filter(|byte| **byte == b'\n')
            .count();
        input(format!("line {line} is not UTF-8"))
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let mut texts = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            let reason = format!("line {} is empty; expected one text per line", index + 1);
            return Err(input(reason));
        }
        texts.push(line.to_owned());
    }
    if texts.is_empty() {
        return Err(input(
            "expected one text per line, found an empty file".to_owned(),
        ));
    }
    Ok(texts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_texts_and_bad_ones_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("texts.txt");
        let read = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            texts(&path).map_err(|error| error.to_string())
        };
        let both = read("\u{feff}a cat\r\nein Hündchen".as_bytes());
        assert_eq!(both.unwrap(), ["a cat", "ein Hündchen"]);
        assert!(read(b"a\n\nb").unwrap_err().contains("line 2 is empty"));
        assert!(
            read(b"a\n\xff")
                .unwrap_err()
                .contains("line 2 is not UTF-8")
        );
        assert!(read(b"").unwrap_err().contains("empty file"));
    }
}
