//! Draws a data set of the picture world and writes its sheets.

use std::path::Path;

use harness_data::Class;
use harness_data::sprite_sheet::{self, DatasetSpec, SplitTiles, Tiles};
use image::RgbImage;
use rayon::prelude::*;

use super::definition::Definition;
use crate::error::EmbeddedError;
use crate::stream::stream;
use crate::world::{SIDE, Scene, draw};

/// Pictures per class of the validation split.
const VAL: usize = 16;
/// Least number of test pictures.
const TEST: usize = 2_000;

/// Draws `definition` and writes it to `folder/<name>`.
pub(crate) fn write_drawn(definition: &Definition, folder: &Path) -> Result<(), EmbeddedError> {
    let classes = definition.class_count();
    let tiles = Tiles {
        train: split(definition, 0, definition.train * classes),
        val: split(
            definition,
            1,
            if definition.shift_of.is_some() {
                0
            } else {
                VAL * classes
            },
        ),
        test: split(definition, 2, TEST.div_ceil(classes) * classes),
    };
    let class = |name: String| Class {
        id: name.replace(' ', "-"),
        name,
    };
    let spec = DatasetSpec {
        name: definition.name.to_owned(),
        title: definition.title.to_owned(),
        license: "MIT OR Apache-2.0".to_owned(),
        source: format!("drawn by harness-pack, seed {}", definition.seed),
        shift_of: definition.shift_of.map(str::to_owned),
        tile: (SIDE as u32, SIDE as u32),
        columns: 50,
        classes: (0..classes)
            .map(|c| class(definition.class_name(c)))
            .collect(),
        templates: vec![definition.template.to_owned()],
    };
    Ok(sprite_sheet::write(
        &folder.join(definition.name),
        &spec,
        &tiles,
    )?)
}

/// `count` pictures, the classes taking turns.
fn split(definition: &Definition, part: u64, count: usize) -> SplitTiles {
    let classes = definition.class_count();
    let image = |index: usize| {
        let mut rng = stream(definition.seed, (part << 32) + index as u64);
        let scene = Scene::figures(definition.wish(index % classes), &mut rng);
        RgbImage::from_fn(SIDE as u32, SIDE as u32, {
            let pixels = draw(&scene);
            move |x, y| {
                let at = (y as usize * SIDE + x as usize) * 3;
                image::Rgb([pixels[at], pixels[at + 1], pixels[at + 2]])
            }
        })
    };
    SplitTiles {
        images: (0..count).into_par_iter().map(image).collect(),
        labels: (0..count).map(|index| (index % classes) as u32).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::DEFINITIONS;

    #[test]
    fn labels_are_balanced_and_pictures_differ() {
        for definition in DEFINITIONS {
            let classes = definition.class_count();
            let part = split(&definition, 2, classes * 3);
            let mut counts = vec![0; classes];
            part.labels
                .iter()
                .for_each(|label| counts[*label as usize] += 1);
            assert!(
                counts.iter().all(|count| *count == 3),
                "{}",
                definition.name
            );
            for (i, image) in part.images.iter().enumerate() {
                assert!(
                    !part.images[..i].contains(image),
                    "{} {i} twice",
                    definition.name
                );
            }
        }
    }

    #[test]
    fn splits_share_no_picture() {
        let definition = DEFINITIONS[0];
        let train = split(&definition, 0, 120);
        let test = split(&definition, 2, 120);
        assert!(
            train
                .images
                .iter()
                .all(|image| !test.images.contains(image))
        );
    }
}
