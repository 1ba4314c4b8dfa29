//! Names of a new plugin, derived from one.

use std::fmt;

/// Crates that every Rust program has, and words that name no crate.
const TAKEN: [&str; 12] = [
    "alloc",
    "build",
    "core",
    "crate",
    "deps",
    "examples",
    "incremental",
    "proc-macro",
    "self",
    "std",
    "super",
    "test",
];
/// Keywords of Rust that are lower-case words.
const KEYWORDS: [&str; 43] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "do", "dyn",
    "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let",
    "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return",
    "static", "struct", "trait", "true", "try", "type", "unsafe", "use", "where",
];

/// A name in lower case with digits and dashes: of a crate, a folder and a method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PluginName(String);

/// Why a text cannot be a plugin's name.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoPluginName {
    #[error("expected lower-case letters, digits and single dashes, such as my-method")]
    Letters,
    #[error("{0} is a name that Rust or Cargo uses itself")]
    Taken(String),
}

impl PluginName {
    /// # Errors
    /// What is wrong with the name.
    pub(crate) fn parse(text: &str) -> Result<Self, NoPluginName> {
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let starts = text.starts_with(|c: char| c.is_ascii_lowercase());
        if !starts || !text.chars().all(is_plain) || text.ends_with('-') || text.contains("--") {
            return Err(NoPluginName::Letters);
        }
        if TAKEN.contains(&text) || KEYWORDS.contains(&text) {
            return Err(NoPluginName::Taken(text.to_owned()));
        }
        Ok(Self(text.to_owned()))
    }

    /// `my_method`, as Rust code calls the crate.
    pub(crate) fn in_code(&self) -> String {
        self.0.replace('-', "_")
    }

    /// `MyMethod`.
    pub(crate) fn of_type(&self) -> String {
        let words = self.0.split('-');
        let word = |word: &str| {
            let mut letters = word.chars();
            let first = letters.next().map(|first| first.to_ascii_uppercase());
            first.into_iter().chain(letters).collect::<String>()
        };
        let name: String = words.map(word).collect();
        // Beside what the template imports.
        match name.as_str() {
            "Card" | "Config" | "Host" | "Init" | "Method" | "Parameter" | "Parameters"
            | "Prompts" | "Context" | "None" | "Words" | "Result" | "Setting" | "Site"
            | "Tensor" | "Family" => {
                format!("{name}Method")
            }
            _ => name,
        }
    }
}

impl fmt::Display for PluginName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_gives_those_of_crate_and_type() {
        let name = PluginName::parse("my-method2").unwrap();
        assert_eq!(name.in_code(), "my_method2");
        assert_eq!(name.of_type(), "MyMethod2");
        assert_eq!(PluginName::parse("host").unwrap().of_type(), "HostMethod");
    }

    #[test]
    fn names_that_would_not_build_are_refused() {
        for bad in [
            "", "2x", "My", "a_b", "a--b", "a-", "-a", "../a", "core", "match", "x\"y",
        ] {
            assert!(PluginName::parse(bad).is_err(), "{bad}");
        }
    }
}
