//! Reports of modules that were trained again, drawn at random around the committed quickstart.

use std::path::Path;

use harness_report::stats::normal_quantile;
use harness_report::{Cell, Condition, Report};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Standard deviation, in points, of New between trainings with other few-shot splits and
/// batch orders, measured with 20 seeds of quickstart on micro-eva-clip: methods by data sets.
const DEVIATIONS: [[f64; 7]; 5] = [
    [0.70, 0.95, 2.15, 1.18, 0.79, 5.07, 1.99],
    [1.52, 2.14, 1.98, 1.75, 1.96, 1.91, 1.25],
    [0.13, 0.14, 0.20, 0.09, 0.32, 0.17, 0.12],
    [0.93, 1.08, 1.04, 0.65, 0.99, 3.68, 1.65],
    [0.83, 1.03, 1.07, 0.63, 0.85, 3.13, 1.71],
];
/// Share of the images, in percent, that two of these trainings classify differently.
const DISCORDANCES: [[f64; 7]; 5] = [
    [12.4, 6.1, 9.0, 8.8, 7.4, 19.5, 4.6],
    [19.0, 9.8, 24.0, 22.4, 18.2, 28.9, 6.0],
    [0.8, 0.4, 0.8, 0.6, 1.7, 0.9, 0.5],
    [13.2, 5.8, 5.5, 5.6, 7.5, 16.8, 4.5],
    [10.9, 5.1, 5.5, 5.5, 6.8, 13.6, 4.2],
];
/// Correlation of the methods' deviations on one data set, as measured.
const SAME_DATA: f64 = 0.27;

/// What a retrained report loses against its baseline, in points.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Loss {
    Nothing,
    Cell(f64),
    Method(f64),
}

/// Draws baselines and reports of the same 35 cells.
pub(crate) struct Retraining {
    baseline: Report,
    seeds: usize,
    random: ChaCha8Rng,
    /// Part of the measured standard deviation that another training shows; 0.6 is about what
    /// another batch order alone makes.
    pub(crate) scale: f64,
}

impl Retraining {
    /// The first upgrade of the committed quickstart, with this many seeds of each cell.
    pub(crate) fn new(seeds: usize, start: u64) -> Self {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../reports/quickstart.json");
        let mut baseline = Report::read(&file).expect("the committed quickstart report");
        let upgrade = baseline.upgrades[0].clone();
        let first = baseline.cells[0].seed;
        let cells = std::mem::take(&mut baseline.cells);
        for cell in cells {
            if cell.upgrade != upgrade || cell.seed != first {
                continue;
            }
            for seed in 1..=seeds {
                let mut cell = cell.clone();
                cell.seed = (seed as u64).into();
                baseline.cells.push(cell);
            }
        }
        assert_eq!(
            baseline.cells.len(),
            35 * seeds,
            "five methods, seven data sets"
        );
        Self {
            baseline,
            seeds,
            random: ChaCha8Rng::seed_from_u64(start),
            scale: 1.0,
        }
    }

    pub(crate) fn baseline(&self) -> &Report {
        &self.baseline
    }

    /// A report of modules trained again, and the cell or method (as an index of cells or
    /// methods) that has the loss.
    pub(crate) fn draw(&mut self, loss: Loss) -> (Report, usize) {
        let mut report = self.baseline.clone();
        let place = match loss {
            Loss::Method(_) => self.random.random_range(0..5),
            _ => self.random.random_range(0..35),
        };
        let shared: Vec<f64> = (0..7 * self.seeds).map(|_| self.normal()).collect();
        for (index, cell) in report.cells.iter_mut().enumerate() {
            let (at, seed) = (index / self.seeds, index % self.seeds);
            let (method, dataset) = (at / 7, at % 7);
            let own = self.normal();
            let common = shared[dataset * self.seeds + seed];
            let z = SAME_DATA.sqrt() * common + (1.0 - SAME_DATA).sqrt() * own;
            // Baseline and report are trained independently of each other.
            let noise = z * std::f64::consts::SQRT_2 * DEVIATIONS[method][dataset] * self.scale;
            let lost = match loss {
                Loss::Cell(points) if place == at => points,
                Loss::Method(points) if place == method => points,
                _ => 0.0,
            };
            let discordance = DISCORDANCES[method][dataset] * self.scale;
            self.retrain(cell, (noise - lost) / 100.0, discordance / 100.0);
        }
        (report, place)
    }

    /// Flips images of a cell: the net change as given, and the others in both directions.
    fn retrain(&mut self, cell: &mut Cell, change: f64, discordance: f64) {
        let old = cell.conditions.new.as_ref().expect("a measured cell");
        let total = usize::try_from(old.total).expect("few images");
        let net = (change * total as f64).round() as i64;
        let both = (discordance * total as f64 / 2.0).round() as i64;
        let (mut gained, mut lost) = (both + net.max(0), both + (-net).max(0));
        let spare = both.min((net.abs() + 1) / 2);
        (gained, lost) = (gained - spare, lost - spare);
        let mut correct: Vec<bool> = old.correct_bitmap.iter(total).collect();
        let mut order: Vec<usize> = (0..total).collect();
        for at in (1..total).rev() {
            order.swap(at, self.random.random_range(0..=at));
        }
        for image in order {
            let left = if correct[image] {
                &mut lost
            } else {
                &mut gained
            };
            if *left > 0 {
                *left -= 1;
                correct[image] = !correct[image];
            }
        }
        let predictions: Vec<u32> = correct.iter().map(|one| u32::from(*one)).collect();
        cell.conditions.new =
            Condition::from_predictions(&predictions, &vec![1; total], "", 0.0).ok();
        if let Some(training) = &mut cell.training {
            training.module_sha256 = "another training".into();
        }
    }

    fn normal(&mut self) -> f64 {
        let uniform: f64 = self.random.random_range(1e-12..1.0);
        normal_quantile(uniform).unwrap_or(0.0)
    }
}
