//! Real pictures: handwritten digits, scanned, from the UCI repository.

use std::path::Path;

use harness_data::Class;
use harness_data::sprite_sheet::{self, DatasetSpec, SplitTiles, Tiles};
use image::{Rgb, RgbImage};
use rand::seq::SliceRandom;

use crate::caption::NUMBERS;
use crate::error::PackError;
use crate::stream::stream;

const SIDE: usize = 8;
/// Pixels of a scan are counts of 0 to 16 inked dots.
const MOST: u32 = 16;
const SEED: u64 = 201;
const TEST: usize = 1_000;
const VAL: usize = 100;

/// Reads scikit-learn's `digits.csv` (64 pixels and the digit per line) and writes
/// `folder/digits`.
pub(crate) fn write_digits(csv: &Path, folder: &Path) -> Result<(), PackError> {
    let text = fs_err::read_to_string(csv)?;
    let mut scans = text
        .lines()
        .enumerate()
        .map(|(line, text)| scan(text).map_err(|reason| PackError::digits(csv, line + 1, reason)))
        .collect::<Result<Vec<_>, _>>()?;
    if scans.len() < TEST + VAL + 160 {
        let reason = format!("expected 1797 lines, found {}", scans.len());
        return Err(PackError::digits(csv, scans.len(), reason));
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
fn scan(line: &str) -> Result<(RgbImage, u32), String> {
    let values = line
        .split(',')
        .map(|field| {
            field
                .trim()
                .parse::<u32>()
                .map_err(|_| format!("`{field}` is no count"))
        })
        .collect::<Result<Vec<_>, _>>()?;
    let Some((digit, pixels)) = values.split_last().filter(|(_, p)| p.len() == SIDE * SIDE) else {
        return Err(format!("expected 65 numbers, found {}", values.len()));
    };
    if *digit > 9 || pixels.iter().any(|p| *p > MOST) {
        return Err("expected pixels of 0 to 16 and a digit of 0 to 9".to_owned());
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
        assert!(scan("1,2,3").is_err_and(|reason| reason.contains("65")));
        assert!(scan("1,x").is_err_and(|reason| reason.contains("`x`")));
        let line = vec!["17"; 65].join(",");
        assert!(scan(&line).is_err_and(|reason| reason.contains("0 to 16")));
    }
}
