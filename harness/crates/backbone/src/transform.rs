//! The evaluation transform of CLIP: resize, crop, normalise, as PIL and torchvision do it.

use candle_core::{Device, Tensor};
use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::U8x4;
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};
use image::{RgbImage, RgbaImage};
use serde::{Deserialize, Serialize};

use crate::checkpoint::Config;
use crate::error::{BackboneError, Result};
use crate::source_image::{Channels, SourceImage, premultiply, resize_nearest, unpremultiply};

/// Channel means of OpenAI's training images, used by the whole CLIP family.
const MEAN: [f32; 3] = [0.481_454_66, 0.457_827_5, 0.408_210_73];
/// Channel standard deviations to go with `MEAN`.
const STD: [f32; 3] = [0.268_629_54, 0.261_302_6, 0.275_777_1];

/// Shortest side to `size` (bicubic, antialiased), centre crop, scale to [0, 1], normalise.
///
/// Images come converted to RGB, as CoOp's reader hands them over, or as a [`SourceImage`], which is
/// converted after resizing as open_clip does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImageTransform {
    /// Side of the square result in pixels.
    pub size: usize,
    /// Mean of each channel.
    pub mean: [f32; 3],
    /// Standard deviation of each channel.
    pub std: [f32; 3],
}

impl ImageTransform {
    /// CLIP's transform at a given size.
    pub fn clip(size: usize) -> Self {
        Self {
            size,
            mean: MEAN,
            std: STD,
        }
    }

    /// The transform of a configuration, with CLIP's values as defaults.
    pub(crate) fn from_config(config: &Config, section: &str, size: usize) -> Result<Self> {
        let key = |name: &str| format!("{section}{name}");
        let (mean_key, std_key) = if section.is_empty() {
            (key("image_mean"), key("image_std"))
        } else {
            (key("mean"), key("std"))
        };
        let mean = config.channels(&mean_key)?.unwrap_or(MEAN);
        let std = config.channels(&std_key)?.unwrap_or(STD);
        if std.iter().any(|s| !s.is_finite() || *s <= 0.0) {
            return Err(config.error(
                &std_key,
                format!("expected positive numbers, found {std:?}"),
            ));
        }
        for (name, computed) in [("interpolation", "bicubic"), ("resize_mode", "shortest")] {
            match config.text(&key(name)) {
                Some(found) if found != computed => {
                    let reason = format!("{found:?} is not supported; expected {computed:?}");
                    return Err(config.error(&key(name), reason));
                }
                _ => {}
            }
        }
        Ok(Self { size, mean, std })
    }

    /// The cropped image in 8 bits, `size` pixels square.
    ///
    /// # Errors
    /// When the image is empty or so elongated that its longer side would overflow.
    pub fn crop(&self, image: &RgbImage) -> Result<RgbImage> {
        let (width, height) = self.resized(image.dimensions())?;
        Ok(self.centre(&resize(image, width, height)?))
    }

    /// As [`Self::crop`], for an image that is converted to RGB after resizing.
    ///
    /// # Errors
    /// As [`Self::crop`].
    pub fn crop_source(&self, source: &SourceImage) -> Result<RgbImage> {
        let (width, height) = self.resized(source.dimensions())?;
        let resized = match &source.0 {
            Channels::Rgb(pixels) => resize(pixels, width, height)?,
            Channels::Indexed(pixels) => resize_nearest(pixels, width, height),
            Channels::Alpha(pixels) => {
                let mut pixels = pixels.clone();
                premultiply(&mut pixels);
                unpremultiply(&resize_rgba(&pixels, width, height)?)
            }
        };
        Ok(self.centre(&resized))
    }

    /// Width and height of an image once its shorter side is `size`.
    fn resized(&self, (width, height): (u32, u32)) -> Result<(u32, u32)> {
        let side = self.side((width, height))?;
        // torchvision truncates the longer side.
        let longer = u64::from(side) * u64::from(width.max(height)) / u64::from(width.min(height));
        let longer = u32::try_from(longer).ok().filter(|l| *l <= 1 << 20);
        let Some(longer) = longer else {
            return Err(BackboneError::Image(format!(
                "{width} x {height} is too elongated to resize"
            )));
        };
        Ok(match width <= height {
            true => (side, longer),
            false => (longer, side),
        })
    }

    /// The central square of a resized image.
    fn centre(&self, resized: &RgbImage) -> RgbImage {
        let side = resized.width().min(resized.height());
        let left = half_even(resized.width() - side);
        let top = half_even(resized.height() - side);
        image::imageops::crop_imm(resized, left, top, side, side).to_image()
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
            let (mean, std) = (self.mean[channel], self.std[channel]);
            let pixels = cropped.pixels();
            values.extend(pixels.map(|p| (f32::from(p.0[channel]) / 255.0 - mean) / std));
        }
        Ok(Tensor::from_vec(
            values,
            (3, self.size, self.size),
            &Device::Cpu,
        )?)
    }
}

/// Half of a difference, ties to even as Python rounds.
fn half_even(difference: u32) -> u32 {
    let half = difference / 2;
    if difference % 2 == 1 && half % 2 == 1 {
        half + 1
    } else {
        half
    }
}

/// Resizes three channels as the first three of four: the crate is compiled for one pixel format,
/// and Pillow, too, holds RGB in four bytes.
pub(crate) fn resize(image: &RgbImage, width: u32, height: u32) -> Result<RgbImage> {
    let (w, h) = image.dimensions();
    let wide = image.pixels().flat_map(|p| [p.0[0], p.0[1], p.0[2], 255]);
    let wide = RgbaImage::from_raw(w, h, wide.collect()).ok_or_else(other_size)?;
    let resized = resize_rgba(&wide, width, height)?;
    let narrow = resized.pixels().flat_map(|p| [p.0[0], p.0[1], p.0[2]]);
    RgbImage::from_raw(width, height, narrow.collect()).ok_or_else(other_size)
}

/// Pillow's 8-bit convolution: rows first, then columns, rounded to 8 bits between. The crate would
/// choose the other order, which differs by several levels, so each pass is a call of its own.
fn resize_rgba(image: &RgbaImage, width: u32, height: u32) -> Result<RgbaImage> {
    let rows = pass(image, width, image.height())?;
    pass(&rows, width, height)
}

/// Resizes along one side; Catmull-Rom is Pillow's bicubic (a = -0.5).
fn pass(image: &RgbaImage, width: u32, height: u32) -> Result<RgbaImage> {
    let failed = |reason: String| BackboneError::Image(format!("cannot resize: {reason}"));
    let (w, h) = image.dimensions();
    let source = TypedImageRef::<U8x4>::from_buffer(w, h, image.as_raw())
        .map_err(|e| failed(e.to_string()))?;
    let count = 4 * width as usize * height as usize;
    let mut pixels = vec![0; count];
    let mut target = TypedImage::<U8x4>::from_buffer(width, height, &mut pixels)
        .map_err(|e| failed(e.to_string()))?;
    let options = ResizeOptions::new()
        .resize_alg(ResizeAlg::Convolution(FilterType::CatmullRom))
        .use_alpha(false);
    Resizer::new()
        .resize_typed(&source, &mut target, &options)
        .map_err(|e| failed(e.to_string()))?;
    RgbaImage::from_raw(width, height, pixels).ok_or_else(other_size)
}

fn other_size() -> BackboneError {
    BackboneError::Image("cannot resize: buffer of another size".into())
}
