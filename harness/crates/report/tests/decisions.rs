//! Decisions on reports whose truth is known err no more often than is stated.

#[path = "../examples/statistics/decisions.rs"]
#[expect(dead_code, reason = "the example prints tables besides")]
mod decisions;
#[path = "../src/fixture.rs"]
#[expect(
    dead_code,
    reason = "shared with the tests of the crate, which use more of it"
)]
mod fixture;
#[path = "../examples/statistics/simulate.rs"]
mod simulate;

use decisions::{alike, edges, errors, setting, spread};

/// What each kind of decision may err by over a family.
const STATED: f64 = 0.05;

#[test]
fn wrong_decisions_are_no_more_frequent_than_stated() {
    const FAMILIES: u32 = 80;
    // Three standard errors of a share of 5 %.
    let most = STATED + 3.0 * (STATED * (1.0 - STATED) / f64::from(FAMILIES)).sqrt();
    let mut place = 1000;
    for (cells, seeds, images) in [
        (10, 1, 1000),
        (35, 1, 200),
        (10, 2, 500),
        (35, 3, 500),
        (10, 5, 300),
        (10, 3, 5000),
    ] {
        for effects in [
            edges(cells),
            alike(cells, 0.0, 2.0),
            alike(cells, 2.0, 0.0),
            spread(cells),
        ] {
            place += 1;
            let families = if images > 1000 {
                FAMILIES / 4
            } else {
                FAMILIES
            };
            let most = if images > 1000 { 0.2 } else { most };
            let found = errors(&setting(seeds, images, effects), families, place);
            for wrong in [found.keep, found.drop, found.retrain] {
                assert!(
                    wrong <= most,
                    "{cells} cells, {seeds} seeds, {images} images: {found:?}"
                );
            }
        }
    }
}
