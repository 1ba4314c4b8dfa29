//! How sure the claims of a gate are.
//!
//! A cell's difference has two sources of error: the seeds that the modules were trained with and
//! the test images. Two or three seeds say little about their own variance, so it is moderated
//! by what the other changed cells of the upgrade say: the mean variance of the cell's method and of its
//! data set, each halfway to the mean of all, counts as much as six degrees of freedom. The
//! weights were chosen by simulation (`docs/statistics.md`): limma's fitted prior, and pooling all
//! cells, raise false alarms where cells scatter very differently.

use std::collections::BTreeMap;

use crate::gate::comparison::Comparison;
use crate::gate::evidence::{BORROWED_DEVIATION, Evidence};
use crate::stats::Crossed;
use crate::stats::{
    Difference, Interval, SampleVariance, VariancePrior, student_critical, student_upper_tail,
};
use crate::upgrade::Upgrade;

/// Degrees of freedom that the other cells count for.
const PRIOR_FREEDOM: f64 = 6.0;

/// A difference and the variance of its mean, split by source.
#[derive(Clone, Debug)]
pub(super) struct Claim<'a> {
    pub(super) value: f64,
    /// The cells it is the mean of.
    pub(super) cells: Vec<&'a Difference>,
    /// Variance of the mean from the seeds.
    pub(super) seeds: SampleVariance,
    /// Whether a variance over seeds was assumed, because there is no second seed.
    pub(super) is_borrowed: bool,
}

impl Claim<'_> {
    /// One-sided p-value of "above `bound`".
    pub(super) fn p_above(&self, bound: f64) -> f64 {
        let distance = self.value - bound;
        let images = self.images(bound);
        let error = (images + self.seeds.value).sqrt();
        if error == 0.0 {
            return if distance > 0.0 { 0.0 } else { 1.0 };
        }
        student_upper_tail(distance / error, self.freedom(images))
    }

    /// The seeds' degrees of freedom, more the less the seeds matter. Satterthwaite's formula squares the
    /// factor; with so few seeds it then believes a variance that came out small by chance.
    fn freedom(&self, images: f64) -> f64 {
        if self.seeds.value == 0.0 {
            return f64::INFINITY;
        }
        if self.is_borrowed {
            return self.seeds.freedom;
        }
        self.seeds.freedom * (1.0 + images / self.seeds.value)
    }

    /// One-sided p-value of "below 0".
    pub(super) fn p_worse(&self) -> f64 {
        1.0 - self.p_above(0.0)
    }

    /// The 95 % interval of a mean of cells.
    pub(super) fn interval(&self) -> Interval {
        let images = self.images(self.value);
        let quantile = student_critical(0.025, self.freedom(images)).unwrap_or(f64::INFINITY);
        let half = quantile * (images + self.seeds.value).sqrt();
        Interval {
            low: (self.value - half).max(-1.0),
            high: (self.value + half).min(1.0),
        }
    }

    fn images(&self, bound: f64) -> f64 {
        let count = self.cells.len() as f64;
        let cells = self.cells.iter().map(|one| one.image_variance(bound));
        cells.sum::<f64>() / (count * count)
    }
}

/// The variance of one seed's difference of each changed cell, moderated; in the order given.
pub(super) fn moderated(cells: &[&Comparison<'_>]) -> Vec<SampleVariance> {
    let own: Vec<Option<SampleVariance>> = cells
        .iter()
        .map(|cell| cell.difference.as_ref()?.seed_variance())
        .collect();
    let mut tables: BTreeMap<(&Upgrade, u32), Means<'_>> = BTreeMap::new();
    for (cell, own) in cells.iter().zip(&own) {
        if let Some(own) = own {
            let table = tables.entry((cell.upgrade, cell.shots)).or_default();
            table.all.add(own.value);
            table.methods.entry(cell.method).or_default().add(own.value);
            table
                .datasets
                .entry(cell.dataset)
                .or_default()
                .add(own.value);
            table.freedom += own.freedom;
        }
    }
    let moderate = |(cell, own): (&&Comparison<'_>, &Option<SampleVariance>)| match own {
        None if cell.evidence == Evidence::OneSeed => SampleVariance {
            value: BORROWED_DEVIATION.powi(2),
            freedom: PRIOR_FREEDOM,
        },
        None => SampleVariance {
            value: 0.0,
            freedom: f64::INFINITY,
        },
        Some(own) => match tables.get(&(cell.upgrade, cell.shots)) {
            Some(table) => table.prior(cell, own.freedom).moderate(*own),
            None => *own,
        },
    };
    cells.iter().zip(&own).map(moderate).collect()
}

/// Mean variances of the changed cells of an upgrade.
#[derive(Default)]
struct Means<'a> {
    all: Mean,
    methods: BTreeMap<&'a str, Mean>,
    datasets: BTreeMap<&'a str, Mean>,
    freedom: f64,
}

#[derive(Clone, Copy, Default)]
struct Mean {
    sum: f64,
    count: f64,
}

impl Mean {
    fn add(&mut self, value: f64) {
        self.sum += value;
        self.count += 1.0;
    }

    fn value(self) -> f64 {
        self.sum / self.count
    }
}

impl Means<'_> {
    fn prior(&self, cell: &Comparison<'_>, own: f64) -> VariancePrior {
        let all = self.all.value();
        let halfway = |mean: Option<&Mean>| mean.map_or(all, |mean| (mean.value() + all) / 2.0);
        let of_both =
            halfway(self.methods.get(cell.method)) * halfway(self.datasets.get(cell.dataset));
        VariancePrior {
            variance: if all > 0.0 { of_both / all } else { 0.0 },
            // Two seeds tell too little to believe the means as much as with three.
            freedom: PRIOR_FREEDOM.min(3.0 * own),
            pooled: self.freedom,
        }
    }
}
