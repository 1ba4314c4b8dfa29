//! What a picture shows, drawn at random.

use rand::Rng;

use super::attribute::{Attribute, Labels};
use super::canvas::SIDE;
use super::digit::Glyph;
use super::palette::{Rgb, second_tone, shade};
use super::place;
use super::style::Style;

/// Shapes of one kind, all alike.
pub(crate) struct Figures {
    pub(crate) shape: usize,
    pub(crate) texture: usize,
    /// Centre in pixels and turn in radians of each.
    pub(crate) places: Vec<((f32, f32), f32)>,
    pub(crate) radius: f32,
    /// Length of one repetition of the texture, pixels.
    pub(crate) period: f32,
    pub(crate) ink: [Rgb; 2],
    pub(crate) salt: u32,
}

/// A printed digit.
pub(crate) struct Print {
    pub(crate) glyph: Glyph,
    pub(crate) ink: Rgb,
    /// Drawn as a scan of 8 x 8 pixels and enlarged.
    pub(crate) coarse: bool,
}

pub(crate) enum Subject {
    Figures(Figures),
    Print(Print),
}

/// A picture before it is drawn, with everything that is true of it.
pub(crate) struct Scene {
    pub(crate) subject: Subject,
    pub(crate) paper: Rgb,
    pub(crate) style: Style,
    pub(crate) labels: Labels,
    pub(crate) noise_seed: u64,
}

/// What a scene must show; everything else is left to chance.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Wish {
    pub(crate) shape: Option<usize>,
    pub(crate) colour: Option<usize>,
    pub(crate) background: Option<usize>,
    pub(crate) texture: Option<usize>,
    pub(crate) count: Option<usize>,
    pub(crate) position: Option<usize>,
    pub(crate) size: Option<usize>,
    pub(crate) style: Option<Style>,
}

/// Share of printed digits among all pictures of pre-training.
const PRINTS: f64 = 0.16;

impl Scene {
    /// Any scene of the world.
    pub(crate) fn any(rng: &mut impl Rng) -> Self {
        if rng.random_bool(PRINTS) {
            return Self::print(rng.random_range(0..10), rng);
        }
        Self::figures(Wish::default(), rng)
    }

    /// A scene of shapes that fulfils the wish.
    pub(crate) fn figures(wish: Wish, rng: &mut impl Rng) -> Self {
        let style = wish.style.unwrap_or_else(|| Style::any(rng));
        let (colour, background) = two_colours(wish.colour, wish.background, rng);
        let shape = wish.shape.unwrap_or_else(|| rng.random_range(0..12));
        let texture = wish.texture.unwrap_or_else(|| {
            if rng.random_bool(0.3) {
                0
            } else {
                rng.random_range(1..10)
            }
        });
        let count = wish.count.unwrap_or_else(|| {
            let lone = wish.position.is_some() || wish.size.is_some() || rng.random_bool(0.7);
            if lone { 0 } else { rng.random_range(1..6) }
        });
        let mut labels = Labels::default();
        labels.set(Attribute::Count, count);
        labels.set(Attribute::Style, style as usize);
        labels.set(Attribute::Shape, shape);
        let turn = |rng: &mut _| small_turn(shape, rng);
        let (places, radius) = if count == 0 {
            let size = wish.size.unwrap_or_else(|| match wish.position {
                Some(_) => rng.random_range(0..2),
                None => [0, 1, 2, 2, 2][rng.random_range(0..5)],
            });
            let position = match wish.position {
                Some(position) => position,
                None if size == 2 => 4,
                None => rng.random_range(0..9),
            };
            let radius = place::radius(size, rng);
            labels.set(Attribute::Size, size);
            labels.set(Attribute::Position, position);
            (
                vec![(place::cell_centre(position, radius, rng), turn(rng))],
                radius,
            )
        } else {
            let centres = place::scatter(count + 1, rng);
            let places = centres.into_iter().map(|at| (at, turn(rng))).collect();
            (places, place::scattered_radius(rng))
        };
        if style.keeps_texture() && radius > 7.0 {
            labels.set(Attribute::Texture, texture);
        }
        if style.keeps_colour() {
            labels.set(Attribute::Colour, colour);
            labels.set(Attribute::Background, background);
        }
        let first = shade(colour, rng);
        let figures = Figures {
            shape,
            texture,
            places,
            radius,
            period: (radius * rng.random_range(0.42..0.62)).max(3.4),
            ink: [first, second_tone(first)],
            salt: rng.random(),
        };
        let paper = shade(background, rng);
        let subject = Subject::Figures(figures);
        Self {
            subject,
            paper,
            style,
            labels,
            noise_seed: rng.random(),
        }
    }

    /// A printed digit, mostly light on dark or dark on light as on paper.
    pub(crate) fn print(digit: usize, rng: &mut impl Rng) -> Self {
        let (colour, background) = match rng.random_range(0..10) {
            0..5 => (9, 11),
            5..7 => (11, 9),
            _ => two_colours(None, None, rng),
        };
        let style = match rng.random_range(0..10) {
            0 => Style::Noisy,
            1 => Style::Blurred,
            _ => Style::Photo,
        };
        let mut labels = Labels::default();
        labels.set(Attribute::Digit, digit);
        labels.set(Attribute::Colour, colour);
        labels.set(Attribute::Background, background);
        labels.set(Attribute::Style, style as usize);
        let print = Print {
            glyph: Glyph::any(digit, SIDE as f32, rng),
            ink: shade(colour, rng),
            coarse: rng.random_bool(0.4),
        };
        let paper = shade(background, rng);
        let subject = Subject::Print(print);
        Self {
            subject,
            paper,
            style,
            labels,
            noise_seed: rng.random(),
        }
    }
}

/// Two different colours, each as wished or by chance.
fn two_colours(ink: Option<usize>, paper: Option<usize>, rng: &mut impl Rng) -> (usize, usize) {
    let other = |taken: usize, rng: &mut _| (taken + Rng::random_range(rng, 1..12)) % 12;
    match (ink, paper) {
        (Some(ink), Some(paper)) => (ink, paper),
        (Some(ink), None) => (ink, other(ink, rng)),
        (None, Some(paper)) => (other(paper, rng), paper),
        (None, None) => {
            let ink = rng.random_range(0..12);
            (ink, other(ink, rng))
        }
    }
}

/// Shapes stand upright but for a few degrees, so that a square stays a square.
fn small_turn(shape: usize, rng: &mut impl Rng) -> f32 {
    let most: f32 = if matches!(shape, 2 | 4) { 0.12 } else { 0.22 };
    rng.random_range(-most..most)
}
