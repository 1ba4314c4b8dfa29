//! The transform that a backbone's files describe, in the forms of open_clip and transformers.

use serde_json::Value;

use super::resample::Filter;
use super::transform::{Crop, ImageTransform, Resize, Rounding, UNIT};
use crate::checkpoint::Config;
use crate::error::Result;

/// PIL's numbers of the filters, which transformers writes.
const PIL: [Filter; 6] = [
    Filter::Nearest,
    Filter::Lanczos,
    Filter::Bilinear,
    Filter::Bicubic,
    Filter::Box,
    Filter::Hamming,
];
/// transformers' names of the processor that is computed here.
const PROCESSORS: [&str; 4] = [
    "CLIPImageProcessor",
    "CLIPImageProcessorFast",
    "CLIPImageProcessorPil",
    "CLIPFeatureExtractor",
];
/// Steps of that processor that are computed.
const STEPS: [&str; 5] = [
    "do_resize",
    "do_center_crop",
    "do_rescale",
    "do_normalize",
    // False makes no difference to an RGB image, and transformers takes no other then.
    "do_convert_rgb",
];

impl ImageTransform {
    /// `preprocess_cfg` of open_clip, for a tower of `size` pixels.
    pub(crate) fn of_open_clip(config: &Config, size: usize) -> Result<Self> {
        let key = |name: &str| format!("preprocess_cfg.{name}");
        let clip = Self::clip(size);
        if let Some(found) = config.value(&key("size")) {
            let sides: Vec<&Value> = match found {
                Value::Array(sides) => sides.iter().rev().take(2).collect(),
                side => vec![side],
            };
            if sides.iter().any(|side| side.as_u64() != Some(size as u64)) {
                let reason = format!("{found}, but the image tower takes {size} x {size}");
                return Err(config.error(&key("size"), reason));
            }
        }
        let choice = |name: &str, known: &[&str]| -> Result<Option<usize>> {
            let Some(value) = config.value(&key(name)) else {
                return Ok(None);
            };
            let at = known.iter().position(|k| value.as_str() == Some(*k));
            let reason = || format!("{value} is not supported; expected {}", known.join(" or "));
            at.map(Some)
                .ok_or_else(|| config.error(&key(name), reason()))
        };
        choice("mode", &["RGB"])?;
        // At test time open_clip computes `random` as bicubic.
        let filter = match choice("interpolation", &["bicubic", "random", "bilinear"])? {
            Some(2) => Filter::Bilinear,
            _ => Filter::Bicubic,
        };
        let crop = clip.crop.map(|crop| Crop {
            fill: fill(config, &key("fill_color")).unwrap_or(crop.fill),
            ..crop
        });
        if config.value(&key("fill_color")).is_some() {
            fill(config, &key("fill_color"))?;
        }
        let (resize, crop) = match choice("resize_mode", &["shortest", "longest", "squash"])? {
            Some(1) => (Resize::Longest(size), crop),
            Some(2) => (Resize::Squash(size), None),
            _ => (clip.resize, clip.crop),
        };
        Self {
            resize,
            crop,
            filter,
            ..clip
        }
        .normalised(config, &key("mean"), &key("std"))
    }

    /// transformers' defaults for a tower of `size` pixels.
    pub(crate) fn transformers(size: usize) -> Self {
        let clip = Self::clip(size);
        let crop = clip.crop.map(|crop| Crop {
            rounding: Rounding::Transformers,
            ..crop
        });
        Self { crop, ..clip }
    }

    /// `preprocessor_config.json` of transformers, for a tower of `size` pixels.
    pub(crate) fn of_transformers(config: &Config, size: usize) -> Result<Self> {
        for key in ["image_processor_type", "feature_extractor_type"] {
            if let Some(found) = config.value(key)
                && !PROCESSORS
                    .iter()
                    .any(|known| found.as_str() == Some(*known))
            {
                let reason = format!("{found} is not supported; expected {}", PROCESSORS[0]);
                return Err(config.error(key, reason));
            }
        }
        let steps = config.keys().filter(|(key, _)| {
            *key == "use_square_size" || (key.starts_with("do_") && !STEPS.contains(key))
        });
        for (key, value) in steps {
            if value.as_bool() != Some(false) && !value.is_null() {
                return Err(config.error(key, format!("{value} is not supported")));
            }
        }
        config.flag("do_convert_rgb", true)?;
        let mut transform = Self::transformers(size);
        transform.filter = match config.value("resample") {
            None => Filter::Bicubic,
            Some(found) => {
                let number = found.as_u64().and_then(|n| usize::try_from(n).ok());
                let filter = number.and_then(|number| PIL.get(number).copied());
                let reason = || format!("expected one of PIL's filters 0 to 5, found {found}");
                filter.ok_or_else(|| config.error("resample", reason()))?
            }
        };
        transform.resize = match config.flag("do_resize", true)? {
            true => resize(config, size)?,
            false => Resize::None,
        };
        if config.flag("do_center_crop", true)? {
            let side = square(config, "crop_size", size)?;
            if side != size {
                let reason = format!("{side}, but the image tower takes {size} x {size}");
                return Err(config.error("crop_size", reason));
            }
        } else {
            transform.crop = None;
            match transform.resize {
                Resize::None => {}
                Resize::Squash(side) if side == size => {}
                _ => {
                    let reason = format!(
                        "false, so that images become no {size} x {size} pixels, which the image \
                         tower takes"
                    );
                    return Err(config.error("do_center_crop", reason));
                }
            }
        }
        transform.rescale = match config.flag("do_rescale", true)? {
            true => match config.value("rescale_factor") {
                None => UNIT,
                Some(found) => {
                    let factor = found.as_f64().filter(|f| f.is_finite() && *f > 0.0);
                    let reason = || format!("expected a positive number, found {found}");
                    factor.ok_or_else(|| config.error("rescale_factor", reason()))?
                }
            },
            false => 1.0,
        };
        match config.flag("do_normalize", true)? {
            true => transform.normalised(config, "image_mean", "image_std"),
            false => Ok(Self {
                mean: [0.0; 3],
                std: [1.0; 3],
                ..transform
            }),
        }
    }

    /// With the mean and standard deviation of a configuration, if it has them.
    fn normalised(mut self, config: &Config, mean: &str, std: &str) -> Result<Self> {
        self.mean = config.channels(mean)?.unwrap_or(self.mean);
        self.std = config.channels(std)?.unwrap_or(self.std);
        if self.std.iter().any(|s| !s.is_finite() || *s <= 0.0) {
            let reason = format!("expected positive numbers, found {:?}", self.std);
            return Err(config.error(std, reason));
        }
        Ok(self)
    }
}

/// open_clip's `fill_color`: one level or three.
fn fill(config: &Config, key: &str) -> Result<[u8; 3]> {
    let value = config.value(key).unwrap_or(&Value::Null);
    let level = |value: &Value| value.as_u64().and_then(|level| u8::try_from(level).ok());
    let found = match value {
        Value::Array(levels) => {
            let levels: Option<Vec<u8>> = levels.iter().map(level).collect();
            levels.and_then(|levels| <[u8; 3]>::try_from(levels).ok())
        }
        value => level(value).map(|level| [level; 3]),
    };
    let reason = || format!("expected one or three numbers from 0 to 255, found {value}");
    found.ok_or_else(|| config.error(key, reason()))
}

/// transformers' `size`: a number, `shortest_edge`, or equal `height` and `width`.
fn resize(config: &Config, default: usize) -> Result<Resize> {
    let Some(value) = config.value("size") else {
        return Ok(Resize::Shortest(default));
    };
    let Value::Object(sides) = value else {
        return Ok(Resize::Shortest(config.require("size")?));
    };
    let named: Vec<&str> = sides
        .iter()
        .filter(|(_, side)| !side.is_null())
        .map(|(name, _)| name.as_str())
        .collect();
    match named.as_slice() {
        ["shortest_edge"] => Ok(Resize::Shortest(config.require("size.shortest_edge")?)),
        _ => square(config, "size", default).map(Resize::Squash),
    }
}

/// The side of a square that is written as one number or as equal `height` and `width`.
fn square(config: &Config, key: &str, default: usize) -> Result<usize> {
    let Some(value) = config.value(key) else {
        return Ok(default);
    };
    if value.is_number() {
        return config.require(key);
    }
    let side = |name: &str| config.count(&format!("{key}.{name}"));
    let keys = value.as_object().map_or(0, |sides| {
        sides.values().filter(|side| !side.is_null()).count()
    });
    match (side("height")?, side("width")?) {
        (Some(height), Some(width)) if height == width && keys == 2 => Ok(height),
        _ => {
            let also = if key == "size" {
                ", `shortest_edge`"
            } else {
                ""
            };
            let reason = format!(
                "{value} is not supported; expected a number{also} or equal `height` and `width`"
            );
            Err(config.error(key, reason))
        }
    }
}
