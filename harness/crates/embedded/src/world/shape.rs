//! Twelve shapes as signed distances: negative inside, in units of the shape's radius.

use std::f32::consts::PI;

/// Order: circle, oval, square, triangle, diamond, pentagon, hexagon, star, heart, cross, ring,
/// crescent.
pub(crate) fn distance(shape: usize, x: f32, y: f32) -> f32 {
    match shape {
        0 => disc(x, y, 0.0, 0.0, 0.92),
        1 => oval(x, y),
        2 => square(x, y, 0.80),
        3 => polygon(x, y + 0.12, 3, 1.08),
        4 => diamond(x, y),
        5 => polygon(x, y, 5, 1.0),
        6 => polygon(x, y, 6, 0.98),
        7 => star(x, y),
        8 => heart(x, y),
        9 => square(x, y, 0.92).max((x.abs() - 0.31).min(y.abs() - 0.31)),
        10 => disc(x, y, 0.0, 0.0, 0.95).max(-disc(x, y, 0.0, 0.0, 0.52)),
        _ => disc(x, y, 0.0, 0.0, 0.95).max(-disc(x, y, 0.48, 0.0, 0.74)),
    }
}

fn disc(x: f32, y: f32, cx: f32, cy: f32, radius: f32) -> f32 {
    (x - cx).hypot(y - cy) - radius
}

/// First-order distance of an ellipse: the implicit function over its gradient.
fn oval(x: f32, y: f32) -> f32 {
    let (a, b) = (1.0, 0.55);
    let level = (x / a).hypot(y / b);
    let slope = (x / (a * a)).hypot(y / (b * b)).max(1e-3);
    level * (level - 1.0) / slope
}

fn square(x: f32, y: f32, half: f32) -> f32 {
    x.abs().max(y.abs()) - half
}

fn diamond(x: f32, y: f32) -> f32 {
    (x.abs() / 0.68 + y.abs() - 1.0) * 0.56
}

/// Regular polygon with a corner at the top; `radius` reaches the corners.
fn polygon(x: f32, y: f32, corners: u8, radius: f32) -> f32 {
    let wedge = PI / f32::from(corners);
    let angle = x.atan2(-y);
    let folded = angle - 2.0 * wedge * (angle / (2.0 * wedge) - 0.5).round() - wedge;
    x.hypot(y) * folded.cos() - radius * wedge.cos()
}

/// Five points; the edge runs straight from a point to the next inner corner.
fn star(x: f32, y: f32) -> f32 {
    let wedge = PI / 5.0;
    let angle = x.atan2(-y);
    let folded = (angle - 2.0 * wedge * (angle / (2.0 * wedge)).round()).abs();
    let (px, py) = (x.hypot(y) * folded.sin(), x.hypot(y) * folded.cos());
    let (inner, outer) = (0.42, 1.05);
    let (qx, qy) = (inner * wedge.sin(), inner * wedge.cos());
    let (ex, ey) = (qx, qy - outer);
    let length = ex.hypot(ey);
    ((py - outer) * ex - px * ey) / length
}

/// The sextic heart curve, scaled to an approximate distance.
fn heart(x: f32, y: f32) -> f32 {
    let (u, v) = (x * 1.18, -y * 1.18 + 0.1);
    let body = u * u + v * v - 1.0;
    let level = body * body * body - u * u * v * v * v;
    level.signum() * level.abs().cbrt() * 0.45
}

#[cfg(test)]
mod tests {
    use super::*;

    fn area(shape: usize) -> f32 {
        let n = 200;
        let step = 3.0 / n as f32;
        let at = |i: usize| -1.5 + step * (i as f32 + 0.5);
        let inside = (0..n * n)
            .filter(|i| distance(shape, at(i % n), at(i / n)) < 0.0)
            .count();
        inside as f32 * step * step
    }

    #[test]
    fn areas_match_geometry() {
        let golden = [
            (0, PI * 0.92 * 0.92),
            (1, PI * 0.55),
            (2, 1.6 * 1.6),
            (4, 2.0 * 0.68),
            (5, 2.5 * (2.0 * PI / 5.0).sin()),
            (6, 3.0 * (PI / 3.0).sin() * 0.98 * 0.98),
            (10, PI * (0.95f32.powi(2) - 0.52f32.powi(2))),
        ];
        for (shape, expected) in golden {
            let found = area(shape);
            assert!(
                (found - expected).abs() < 0.04,
                "shape {shape}: {found} against {expected}"
            );
        }
    }

    #[test]
    fn every_shape_fits_its_radius_and_is_not_empty() {
        for shape in 0..12 {
            assert!(area(shape) > 0.6, "shape {shape} covers {}", area(shape));
            for step in 0..360 {
                let angle = (step as f32).to_radians();
                assert!(
                    distance(shape, 1.25 * angle.cos(), 1.25 * angle.sin()) > 0.0,
                    "{shape}"
                );
            }
        }
    }
}
