//! Paths in JSON: as text, or as an array of bytes where they are not UTF-8.
//!
//! For `#[serde(with = "harness_store::json_path")]`; the module `optional` is for `Option`.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Form {
    Text(String),
    Bytes(Vec<u8>),
}

impl From<&Path> for Form {
    fn from(path: &Path) -> Self {
        match path.to_str() {
            Some(text) => Self::Text(text.to_owned()),
            None => Self::Bytes(path.as_os_str().as_bytes().to_owned()),
        }
    }
}

impl From<Form> for PathBuf {
    fn from(form: Form) -> Self {
        match form {
            Form::Text(text) => text.into(),
            Form::Bytes(bytes) => OsString::from_vec(bytes).into(),
        }
    }
}

/// # Errors
/// Those of the serializer.
pub fn serialize<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    Form::from(path).serialize(serializer)
}

/// # Errors
/// It is neither text nor an array of bytes.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
    Form::deserialize(deserializer).map(PathBuf::from)
}

/// The same for `Option<PathBuf>`.
pub mod optional {
    use super::{Deserialize, Deserializer, Form, PathBuf, Serialize, Serializer};

    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(
        path: &Option<PathBuf>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        path.as_deref().map(Form::from).serialize(serializer)
    }

    /// # Errors
    /// It is neither null, nor text, nor an array of bytes.
    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<PathBuf>, D::Error> {
        Ok(Option::<Form>::deserialize(deserializer)?.map(PathBuf::from))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Paths {
        #[serde(with = "super")]
        one: PathBuf,
        #[serde(with = "super::optional", default)]
        other: Option<PathBuf>,
    }

    #[test]
    fn every_path_survives_json() {
        let strange = PathBuf::from(OsString::from_vec(b"caf\xe9/x".to_vec()));
        for (one, other, json) in [
            ("a b".into(), None, r#"{"one":"a b","other":null}"#),
            (
                strange.clone(),
                Some(strange),
                r#"{"one":[99,97,102,233,47,120],"other":[99,97,102,233,47,120]}"#,
            ),
        ] {
            let paths = Paths { one, other };
            let text = serde_json::to_string(&paths).unwrap();
            assert_eq!(text, json);
            assert_eq!(serde_json::from_str::<Paths>(&text).unwrap(), paths);
        }
        let plain: Paths = serde_json::from_str(r#"{"one":"x"}"#).unwrap();
        assert_eq!(plain.other, None);
    }
}
