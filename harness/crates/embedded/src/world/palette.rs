//! Twelve colours, each a small cloud around a centre.

use rand::Rng;

/// Linear mixing is not needed at this size; channels are sRGB in `0.0..=1.0`.
pub(crate) type Rgb = [f32; 3];

/// Order: red, orange, yellow, green, cyan, blue, purple, pink, brown, white, grey, black.
const CENTRES: [Rgb; 12] = [
    [0.86, 0.12, 0.12],
    [0.96, 0.52, 0.08],
    [0.95, 0.88, 0.14],
    [0.15, 0.65, 0.20],
    [0.15, 0.80, 0.82],
    [0.14, 0.26, 0.84],
    [0.52, 0.16, 0.68],
    [0.97, 0.56, 0.74],
    [0.46, 0.28, 0.12],
    [0.96, 0.96, 0.96],
    [0.55, 0.55, 0.55],
    [0.06, 0.06, 0.06],
];

/// Half the width of the cloud around each centre, per channel.
const SPREAD: f32 = 0.07;

/// A shade of the given colour.
pub(crate) fn shade(colour: usize, rng: &mut impl Rng) -> Rgb {
    CENTRES[colour].map(|c| (c + rng.random_range(-SPREAD..SPREAD)).clamp(0.0, 1.0))
}

/// A second tone for textures: clearly darker, or clearly lighter where the first is dark.
pub(crate) fn second_tone(first: Rgb) -> Rgb {
    let light = first.iter().sum::<f32>() / 3.0;
    if light > 0.30 {
        first.map(|c| c * 0.45)
    } else {
        first.map(|c| c + (1.0 - c) * 0.45)
    }
}

pub(crate) fn mix(a: Rgb, b: Rgb, share_of_b: f32) -> Rgb {
    [0, 1, 2].map(|i| a[i] + (b[i] - a[i]) * share_of_b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::stream;

    #[test]
    fn shades_stay_nearest_to_their_own_colour() {
        let mut rng = stream(1, 0);
        for colour in 0..CENTRES.len() {
            for _ in 0..200 {
                let shade = shade(colour, &mut rng);
                let distance = |i: &usize| -> f32 {
                    CENTRES[*i]
                        .iter()
                        .zip(shade)
                        .map(|(a, b)| (a - b).powi(2))
                        .sum()
                };
                let nearest = (0..CENTRES.len()).min_by(|a, b| distance(a).total_cmp(&distance(b)));
                assert_eq!(nearest, Some(colour));
            }
        }
    }

    #[test]
    fn the_second_tone_can_be_told_from_the_first() {
        for centre in CENTRES {
            let second = second_tone(centre);
            let apart: f32 = centre.iter().zip(second).map(|(a, b)| (a - b).abs()).sum();
            assert!(apart > 0.4, "{centre:?} and {second:?}");
        }
    }
}
