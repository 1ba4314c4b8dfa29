//! What the settings say about the device.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use harness_backbone::DeviceKind;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// `auto`, `cpu`, `cuda`, `cuda:N` or `metal`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum DeviceChoice {
    /// A GPU if the build and the machine have one, else the CPU.
    #[default]
    Auto,
    Cpu,
    /// Every device of a kind, or the one of a number.
    Gpu(DeviceKind, Option<usize>),
}

/// A text that names no device.
#[derive(Debug, thiserror::Error)]
#[error("expected auto, cpu, cuda, cuda:N or metal, found {0:?}")]
pub struct UnknownDevice(String);

impl FromStr for DeviceChoice {
    type Err = UnknownDevice;

    fn from_str(text: &str) -> Result<Self, UnknownDevice> {
        let refuse = || Err(UnknownDevice(text.to_owned()));
        let (name, number) = match text.split_once(':') {
            Some((name, number)) => match number.parse() {
                Ok(number) => (name, Some(number)),
                Err(_) => return refuse(),
            },
            None => (text, None),
        };
        match (name, number) {
            ("auto", None) => Ok(Self::Auto),
            ("cpu", None) => Ok(Self::Cpu),
            ("cuda", number) => Ok(Self::Gpu(DeviceKind::Cuda, number)),
            ("metal", None) => Ok(Self::Gpu(DeviceKind::Metal, None)),
            _ => refuse(),
        }
    }
}

impl fmt::Display for DeviceChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Cpu => f.write_str("cpu"),
            Self::Gpu(kind, None) => f.write_str(kind.name()),
            Self::Gpu(kind, Some(number)) => write!(f, "{}:{number}", kind.name()),
        }
    }
}

impl TryFrom<String> for DeviceChoice {
    type Error = UnknownDevice;

    fn try_from(text: String) -> Result<Self, UnknownDevice> {
        text.parse()
    }
}

impl From<DeviceChoice> for String {
    fn from(choice: DeviceChoice) -> Self {
        choice.to_string()
    }
}

impl JsonSchema for DeviceChoice {
    fn schema_name() -> Cow<'static, str> {
        "DeviceChoice".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^(auto|cpu|cuda(:[0-9]+)?|metal)$",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for text in ["auto", "cpu", "cuda", "cuda:3", "metal"] {
            assert_eq!(text.parse::<DeviceChoice>().unwrap().to_string(), text);
        }
        for text in [
            "", "gpu", "cuda:", "cuda:x", "cpu:0", "auto:1", "metal:1", "CUDA",
        ] {
            let error = text.parse::<DeviceChoice>().expect_err(text).to_string();
            assert!(error.contains("cuda:N") && error.contains(text), "{error}");
        }
    }
}
