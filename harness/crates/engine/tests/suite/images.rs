//! From images to features: the same whatever they are encoded with, and seeded views.

use std::{path::Path, sync::Arc};

use candle_core::Tensor;
use harness_backbone::Backbone;
use harness_data::{Dataset, Split};
use harness_engine::images::{Augment, ImageOptions, ImageSet, ImagesError, encode};

fn values(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

fn embedded(name: &str) -> std::path::PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../suites/embedded");
    root.join(name)
}

fn open() -> (Backbone, ImageSet) {
    let backbone = Backbone::load(&embedded("backbones/micro-eva-clip")).unwrap();
    let dataset = Arc::new(Dataset::open(&embedded("datasets/object-colours")).unwrap());
    let set = ImageSet::whole(dataset, backbone.transform().clone(), Split::Train);
    (backbone, set)
}

fn features(backbone: &Backbone, set: &ImageSet, view: u32) -> Vec<Vec<f32>> {
    let mut rows = vec![];
    let all = 0..set.len();
    let tower = backbone.image();
    encode::<ImagesError>(tower, set, view, &[all], |_, features| {
        rows.extend(features.to_vec2::<f32>()?);
        Ok(())
    })
    .unwrap();
    rows
}

#[test]
fn the_pipeline_gives_what_encoding_in_turn_gives() {
    let (backbone, set) = open();
    let piped = features(&backbone, &set, 0);
    assert_eq!(piped.len(), set.len());
    let mut plain = vec![];
    for first in (0..set.len()).step_by(64) {
        let pixels = set.pixels(first..set.len().min(first + 64), 0).unwrap();
        let features = backbone.image().encode(&pixels).unwrap();
        plain.extend(features.to_vec2::<f32>().unwrap());
    }
    assert_eq!(piped, plain);
}

#[test]
fn features_belong_to_the_image_whatever_its_company() {
    let (backbone, set) = open();
    let picks = [200, 3, 77, 3, 150];
    let all = features(&backbone, &set, 0);
    let few = features(&backbone, &set.clone().picked(&picks), 0);
    for (row, pick) in few.iter().zip(picks) {
        let far = row.iter().zip(&all[pick]).map(|(a, b)| (a - b).abs());
        // Sums are taken in another order for other batches.
        assert!(far.fold(0.0, f32::max) < 1e-5, "image {pick}");
    }
}

#[test]
fn views_are_drawn_from_seed_number_and_image_alone() {
    let (_, set) = open();
    for augment in [Augment::Flip, Augment::RandomResizedCrop] {
        let options = ImageOptions {
            augment,
            views: 3,
            ..ImageOptions::default()
        };
        let set = |seed| set.clone().augmented(options, seed);
        let pixels = |set: ImageSet, row, view| values(&set.pixels([row], view).unwrap());
        for row in 0..8 {
            let here = pixels(set(1), row, 1);
            assert_eq!(here, pixels(set(1).picked(&[5, row]), 1, 1));
        }
        let all = |seed, view| {
            let rows = set(seed).pixels(0..32, view).unwrap();
            values(&rows)
        };
        assert_ne!(all(1, 0), all(1, 1), "{augment:?}: another view");
        assert_ne!(all(1, 0), all(2, 0), "{augment:?}: another seed");
        assert!(set(1).pixels([0], 3).is_err(), "a view too many");
    }
    assert!(set.pixels([set.len()], 0).is_err(), "a row too many");
}

#[test]
fn half_of_the_views_are_flipped() {
    let (_, set) = open();
    let options = ImageOptions {
        augment: Augment::Flip,
        ..ImageOptions::default()
    };
    let flipping = set.clone().augmented(options, 1);
    let count = 200;
    let same = (0..count).filter(|row| {
        let flipped = |t: &Tensor| values(t);
        flipped(&set.pixels([*row], 0).unwrap()) == flipped(&flipping.pixels([*row], 0).unwrap())
    });
    let same = same.count();
    assert!((80..120).contains(&same), "{same} of {count} unchanged");
}
