//! The cells of a suite and the units that each is made of.

use std::collections::HashSet;

use super::graph::Placement;
use super::inputs::Origin;
use super::{
    BackboneIndex, DatasetIndex, Fits, Graph, Inputs, MethodIndex, NotMeasured, UnitIndex,
};
use crate::job::Draw;
use crate::suite::Suite;
use harness_report::selection::{CellLabels, Selection};

/// One cell: its coordinates, and the unit of each condition.
#[derive(Clone, Debug, PartialEq)]
pub struct CellPlan {
    pub method: MethodIndex,
    pub dataset: DatasetIndex,
    pub source: BackboneIndex,
    pub target: BackboneIndex,
    pub draw: Draw,
    /// Whether the row's module file is measured; else a module is trained on the source.
    pub is_file: bool,
    /// Unit of Z(s).
    pub zero_source: UnitIndex,
    /// Unit of Z(t).
    pub zero_target: UnitIndex,
    /// Unit of the training on the source; of a module that was trained elsewhere, its
    /// injection there.
    pub train: Result<UnitIndex, NotMeasured>,
    /// Unit of A(s→s): the training's own evaluation, or an injection where the
    /// test images are of a shifted data set or the module was trained elsewhere.
    pub base: Result<UnitIndex, NotMeasured>,
    /// Unit of A(s→t).
    pub new: Result<UnitIndex, NotMeasured>,
    /// Unit of the training on the target, if the suite asks for it.
    pub retrain: Option<Result<UnitIndex, NotMeasured>>,
    /// Unit of A(t→t), if the suite asks for it.
    pub oracle: Option<Result<UnitIndex, NotMeasured>>,
    /// Tensors of the module that the target has no counterpart of.
    pub left_out: Vec<String>,
}

impl CellPlan {
    pub(crate) fn coordinates(&self) -> Coordinates {
        Coordinates {
            method: self.method,
            dataset: self.dataset,
            source: self.source,
            target: self.target,
            draw: self.draw,
            is_file: self.is_file,
        }
    }

    /// What a report calls the cell.
    pub(crate) fn labels<'i>(&self, inputs: &'i Inputs) -> CellLabels<'i> {
        CellLabels {
            method: &inputs[self.method].label,
            dataset: &inputs[self.dataset].reference.name,
            source: &inputs[self.source].reference.name,
            target: &inputs[self.target].reference.name,
            shots: self.draw.shots,
            seed: self.draw.seeds,
        }
    }

    /// The units that evaluate, one a condition.
    pub(crate) fn evaluations(&self) -> impl Iterator<Item = UnitIndex> {
        let modules = [Some(&self.base), Some(&self.new), self.oracle.as_ref()];
        let modules = modules.into_iter().flatten();
        let modules = modules.filter_map(|unit| unit.as_ref().ok().copied());
        [self.zero_source, self.zero_target]
            .into_iter()
            .chain(modules)
    }

    /// Every unit of the cell.
    pub fn units(&self) -> impl Iterator<Item = UnitIndex> {
        let modules = [
            Some(&self.train),
            Some(&self.base),
            Some(&self.new),
            self.oracle.as_ref(),
        ];
        let modules = modules
            .into_iter()
            .flatten()
            .filter_map(|unit| unit.as_ref().ok());
        [self.zero_source, self.zero_target]
            .into_iter()
            .chain(modules.copied())
    }
}

/// The units of a suite and the cells that are made of them.
#[derive(Clone, Debug)]
pub struct Plan {
    pub graph: Graph,
    pub cells: Vec<CellPlan>,
}

/// A cell's coordinates, before it is known what fits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Coordinates {
    pub(crate) method: MethodIndex,
    pub(crate) dataset: DatasetIndex,
    pub(crate) source: BackboneIndex,
    pub(crate) target: BackboneIndex,
    pub(crate) draw: Draw,
    /// Whether the row's module file is measured; else a module is trained on the source.
    pub(crate) is_file: bool,
}

impl Coordinates {
    /// Names of the inputs that the cell waits for.
    pub(crate) fn absent<'i>(&self, inputs: &'i Inputs) -> Vec<&'i str> {
        let trained_on = inputs.training_set(self.dataset);
        inputs.absent(&[self.source, self.target], &[trained_on, self.dataset])
    }
}

impl Plan {
    /// The surveys to run first, each with its placement.
    pub(crate) fn surveys(
        inputs: &Inputs,
        selection: &Selection,
    ) -> (Graph, Vec<(Placement, UnitIndex)>) {
        let mut graph = Graph::new(&inputs.engine);
        let mut surveys = Vec::new();
        let mut seen = HashSet::new();
        let (cells, _) = split(inputs, selection);
        for cell in cells {
            let trained_on = inputs.training_set(cell.dataset);
            for backbone in [cell.source, cell.target] {
                for dataset in [trained_on, cell.dataset] {
                    let at = Placement {
                        method: cell.method,
                        backbone,
                        dataset,
                    };
                    if seen.insert(at) {
                        surveys.push((at, graph.survey(inputs, at)));
                    }
                }
            }
        }
        (graph, surveys)
    }

    /// Cells whose files are on disk.
    pub(crate) fn present(inputs: &Inputs, selection: &Selection) -> Vec<Coordinates> {
        split(inputs, selection).0
    }

    /// Cells that wait for files.
    pub(crate) fn waiting(inputs: &Inputs, selection: &Selection) -> Vec<Coordinates> {
        split(inputs, selection).1
    }

    /// The plan with the cells that wait for files, as if every module fitted: what is
    /// still to do once the files are there.
    pub(crate) fn with_waiting(self, inputs: &Inputs, selection: &Selection) -> Self {
        let fits = Fits::assumed();
        let mut plan = self;
        for cell in Self::waiting(inputs, selection) {
            let cell = plan_cell(inputs, &fits, &mut plan.graph, cell);
            plan.cells.push(cell);
        }
        plan
    }

    /// The plan, once it is known what fits.
    pub fn new(inputs: &Inputs, selection: &Selection, fits: &Fits) -> Self {
        let mut graph = Graph::new(&inputs.engine);
        let (cells, _) = split(inputs, selection);
        let cells = cells
            .into_iter()
            .map(|cell| plan_cell(inputs, fits, &mut graph, cell))
            .collect();
        Self { graph, cells }
    }
}

fn plan_cell(inputs: &Inputs, fits: &Fits, graph: &mut Graph, cell: Coordinates) -> CellPlan {
    let Coordinates {
        method,
        dataset,
        source,
        target,
        draw,
        is_file,
    } = cell;
    let trained_on = inputs.training_set(dataset);
    let at = |backbone, dataset| Placement {
        method,
        backbone,
        dataset,
    };
    let train = |graph: &mut Graph, place| match fits.training(inputs, place) {
        Some(why) => Err(why),
        None => Ok(graph.train(inputs, place, draw)),
    };
    // Moves the module that was trained at `from`; a module's own place needs no
    // move, except that New always goes through its file.
    let measure =
        |graph: &mut Graph, trained: &Result<UnitIndex, NotMeasured>, from, to, moves: bool| {
            let unit = trained.clone()?;
            if from == to && !moves {
                return Ok(unit);
            }
            match fits.injection(inputs, from, to) {
                Some(why) => Err(why),
                None => Ok(graph.inject(inputs, to, unit)),
            }
        };
    let zero_source = graph.zero_shot(inputs, source, dataset);
    let zero_target = graph.zero_shot(inputs, target, dataset);
    let home = at(source, trained_on);
    let file = inputs[method].module.as_ref().filter(|_| is_file);
    let (trained, base, new) = match file {
        Some(file) => {
            let mut adopt = |to| match fits.injection(inputs, home, to) {
                Some(why) => Err(why),
                None => Ok(graph.adopt(inputs, to, file)),
            };
            let base = adopt(at(source, dataset));
            (base.clone(), base, adopt(at(target, dataset)))
        }
        None => {
            let trained = train(graph, home);
            let base = measure(graph, &trained, home, at(source, dataset), false);
            let new = measure(graph, &trained, home, at(target, dataset), true);
            (trained, base, new)
        }
    };
    let left_out = fits.left_out(home, at(target, dataset));
    let home = at(target, trained_on);
    let has_oracle = inputs.suite.oracle && inputs[method].can_be_retrained();
    let retrain = has_oracle.then(|| train(graph, home));
    let oracle = retrain
        .as_ref()
        .map(|trained| measure(graph, trained, home, at(target, dataset), false));
    CellPlan {
        method,
        dataset,
        source,
        target,
        draw,
        is_file,
        zero_source,
        zero_target,
        train: trained,
        base,
        new,
        retrain,
        oracle,
        left_out,
    }
}

/// All selected cells: those that can be planned, and those that wait for files.
fn split(inputs: &Inputs, selection: &Selection) -> (Vec<Coordinates>, Vec<Coordinates>) {
    positions(inputs)
        .into_iter()
        .filter(|(labels, _)| selection.admits(labels))
        .map(|(_, cell)| cell)
        .partition(|cell| cell.absent(inputs).is_empty())
}

/// All cells in the order of the report, each with what a selection may name of it.
fn positions(inputs: &Inputs) -> Vec<(CellLabels<'_>, Coordinates)> {
    let suite = &inputs.suite;
    let mut cells = Vec::new();
    for pair in suite.pairs() {
        let source = inputs.backbone(pair.source);
        let target = inputs.backbone(pair.target);
        let first = cells.len();
        for method in (0..inputs.methods.len()).map(MethodIndex) {
            let Some(origin) = inputs.origin(method, &pair) else {
                continue;
            };
            for (dataset, draw) in places(inputs, method) {
                let labels = CellLabels {
                    method: &inputs[method].label,
                    dataset: &inputs[dataset].reference.name,
                    source: &inputs[source].reference.name,
                    target: &inputs[target].reference.name,
                    shots: draw.shots,
                    seed: draw.seeds,
                };
                let cell = Coordinates {
                    method,
                    dataset,
                    source,
                    target,
                    draw,
                    is_file: origin == Origin::File,
                };
                cells.push((labels, cell));
            }
        }
        cells[first..].sort_by_key(|(_, cell)| {
            let mut shots = suite.shots.iter();
            let own = shots.position(|shots| *shots == cell.draw.shots);
            own.unwrap_or(usize::MAX)
        });
    }
    cells
}

/// What a selection may name.
pub(crate) fn cell_labels(inputs: &Inputs) -> Vec<CellLabels<'_>> {
    let cells = positions(inputs).into_iter();
    cells.map(|(labels, _)| labels).collect()
}

/// What a selection may name of a suite without modules, whose cells are known before any input
/// is read.
pub(crate) fn suite_labels(suite: &Suite) -> Option<Vec<CellLabels<'_>>> {
    if !suite.modules.is_empty() {
        return None;
    }
    let seeds = suite.seeds.all();
    let mut cells = Vec::new();
    for pair in suite.pairs() {
        for method in &suite.methods {
            if method.module.is_some() && !pair.begins && !suite.oracle {
                continue;
            }
            for dataset in &suite.datasets {
                for (&shots, &seed) in product(&suite.shots, &seeds) {
                    cells.push(CellLabels {
                        method: &method.label,
                        dataset: &dataset.label,
                        source: pair.source,
                        target: pair.target,
                        shots,
                        seed,
                    });
                }
            }
        }
    }
    Some(cells)
}

fn product<'a, A, B>(first: &'a [A], second: &'a [B]) -> impl Iterator<Item = (&'a A, &'a B)> {
    first
        .iter()
        .flat_map(move |one| second.iter().map(move |other| (one, other)))
}

/// Where a row is measured: a method on every data set with every draw, a module on its own.
fn places(inputs: &Inputs, method: MethodIndex) -> Vec<(DatasetIndex, Draw)> {
    if let Some(home) = &inputs[method].home {
        return vec![(home.dataset, home.draw)];
    }
    let suite = &inputs.suite;
    let seeds = suite.seeds.all();
    let mut places = Vec::new();
    for &shots in &suite.shots {
        for dataset in (0..suite.datasets.len()).map(DatasetIndex) {
            for &seeds in &seeds {
                let draw = Draw {
                    shots,
                    seeds,
                    sampler: suite.sampler.into(),
                };
                places.push((dataset, draw));
            }
        }
    }
    places
}
