//! Reports whose truth is known: accuracies over all images and seeds are set, and what is
//! measured of them is drawn.

use std::f64::consts::TAU;

use harness_report::analysis::{Assessment, analyse};
use harness_report::{Condition, GateRule, Report};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::fixture;

/// The effects of a cell in points, over all images and seeds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effects {
    /// Base - Z(s).
    pub(crate) source_gain: f64,
    /// New - Z(t).
    pub(crate) new: f64,
    /// Retrained - New.
    pub(crate) retraining: f64,
}

/// A family of cells that are drawn alike.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    pub(crate) seeds: u64,
    pub(crate) images: usize,
    /// One a cell.
    pub(crate) effects: Vec<Effects>,
    /// Standard deviation of a condition's accuracy over seeds, in points; cells take turns.
    pub(crate) scatter: Vec<f64>,
    /// Of an image's answers, the share that all conditions have in common.
    pub(crate) shared: f64,
    /// And the share that a condition's seeds have in common besides.
    pub(crate) own: f64,
}

/// A cell as it was judged, and what is true of it.
pub(crate) struct Judged<'r, 'a> {
    pub(crate) assessment: &'r Assessment<'a>,
    /// Over all seeds; of a single seed those of its modules.
    pub(crate) truth: Effects,
}

/// The margin of every simulated suite, in points.
pub(crate) const MARGIN: f64 = 2.0;

/// Draws a report and gives each of its cells to `see`.
pub(crate) fn simulate(
    setting: &Setting,
    random: &mut ChaCha8Rng,
    mut see: impl FnMut(Judged<'_, '_>),
) {
    let names: Vec<String> = (0..setting.effects.len())
        .map(|n| format!("d{n}"))
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let seeds: Vec<u64> = (1..=setting.seeds).collect();
    let mut report = fixture::report(&["m"], &names, &seeds, |_, _, _| {
        Err(harness_report::Status::NotRun)
    });
    report.suite.gate = Some(GateRule {
        margin: MARGIN,
        alpha: 0.05,
    });
    let truths: Vec<Effects> = (0..names.len())
        .map(|cell| draw(setting, cell, random, &mut report))
        .collect();
    let analysis = analyse(&report);
    for (assessment, truth) in analysis.assessments.iter().zip(truths) {
        see(Judged { assessment, truth });
    }
}

/// A generator of its own for each place in a table, so that tables do not depend on each other.
pub(crate) fn generator(place: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(place)
}

/// Draws the conditions of a cell under each seed, and gives the effects that hold for them.
fn draw(setting: &Setting, cell: usize, random: &mut ChaCha8Rng, report: &mut Report) -> Effects {
    let effects = setting.effects[cell];
    let scatter = setting.scatter[cell % setting.scatter.len()] / 100.0;
    let zero_source: f64 = random.random_range(0.35..0.5);
    let zero_target: f64 = random.random_range(0.4..0.55);
    let new = zero_target + effects.new / 100.0;
    let expected = [
        zero_source,
        zero_source + effects.source_gain / 100.0,
        zero_target,
        new,
        new + effects.retraining / 100.0,
    ];
    let images = setting.images;
    let shared: Vec<f64> = (0..images).map(|_| random.random()).collect();
    let own: Vec<Vec<f64>> = expected
        .iter()
        .map(|_| (0..images).map(|_| random.random()).collect())
        .collect();
    let mut first = expected;
    let mut zero_shots: [Option<Condition>; 5] = [const { None }; 5];
    for seed in 0..setting.seeds {
        // Modules of a seed share their training images.
        let common = normal(random);
        let accuracies: Vec<f64> = expected
            .iter()
            .enumerate()
            .map(|(at, accuracy)| match at {
                0 | 2 => *accuracy,
                _ => accuracy + scatter * (0.6 * common + 0.8 * normal(random)),
            })
            .collect();
        if seed == 0 {
            first.copy_from_slice(&accuracies);
        }
        let mut answer = |at: usize| {
            let right: Vec<u32> = (0..images)
                .map(|image| {
                    let which: f64 = random.random();
                    let ease = if which < setting.shared {
                        shared[image]
                    } else if which < setting.shared + setting.own {
                        own[at][image]
                    } else {
                        random.random()
                    };
                    u32::from(ease < accuracies[at])
                })
                .collect();
            Condition::from_predictions(&right, &vec![1; images], "", 0.0).ok()
        };
        for at in [0, 2] {
            if seed == 0 {
                zero_shots[at] = answer(at);
            }
        }
        let place = cell * setting.seeds as usize + seed as usize;
        let found = &mut report.cells[place];
        found.status = harness_report::Status::Ok;
        found.conditions.zero_source = zero_shots[0].clone();
        found.conditions.base = answer(1);
        found.conditions.zero_target = zero_shots[2].clone();
        found.conditions.new = answer(3);
        found.conditions.oracle = answer(4);
    }
    if setting.seeds > 1 {
        return effects;
    }
    Effects {
        source_gain: (first[1] - first[0]) * 100.0,
        new: (first[3] - first[2]) * 100.0,
        retraining: (first[4] - first[3]) * 100.0,
    }
}

/// A standard normal number (Box and Muller 1958).
fn normal(random: &mut ChaCha8Rng) -> f64 {
    let (radius, angle): (f64, f64) = (random.random(), random.random());
    (-2.0 * (1.0 - radius).ln()).sqrt() * (TAU * angle).cos()
}
