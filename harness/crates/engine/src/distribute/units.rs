//! The units that a suite still needs, by stage.

use std::collections::{BTreeMap, BTreeSet};

use super::Stage;
use crate::cost::{CostModel, Throughput, UnitCosts};
use crate::job::UnitWork;
use crate::plan::{CellPlan, Graph, MethodIndex, Plan, UnitIndex};
use crate::run::{ExecContext, SetUp, Settings, backlog};
use crate::schedule::Observer;

use super::DistributionError;

/// Seconds that a unit takes besides the towers: a worker's start, reading and storing.
const OVERHEAD: f64 = 2.0;

/// Units that are not stored, with what they cost.
pub(super) struct OpenUnits {
    pub(super) plan: Plan,
    /// Ascending: each after those it needs.
    pub(super) units: Vec<UnitIndex>,
    /// CPU seconds of each on this machine.
    pub(super) seconds: BTreeMap<UnitIndex, f64>,
    /// Peak memory of a worker in each, in bytes.
    pub(super) memory: BTreeMap<UnitIndex, u64>,
    /// What the store grows by, in bytes.
    pub(super) disk: u64,
}

/// Looks up what is stored. Cells whose files are not on disk count as if they were.
pub(super) fn open_units(
    settings: &Settings<'_>,
    setup: &SetUp<'_>,
    observer: &mut dyn Observer,
) -> Result<OpenUnits, DistributionError> {
    let context = ExecContext {
        store: &setup.store,
        pool: &setup.pool,
        is_fresh: settings.fresh,
        weight: &|_| 1.0,
    };
    let inputs = &setup.inputs;
    let plan = setup.plan.clone().with_waiting(inputs, &settings.selection);
    let wanted = plan.cells.iter().flat_map(CellPlan::units);
    let units = backlog(&plan.graph, wanted, &context, observer).open;
    let costs = CostModel::new(inputs, &setup.fits);
    let measured = UnitCosts::of(&plan.graph, &units, &costs, setup.placement.as_ref())?;
    let throughput = measured.map_or(Throughput::USUAL, |units| units.throughput());
    let mut open = OpenUnits {
        seconds: BTreeMap::new(),
        memory: BTreeMap::new(),
        disk: 0,
        units,
        plan,
    };
    for index in &open.units {
        let unit = &open.plan.graph[*index];
        let parameters = unit
            .method
            .and_then(|MethodIndex(at)| setup.fits.parameters(MethodIndex(at)));
        let footprint = costs.footprint(unit, parameters);
        let seconds = costs.operations(unit).seconds(throughput) + OVERHEAD;
        open.seconds.insert(*index, seconds);
        open.memory.insert(*index, footprint.memory);
        open.disk = open.disk.saturating_add(footprint.disk);
    }
    Ok(open)
}

/// Units that stay together in a task, each after those it needs.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Piece {
    pub(super) units: Vec<UnitIndex>,
    pub(super) seconds: f64,
}

/// The pieces of each stage. A zero-shot evaluation goes with the features that it reads as
/// long as they take at most `together` seconds; else its features are spread over the tasks
/// and it waits for the next stage.
pub(super) fn pieces(
    graph: &Graph,
    open: &[UnitIndex],
    seconds: &BTreeMap<UnitIndex, f64>,
    together: f64,
) -> BTreeMap<Stage, Vec<Piece>> {
    let mut all: BTreeMap<Stage, Vec<Piece>> = BTreeMap::new();
    let mut grouped: BTreeSet<UnitIndex> = BTreeSet::new();
    let is_open: BTreeSet<UnitIndex> = open.iter().copied().collect();
    for index in open {
        let UnitWork::ZeroShot { .. } = graph[*index].work else {
            continue;
        };
        let needs = graph[*index].needs.iter().copied();
        let mut units: Vec<UnitIndex> = needs
            .filter(|need| is_open.contains(need) && !grouped.contains(need))
            .collect();
        units.push(*index);
        units.sort_unstable();
        let total: f64 = units.iter().map(|unit| seconds[unit]).sum();
        let stage = match total <= together || units.len() <= 2 {
            true => Stage::Features,
            false => {
                units = vec![*index];
                Stage::Trainings
            }
        };
        grouped.extend(&units);
        let piece = Piece {
            seconds: units.iter().map(|unit| seconds[unit]).sum(),
            units,
        };
        all.entry(stage).or_default().push(piece);
    }
    for index in open.iter().filter(|index| !grouped.contains(index)) {
        let stage = match &graph[*index].work {
            UnitWork::Survey { .. } | UnitWork::Features { .. } | UnitWork::ZeroShot { .. } => {
                Stage::Features
            }
            UnitWork::Train { .. } => Stage::Trainings,
            UnitWork::Inject { .. } => Stage::Injections,
        };
        all.entry(stage).or_default().push(Piece {
            units: vec![*index],
            seconds: seconds[index],
        });
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Fits, fixture};
    use harness_report::selection::Selection;

    #[test]
    fn a_stage_needs_only_its_own_task_and_earlier_stages() {
        let inputs = fixture::inputs(&["t", "u"]);
        let plan = Plan::new(&inputs, &Selection::default(), &Fits::assumed());
        let open: Vec<UnitIndex> = (0..plan.graph.units.len()).map(UnitIndex).collect();
        let seconds: BTreeMap<UnitIndex, f64> = open.iter().map(|unit| (*unit, 1.0)).collect();
        for together in [0.0, 1e9] {
            let pieces = pieces(&plan.graph, &open, &seconds, together);
            let mut seen = BTreeSet::new();
            for pieces in pieces.values() {
                let before = seen.clone();
                for piece in pieces {
                    let mut own = before.clone();
                    for unit in &piece.units {
                        for need in &plan.graph[*unit].needs {
                            assert!(own.contains(need), "{}", plan.graph[*unit].name);
                        }
                        own.insert(*unit);
                        assert!(seen.insert(*unit), "twice: {}", plan.graph[*unit].name);
                    }
                }
            }
            assert_eq!(seen.len(), open.len());
        }
    }
}
