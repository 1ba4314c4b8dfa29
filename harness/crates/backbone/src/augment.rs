//! Random views of a training image, sampled as in torchvision.

use image::RgbImage;
use image::imageops::{crop_imm, flip_horizontal};

use crate::error::Result;
use crate::transform::{ImageTransform, resize};

/// Attempts at a region before the largest central one is used.
const TRIES: usize = 10;
/// Width over height of a random region.
const RATIO: [f64; 2] = [3.0 / 4.0, 4.0 / 3.0];

/// A rectangle of an image, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Region {
    pub left: u32,
    pub top: u32,
    pub width: u32,
    pub height: u32,
}

/// A part of an image, possibly flipped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct View {
    /// The part that is resized to the tower's square; none: the evaluation crop.
    pub region: Option<Region>,
    /// Whether it is mirrored horizontally.
    pub is_flipped: bool,
}

impl Region {
    /// The region of torchvision's `RandomResizedCrop`: `scale` times the image's area, an aspect
    /// ratio of 3/4 to 4/3 with uniform logarithm, anywhere inside. `uniform` gives numbers in
    /// [0, 1): four for each of up to ten tries.
    pub fn random(
        (width, height): (u32, u32),
        scale: [f64; 2],
        uniform: &mut dyn FnMut() -> f64,
    ) -> Region {
        let area = f64::from(width) * f64::from(height);
        let between = |[low, high]: [f64; 2], part: f64| low + (high - low) * part;
        for _ in 0..TRIES {
            let target = area * between(scale, uniform());
            let aspect = between(RATIO.map(f64::ln), uniform()).exp();
            let w = (target * aspect).sqrt().round_ties_even();
            let h = (target / aspect).sqrt().round_ties_even();
            let (across, down) = (uniform(), uniform());
            if (1.0..=f64::from(width)).contains(&w) && (1.0..=f64::from(height)).contains(&h) {
                let (w, h) = (w as u32, h as u32);
                let offset = |room: u32, part: f64| (f64::from(room + 1) * part) as u32;
                return Region {
                    left: offset(width - w, across),
                    top: offset(height - h, down),
                    width: w,
                    height: h,
                };
            }
        }
        Region::central(width, height)
    }

    /// The largest central region whose aspect ratio is allowed.
    fn central(width: u32, height: u32) -> Region {
        let (w, h) = (f64::from(width), f64::from(height));
        let (w, h) = if w / h < RATIO[0] {
            (width, (w / RATIO[0]).round_ties_even() as u32)
        } else if w / h > RATIO[1] {
            ((h * RATIO[1]).round_ties_even() as u32, height)
        } else {
            (width, height)
        };
        Region {
            left: (width - w) / 2,
            top: (height - h) / 2,
            width: w,
            height: h,
        }
    }
}

impl ImageTransform {
    /// A view of an image in 8 bits, `size` pixels square.
    ///
    /// # Errors
    /// As [`Self::crop`]; a region is cut at the image's border.
    pub fn view(&self, image: &RgbImage, view: &View) -> Result<RgbImage> {
        let shown = match view.region {
            None => self.crop(image)?,
            Some(region) => {
                let part = crop_imm(image, region.left, region.top, region.width, region.height);
                let side = self.side(image.dimensions())?;
                resize(&part.to_image(), (side, side), self.filter)?
            }
        };
        Ok(match view.is_flipped {
            true => flip_horizontal(&shown),
            false => shown,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reproducible numbers in [0, 1).
    fn numbers() -> impl FnMut() -> f64 {
        let mut state = 1u64;
        move || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 11) as f64 / (1u64 << 53) as f64
        }
    }

    #[test]
    fn random_regions_lie_inside_and_keep_area_and_ratio() {
        let mut uniform = numbers();
        let mut smallest = f64::INFINITY;
        let mut largest = 0.0f64;
        for _ in 0..2000 {
            let region = Region::random((500, 375), [0.08, 1.0], &mut uniform);
            assert!(region.left + region.width <= 500 && region.top + region.height <= 375);
            let share = f64::from(region.width * region.height) / (500.0 * 375.0);
            let ratio = f64::from(region.width) / f64::from(region.height);
            // A side is rounded to a whole pixel.
            assert!((0.74..1.35).contains(&ratio), "{region:?}");
            smallest = smallest.min(share);
            largest = largest.max(share);
        }
        assert!((0.078..0.1).contains(&smallest), "{smallest}");
        assert!((0.9..1.0).contains(&largest), "{largest}");
    }

    #[test]
    fn an_image_in_which_no_region_fits_gives_its_centre() {
        let mut half = || 0.5;
        let wide = Region::random((1000, 9), [1.0, 1.0], &mut half);
        assert_eq!((wide.left, wide.width, wide.height), (494, 12, 9));
        let high = Region::random((9, 1000), [1.0, 1.0], &mut half);
        assert_eq!((high.top, high.width, high.height), (494, 9, 12));
    }

    #[test]
    fn views_are_cut_resized_and_flipped() {
        let image = RgbImage::from_fn(8, 4, |x, y| image::Rgb([x as u8 * 30, y as u8 * 60, 7]));
        let transform = ImageTransform::clip(4);
        let plain = transform.view(&image, &View::default()).unwrap();
        assert_eq!(plain, transform.crop(&image).unwrap());
        let region = Region {
            left: 4,
            top: 0,
            width: 4,
            height: 4,
        };
        let right = View {
            region: Some(region),
            is_flipped: false,
        };
        let found = transform.view(&image, &right).unwrap();
        assert_eq!(found, crop_imm(&image, 4, 0, 4, 4).to_image());
        let flipped = View {
            is_flipped: true,
            ..right
        };
        let found = transform.view(&image, &flipped).unwrap();
        assert_eq!(found.get_pixel(0, 0).0, [210, 0, 7]);
    }
}
