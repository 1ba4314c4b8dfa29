//! The evaluation transform: resize, crop, normalise.

use candle_core::{Device, Tensor};
use image::RgbImage;
use serde::{Deserialize, Serialize};

use super::resample::{self, Filter};
use crate::error::{BackboneError, Result};

/// Channel means of OpenAI's training images, used by the whole CLIP family.
pub(crate) const MEAN: [f32; 3] = [0.481_454_66, 0.457_827_5, 0.408_210_73];
/// Channel standard deviations to go with `MEAN`.
pub(crate) const STD: [f32; 3] = [0.268_629_54, 0.261_302_6, 0.275_777_1];
/// Longest side of a resized image.
const LONGEST: u64 = 1 << 20;

/// Resize, centre crop, scaling of the levels, normalisation.
///
/// Images come converted to RGB, as CoOp's reader and transformers hand them over, so that all
/// backbones of a suite see the same colours. open_clip converts palettes and alpha after resizing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImageTransform {
    /// Side of the square result in pixels.
    pub size: usize,
    /// How large the image is made before it is cropped.
    pub resize: Resize,
    /// How it is resized.
    pub filter: Filter,
    /// What is kept of it.
    pub crop: Option<Crop>,
    /// Factor of the levels 0 to 255.
    pub rescale: f64,
    /// Mean of each channel, after rescaling.
    pub mean: [f32; 3],
    /// Standard deviation of each channel, after rescaling.
    pub std: [f32; 3],
}

/// The size of an image before the crop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resize {
    /// As it is.
    None,
    /// The shorter side gets this length, the longer one what keeps the aspect ratio, cut to whole
    /// pixels.
    Shortest(usize),
    /// The longer side gets this length, the shorter one what keeps the aspect ratio, rounded.
    Longest(usize),
    /// A square of this side, whatever the aspect ratio.
    Squash(usize),
}

/// A square from the centre; an image that is smaller is padded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Crop {
    /// Side in pixels.
    pub size: usize,
    /// Where the centre is if pixels do not divide.
    pub rounding: Rounding,
    /// Colour of the padding.
    pub fill: [u8; 3],
}

/// What happens to half a pixel of margin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rounding {
    /// torchvision and open_clip: a crop starts at the even neighbour, padding is less at the start.
    Torchvision,
    /// transformers: a crop starts at the smaller neighbour, padding is more at the start.
    Transformers,
}

/// Rescaling to [0, 1].
pub(crate) const UNIT: f64 = 1.0 / 255.0;

impl ImageTransform {
    /// CLIP's transform at a given size: shortest side, bicubic, centre crop.
    pub fn clip(size: usize) -> Self {
        Self {
            size,
            resize: Resize::Shortest(size),
            filter: Filter::Bicubic,
            crop: Some(Crop {
                size,
                rounding: Rounding::Torchvision,
                fill: [0; 3],
            }),
            rescale: UNIT,
            mean: MEAN,
            std: STD,
        }
    }

    /// The same for another size of the result: all sizes in proportion.
    pub(crate) fn with_size(self, size: usize) -> Self {
        let scaled = |side: usize| {
            let exact = side as f64 * size as f64 / self.size as f64;
            (exact.round() as usize).max(1)
        };
        Self {
            size,
            resize: match self.resize {
                Resize::None => Resize::None,
                Resize::Shortest(side) => Resize::Shortest(scaled(side)),
                Resize::Longest(side) => Resize::Longest(scaled(side)),
                Resize::Squash(side) => Resize::Squash(scaled(side)),
            },
            crop: self.crop.map(|crop| Crop {
                size: scaled(crop.size),
                ..crop
            }),
            ..self
        }
    }

    /// The cropped image in 8 bits, `size` pixels square.
    ///
    /// # Errors
    /// When the image is empty, so elongated that its longer side would overflow, or of another size
    /// and not resized.
    pub fn crop(&self, image: &RgbImage) -> Result<RgbImage> {
        let (width, height) = self.resized(image.dimensions())?;
        self.centre(resize(image, (width, height), self.filter)?)
    }

    /// Width and height of an image before the crop.
    fn resized(&self, (width, height): (u32, u32)) -> Result<(u32, u32)> {
        self.side((width, height))?;
        let (short, long) = (u64::from(width.min(height)), u64::from(width.max(height)));
        let (short, long) = match self.resize {
            Resize::None => return Ok((width, height)),
            Resize::Squash(side) => (side as u64, side as u64),
            Resize::Shortest(side) => (side as u64, side as u64 * long / short),
            Resize::Longest(side) => {
                let ratio = long as f64 / side as f64;
                let rounded = |side: u64| (side as f64 / ratio).round_ties_even() as u64;
                (rounded(short), rounded(long))
            }
        };
        if short == 0 || long > LONGEST {
            return Err(BackboneError::Image(format!(
                "{width} x {height} is too elongated to resize"
            )));
        }
        // Both are at most `LONGEST`.
        let (short, long) = (short as u32, long as u32);
        Ok(match width <= height {
            true => (short, long),
            false => (long, short),
        })
    }

    /// What is kept of a resized image.
    fn centre(&self, resized: RgbImage) -> Result<RgbImage> {
        let side = self.side(resized.dimensions())?;
        let cut = match self.crop {
            Some(crop) if resized.dimensions() != (side, side) => {
                let (width, height) = resized.dimensions();
                let (left, top) = (crop.offset(width, side), crop.offset(height, side));
                RgbImage::from_fn(side, side, |x, y| {
                    let place = |at: u32, offset: i64, side: u32| {
                        let at = u32::try_from(i64::from(at) + offset).ok()?;
                        (at < side).then_some(at)
                    };
                    match (place(x, left, width), place(y, top, height)) {
                        (Some(x), Some(y)) => *resized.get_pixel(x, y),
                        _ => image::Rgb(crop.fill),
                    }
                })
            }
            _ => resized,
        };
        if cut.dimensions() != (side, side) {
            let (width, height) = cut.dimensions();
            return Err(BackboneError::Image(format!(
                "{width} x {height} pixels; the backbone's image transform resizes nothing, and its \
                 image tower takes {side} x {side}"
            )));
        }
        Ok(cut)
    }

    /// The side of the result, if neither it nor the image is empty.
    pub(crate) fn side(&self, (width, height): (u32, u32)) -> Result<u32> {
        let side = u32::try_from(self.size).unwrap_or(0);
        if width == 0 || height == 0 || side == 0 {
            return Err(BackboneError::Image(format!(
                "expected at least one pixel, found {width} x {height} at size {}",
                self.size
            )));
        }
        Ok(side)
    }

    /// Normalised pixels `[3, size, size]` of the evaluation crop, f32, channels first.
    ///
    /// # Errors
    /// As [`Self::crop`].
    pub fn apply(&self, image: &RgbImage) -> Result<Tensor> {
        self.normalise(&self.crop(image)?)
    }

    /// Normalised pixels `[3, size, size]` of an image that is already cropped.
    ///
    /// # Errors
    /// When the image is not `size` pixels square.
    pub fn normalise(&self, cropped: &RgbImage) -> Result<Tensor> {
        let mut values = Vec::with_capacity(3 * self.size * self.size);
        for channel in 0..3 {
            let levels: Vec<f32> = (0..=255).map(|level| self.value(level, channel)).collect();
            let pixels = cropped.pixels();
            values.extend(pixels.map(|p| levels[usize::from(p.0[channel])]));
        }
        Ok(Tensor::from_vec(
            values,
            (3, self.size, self.size),
            &Device::Cpu,
        )?)
    }

    /// The number that a level becomes.
    fn value(&self, level: u8, channel: usize) -> f32 {
        let rescaled = match self.rescale == UNIT {
            true => f32::from(level) / 255.0,
            false => (f64::from(level) * self.rescale) as f32,
        };
        (rescaled - self.mean[channel]) / self.std[channel]
    }
}

impl Crop {
    /// Where the crop starts along a side; below zero where it is padded.
    fn offset(&self, side: u32, cropped: u32) -> i64 {
        let room = i64::from(side) - i64::from(cropped);
        let half = room.div_euclid(2);
        let is_odd = room % 2 != 0;
        match (self.rounding, room < 0) {
            // Half of the padding, rounded down, comes before the image.
            (Rounding::Torchvision, true) => -(-room / 2),
            (Rounding::Torchvision, false) => half + i64::from(is_odd && half % 2 != 0),
            (Rounding::Transformers, _) => half,
        }
    }
}

/// Resizes an RGB image.
pub(crate) fn resize(image: &RgbImage, to: (u32, u32), filter: Filter) -> Result<RgbImage> {
    let pixels = resample::resize(image.as_raw(), image.dimensions(), to, filter);
    RgbImage::from_raw(to.0, to.1, pixels)
        .ok_or_else(|| BackboneError::Image("cannot resize: buffer of another size".into()))
}
