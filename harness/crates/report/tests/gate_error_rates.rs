//! The gate on simulated retraining: it rarely cries wolf, and it sees real losses.

use harness_report::GateRule;
use harness_report::gate::{Judgement, Outcome, judge};

#[path = "../examples/statistics/retraining.rs"]
mod retraining;
use retraining::{Loss, Retraining};

fn count(
    seeds: usize,
    runs: usize,
    loss: Loss,
    hit: impl Fn(&Judgement<'_>, usize) -> bool,
) -> usize {
    let rule = GateRule {
        margin: 2.0,
        alpha: 0.05,
    };
    let mut retraining = Retraining::new(seeds, 7);
    let hits = (0..runs).filter(|_| {
        let (report, place) = retraining.draw(loss);
        hit(
            &judge(&report, retraining.baseline(), rule, |_| true),
            place,
        )
    });
    hits.count()
}

fn fails(judgement: &Judgement<'_>, _: usize) -> bool {
    judgement.regressions().next().is_some() || judgement.regressed_methods().next().is_some()
}

#[test]
fn another_training_rarely_fails_the_gate() {
    // At 5 % more than 11 of 100 happen less than once in 100.
    for seeds in [1, 3] {
        let found = count(seeds, 100, Loss::Nothing, fails);
        assert!(found <= 11, "{seeds} seeds: {found} of 100");
    }
}

#[test]
fn three_seeds_see_a_loss_in_one_cell_and_off_a_method() {
    let cell = |j: &Judgement<'_>, place: usize| j.comparisons[place].outcome == Outcome::Regressed;
    let method = |j: &Judgement<'_>, place: usize| j.methods[place].outcome == Outcome::Regressed;
    let five = count(3, 40, Loss::Cell(5.0), cell);
    assert!(five >= 18, "{five} of 40");
    let ten = count(3, 40, Loss::Cell(10.0), cell);
    assert!(ten >= 34, "{ten} of 40");
    let whole = count(3, 40, Loss::Method(5.0), method);
    assert!(whole >= 38, "{whole} of 40");
}
