//! Command lines to copy.

use std::path::Path;

/// A word as a POSIX shell reads it back, in characters that survive a terminal and a copy: what
/// is not printable is written in octal, as `$'\033'`.
pub fn quote(word: &str) -> String {
    quote_bytes(word.as_bytes())
}

/// A path as a POSIX shell reads it back, also where it is not UTF-8.
pub fn quote_path(path: &Path) -> String {
    quote_bytes(path.as_os_str().as_encoded_bytes())
}

/// Words as one command line.
pub fn join(words: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let words = words.into_iter().map(|word| quote(word.as_ref()));
    words.collect::<Vec<_>>().join(" ")
}

/// Whether a line is a single command of `program` whose words are quoted as [`quote`] does it: a
/// shell that reads it starts nothing else and expands nothing.
pub(crate) fn is_command_of(line: &str, program: &str) -> bool {
    if !line.starts_with(&format!("{program} ")) || line.chars().any(char::is_control) {
        return false;
    }
    let mut rest = line.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\'' => {
                if !rest.by_ref().any(|c| c == '\'') {
                    return false;
                }
            }
            '$' if rest.peek() == Some(&'\'') => {
                rest.next();
                loop {
                    match rest.next() {
                        Some('\\') => {
                            rest.next();
                        }
                        Some('\'') => break,
                        Some(_) => {}
                        None => return false,
                    }
                }
            }
            '\\' if rest.peek() == Some(&'\'') => {
                rest.next();
            }
            c if is_plain(c) || c == ' ' => {}
            _ => return false,
        }
    }
    true
}

fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-_=./:,@%+".contains(c)
}

fn quote_bytes(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(word) if !word.is_empty() && word.chars().all(is_plain) => return word.to_owned(),
        Ok(word) if is_printable(word) => return format!("'{}'", word.replace('\'', r"'\''")),
        _ => {}
    }
    let mut text = String::from("$'");
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\'' | '\\' => text.extend(['\\', c]),
                ' ' if !text.ends_with([' ', '\'']) => text.push(c),
                c if c != ' ' && is_printable(c.encode_utf8(&mut [0; 4])) => text.push(c),
                c => octal(&mut text, c.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        octal(&mut text, chunk.invalid());
    }
    // A space at the end would be lost.
    if text.ends_with(' ') {
        text.pop();
        octal(&mut text, b" ");
    }
    text.push('\'');
    text
}

fn octal(text: &mut String, bytes: &[u8]) {
    for byte in bytes {
        text.push_str(&format!("\\{byte:03o}"));
    }
}

/// Whether a text is shown as it is on a line of a terminal: letters, digits, punctuation and
/// single spaces within it.
pub(crate) fn is_printable(text: &str) -> bool {
    let is_shown = |c: char| match c {
        ' ' => true,
        // Fillers: letters without ink.
        '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' => false,
        c => c.is_ascii_graphic() || (!c.is_ascii() && c.is_alphanumeric()),
    };
    text.trim() == text && !text.contains("  ") && text.chars().all(is_shown)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_are_quoted_where_they_must_be() {
        for (word, quoted) in [
            ("a/b=c", "a/b=c"),
            ("", "''"),
            ("it's a", r"'it'\''s a'"),
            ("caf\u{e9}", "'café'"),
            ("a\u{1b}[1m", r"$'a\033[1m'"),
            ("a  b ", r"$'a \040b\040'"),
            ("\u{202e}'\\", r"$'\342\200\256\'\\'"),
        ] {
            assert_eq!(quote(word), quoted);
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_path_that_is_not_utf8_is_quoted_byte_by_byte() {
        use std::os::unix::ffi::OsStrExt;
        let path = Path::new(std::ffi::OsStr::from_bytes(b"caf\xe9/s.yaml"));
        assert_eq!(quote_path(path), r"$'caf\351/s.yaml'");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn bash_reads_words_back(words in proptest::collection::vec("[^\0]*", 1..4)) {
            let script = format!("printf '%s\\0' {}", join(&words));
            let Ok(output) = Command::new("bash").args(["-c", &script]).output() else {
                return Ok(());
            };
            let expected: String = words.iter().map(|word| format!("{word}\0")).collect();
            prop_assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
        }
    }
}
