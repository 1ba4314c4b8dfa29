//! The image transform against PIL's and torchvision's.

use crate::common::{golden, tensors, values};
use harness_backbone::ImageTransform;

/// Levels of 255 by which JPEG pixels may differ from those of libjpeg-turbo's decoder after
/// resizing: at most, and in the mean. Measured on 21 JPEGs of seven sizes and three qualities.
const JPEG_LEVELS: (f32, f32) = (4.0, 0.6);

/// Where a PNG has its colour type, the bits of which palettes and alpha have one that grey and RGB
/// have not, and where it has its bits per sample. open_clip, which made the expected pixels, converts
/// such images to RGB after resizing and CoOp, as the data sets here, before; `preprocessing.rs`
/// compares those.
const COLOUR_TYPE: usize = 25;
const PALETTE_OR_ALPHA: u8 = 0b101;
const DEPTH: usize = 24;

#[test]
fn golden_pixels_of_every_file_and_size() {
    let folder = golden().join("io");
    let mut compared = [0, 0];
    let mut beyond = vec![];
    for (key, expected) in tensors(&folder.join("preprocess.safetensors")) {
        let (file, size) = key.split_once('@').unwrap();
        let bytes = fs_err::read(folder.join(file)).unwrap();
        let is_png = bytes.starts_with(b"\x89PNG");
        if is_png && (bytes[COLOUR_TYPE] & PALETTE_OR_ALPHA != 0 || bytes[DEPTH] == 1) {
            continue;
        }
        let transform = ImageTransform::clip(size.parse().unwrap());
        let image = image::load_from_memory(&bytes).unwrap().into_rgb8();
        let found = transform.apply(&image).unwrap();
        assert_eq!(found.dims(), expected.dims(), "{key}");
        let difference = (found - expected).unwrap();
        for (channel, std) in transform.std.iter().enumerate() {
            let levels = difference.get(channel).unwrap().abs().unwrap();
            let levels: Vec<f32> = values(&levels)
                .iter()
                .map(|far| far * std * 255.0)
                .collect();
            let worst = levels.iter().copied().fold(0f32, f32::max);
            let mean = levels.iter().sum::<f32>() / levels.len() as f32;
            println!("{key}: {worst:.2} levels at most, {mean:.3} in the mean");
            let limit = if is_png { (0.0, 0.0) } else { JPEG_LEVELS };
            let fits = worst <= limit.0 + 1e-3 && mean <= limit.1 + 1e-3;
            beyond.extend((!fits).then(|| format!("{key}: {worst}, in the mean {mean}")));
        }
        compared[usize::from(is_png)] += 1;
    }
    assert!(compared.iter().all(|count| *count > 0), "{compared:?}");
    assert!(beyond.is_empty(), "{beyond:#?}");
}

#[test]
fn an_image_of_the_right_size_is_only_normalised() {
    let transform = ImageTransform::clip(4);
    let image =
        image::RgbImage::from_fn(4, 4, |x, y| image::Rgb([x as u8 * 60, y as u8 * 60, 255]));
    assert_eq!(transform.crop(&image).unwrap(), image);
    let pixels = values(&transform.apply(&image).unwrap());
    let restored = |at: usize, channel: usize| {
        255.0 * (pixels[at] * transform.std[channel] + transform.mean[channel])
    };
    assert!((restored(3, 0) - 180.0).abs() < 1e-3);
    assert!((restored(16 + 4, 1) - 60.0).abs() < 1e-3);
    assert!((restored(32, 2) - 255.0).abs() < 1e-3);
}

#[test]
fn the_centre_is_cropped_with_ties_to_even() {
    // 4 x 9 at size 4: five rows too many, so the crop starts at round(2.5) = 2.
    let image = image::RgbImage::from_fn(4, 9, |_, y| image::Rgb([y as u8; 3]));
    let cropped = ImageTransform::clip(4).crop(&image).unwrap();
    assert_eq!(cropped.get_pixel(0, 0).0, [2; 3]);
    // 4 x 7: three rows too many, round(1.5) = 2.
    let image = image::RgbImage::from_fn(4, 7, |_, y| image::Rgb([y as u8; 3]));
    let cropped = ImageTransform::clip(4).crop(&image).unwrap();
    assert_eq!(cropped.get_pixel(0, 0).0, [2; 3]);
}

#[test]
fn images_that_cannot_be_resized_are_refused() {
    let transform = ImageTransform::clip(224);
    assert!(transform.apply(&image::RgbImage::new(0, 5)).is_err());
    assert!(transform.apply(&image::RgbImage::new(1, 60_000)).is_err());
}
