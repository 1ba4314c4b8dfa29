//! False alarms and power of the gate, simulated.

use harness_report::GateRule;
use harness_report::gate::{Outcome, judge};

#[path = "retraining.rs"]
mod retraining;
use retraining::{Loss, Retraining};

const RUNS: u32 = 500;
const RULE: GateRule = GateRule {
    margin: 2.0,
    alpha: 0.05,
};

/// Prints the tables of the statistics page in Markdown.
pub(crate) fn print() {
    println!("| seeds | another training | another batch order |\n|-:|-:|-:|");
    for seeds in [1, 2, 3, 5] {
        let row = [1.0, 0.6].map(|scale| {
            let mut retraining = Retraining::new(seeds, 1);
            retraining.scale = scale;
            share(&mut retraining, Loss::Nothing)
        });
        println!("| {seeds} | {} | {} |", row[0], row[1]);
    }
    println!("\n| seeds | 5 points in a cell | 10 points in a cell | 5 points off a method |");
    println!("|-:|-:|-:|-:|");
    for seeds in [1, 2, 3, 5] {
        let row = [Loss::Cell(5.0), Loss::Cell(10.0), Loss::Method(5.0)]
            .map(|loss| share(&mut Retraining::new(seeds, 2), loss));
        println!("| {seeds} | {} | {} | {} |", row[0], row[1], row[2]);
    }
}

/// In how many runs the place with the loss is found; without a loss, how many fail at all.
fn share(retraining: &mut Retraining, loss: Loss) -> String {
    let found = (0..RUNS).filter(|_| {
        let (report, place) = retraining.draw(loss);
        let judgement = judge(&report, retraining.baseline(), RULE, |_| true);
        match loss {
            Loss::Nothing => {
                judgement.regressions().next().is_some()
                    || judgement.regressed_methods().next().is_some()
            }
            Loss::Cell(_) => judgement.comparisons[place].outcome == Outcome::Regressed,
            Loss::Method(_) => judgement.methods[place].outcome == Outcome::Regressed,
        }
    });
    format!("{:.1} %", found.count() as f64 * 100.0 / f64::from(RUNS))
}
