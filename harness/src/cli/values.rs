//! Values of arguments that clap does not check by itself.

use std::ffi::OsStr;
use std::path::PathBuf;

use clap::builder::RangedU64ValueParser;
use harness_render::export::{Format, UnknownEnding};

pub(super) fn tolerance(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() && number >= 0.0 => Ok(number),
        _ => Err("expected a number of at least 0, such as 1e-4".to_owned()),
    }
}

pub(super) fn drift_file(text: &str) -> Result<PathBuf, String> {
    with_extension(text, &["json", "svg"])
}

pub(super) fn safetensors_file(text: &str) -> Result<PathBuf, String> {
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

pub(super) fn margin(text: &str) -> Result<f64, String> {
    in_range(text, 100.0)
        .ok_or_else(|| "expected a number of points above 0 and at most 100".to_owned())
}

pub(super) fn alpha(text: &str) -> Result<f64, String> {
    in_range(text, 0.5).ok_or_else(|| "expected a probability above 0 and at most 0.5".to_owned())
}

/// Recommendations as `--fail-on` spells them.
const RECOMMENDATIONS: [&str; 5] = [
    "keep",
    "retrain",
    "retrain-keep-meanwhile",
    "drop",
    "undecided",
];

pub(super) fn recommendation(text: &str) -> Result<String, String> {
    match RECOMMENDATIONS.contains(&text) {
        true => Ok(text.to_owned()),
        false => Err(format!("expected one of {}", RECOMMENDATIONS.join(", "))),
    }
}

fn in_range(text: &str, most: f64) -> Option<f64> {
    let value: f64 = text.parse().ok()?;
    (value > 0.0 && value <= most).then_some(value)
}

fn with_extension(text: &str, extensions: &[&str]) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    match path.extension().and_then(OsStr::to_str) {
        Some(extension) if extensions.contains(&extension) => Ok(path),
        _ => Err(format!(
            "expected a file name ending in .{}",
            extensions.join(" or .")
        )),
    }
}
