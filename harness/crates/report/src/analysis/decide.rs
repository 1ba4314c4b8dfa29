//! What would turn an inconclusive verdict into one.

use serde::Serialize;

use crate::stats::Difference;

/// The test images or the seeds at which the measured difference would be decided, if
/// it and its scatter stayed what they are. `None` where there are enough of them already;
/// both can be needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Deciding {
    pub images: Option<u64>,
    pub seeds: Option<u64>,
}

/// More than this is as good as never.
const MOST: f64 = 1e7;

impl Deciding {
    /// `None` when no amount of data decides: the difference is on the border, or too
    /// close to it.
    pub(crate) fn of(against_base: &Difference, margin: f64) -> Option<Self> {
        let value = against_base.value;
        // To the margin for "compatible", to 0 for "degraded": whichever is further off.
        let room = (value + margin).max(-value);
        let half = (against_base.sampling.high - against_base.sampling.low) / 2.0;
        let images = against_base.per_seed.first()?.images as f64 * (half / room).powi(2);
        if room <= 0.0 || images > MOST {
            return None;
        }
        let seeds_half = against_base.seeds.map_or(0.0, |i| (i.high - i.low) / 2.0);
        let seeds = match seeds_half > room {
            true => Some(against_base.seeds_for(room)?),
            false => None,
        };
        let images = (half > room).then(|| images.ceil() as u64);
        (images.is_some() || seeds.is_some()).then_some(Self { images, seeds })
    }
}
