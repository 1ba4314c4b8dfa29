//! The part of a suite that fits into a time.

use std::collections::{BTreeSet, HashMap};

use super::estimate::{UnitCosts, wall_seconds};
use crate::plan::{DatasetIndex, Graph, MethodIndex, Plan, UnitIndex};

/// Time that may pass, and workers that share the work.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Budget {
    pub(crate) seconds: f64,
    /// GPUs or cores.
    pub(crate) workers: usize,
}

impl Budget {
    /// Whether a time is within it, up to rounding.
    fn admits(self, seconds: f64) -> bool {
        seconds <= self.seconds * (1.0 + 1e-9)
    }
}

/// What fits into a budget.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Fitting {
    Everything,
    Part(Subset),
    /// Not even the cheapest method on one data set, which takes so many seconds.
    Nothing {
        cheapest_seconds: f64,
    },
}

/// Some methods on some data sets, with all shots and seeds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Subset {
    pub(crate) methods: BTreeSet<MethodIndex>,
    pub(crate) datasets: BTreeSet<DatasetIndex>,
    pub(crate) processor_seconds: f64,
    pub(crate) wall_seconds: f64,
}

/// A method on a data set.
type Pair = (MethodIndex, DatasetIndex);

/// A method or a data set that a subset may leave out.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Label {
    Method(MethodIndex),
    Dataset(DatasetIndex),
}

/// Work that is needed as long as one of its pairs is.
struct Shared {
    pairs: Vec<Pair>,
    seconds: f64,
}

/// The costs of a plan by pairs.
struct PairCosts {
    work: Vec<Shared>,
    /// Seconds of the longest chain of each pair.
    longest: HashMap<Pair, f64>,
}

/// Leaves out methods and data sets until the rest fits: each time the one that saves most for
/// each pair that is lost, and takes back what still fits.
pub(crate) fn fitting(plan: &Plan, costs: &UnitCosts, budget: Budget) -> Fitting {
    let all = PairCosts::of(plan, costs);
    let mut kept = Subset {
        methods: all.longest.keys().map(|(method, _)| *method).collect(),
        datasets: all.longest.keys().map(|(_, dataset)| *dataset).collect(),
        processor_seconds: 0.0,
        wall_seconds: 0.0,
    };
    all.measure(&mut kept, budget);
    if budget.admits(kept.wall_seconds) {
        return Fitting::Everything;
    }
    let mut dropped = Vec::new();
    while !budget.admits(kept.wall_seconds) {
        let Some(label) = all.dearest(&kept, budget) else {
            return Fitting::Nothing {
                cheapest_seconds: all.cheapest(budget),
            };
        };
        kept.leave_out(label);
        all.measure(&mut kept, budget);
        dropped.push(label);
    }
    for label in dropped.into_iter().rev() {
        let mut more = kept.clone();
        more.take_back(label);
        all.measure(&mut more, budget);
        if budget.admits(more.wall_seconds) {
            kept = more;
        }
    }
    Fitting::Part(kept)
}

impl Subset {
    fn has(&self, (method, dataset): Pair) -> bool {
        self.methods.contains(&method) && self.datasets.contains(&dataset)
    }

    fn leave_out(&mut self, label: Label) {
        match label {
            Label::Method(method) => self.methods.remove(&method),
            Label::Dataset(dataset) => self.datasets.remove(&dataset),
        };
    }

    fn take_back(&mut self, label: Label) {
        match label {
            Label::Method(method) => self.methods.insert(method),
            Label::Dataset(dataset) => self.datasets.insert(dataset),
        };
    }
}

impl PairCosts {
    fn of(plan: &Plan, costs: &UnitCosts) -> Self {
        let ends = costs.ends(&plan.graph);
        let mut pairs_of: HashMap<UnitIndex, Vec<Pair>> = HashMap::new();
        let mut longest: HashMap<Pair, f64> = HashMap::new();
        for cell in &plan.cells {
            let pair = (cell.method, cell.dataset);
            let chain = longest.entry(pair).or_default();
            for unit in closure(&plan.graph, cell.units(), costs) {
                *chain = chain.max(ends.get(&unit).copied().unwrap_or(0.0));
                let pairs = pairs_of.entry(unit).or_default();
                if !pairs.contains(&pair) {
                    pairs.push(pair);
                }
            }
        }
        let mut work: HashMap<Vec<Pair>, f64> = HashMap::new();
        for (unit, mut pairs) in pairs_of {
            pairs.sort_unstable();
            *work.entry(pairs).or_default() += costs.seconds[&unit];
        }
        let work = work
            .into_iter()
            .map(|(pairs, seconds)| Shared { pairs, seconds });
        Self {
            work: work.collect(),
            longest,
        }
    }

    fn measure(&self, subset: &mut Subset, budget: Budget) {
        let needed = self.work.iter();
        let needed = needed.filter(|one| one.pairs.iter().any(|pair| subset.has(*pair)));
        let longest = self.longest.iter().filter(|(pair, _)| subset.has(**pair));
        let longest = longest.map(|(_, seconds)| *seconds).fold(0.0, f64::max);
        subset.processor_seconds = needed.map(|one| one.seconds).sum();
        subset.wall_seconds = wall_seconds(subset.processor_seconds, longest, budget.workers);
    }

    /// What to leave out of a subset that does not fit; none if nothing would be left.
    fn dearest(&self, kept: &Subset, budget: Budget) -> Option<Label> {
        let methods = kept.methods.iter().map(|method| Label::Method(*method));
        let methods = methods.filter(|_| kept.methods.len() > 1);
        let datasets = kept.datasets.iter().map(|dataset| Label::Dataset(*dataset));
        let datasets = datasets.filter(|_| kept.datasets.len() > 1);
        let pairs = |subset: &Subset| {
            self.longest
                .keys()
                .filter(|pair| subset.has(**pair))
                .count()
        };
        let before = pairs(kept);
        let mut best: Option<(f64, Label)> = None;
        for label in methods.chain(datasets) {
            let mut less = kept.clone();
            less.leave_out(label);
            self.measure(&mut less, budget);
            let lost = before - pairs(&less);
            if lost == before {
                continue;
            }
            let saved = kept.wall_seconds - less.wall_seconds;
            // Where a chain decides, the sum of the work breaks the tie.
            let saved = saved + 1e-6 * (kept.processor_seconds - less.processor_seconds);
            let worth = saved / lost.max(1) as f64;
            if best.is_none_or(|(most, _)| worth > most) {
                best = Some((worth, label));
            }
        }
        best.map(|(_, label)| label)
    }

    /// Seconds of the cheapest pair alone.
    fn cheapest(&self, budget: Budget) -> f64 {
        let alone = self.longest.keys().map(|(method, dataset)| {
            let mut one = Subset {
                methods: BTreeSet::from([*method]),
                datasets: BTreeSet::from([*dataset]),
                processor_seconds: 0.0,
                wall_seconds: 0.0,
            };
            self.measure(&mut one, budget);
            one.wall_seconds
        });
        alone.fold(f64::INFINITY, f64::min)
    }
}

/// The open units among some and those that they need.
fn closure(
    graph: &Graph,
    units: impl Iterator<Item = UnitIndex>,
    costs: &UnitCosts,
) -> BTreeSet<UnitIndex> {
    let mut found = BTreeSet::new();
    let mut queue: Vec<UnitIndex> = units.collect();
    while let Some(unit) = queue.pop() {
        if costs.seconds.contains_key(&unit) && found.insert(unit) {
            queue.extend(&graph[unit].needs);
        }
    }
    found
}
