//! Where shapes sit in a picture, in pixels.

use rand::Rng;

use super::canvas::SIDE;

/// Size classes: small, medium, large.
pub(crate) fn radius(size: usize, rng: &mut impl Rng) -> f32 {
    match size {
        0 => rng.random_range(5.5..7.0),
        1 => rng.random_range(7.5..9.5),
        _ => rng.random_range(11.0..14.0),
    }
}

/// Centre of a shape in one of nine cells, row by row from the top left; 4 is the middle.
pub(crate) fn cell_centre(position: usize, radius: f32, rng: &mut impl Rng) -> (f32, f32) {
    let side = SIDE as f32;
    let mut along = |cell: usize| {
        let jitter = rng.random_range(-1.0..1.0);
        match cell {
            0 => radius + 1.0 + jitter,
            1 => side / 2.0 + jitter,
            _ => side - radius - 1.0 + jitter,
        }
    };
    let x = along(position % 3);
    (x, along(position / 3))
}

/// Centres for `count` shapes in distinct cells of a 3 x 3 grid.
pub(crate) fn scatter(count: usize, rng: &mut impl Rng) -> Vec<(f32, f32)> {
    let cells = rand::seq::index::sample(rng, 9, count);
    let pitch = SIDE as f32 / 3.0;
    cells
        .into_iter()
        .map(|cell| {
            let mut at = |i: usize| pitch * (i as f32 + 0.5) + rng.random_range(-0.7..0.7);
            let x = at(cell % 3);
            (x, at(cell / 3))
        })
        .collect()
}

/// Radius of each of several shapes, small enough for a cell of [`scatter`].
pub(crate) fn scattered_radius(rng: &mut impl Rng) -> f32 {
    rng.random_range(4.2..5.4)
}
