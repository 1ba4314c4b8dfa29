//! What open units cost on this machine.

use std::collections::{BTreeMap, HashMap};

use super::CostModel;
use super::footprint::Footprint;
use super::throughput::{Throughput, ThroughputError};
use crate::plan::{DatasetIndex, Graph, Inputs, MethodIndex, UnitIndex};

/// Cost of the units that are not stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Estimate {
    /// Measured before.
    pub throughput: Throughput,
    /// In the order of the suite: what methods share first, then each method.
    pub shares: Vec<CostShare>,
    /// Seconds of the longest chain of units that wait for each other.
    pub longest_seconds: f64,
    /// Peak memory of the worker that needs most, in bytes.
    pub worker_bytes: u64,
    /// What the cache grows by, in bytes.
    pub disk_bytes: u64,
}

/// CPU time of one method on one data set.
#[derive(Clone, Debug, PartialEq)]
pub struct CostShare {
    /// `None` for image features and zero-shots, which all methods share.
    pub method: Option<String>,
    /// The data set whose images are read: trainings for a shifted one count for its base.
    pub dataset: String,
    pub cpu_seconds: f64,
}

impl Estimate {
    /// CPU seconds of all units.
    pub fn cpu_seconds(&self) -> f64 {
        self.shares.iter().map(|share| share.cpu_seconds).sum()
    }

    /// Seconds that pass with so many workers, which are never fewer than the longest chain takes.
    pub fn wall_seconds(&self, workers: usize) -> f64 {
        wall_seconds(self.cpu_seconds(), self.longest_seconds, workers)
    }
}

pub(super) fn wall_seconds(cpu: f64, longest: f64, workers: usize) -> f64 {
    (cpu / workers.max(1) as f64).max(longest)
}

/// CPU seconds of every open unit at this machine's measured throughput.
pub(crate) struct UnitCosts {
    throughput: Throughput,
    /// In the order of the graph.
    pub(super) seconds: BTreeMap<UnitIndex, f64>,
}

impl UnitCosts {
    /// Measures this machine's throughput. None if no tower runs.
    ///
    /// # Errors
    /// The throughput cannot be measured.
    pub(crate) fn of(
        graph: &Graph,
        open: &[UnitIndex],
        model: &CostModel<'_>,
    ) -> Result<Option<Self>, ThroughputError> {
        let operations = open
            .iter()
            .map(|unit| (*unit, model.operations(&graph[*unit])));
        let operations: Vec<_> = operations.collect();
        if operations.iter().all(|(_, one)| *one == Default::default()) {
            return Ok(None);
        }
        let throughput = Throughput::measure()?;
        let seconds = operations
            .into_iter()
            .map(|(unit, operations)| (unit, operations.seconds(throughput)));
        Ok(Some(Self {
            throughput,
            seconds: seconds.collect(),
        }))
    }

    /// This machine's.
    pub(crate) fn throughput(&self) -> Throughput {
        self.throughput
    }

    /// Seconds until each unit is done if every unit starts as soon as it can.
    pub(super) fn ends(&self, graph: &Graph) -> HashMap<UnitIndex, f64> {
        let mut ends = HashMap::new();
        // A unit comes after those that it needs.
        for (unit, seconds) in &self.seconds {
            let needs = graph[*unit].needs.iter();
            let start = needs
                .filter_map(|need| ends.get(need).copied())
                .fold(0.0, f64::max);
            ends.insert(*unit, start + seconds);
        }
        ends
    }

    /// The sums. `parameters` are the trained numbers of each method, where they are known.
    pub(crate) fn estimate(
        &self,
        graph: &Graph,
        inputs: &Inputs,
        model: &CostModel<'_>,
        parameters: &[Option<u64>],
    ) -> Estimate {
        let mut shares: BTreeMap<(Option<MethodIndex>, DatasetIndex), f64> = BTreeMap::new();
        let mut most = Footprint::default();
        for (index, seconds) in &self.seconds {
            let unit = &graph[*index];
            *shares.entry((unit.method, unit.dataset)).or_default() += seconds;
            let parameters = unit.method.and_then(|MethodIndex(at)| parameters[at]);
            let own = model.footprint(unit, parameters);
            most.memory = most.memory.max(own.memory);
            most.disk = most.disk.saturating_add(own.disk);
        }
        let shares = shares
            .into_iter()
            .map(|((method, dataset), cpu_seconds)| CostShare {
                method: method.map(|method| inputs[method].label.clone()),
                dataset: inputs[dataset].reference.name.clone(),
                cpu_seconds,
            });
        Estimate {
            throughput: self.throughput,
            shares: shares.collect(),
            longest_seconds: self.ends(graph).into_values().fold(0.0, f64::max),
            worker_bytes: most.memory,
            disk_bytes: most.disk,
        }
    }
}
