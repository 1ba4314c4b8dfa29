//! Settings from the environment, in the variables of Hugging Face's tools.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

/// The default of `HF_ENDPOINT`.
const ENDPOINT: &str = "https://huggingface.co";

/// Where files are cached and where they come from.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Folder of repositories: `HF_HUB_CACHE`, or `hub` in `HF_HOME`.
    pub cache: PathBuf,
    /// The hub's address without a trailing slash: `HF_ENDPOINT`.
    pub endpoint: String,
    /// A plain copy of the hub's files, as `URL/org/name/file`: `HARNESS_MIRROR`.
    pub mirror: Option<String>,
    /// `HF_TOKEN`, or the file that `hf auth login` writes.
    pub token: Option<Token>,
    /// Whether to stay offline: `HF_HUB_OFFLINE`.
    pub offline: bool,
}

/// A secret that is sent to the hub and never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// `None` for a text that cannot be in a header.
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        let is_plain = text.chars().all(|c| c.is_ascii_graphic());
        (!text.is_empty() && is_plain).then(|| Self(text.to_owned()))
    }

    pub(crate) fn header(&self) -> String {
        format!("Bearer {}", self.0)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

impl Settings {
    /// Reads the process's environment.
    pub fn from_environment() -> Self {
        Self::read(|name| std::env::var_os(name))
    }

    /// Reads variables through `get`. An empty variable counts as unset.
    fn read(get: impl Fn(&str) -> Option<OsString>) -> Self {
        let path = |name: &str| {
            let value = get(name).filter(|value| !value.is_empty());
            value.map(PathBuf::from)
        };
        let text = |name: &str| {
            let value = get(name)?.into_string().ok()?;
            Some(value.trim().to_owned()).filter(|value| !value.is_empty())
        };
        let home = path("HOME").unwrap_or_default();
        let caches = path("XDG_CACHE_HOME").unwrap_or_else(|| home.join(".cache"));
        let hf_home = path("HF_HOME").unwrap_or_else(|| caches.join("huggingface"));
        let cache = path("HF_HUB_CACHE").or_else(|| path("HUGGINGFACE_HUB_CACHE"));
        let token_file = path("HF_TOKEN_PATH").unwrap_or_else(|| hf_home.join("token"));
        let token = text("HF_TOKEN")
            .or_else(|| text("HUGGING_FACE_HUB_TOKEN"))
            .or_else(|| fs_err::read_to_string(token_file).ok());
        let is_true = |name: &str| {
            let value = text(name).unwrap_or_default().to_uppercase();
            ["1", "ON", "YES", "TRUE"].contains(&value.as_str())
        };
        let base = |name: &str| Some(text(name)?.trim_end_matches('/').to_owned());
        Self {
            cache: cache.unwrap_or_else(|| hf_home.join("hub")),
            endpoint: base("HF_ENDPOINT").unwrap_or_else(|| ENDPOINT.to_owned()),
            mirror: base("HARNESS_MIRROR"),
            token: token.as_deref().and_then(Token::new),
            offline: is_true("HF_HUB_OFFLINE") || is_true("TRANSFORMERS_OFFLINE"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn read(variables: &[(&str, &str)]) -> Settings {
        Settings::read(|name| {
            let found = variables.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| OsString::from(value))
        })
    }

    #[test]
    fn the_cache_is_where_the_python_tools_have_it() {
        for (variables, expected) in [
            (&[("HOME", "/h")][..], "/h/.cache/huggingface/hub"),
            (
                &[("HOME", "/h"), ("XDG_CACHE_HOME", "/x")],
                "/x/huggingface/hub",
            ),
            (&[("HOME", "/h"), ("HF_HOME", "/hf")], "/hf/hub"),
            (&[("HF_HOME", "/hf"), ("HF_HUB_CACHE", "/c")], "/c"),
            (&[("HF_HOME", "/hf"), ("HF_HUB_CACHE", "")], "/hf/hub"),
        ] {
            assert_eq!(read(variables).cache, Path::new(expected), "{variables:?}");
        }
    }

    #[test]
    fn a_token_comes_from_the_variable_or_the_file_and_is_not_shown() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().to_str().unwrap();
        assert_eq!(read(&[("HF_HOME", home)]).token, None);
        std::fs::write(folder.path().join("token"), "hf_file\n").unwrap();
        let settings = read(&[("HF_HOME", home)]);
        assert_eq!(settings.token, Token::new("hf_file"));
        let settings = read(&[("HF_HOME", home), ("HF_TOKEN", "hf_secret")]);
        assert_eq!(
            settings.token.as_ref().unwrap().header(),
            "Bearer hf_secret"
        );
        assert!(!format!("{settings:?}").contains("secret"));
        assert_eq!(Token::new("a\nb"), None);
    }

    #[test]
    fn offline_and_other_hubs() {
        let settings = read(&[]);
        assert_eq!(
            (settings.endpoint.as_str(), settings.offline),
            (ENDPOINT, false)
        );
        let settings = read(&[
            ("HF_ENDPOINT", "https://mirror.example/"),
            ("HF_HUB_OFFLINE", "yes"),
        ]);
        assert_eq!(settings.endpoint, "https://mirror.example");
        assert!(settings.offline);
        assert!(!read(&[("HF_HUB_OFFLINE", "0")]).offline);
    }
}
