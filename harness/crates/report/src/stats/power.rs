//! What a test set of a given size can tell.
//!
//! For paired accuracies with a share ψ of discordant images the difference has a
//! variance of at most ψ / n (Miettinen 1968).

use crate::stats::normal::normal_quantile;

/// The smallest difference that n images show, of a one-sided test at `alpha` with the
/// chance `power`, when a share `discordance` of the images is discordant:
/// `(z(1 - α) + z(power)) √(ψ / n)`. `None` without images and for what is no
/// probability.
pub fn detectable_difference(images: f64, discordance: f64, alpha: f64, power: f64) -> Option<f64> {
    let reach = reach(alpha, power)?;
    (images > 0.0 && (0.0..=1.0).contains(&discordance))
        .then(|| reach * (discordance / images).sqrt())
}

/// The images that it takes to show a difference: the inverse of
/// [`detectable_difference`], rounded up.
pub fn images_needed(difference: f64, discordance: f64, alpha: f64, power: f64) -> Option<u64> {
    let reach = reach(alpha, power)?;
    let images = (reach / difference).powi(2) * discordance;
    (difference > 0.0 && images.is_finite()).then(|| images.ceil() as u64)
}

fn reach(alpha: f64, power: f64) -> Option<f64> {
    Some(normal_quantile(1.0 - alpha)? + normal_quantile(power)?)
}
