//! The image transform against PIL's and torchvision's.

use crate::common::{golden, tensors, values};
use harness_backbone::ImageTransform;

/// Whether a file is a grey or RGB PNG: it decodes without loss, and the references resize it in the
/// same channels. Images with alpha or a palette they resize before converting, CoOp's reader after.
fn is_plain_png(file: &[u8]) -> bool {
    // The colour type of the IHDR chunk.
    file.starts_with(b"\x89PNG") && matches!(file.get(25), Some(0 | 2))
}

#[test]
fn golden_png_pixels_agree_within_one_level() {
    let folder = golden().join("io");
    let mut compared = 0;
    for (key, expected) in tensors(&folder.join("preprocess.safetensors")) {
        let (file, size) = key.split_once('@').unwrap();
        let bytes = fs_err::read(folder.join(file)).unwrap();
        if !is_plain_png(&bytes) {
            continue;
        }
        let image = image::load_from_memory(&bytes).unwrap().to_rgb8();
        let transform = ImageTransform::clip(size.parse().unwrap());
        let found = transform.apply(&image).unwrap();
        assert_eq!(found.dims(), expected.dims(), "{key}");
        let difference = (found - expected).unwrap();
        for (channel, std) in transform.std.iter().enumerate() {
            let worst = difference.get(channel).unwrap().abs().unwrap();
            let worst = values(&worst).into_iter().fold(0f32, f32::max) * std;
            assert!(
                worst <= 1.0 / 255.0 + 1e-6,
                "{key}: {} levels",
                worst * 255.0
            );
        }
        compared += 1;
    }
    assert!(compared > 0, "no plain PNG among the reference images");
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
