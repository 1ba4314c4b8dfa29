//! An image file as PIL opens it: with its own channels, not yet converted to RGB.

use image::{DynamicImage, RgbImage, RgbaImage};

use crate::error::{BackboneError, Result};

/// Where a PNG file has its colour type, and the types that PIL does not open as grey or RGB.
const PNG_COLOUR_TYPE: usize = 25;
const PNG_PALETTE: u8 = 3;
const PNG_GREY_ALPHA: u8 = 4;
const PNG_RGB_ALPHA: u8 = 6;
/// Where it has its bits per sample; grey ones with one bit are PIL's mode `1`.
const PNG_DEPTH: usize = 24;
const PNG_GREY: u8 = 0;

/// A decoded image that [`ImageTransform`](crate::ImageTransform) resizes before it converts it.
///
/// open_clip does so; CoOp's reader converts to RGB first, and so do the data sets of this project.
/// The two differ for palettes, which are resized to the nearest pixel, and for alpha, by which
/// colours are weighted.
#[derive(Debug, Clone)]
pub struct SourceImage(pub(crate) Channels);

/// The channels to resize.
#[derive(Debug, Clone)]
pub(crate) enum Channels {
    Rgb(RgbImage),
    /// A palette or black and white: never between two of its colours.
    Indexed(RgbImage),
    Alpha(RgbaImage),
}

impl SourceImage {
    /// Decodes a file, whose content decides its format.
    ///
    /// # Errors
    /// When the content is no image, or a damaged one.
    pub fn decode(file: &[u8]) -> Result<Self> {
        let pixels = image::load_from_memory(file)
            .map_err(|e| BackboneError::Image(format!("cannot be decoded: {e}")))?;
        let at = |index: usize| file.get(index).copied().unwrap_or_default();
        let channels = match image::guess_format(file) {
            Ok(image::ImageFormat::Gif) => Channels::Indexed(pixels.into_rgb8()),
            Ok(image::ImageFormat::Png) => match (at(PNG_COLOUR_TYPE), at(PNG_DEPTH)) {
                (PNG_PALETTE, _) | (PNG_GREY, 1) => Channels::Indexed(pixels.into_rgb8()),
                (PNG_GREY_ALPHA | PNG_RGB_ALPHA, _) => Channels::Alpha(pixels.into_rgba8()),
                _ => Channels::Rgb(pixels.into_rgb8()),
            },
            _ => match pixels {
                DynamicImage::ImageRgba8(pixels) => Channels::Alpha(pixels),
                pixels => Channels::Rgb(pixels.into_rgb8()),
            },
        };
        Ok(Self(channels))
    }

    /// Width and height in pixels.
    pub fn dimensions(&self) -> (u32, u32) {
        match &self.0 {
            Channels::Rgb(pixels) | Channels::Indexed(pixels) => pixels.dimensions(),
            Channels::Alpha(pixels) => pixels.dimensions(),
        }
    }
}

/// Colours times alpha, in PIL's rounding.
pub(crate) fn premultiply(pixels: &mut RgbaImage) {
    for pixel in pixels.pixels_mut() {
        let [colours @ .., alpha] = &mut pixel.0;
        for colour in colours {
            let product = u32::from(*colour) * u32::from(*alpha) + 128;
            // At most 255, for both factors are.
            *colour = ((product + (product >> 8)) >> 8) as u8;
        }
    }
}

/// The colours before [`premultiply`], in PIL's rounding, without alpha.
pub(crate) fn unpremultiply(pixels: &RgbaImage) -> RgbImage {
    RgbImage::from_fn(pixels.width(), pixels.height(), |x, y| {
        let [r, g, b, alpha] = pixels.get_pixel(x, y).0;
        image::Rgb([r, g, b].map(|colour| match alpha {
            0 | 255 => colour,
            alpha => (255 * u32::from(colour) / u32::from(alpha)).min(255) as u8,
        }))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opaque_and_clear_pixels_survive_the_round_trip() {
        let mut pixels = RgbaImage::from_fn(3, 1, |x, _| {
            image::Rgba([9, 200, 77, [255, 0, 128][x as usize]])
        });
        premultiply(&mut pixels);
        assert_eq!(pixels.get_pixel(2, 0).0, [5, 100, 39, 128]);
        let colours = unpremultiply(&pixels);
        assert_eq!(colours.get_pixel(0, 0).0, [9, 200, 77]);
        assert_eq!(colours.get_pixel(1, 0).0, [0; 3]);
        assert_eq!(colours.get_pixel(2, 0).0, [9, 199, 77]);
    }

    #[test]
    fn files_that_are_not_images_are_rejected() {
        assert!(SourceImage::decode(b"").is_err());
        assert!(SourceImage::decode(b"\x89PNG\r\n\x1a\n and then nothing").is_err());
    }
}
