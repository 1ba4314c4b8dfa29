//! Small data sets for the tests.

use std::path::Path;

use harness_data::Class;
use harness_data::sheet::{DatasetSpec, SplitTiles, Tiles, write};
use image::{Rgb, RgbImage};

/// A picture that no other seed has.
pub(crate) fn picture(width: u32, height: u32, seed: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let word = (seed.wrapping_mul(7919) ^ x.wrapping_mul(131) ^ y.wrapping_mul(17))
            .wrapping_mul(2_654_435_761);
        Rgb([word as u8, (word >> 8) as u8, seed as u8])
    })
}

pub(crate) fn spec() -> DatasetSpec {
    let class = |name: &str, id: &str| Class {
        name: name.to_owned(),
        id: id.to_owned(),
    };
    DatasetSpec {
        name: "toy".to_owned(),
        title: "A toy".to_owned(),
        license: "CC0-1.0".to_owned(),
        source: "drawn by the tests".to_owned(),
        shift_of: None,
        tile: (5, 4),
        columns: 3,
        classes: vec![class("missile", "n1"), class("missile", "n2")],
        templates: vec!["a picture of a {}.".to_owned()],
    }
}

pub(crate) fn split(spec: &DatasetSpec, labels: &[u32], seed: u32) -> SplitTiles {
    let (width, height) = spec.tile;
    SplitTiles {
        images: (0..labels.len() as u32)
            .map(|index| picture(width, height, seed + index))
            .collect(),
        labels: labels.to_vec(),
    }
}

pub(crate) fn tiles(spec: &DatasetSpec) -> Tiles {
    Tiles {
        train: split(spec, &[1, 0, 1, 0, 0, 1, 1], 0),
        val: split(spec, &[0, 1], 20),
        test: split(spec, &[1, 1, 0, 0], 40),
    }
}

/// Writes the toy data set with 7 training, 2 validation and 4 test images.
pub(crate) fn write_toy(dir: &Path) {
    let spec = spec();
    write(dir, &spec, &tiles(&spec)).expect("the toy data set can be written");
}
