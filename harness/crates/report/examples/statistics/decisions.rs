//! How often the decision table errs, and how often it decides.

use harness_report::analysis::Recommendation;

use crate::simulate::{Effects, Judged, MARGIN, Setting, generator, simulate};

/// Wrong decisions of a setting: the share of families with one or more.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Errors {
    pub(crate) keep: f64,
    pub(crate) drop: f64,
    pub(crate) retrain: f64,
}

/// Counts the families of `setting` with a wrong decision.
pub(crate) fn errors(setting: &Setting, repetitions: u32, place: u64) -> Errors {
    let mut random = generator(place);
    let mut errors = Errors::default();
    for _ in 0..repetitions {
        let mut wrong = [false; 3];
        simulate(setting, &mut random, |judged| {
            for (found, one) in wrong.iter_mut().zip(is_wrong(&judged)) {
                *found |= one;
            }
        });
        let share = |found: bool| f64::from(u8::from(found)) / f64::from(repetitions);
        errors.keep += share(wrong[0]);
        errors.drop += share(wrong[1]);
        errors.retrain += share(wrong[2]);
    }
    errors
}

/// Wrong keep, drop and retrain.
fn is_wrong(of: &Judged<'_, '_>) -> [bool; 3] {
    let found = of.assessment.recommendation;
    let (new, over_new) = (of.truth.new, of.truth.retraining);
    let retrained = new + over_new;
    let retrains = matches!(
        found,
        Recommendation::Retrain | Recommendation::RetrainKeepMeanwhile
    );
    let pays = over_new > MARGIN && retrained > MARGIN;
    [
        found.keeps() && new <= 0.0,
        found == Recommendation::Drop && (new >= MARGIN || retrained >= MARGIN),
        retrains && !pays,
    ]
}

/// Cells at the edge of every decision: at 0, at the margin, and beyond both.
pub(crate) fn edges(cells: usize) -> Vec<Effects> {
    let edges = [
        (5.0, 0.0, 2.0),
        (5.0, 2.0, 0.0),
        (10.0, 0.0, 0.0),
        (5.0, -3.0, 5.0),
        (5.0, 5.0, 2.0),
        (5.0, 2.0, -4.0),
        (5.0, 0.0, 0.0),
    ];
    let cells = (0..cells).map(|at| edges[at % edges.len()]);
    cells
        .map(|(source_gain, new, retraining)| Effects {
            source_gain,
            new,
            retraining,
        })
        .collect()
}

/// Cells that are all alike.
pub(crate) fn alike(cells: usize, new: f64, retraining: f64) -> Vec<Effects> {
    let one = Effects {
        source_gain: 8.0,
        new,
        retraining,
    };
    vec![one; cells]
}

/// New from -20 to +20 points, retraining from -4 to +16 over it.
pub(crate) fn spread(cells: usize) -> Vec<Effects> {
    let cells = (0..cells).map(|at| Effects {
        source_gain: 8.0,
        new: (at * 7 % 41) as f64 - 20.0,
        retraining: (at * 5 % 21) as f64 - 4.0,
    });
    cells.collect()
}

pub(crate) fn setting(seeds: u64, images: usize, effects: Vec<Effects>) -> Setting {
    Setting {
        seeds,
        images,
        effects,
        // One seed is judged for its own modules: without scatter their truth is the edge itself.
        scatter: match seeds {
            1 => vec![0.0],
            _ => vec![0.5, 1.0, 2.0, 4.0],
        },
        shared: 0.5,
        own: 0.3,
    }
}

/// Prints wrong decisions by family, seeds and images, then how often an effect is decided.
pub(crate) fn print(repetitions: u32) {
    println!("Families with a wrong decision, in percent, {repetitions} repetitions\n");
    println!("| cells | seeds | images | effects | keep | drop | retrain |");
    println!("|---:|---:|---:|---|---:|---:|---:|");
    let mut place = 0;
    for cells in [10, 35] {
        for (seeds, images) in [
            (1, 200),
            (1, 2000),
            (2, 1000),
            (3, 200),
            (3, 2000),
            (5, 1000),
        ] {
            for (name, effects) in [
                ("edges", edges(cells)),
                ("all 0, retraining +2", alike(cells, 0.0, 2.0)),
                ("all +2, retraining 0", alike(cells, 2.0, 0.0)),
                ("-20 to +20", spread(cells)),
            ] {
                place += 1;
                let errors = errors(&setting(seeds, images, effects), repetitions, place);
                println!(
                    "| {cells} | {seeds} | {images} | {name} | {:.1} | {:.1} | {:.1} |",
                    errors.keep * 100.0,
                    errors.drop * 100.0,
                    errors.retrain * 100.0
                );
            }
        }
    }
    println!(
        "\nDecided of 35 cells, in percent, seeds scattering by 1 point, {repetitions} cells\n"
    );
    println!(
        "| New over zero-shot | retraining | seeds | images | keep | undecided, keep meanwhile | \
         retrain | drop | undecided |"
    );
    println!("|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
    for (new, retraining) in [(2.0, 0.0), (5.0, 0.0), (10.0, 0.0), (5.0, 8.0), (-5.0, 0.0)] {
        for (seeds, images) in [(1, 2000), (3, 2000), (5, 2000), (3, 5000)] {
            place += 1;
            let mut setting = setting(seeds, images, alike(35, new, retraining));
            setting.scatter = vec![1.0];
            let mut random = generator(place);
            let mut counts = [0.0; 5];
            let families = repetitions.div_ceil(35);
            for _ in 0..families {
                simulate(&setting, &mut random, |judged| {
                    let at = match judged.assessment.recommendation {
                        Recommendation::Keep => 0,
                        Recommendation::UndecidedKeepMeanwhile => 1,
                        Recommendation::RetrainKeepMeanwhile | Recommendation::Retrain => 2,
                        Recommendation::Drop => 3,
                        Recommendation::Undecided => 4,
                    };
                    counts[at] += 100.0 / f64::from(families * 35);
                });
            }
            let [keep, meanwhile, retrain, drop, open] = counts;
            println!(
                "| {new:+} | {retraining:+} | {seeds} | {images} | {keep:.0} | {meanwhile:.0} | \
                 {retrain:.0} | {drop:.0} | {open:.0} |"
            );
        }
    }
}
