//! From a scene to pixels.

use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

use super::canvas::SIDE;
use super::palette::{Rgb, mix};
use super::scene::{Figures, Scene, Subject};
use super::shape;
use super::style::Style;
use super::texture;
use crate::stream::stream;

/// Rows of pixels, three bytes each.
pub(crate) type Picture = Vec<u8>;

/// Samples per pixel and axis: edges get five levels of grey, which also keeps sheets small.
const SAMPLES: usize = 2;

/// Draws the scene; the same scene gives the same bytes.
pub(crate) fn draw(scene: &Scene) -> Picture {
    let mut pixels: Vec<Rgb> = (0..SIDE * SIDE)
        .map(|i| {
            let mut sum = [0.0; 3];
            for s in 0..SAMPLES * SAMPLES {
                let offset = |k: usize| (k as f32 + 0.5) / SAMPLES as f32;
                let x = (i % SIDE) as f32 + offset(s % SAMPLES);
                let y = (i / SIDE) as f32 + offset(s / SAMPLES);
                let sample = sample(scene, x, y);
                sum = [0, 1, 2].map(|c| sum[c] + sample[c]);
            }
            sum.map(|v| v / (SAMPLES * SAMPLES) as f32)
        })
        .collect();
    if matches!(&scene.subject, Subject::Print(print) if print.coarse) {
        pixels = enlarged(&shrunk(&pixels));
    }
    restyle(scene, &mut pixels);
    pixels
        .iter()
        .flatten()
        .map(|v| (v.clamp(0.0, 1.0) * 255.0).round() as u8)
        .collect()
}

fn sample(scene: &Scene, x: f32, y: f32) -> Rgb {
    match &scene.subject {
        Subject::Print(print) if print.glyph.distance(x, y) < 0.0 => print.ink,
        Subject::Print(_) => scene.paper,
        Subject::Figures(figures) => figure_at(figures, scene.style, x, y).unwrap_or(scene.paper),
    }
}

/// The ink at a point, if a shape covers it.
fn figure_at(figures: &Figures, style: Style, x: f32, y: f32) -> Option<Rgb> {
    figures.places.iter().find_map(|((cx, cy), turn)| {
        let (sin, cos) = turn.sin_cos();
        let (dx, dy) = (x - cx, y - cy);
        let (u, v) = (cos * dx + sin * dy, cos * dy - sin * dx);
        let r = figures.radius;
        let distance = shape::distance(figures.shape, u / r, v / r) * r;
        if style == Style::Outline {
            let pen = if r < 6.0 { 0.6 } else { 0.9 };
            return (distance.abs() < pen).then_some(figures.ink[0]);
        }
        let share = || texture::tone(figures.texture, u, v, figures.period, figures.salt);
        (distance < 0.0).then(|| mix(figures.ink[0], figures.ink[1], share()))
    })
}

/// Means of 4 x 4 blocks.
fn shrunk(pixels: &[Rgb]) -> Vec<Rgb> {
    let side = SIDE / 4;
    let mut small = vec![[0.0; 3]; side * side];
    for (i, pixel) in pixels.iter().enumerate() {
        let block = &mut small[(i / SIDE / 4) * side + (i % SIDE) / 4];
        *block = [0, 1, 2].map(|c| block[c] + pixel[c] / 16.0);
    }
    small
}

/// Bilinear, with the edge repeated.
fn enlarged(small: &[Rgb]) -> Vec<Rgb> {
    let side = SIDE / 4;
    let axis = |i: usize| {
        let at = ((i as f32 + 0.5) / 4.0 - 0.5).clamp(0.0, (side - 1) as f32);
        (at as usize, (at as usize + 1).min(side - 1), at.fract())
    };
    (0..SIDE * SIDE)
        .map(|i| {
            let ((x0, x1, fx), (y0, y1, fy)) = (axis(i % SIDE), axis(i / SIDE));
            let row = |y: usize| mix(small[y * side + x0], small[y * side + x1], fx);
            mix(row(y0), row(y1), fy)
        })
        .collect()
}

fn restyle(scene: &Scene, pixels: &mut Vec<Rgb>) {
    let mut rng = stream(scene.noise_seed, 0);
    match scene.style {
        Style::Photo | Style::Outline => {}
        Style::Negative => pixels.iter_mut().for_each(|p| *p = p.map(|v| 1.0 - v)),
        Style::Grey => pixels.iter_mut().for_each(|p| {
            *p = [0.299 * p[0] + 0.587 * p[1] + 0.114 * p[2]; 3];
        }),
        Style::Noisy => {
            let strength = rng.random_range(0.08..0.18);
            for value in pixels.iter_mut().flatten() {
                let noise: f32 = StandardNormal.sample(&mut rng);
                *value += strength * noise;
            }
        }
        Style::Blurred => {
            for _ in 0..2 {
                *pixels = blurred(pixels);
            }
        }
    }
}

/// Mean of 3 x 3 neighbours, fewer at the edge.
fn blurred(pixels: &[Rgb]) -> Vec<Rgb> {
    (0..SIDE * SIDE)
        .map(|i| {
            let near = |at: usize| at.saturating_sub(1)..(at + 2).min(SIDE);
            let (mut sum, mut count) = ([0.0; 3], 0.0);
            for y in near(i / SIDE) {
                for x in near(i % SIDE) {
                    sum = [0, 1, 2].map(|c| sum[c] + pixels[y * SIDE + x][c]);
                    count += 1.0;
                }
            }
            sum.map(|v| v / count)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::{Attribute, Wish};
    use super::*;

    #[test]
    fn the_same_stream_draws_the_same_bytes() {
        for index in 0..40 {
            let once = draw(&Scene::any(&mut stream(5, index)));
            assert_eq!(once, draw(&Scene::any(&mut stream(5, index))));
            assert_eq!(once.len(), SIDE * SIDE * 3);
            assert_ne!(once, draw(&Scene::any(&mut stream(6, index))));
        }
    }

    #[test]
    fn a_negative_is_the_photo_inverted() {
        let wish = |style| Wish {
            style: Some(style),
            size: Some(2),
            ..Wish::default()
        };
        let photo = draw(&Scene::figures(wish(Style::Photo), &mut stream(2, 3)));
        let negative = draw(&Scene::figures(wish(Style::Negative), &mut stream(2, 3)));
        for (a, b) in photo.iter().zip(negative) {
            assert!((i32::from(*a) + i32::from(b) - 255).abs() <= 1);
        }
    }

    #[test]
    fn a_wish_is_fulfilled_and_labelled() {
        let wish = Wish {
            shape: Some(7),
            colour: Some(0),
            background: Some(11),
            texture: Some(0),
            position: Some(0),
            style: Some(Style::Photo),
            ..Wish::default()
        };
        let scene = Scene::figures(wish, &mut stream(9, 0));
        assert_eq!(scene.labels.get(Attribute::Shape), Some(7));
        assert_eq!(scene.labels.get(Attribute::Position), Some(0));
        assert_eq!(scene.labels.get(Attribute::Digit), None);
        let picture = draw(&scene);
        let red = |x: usize, y: usize| picture[(y * SIDE + x) * 3] > 140;
        assert!(red(7, 7), "a star at the top left covers its centre");
        assert!(!red(28, 28), "the opposite corner is black");
    }

    /// Corners of neighbours may touch; they never cover each other's middle.
    #[test]
    fn shapes_that_are_counted_can_be_told_apart() {
        for count in 1..6 {
            let wish = Wish {
                count: Some(count),
                ..Wish::default()
            };
            for seed in 0..50 {
                let scene = Scene::figures(wish, &mut stream(seed, 0));
                let Subject::Figures(figures) = &scene.subject else {
                    panic!("a wish for shapes gives shapes");
                };
                assert_eq!(figures.places.len(), count + 1);
                for (i, ((x, y), _)) in figures.places.iter().enumerate() {
                    let side = SIDE as f32;
                    assert!(*x > 4.0 && *x < side - 4.0 && *y > 4.0 && *y < side - 4.0);
                    for ((u, v), _) in &figures.places[..i] {
                        assert!((x - u).hypot(y - v) > 1.6 * figures.radius);
                    }
                }
            }
        }
    }
}
