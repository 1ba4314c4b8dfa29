//! The image transform against PIL's and torchvision's.

use crate::common::{golden, tensors};
use harness_backbone::ImageTransform;

/// PNG decodes without loss, so the transform alone is compared.
#[test]
fn golden_png_pixels_agree_within_one_level() {
    let folder = golden().join("io");
    let mut compared = 0;
    for (key, expected) in tensors(&folder.join("preprocess.safetensors")) {
        let (file, size) = key.split_once('@').unwrap();
        if !file.ends_with(".png") {
            continue;
        }
        let image = image::open(folder.join(file)).unwrap().to_rgb8();
        let transform = ImageTransform::clip(size.parse().unwrap());
        let found = transform.apply(&image).unwrap();
        assert_eq!(found.dims(), expected.dims(), "{key}");
        let difference = (found - expected).unwrap();
        for (channel, std) in transform.std.iter().enumerate() {
            let worst = difference.get(channel).unwrap().abs().unwrap();
            let worst = crate::common::values(&worst)
                .into_iter()
                .fold(0f32, f32::max)
                * std;
            assert!(
                worst <= 1.0 / 255.0 + 1e-6,
                "{key}: {} levels",
                worst * 255.0
            );
        }
        compared += 1;
    }
    assert!(compared > 0, "no PNG among the reference images");
}
