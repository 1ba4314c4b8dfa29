//! What open units cost on this machine.

use std::collections::{BTreeMap, HashMap};

use super::CostModel;
use super::footprint::Footprint;
use super::throughput::{Throughput, ThroughputError};
use crate::device::DevicePlacement;
use crate::plan::{DatasetIndex, Graph, Inputs, MethodIndex, UnitIndex};

/// GPUs that the towers run on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gpus {
    /// What the first is called.
    pub name: String,
    pub count: usize,
    /// `f32`, `tf32` or `bf16`.
    pub precision: &'static str,
}

/// Cost of the units that are not stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Estimate {
    /// Measured before: of one GPU, or of a core.
    pub throughput: Throughput,
    /// None where the towers run on cores.
    pub gpus: Option<Gpus>,
    /// In the order of the suite: what methods share first, then each method.
    pub shares: Vec<CostShare>,
    /// Seconds of the longest chain of units that wait for each other.
    pub longest_seconds: f64,
    /// Peak memory of the worker that needs most, in bytes.
    pub worker_bytes: u64,
    /// What the cache grows by, in bytes.
    pub disk_bytes: u64,
}

/// Time of a GPU or a core for one method on one data set.
#[derive(Clone, Debug, PartialEq)]
pub struct CostShare {
    /// `None` for image features and zero-shots, which all methods share.
    pub method: Option<String>,
    /// The data set whose images are read: trainings for a shifted one count for its base.
    pub dataset: String,
    pub processor_seconds: f64,
}

impl Estimate {
    /// Seconds of a GPU or a core for all units.
    pub fn processor_seconds(&self) -> f64 {
        self.shares
            .iter()
            .map(|share| share.processor_seconds)
            .sum()
    }

    /// Seconds that pass with so many GPUs or cores, which are never fewer than the longest chain takes.
    pub fn wall_seconds(&self, workers: usize) -> f64 {
        wall_seconds(self.processor_seconds(), self.longest_seconds, workers)
    }
}

pub(super) fn wall_seconds(cpu: f64, longest: f64, workers: usize) -> f64 {
    (cpu / workers.max(1) as f64).max(longest)
}

/// Seconds of every open unit at this machine's measured throughput.
pub(crate) struct UnitCosts {
    throughput: Throughput,
    gpus: Option<Gpus>,
    /// In the order of the graph.
    pub(super) seconds: BTreeMap<UnitIndex, f64>,
}

impl UnitCosts {
    /// Measures this machine's throughput, on the first of the GPUs if there are any. None if no
    /// tower runs.
    ///
    /// # Errors
    /// The throughput cannot be measured.
    pub(crate) fn of(
        graph: &Graph,
        open: &[UnitIndex],
        model: &CostModel<'_>,
        placement: Option<&DevicePlacement>,
    ) -> Result<Option<Self>, ThroughputError> {
        let operations = open
            .iter()
            .map(|unit| (*unit, model.operations(&graph[*unit])));
        let operations: Vec<_> = operations.collect();
        if operations.iter().all(|(_, one)| *one == Default::default()) {
            return Ok(None);
        }
        let throughput = match placement {
            Some(placement) if !placement.is_here => Throughput::USUAL_GPU,
            Some(placement) => Throughput::measure_on(&placement.open()?, placement.precision)?,
            None => Throughput::measure()?,
        };
        let seconds = operations
            .into_iter()
            .map(|(unit, operations)| (unit, operations.seconds(throughput)));
        Ok(Some(Self {
            throughput,
            gpus: placement.map(|placement| Gpus {
                name: placement.name.clone(),
                count: placement.numbers.len(),
                precision: placement.precision.name(),
            }),
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
            .map(|((method, dataset), processor_seconds)| CostShare {
                method: method.map(|method| inputs[method].label.clone()),
                dataset: inputs[dataset].reference.name.clone(),
                processor_seconds,
            });
        Estimate {
            throughput: self.throughput,
            gpus: self.gpus.clone(),
            shares: shares.collect(),
            longest_seconds: self.ends(graph).into_values().fold(0.0, f64::max),
            worker_bytes: most.memory,
            disk_bytes: most.disk,
        }
    }
}
