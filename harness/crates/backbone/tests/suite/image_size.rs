//! Backbones at another resolution, against open_clip and timm.

use std::path::Path;

use harness_backbone::{Architecture, Backbone};

use crate::common::{assert_close, backbone, tensors};

#[test]
fn golden_image_features_at_other_sizes() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/image-size");
    let expected = tensors(&fixtures.join("expected.safetensors"));
    let mut compared = 0;
    for (key, pixels) in expected.iter() {
        let Some(case) = key.strip_suffix(".pixels") else {
            continue;
        };
        let (name, size) = case.split_once('@').unwrap();
        let size = size.parse().unwrap();
        let loaded = Backbone::load_at(&backbone(name), Some(size)).unwrap();
        assert_eq!(loaded.transform().size, size);
        assert_eq!(loaded.dims().image.image_size, size);
        let found = loaded.image().encode(pixels).unwrap();
        assert_close(case, &found, &expected[&format!("{case}.features")], 1e-4);
        compared += 1;
    }
    assert_eq!(compared, 6);
}

#[test]
fn every_layout_can_be_resized_and_only_to_whole_patches() {
    for source in crate::common::backbones() {
        Backbone::check_at(&source, Some(40)).unwrap();
        let architecture = Architecture::at(&source, Some(40)).unwrap();
        assert_eq!(architecture.dims.image.patches, 25);
        assert!(architecture.notes[0].contains("from 32 to 40 pixels"));
        assert!(
            Architecture::at(&source, Some(32))
                .unwrap()
                .notes
                .is_empty()
        );
        for size in [0, 4, 36] {
            let message = Backbone::check_at(&source, Some(size)).unwrap_err();
            assert!(message.to_string().contains("patch size 8"), "{message}");
        }
    }
}
