//! Small data sets for the tests.

use std::path::Path;

use harness_data::Class;
use harness_data::sprite_sheet::{DatasetSpec, SplitTiles, Tiles, write};
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

/// The bytes of a small PNG that no other number has.
pub(crate) fn png(number: u32) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let pixels = RgbImage::from_pixel(2, 2, Rgb(number.to_be_bytes()[1..].try_into().unwrap()));
    pixels
        .write_to(&mut bytes, image::ImageFormat::Png)
        .unwrap();
    bytes.into_inner()
}

/// Writes a file, and the folders above it.
pub(crate) fn put(root: &Path, name: &str, content: impl AsRef<[u8]>) {
    let path = root.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, content).unwrap();
}

/// Writes a tar file of entries by name.
pub(crate) fn put_tar(root: &Path, name: &str, entries: &[(&str, &[u8])]) {
    let mut archive = tar::Builder::new(Vec::new());
    for (entry, content) in entries {
        let mut header = tar::Header::new_gnu();
        // Names that the builder itself would refuse are wanted too.
        let bytes = entry.as_bytes();
        header.as_old_mut().name[..bytes.len()].copy_from_slice(bytes);
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        archive.append(&header, *content).unwrap();
    }
    put(root, name, archive.into_inner().unwrap());
}

/// The default options with one change.
pub(crate) fn options(
    change: impl FnOnce(&mut harness_data::OpenOptions),
) -> harness_data::OpenOptions {
    let mut options = harness_data::OpenOptions::default();
    change(&mut options);
    options
}
