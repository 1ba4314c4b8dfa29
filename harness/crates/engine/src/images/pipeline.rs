//! Images through the tower, the next ones being read while the last ones are encoded.

use std::ops::Range;
use std::sync::mpsc::sync_channel;
use std::thread;

use candle_core::Tensor;
use harness_backbone::ImageTower;

use super::{ImageSet, ImagesError};

/// Images that go through the tower at once.
const BATCH: usize = 64;
/// Batches that wait to be encoded.
const AHEAD: usize = 1;

/// Encodes a view of the rows in `ranges`, in their order; `each` gets the rows of a batch and
/// their features `[n, E]`. No batch crosses the border of a range.
///
/// One thread reads, decodes and resizes, the caller's encodes. What comes out does not depend on
/// which of them is faster.
///
/// # Errors
/// An image that cannot be read, or the first error of `each`.
pub fn encode<E: From<ImagesError>>(
    tower: &ImageTower,
    set: &ImageSet,
    view: u32,
    ranges: &[Range<usize>],
    mut each: impl FnMut(Range<usize>, Tensor) -> Result<(), E>,
) -> Result<(), E> {
    thread::scope(|scope| {
        let (sender, batches) = sync_channel(AHEAD);
        scope.spawn(move || {
            for rows in batches_of(ranges) {
                let pixels = set.pixels(rows.clone(), view);
                let is_last = pixels.is_err();
                // The receiver is gone once an encoding has failed.
                if sender.send((rows, pixels)).is_err() || is_last {
                    return;
                }
            }
        });
        for (rows, pixels) in batches {
            let features = tower.encode(&pixels?).map_err(ImagesError::from)?;
            each(rows, features)?;
        }
        Ok(())
    })
}

/// The ranges cut into batches.
fn batches_of(ranges: &[Range<usize>]) -> impl Iterator<Item = Range<usize>> {
    ranges.iter().flat_map(|range| {
        let end = range.end;
        let starts = range.clone().step_by(BATCH);
        starts.map(move |start| start..end.min(start + BATCH))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_stay_inside_their_ranges() {
        let batches: Vec<_> = batches_of(&[0..130, 256..257, 300..300]).collect();
        assert_eq!(batches, [0..64, 64..128, 128..130, 256..257]);
    }
}
