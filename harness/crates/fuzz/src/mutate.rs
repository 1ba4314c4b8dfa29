//! Mutations of bytes.

use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

use crate::readers::Shape;
use crate::{json, text};

/// Bytes beyond which no input grows.
const LONGEST: usize = 4 << 20;

/// Changes an input a few times, as its shape allows; now and then as mere bytes.
pub(crate) fn mutate(shape: Shape, input: Vec<u8>, rng: &mut ChaCha8Rng) -> Vec<u8> {
    let mut input = input;
    for _ in 0..rng.random_range(1..=4) {
        input = match shape {
            _ if rng.random_ratio(1, 4) => bytes(input, rng),
            Shape::Text => text::mutate(input, rng),
            Shape::Json => json::mutate(input, rng),
            Shape::Safetensors => safetensors(input, rng),
            Shape::Binary => bytes(input, rng),
        };
        input.truncate(LONGEST);
    }
    input
}

fn bytes(mut input: Vec<u8>, rng: &mut ChaCha8Rng) -> Vec<u8> {
    if input.is_empty() {
        return vec![rng.random()];
    }
    let at = rng.random_range(0..input.len());
    let length = rng.random_range(1..=64).min(input.len() - at);
    match rng.random_range(0..8) {
        0 => input[at] ^= 1 << rng.random_range(0..8),
        1 => input[at] = *[0, 1, 0x7f, 0x80, 0xff].choose(rng).unwrap_or(&0),
        2 => input.truncate(at),
        3 => drop(input.drain(at..at + length)),
        4 => {
            let piece = input[at..at + length].to_vec();
            let to = rng.random_range(0..=input.len());
            input.splice(to..to, piece);
        }
        5 => {
            let noise: Vec<u8> = (0..length).map(|_| rng.random()).collect();
            input.splice(at..at + length, noise);
        }
        6 => {
            // Lengths and offsets, wherever they are.
            let extreme: u64 = *[0, 1, u32::MAX.into(), 1 << 40, i64::MAX as u64, u64::MAX]
                .choose(rng)
                .unwrap_or(&0);
            let width = *[1, 2, 4, 8].choose(rng).unwrap_or(&4);
            let extreme = &extreme.to_le_bytes()[..width.min(input.len() - at)];
            input[at..at + extreme.len()].copy_from_slice(extreme);
        }
        _ => input.swap(at, 0),
    }
    input
}

/// Changes the header and repairs its length, or makes a length that lies.
fn safetensors(input: Vec<u8>, rng: &mut ChaCha8Rng) -> Vec<u8> {
    let length = input.first_chunk().map(|bytes| u64::from_le_bytes(*bytes));
    let end = length
        .and_then(|length| usize::try_from(length).ok()?.checked_add(8))
        .filter(|end| *end <= input.len());
    let Some(end) = end else {
        return bytes(input, rng);
    };
    let header = json::mutate(input[8..end].to_vec(), rng);
    let mut stated = header.len() as u64;
    if rng.random_ratio(1, 10) {
        stated = *[0, 1, stated / 2, stated + 8, u64::MAX]
            .choose(rng)
            .unwrap_or(&0);
    }
    [&stated.to_le_bytes()[..], &header, &input[end..]].concat()
}
