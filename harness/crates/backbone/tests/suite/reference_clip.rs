//! transformers' layout against candle-transformers' CLIP, an independent forward pass.

use harness_backbone::{Backbone, ReferenceClip};

use crate::common::{assert_close, backbone, noise};

#[test]
fn features_equal_those_of_candle_transformers() {
    let folder = backbone("hf-clip");
    let loaded = Backbone::load(&folder).unwrap();
    let reference = ReferenceClip::load(&folder).unwrap();

    let end = loaded.text().end_token();
    let rows = [vec![end - 1, 7, 8, end], vec![end - 1, 300, end]];
    let found = loaded.text().encode_ids(&rows).unwrap();
    let expected = reference.encode_ids(&rows).unwrap();
    assert_close("text", &found, &expected, 1e-5);

    let side = loaded.dims().image.image_size;
    let pixels = noise(1, &[2, 3, side, side]);
    let found = loaded.image().encode(&pixels).unwrap();
    let expected = reference.encode_pixels(&pixels).unwrap();
    assert_close("image", &found, &expected, 1e-5);
}

#[test]
fn what_candle_transformers_does_not_compute_is_refused() {
    for (name, reason) in [
        ("open-clip-quickgelu", "found layout open-clip"),
        ("open-clip-eva02", "found layout open-clip-eva02"),
    ] {
        let error = ReferenceClip::load(&backbone(name)).unwrap_err();
        assert!(error.to_string().contains(reason), "{error}");
    }
}
