//! Ten ways to fill a shape with two tones.

/// Order: plain, horizontal, vertical and diagonal stripes, checks, dots, zigzag, rings, net,
/// speckles. `x` and `y` are pixels from the centre of the shape; `period` is in pixels.
///
/// Returns the share of the second tone, 0 or 1.
pub(crate) fn tone(texture: usize, x: f32, y: f32, period: f32, salt: u32) -> f32 {
    let wave = |v: f32| (v / period).rem_euclid(1.0);
    let second = match texture {
        0 => false,
        1 => wave(y) < 0.5,
        2 => wave(x) < 0.5,
        3 => wave((x + y) * std::f32::consts::FRAC_1_SQRT_2) < 0.5,
        4 => (wave(x) < 0.5) ^ (wave(y) < 0.5),
        5 => (wave(x) - 0.5).hypot(wave(y) - 0.5) < 0.30,
        6 => {
            let swing = (wave(x * 0.8) - 0.5).abs() * period;
            wave(y + swing) < 0.5
        }
        7 => wave(x.hypot(y) + 0.25 * period) < 0.5,
        8 => wave(x) < 0.28 || wave(y) < 0.28,
        _ => speckle(x, y, salt),
    };
    f32::from(u8::from(second))
}

/// One random bit for each patch of 1.5 pixels, a third of them set.
fn speckle(x: f32, y: f32, salt: u32) -> bool {
    let cell = |v: f32| ((v / 1.5).floor() as i32) as u32;
    let mut h = cell(x).wrapping_mul(0x9E37_79B1) ^ cell(y).wrapping_mul(0x85EB_CA77) ^ salt;
    h ^= h >> 15;
    h = h.wrapping_mul(0x2C1B_3C6D);
    h ^= h >> 12;
    h = h.wrapping_mul(0x297A_2D39);
    h ^= h >> 15;
    h.is_multiple_of(3)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(texture: usize) -> f32 {
        let n = 240;
        let sum: f32 = (0..n * n)
            .map(|i| {
                tone(
                    texture,
                    (i % n) as f32 * 0.25,
                    (i / n) as f32 * 0.25,
                    6.0,
                    7,
                )
            })
            .sum();
        sum / (n * n) as f32
    }

    #[test]
    fn each_texture_but_plain_shows_both_tones() {
        assert_eq!(share(0), 0.0);
        for texture in 1..10 {
            let share = share(texture);
            assert!(
                (0.2..0.65).contains(&share),
                "texture {texture} covers {share}"
            );
        }
    }

    #[test]
    fn stripes_run_the_way_they_are_called() {
        assert_eq!(tone(1, 0.0, 1.0, 6.0, 0), tone(1, 11.0, 1.0, 6.0, 0));
        assert_ne!(tone(1, 0.0, 1.0, 6.0, 0), tone(1, 0.0, 4.0, 6.0, 0));
        assert_eq!(tone(2, 1.0, 0.0, 6.0, 0), tone(2, 1.0, 9.0, 6.0, 0));
        assert_ne!(tone(2, 1.0, 0.0, 6.0, 0), tone(2, 4.0, 0.0, 6.0, 0));
    }
}
