//! Printed digits made of strokes, in several cuts.

use rand::Rng;

/// A stroke: a line through points, in a box of x and y from -1 to 1, y downwards.
type Stroke = Vec<[f32; 2]>;

/// A way to place a digit: an affine map and a pen.
pub(crate) struct Glyph {
    strokes: Vec<Stroke>,
    /// Inverse of the map from the glyph's box to pixels, row by row.
    inverse: [f32; 4],
    centre: (f32, f32),
    /// Half the width of the pen, pixels.
    pen: f32,
}

impl Glyph {
    /// A random cut, size, slant and weight of `digit`, around the middle of a picture of `side`
    /// pixels.
    pub(crate) fn any(digit: usize, side: f32, rng: &mut impl Rng) -> Self {
        let height = side * rng.random_range(0.30..0.44);
        let width = height * rng.random_range(0.45..0.85);
        let slant = rng.random_range(-0.25f32..0.25);
        let turn = rng.random_range(-0.15f32..0.15);
        let (sin, cos) = turn.sin_cos();
        let (a, b) = (width * cos, -slant * width - height * sin);
        let (c, d) = (width * sin, height * cos);
        let det = a * d - b * c;
        let wobble = rng.random_range(0.0..0.16);
        let mut strokes = strokes(digit, rng);
        for point in strokes.iter_mut().flatten() {
            point[0] += wobble * rng.random_range(-0.5f32..0.5);
            point[1] += wobble * rng.random_range(-0.5f32..0.5);
        }
        let mut shift = || side / 2.0 + rng.random_range(-2.0..2.0);
        let centre = (shift(), shift());
        let pen = rng.random_range(1.1..2.8);
        Self {
            strokes,
            inverse: [d / det, -b / det, -c / det, a / det],
            centre,
            pen,
        }
    }

    /// Distance in pixels from the nearest edge of the pen's trace, negative inside.
    pub(crate) fn distance(&self, x: f32, y: f32) -> f32 {
        let (x, y) = (x - self.centre.0, y - self.centre.1);
        let [a, b, c, d] = self.inverse;
        let (u, v) = (a * x + b * y, c * x + d * y);
        // One scale for both axes would fatten strokes of narrow digits: measure in pixels.
        let det = a * d - b * c;
        let (fa, fb, fc, fd) = (d / det, -b / det, -c / det, a / det);
        let pairs = self
            .strokes
            .iter()
            .flat_map(|s| s.windows(2).map(|w| (w[0], w[1])));
        let nearest = pairs.map(|(p, q)| {
            let edge = (q[0] - p[0], q[1] - p[1]);
            let from = (u - p[0], v - p[1]);
            let pixels = |e: (f32, f32)| (fa * e.0 + fb * e.1, fc * e.0 + fd * e.1);
            let (e, f) = (pixels(edge), pixels(from));
            let along = (f.0 * e.0 + f.1 * e.1) / (e.0 * e.0 + e.1 * e.1).max(1e-6);
            let along = along.clamp(0.0, 1.0);
            (f.0 - along * e.0).hypot(f.1 - along * e.1)
        });
        nearest.fold(f32::INFINITY, f32::min) - self.pen
    }
}

/// Points on an arc around `(cx, cy)`, angles in degrees clockwise from the right.
fn arc(cx: f32, cy: f32, rx: f32, ry: f32, from: f32, to: f32) -> Stroke {
    let steps = 9;
    (0..=steps)
        .map(|i| {
            let angle = (from + (to - from) * i as f32 / steps as f32).to_radians();
            [cx + rx * angle.cos(), cy + ry * angle.sin()]
        })
        .collect()
}

fn joined(parts: &[Stroke]) -> Stroke {
    parts.concat()
}

/// The strokes of a digit; some digits have two cuts.
fn strokes(digit: usize, rng: &mut impl Rng) -> Vec<Stroke> {
    let second_cut = rng.random_bool(0.4);
    match (digit, second_cut) {
        (0, _) => vec![arc(0.0, 0.0, 0.9, 1.0, 0.0, 360.0)],
        (1, false) => vec![vec![[-0.5, -0.55], [0.1, -1.0], [0.1, 1.0]]],
        (1, true) => vec![vec![[0.0, -1.0], [0.0, 1.0]]],
        (2, _) => vec![joined(&[
            arc(0.0, -0.45, 0.8, 0.55, 180.0, 370.0),
            vec![[0.5, 0.2], [-0.85, 1.0], [0.9, 1.0]],
        ])],
        (3, false) => vec![
            arc(-0.05, -0.48, 0.8, 0.52, 205.0, 450.0),
            arc(-0.05, 0.48, 0.9, 0.52, 270.0, 515.0),
        ],
        (3, true) => vec![joined(&[
            vec![[-0.8, -1.0], [0.75, -1.0], [-0.05, -0.2]],
            arc(-0.05, 0.38, 0.85, 0.62, 280.0, 515.0),
        ])],
        (4, false) => vec![vec![[0.45, 1.0], [0.45, -1.0], [-0.9, 0.4], [0.95, 0.4]]],
        (4, true) => vec![
            vec![[-0.7, -1.0], [-0.75, 0.1], [0.8, 0.1]],
            vec![[0.6, -0.8], [0.45, 1.0]],
        ],
        (5, _) => vec![joined(&[
            vec![[0.8, -1.0], [-0.65, -1.0], [-0.75, -0.1]],
            arc(-0.05, 0.38, 0.85, 0.62, 230.0, 500.0),
        ])],
        (6, _) => vec![
            joined(&[
                vec![[0.55, -1.0], [-0.35, -0.5]],
                arc(0.0, 0.42, 0.85, 0.58, 190.0, 180.0),
            ]),
            arc(0.0, 0.42, 0.82, 0.58, 0.0, 360.0),
        ],
        (7, false) => vec![vec![[-0.85, -1.0], [0.85, -1.0], [-0.2, 1.0]]],
        (7, true) => vec![
            vec![[-0.85, -0.95], [0.8, -1.0], [-0.1, 1.0]],
            vec![[-0.45, 0.05], [0.65, 0.05]],
        ],
        (8, _) => vec![
            arc(0.0, -0.5, 0.7, 0.5, 0.0, 360.0),
            arc(0.0, 0.5, 0.88, 0.5, 0.0, 360.0),
        ],
        _ => vec![
            arc(0.0, -0.42, 0.82, 0.58, 0.0, 360.0),
            joined(&[vec![[0.82, -0.42], [0.75, 0.3], [0.2, 1.0]]]),
        ],
    }
}
