//! Values of arguments that clap does not check by itself.

use std::ffi::OsStr;
use std::path::PathBuf;

use clap::builder::RangedU64ValueParser;
use harness_render::export::{Format, UnknownEnding};
use harness_report::analysis::Recommendation;

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
    #[error("expected a file name ending in .{}", .0.join(" or ."))]
    Extension(&'static [&'static str]),
}

pub(super) fn tolerance(text: &str) -> Result<f64, ValueError> {
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() && number >= 0.0 => Ok(number),
        _ => Err(ValueError::Tolerance),
    }
}

pub(super) fn drift_file(text: &str) -> Result<PathBuf, ValueError> {
    with_extension(text, &["json", "svg"])
}

pub(super) fn safetensors_file(text: &str) -> Result<PathBuf, ValueError> {
    with_extension(text, &["safetensors"])
}

pub(super) fn export_file(text: &str) -> Result<PathBuf, UnknownEnding> {
    let path = PathBuf::from(text);
    Format::of(&path)?;
    Ok(path)
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
