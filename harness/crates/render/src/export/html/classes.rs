//! The classes of all entries in few characters.

use serde::Serialize;

use harness_report::metrics::ClassRow;

/// Characters that the classes of the whole page may take: the page stays below 1 MB.
pub(super) const BUDGET: usize = 500_000;

/// What an index of a class takes in JSON.
const INDEX: usize = 5;

/// Digits of the packed numbers, the value of each its place.
const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The classes of one entry: for each the right answers of Base and of New and the negative
/// flips, summed over seeds, in a fixed number of digits.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Packed {
    /// Digits of a number.
    width: usize,
    numbers: String,
    /// Which classes these are; absent for all that have test images.
    #[serde(skip_serializing_if = "Option::is_none")]
    only: Option<Vec<usize>>,
}

/// The classes of one entry; all of them, or the `most` with the greatest change.
pub(super) fn pack(rows: &[ClassRow], most: usize) -> Packed {
    let mut chosen: Vec<&ClassRow> = rows.iter().collect();
    if rows.len() > most {
        chosen.sort_by(|a, b| b.change().abs().total_cmp(&a.change().abs()));
        chosen.truncate(most);
    }
    let width = width(rows);
    let numbers = chosen.iter().flat_map(|row| {
        let flips = row.flips;
        [
            flips.both_right + flips.negative,
            flips.both_right + flips.positive,
            flips.negative,
        ]
    });
    Packed {
        width,
        numbers: numbers.map(|number| digits(number, width)).collect(),
        only: (rows.len() > most).then(|| chosen.iter().map(|row| row.class).collect()),
    }
}

/// How many classes of an entry the page has room for, given the rows of every entry.
pub(super) fn room<'r>(entries: impl Iterator<Item = &'r [ClassRow]> + Clone) -> usize {
    let whole: usize = entries
        .clone()
        .map(|rows| rows.len() * 3 * width(rows))
        .sum();
    if whole <= BUDGET {
        return usize::MAX;
    }
    let each: usize = entries.map(|rows| 3 * width(rows) + INDEX).sum();
    (BUDGET / each.max(1)).max(1)
}

/// Digits that the greatest number needs.
fn width(rows: &[ClassRow]) -> usize {
    let most = rows.iter().map(|row| row.flips.images).max().unwrap_or(0);
    (1..)
        .find(|width| most < 64u64.saturating_pow(*width))
        .unwrap_or(1) as usize
}

fn digits(number: u64, width: usize) -> String {
    let places = (0..width).rev();
    places
        .map(|place| char::from(DIGITS[(number >> (6 * place)) as usize % 64]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use harness_report::metrics::Flips;
    use harness_report::stats::Interval;

    fn row(class: usize, kept: u64, won: u64, lost: u64) -> ClassRow {
        let flips = Flips {
            images: 100,
            both_right: kept,
            positive: won,
            negative: lost,
            ..Flips::default()
        };
        ClassRow {
            class,
            images: 50,
            base: (kept + lost) as f64 / 100.0,
            zero_target: 0.5,
            new: (kept + won) as f64 / 100.0,
            new_interval: Interval {
                low: 0.0,
                high: 1.0,
            },
            flips,
        }
    }

    #[test]
    fn numbers_have_a_fixed_width() {
        let rows = [row(0, 60, 5, 3), row(2, 0, 0, 100)];
        let packed = pack(&rows, usize::MAX);
        assert_eq!((packed.width, packed.only), (2, None));
        // 63 65 3, 100 0 100
        assert_eq!(packed.numbers, "A_BBADBkAABk");
    }

    #[test]
    fn what_changed_most_stays_when_room_is_short() {
        let rows = [row(0, 60, 5, 3), row(2, 0, 0, 50), row(5, 10, 20, 0)];
        let packed = pack(&rows, 2);
        assert_eq!(packed.only, Some(vec![2, 5]));
        assert_eq!(packed.numbers.len(), 2 * 3 * packed.width);
    }

    #[test]
    fn room_is_shared_by_all_entries() {
        let few = vec![row(0, 1, 1, 1); 10];
        assert_eq!(room([&few[..]].into_iter()), usize::MAX);
        let many = vec![row(0, 1, 1, 1); 1000];
        let entries = vec![&many[..]; 300];
        let most = room(entries.iter().copied());
        assert!(most < 1000);
        let used = 300 * most * (3 * 2 + INDEX);
        assert!(used <= BUDGET && used > BUDGET * 9 / 10, "{used}");
    }
}
