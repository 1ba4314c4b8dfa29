//! Values of arguments that clap does not check by itself.

use std::ffi::OsStr;
use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, RangedU64ValueParser, TypedValueParser};
use harness_engine::convert::ModuleMethod;
use harness_engine::device::Precision;
use harness_figures::FigureFile;
use harness_render::export::{Format, UnknownEnding};
use harness_report::analysis::Recommendation;
use serde_json::{Map, Value};

/// What a value should have been.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ValueError {
    #[error("expected a number of at least 0, such as 1e-4")]
    Tolerance,
    #[error("expected a number of points above 0 and at most 100")]
    Margin,
    #[error("expected a probability above 0 and at most 0.5")]
    Alpha,
    #[error("expected one of {}", Recommendation::ALL.map(Recommendation::keyword).join(", "))]
    Recommendation,
    #[error("expected a number and a unit: 90m, 8h or 1d12h")]
    Duration,
    #[error("expected a method")]
    Module,
    #[error("expected a number of hours above 0")]
    Hours,
    #[error("expected a factor of at least 1")]
    TimeFactor,
    #[error("expected FROM=TO")]
    Renaming,
    #[error("expected a JSON object, such as {{\"alpha\": 1.0}}: {0}")]
    Settings(String),
    #[error("expected a JSON object, such as {{\"length\": 8}}")]
    Mapping,
    #[error("expected a file name ending in .{}", .0.join(" or ."))]
    Extension(&'static [&'static str]),
}

/// `f32`, `tf32` or `bf16`.
pub(super) fn precision() -> impl TypedValueParser<Value = Precision> {
    let names = Precision::NAMES.map(|(name, _)| name);
    PossibleValuesParser::new(names).map(|found| {
        let named = Precision::NAMES
            .into_iter()
            .find(|(name, _)| *name == found);
        named.map_or_else(Precision::default, |(_, precision)| precision)
    })
}

pub(super) fn tolerance(text: &str) -> Result<f64, ValueError> {
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() && number >= 0.0 => Ok(number),
        _ => Err(ValueError::Tolerance),
    }
}

pub(super) fn mapping(text: &str) -> Result<serde_json::Value, ValueError> {
    match serde_json::from_str(text) {
        Ok(value @ serde_json::Value::Object(_)) => Ok(value),
        _ => Err(ValueError::Mapping),
    }
}

pub(super) fn drift_file(text: &str) -> Result<PathBuf, ValueError> {
    with_extension(text, &["json", "svg", "pdf", "png", "csv"])
}

pub(super) fn figure_file(text: &str) -> Result<PathBuf, ValueError> {
    with_extension(text, &FigureFile::ENDINGS)
}

/// The methods whose checkpoints become modules, by id.
pub(super) fn module_method() -> impl TypedValueParser<Value = ModuleMethod> {
    PossibleValuesParser::new(ModuleMethod::ALL.map(ModuleMethod::id))
        .try_map(|id| ModuleMethod::find(&id).ok_or(ValueError::Module))
}

pub(super) fn settings(text: &str) -> Result<Map<String, Value>, ValueError> {
    serde_json::from_str(text).map_err(|error| ValueError::Settings(error.to_string()))
}

pub(super) fn safetensors_file(text: &str) -> Result<PathBuf, ValueError> {
    with_extension(text, &["safetensors"])
}

pub(super) fn export_file(text: &str) -> Result<PathBuf, UnknownEnding> {
    let path = PathBuf::from(text);
    Format::of(&path)?;
    Ok(path)
}

pub(super) fn shots() -> RangedU64ValueParser<u32> {
    RangedU64ValueParser::new().range(1..=100_000)
}

pub(super) fn images() -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(1..=1024)
}

pub(super) fn at_least_one() -> RangedU64ValueParser {
    RangedU64ValueParser::new().range(1..)
}

pub(super) fn margin(text: &str) -> Result<f64, ValueError> {
    in_range(text, 100.0).ok_or(ValueError::Margin)
}

pub(super) fn alpha(text: &str) -> Result<f64, ValueError> {
    in_range(text, 0.5).ok_or(ValueError::Alpha)
}

pub(super) fn recommendation(text: &str) -> Result<Recommendation, ValueError> {
    let mut all = Recommendation::ALL.into_iter();
    all.find(|one| one.keyword() == text)
        .ok_or(ValueError::Recommendation)
}

/// Seconds of `90m`, `8h` or `1d12h`.
pub(super) fn duration(text: &str) -> Result<f64, ValueError> {
    let wrong = || ValueError::Duration;
    let mut seconds = 0.0;
    let mut rest = text.trim();
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.');
        let (number, after) = rest.split_at(end.ok_or_else(wrong)?);
        let unit_end = after.find(|c: char| c.is_ascii_digit());
        let (unit, after) = after.split_at(unit_end.unwrap_or(after.len()));
        let unit = match unit.trim() {
            "s" => 1.0,
            "m" | "min" => 60.0,
            "h" => 3600.0,
            "d" => 86_400.0,
            _ => return Err(wrong()),
        };
        seconds += unit * number.parse::<f64>().map_err(|_| wrong())?;
        rest = after;
    }
    match seconds > 0.0 && seconds.is_finite() {
        true => Ok(seconds),
        false => Err(wrong()),
    }
}

pub(super) fn hours(text: &str) -> Result<f64, ValueError> {
    in_range(text, 24.0 * 365.0).ok_or(ValueError::Hours)
}

pub(super) fn time_factor(text: &str) -> Result<f64, ValueError> {
    let value = in_range(text, 100.0).filter(|factor| *factor >= 1.0);
    value.ok_or(ValueError::TimeFactor)
}

fn in_range(text: &str, most: f64) -> Option<f64> {
    let value: f64 = text.parse().ok()?;
    (value > 0.0 && value <= most).then_some(value)
}

fn with_extension(text: &str, extensions: &'static [&'static str]) -> Result<PathBuf, ValueError> {
    let path = PathBuf::from(text);
    match path.extension().and_then(OsStr::to_str) {
        Some(extension) if extensions.contains(&extension) => Ok(path),
        _ => Err(ValueError::Extension(extensions)),
    }
}

/// `FROM=TO`, where `TO` may be empty.
pub(super) fn renaming(text: &str) -> Result<(String, String), ValueError> {
    match text.split_once('=') {
        Some((from, to)) if !from.is_empty() => Ok((from.to_owned(), to.to_owned())),
        _ => Err(ValueError::Renaming),
    }
}

#[cfg(test)]
mod tests {
    use super::duration;

    #[test]
    fn times_have_units() {
        for (text, seconds) in [
            ("90s", 90.0),
            ("90m", 5400.0),
            ("1.5h", 5400.0),
            ("1d12h", 129_600.0),
            (" 8h", 28_800.0),
        ] {
            assert_eq!(duration(text), Ok(seconds), "{text}");
        }
        for text in ["", "8", "h", "-1h", "0h", "8 hours", "1e400d", "8h30"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
