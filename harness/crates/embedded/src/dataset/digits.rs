//! Real pictures: handwritten digits, scanned, from the UCI repository.

use std::path::Path;

use harness_data::Class;
use harness_data::sprite_sheet::{self, DatasetSpec, SplitTiles, Tiles};
use image::{Rgb, RgbImage};
use rand::seq::SliceRandom;

use crate::caption::NUMBERS;
use crate::error::{DigitError, EmbeddedError};
use crate::stream::stream;

const SIDE: usize = 8;
/// Pixels of a scan are counts of 0 to 16 inked dots.
const MOST: u32 = 16;
const SEED: u64 = 201;
const TEST: usize = 1_000;
const VAL: usize = 100;

/// Reads scikit-learn's `digits.csv` (64 pixels and the digit per line) and writes
/// `folder/digits`.
pub(crate) fn write_digits(csv: &Path, folder: &Path) -> Result<(), EmbeddedError> {
    let text = fs_err::read_to_string(csv)?;
    let mut scans = text
        .lines()
        .enumerate()
        .map(|(line, text)| scan(text).map_err(|error| EmbeddedError::digits(csv, line + 1, error)))
        .collect::<Result<Vec<_>, _>>()?;
    if scans.len() < TEST + VAL + 160 {
        let found = scans.len();
        let error = DigitError::Lines {
            expected: 1797,
            found,
        };
        return Err(EmbeddedError::digits(csv, found, error));
    }
    scans.shuffle(&mut stream(SEED, 0));
    let rest = scans.split_off(TEST);
    let (val, train) = rest.split_at(VAL);
    let tiles = Tiles {
        train: tiles(train),
        val: tiles(val),
        test: tiles(&scans),
    };
    let spec = DatasetSpec {
        name: "digits".to_owned(),
        title: "Handwritten digits, scanned".to_owned(),
        license: "CC BY 4.0".to_owned(),
        source: "E. Alpaydin, C. Kaynak: Optical Recognition of Handwritten Digits, UCI Machine \
                 Learning Repository, 1998, doi:10.24432/C50P49; the copy in scikit-learn"
            .to_owned(),
        shift_of: None,
        tile: (SIDE as u32, SIDE as u32),
        columns: 40,
        classes: NUMBERS
            .map(|n| Class {
                name: n.to_owned(),
                id: n.to_owned(),
            })
            .to_vec(),
        templates: vec!["a picture of a {} .".to_owned()],
    };
    Ok(sprite_sheet::write(&folder.join("digits"), &spec, &tiles)?)
}

/// Light strokes on black, and the digit.
fn scan(line: &str) -> Result<(RgbImage, u32), DigitError> {
    let values = line
        .split(',')
        .map(|field| {
            field
                .trim()
                .parse::<u32>()
                .map_err(|_| DigitError::NotANumber(field.trim().to_owned()))
        })
        .collect::<Result<Vec<_>, _>>()?;
    let Some((digit, pixels)) = values.split_last().filter(|(_, p)| p.len() == SIDE * SIDE) else {
        return Err(DigitError::Length(values.len()));
    };
    if *digit > 9 || pixels.iter().any(|p| *p > MOST) {
        return Err(DigitError::Range);
    }
    let grey = |at: usize| (pixels[at] * 255 / MOST) as u8;
    let image = RgbImage::from_fn(SIDE as u32, SIDE as u32, |x, y| {
        Rgb([grey(y as usize * SIDE + x as usize); 3])
    });
    Ok((image, *digit))
}

fn tiles(scans: &[(RgbImage, u32)]) -> SplitTiles {
    SplitTiles {
        images: scans.iter().map(|(image, _)| image.clone()).collect(),
        labels: scans.iter().map(|(_, digit)| *digit).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_sixty_four_pixels_and_a_digit() {
        let line = (0..64)
            .map(|i| (i % 17).to_string())
            .collect::<Vec<_>>()
            .join(",");
        let (image, digit) = scan(&format!("{line},7")).expect("well formed");
        assert_eq!(digit, 7);
        assert_eq!(image.get_pixel(0, 2).0, [255; 3]);
        assert_eq!(image.get_pixel(1, 0).0, [15; 3]);
    }

    #[test]
    fn malformed_lines_say_what_is_wrong() {
        assert_eq!(scan("1,2,3").unwrap_err(), DigitError::Length(3));
        let error = scan("1,x").unwrap_err();
        assert_eq!(error, DigitError::NotANumber("x".to_owned()));
        let line = vec!["17"; 65].join(",");
        assert_eq!(scan(&line).unwrap_err(), DigitError::Range);
    }
}
