//! What fits into a budget, for every budget.

use std::collections::BTreeSet;

use super::subset::{Fitting, fitting};
use super::{Budget, CostModel, UnitCosts};
use crate::job::Presence;
use crate::plan::{CellPlan, Fits, Inputs, Plan, UnitIndex, fixture};
use crate::registry::Contents;
use harness_report::selection::Selection;

fn three_by_two() -> Inputs {
    let mut inputs = fixture::inputs(&["t"]);
    inputs.methods = ["a", "b", "c"].map(fixture::method).to_vec();
    inputs.methods[1].card = fixture::card("features", "features");
    inputs.methods[2].card = fixture::card("weights", "pixels");
    inputs.datasets = vec![fixture::dataset("d", None), fixture::dataset("e", None)];
    inputs.suite.datasets = ["d", "e"].map(crate::suite::DatasetEntry::named).to_vec();
    inputs.datasets[1].contents = Presence::Present(Contents {
        sizes: [400, 0, 900],
        train_per_class: Vec::new(),
        class_names: vec!["tench".to_owned(); 10],
        class_ids: Vec::new(),
        missing: 0,
        templates: Vec::new(),
    });
    inputs
}

fn open(plan: &Plan) -> Vec<UnitIndex> {
    (0..plan.graph.units.len()).map(UnitIndex).collect()
}

#[test]
fn a_subset_fits_and_costs_what_a_plan_of_it_costs() {
    let inputs = three_by_two();
    let plan = Plan::new(&inputs, &Selection::default(), &Fits::assumed());
    let fits = Fits::assumed();
    let model = CostModel::new(&inputs, &fits);
    let costs = UnitCosts::of(&plan.graph, &open(&plan), &model, None);
    let costs = costs.unwrap().unwrap();
    let estimate = costs.estimate(&plan.graph, &inputs, &model, &[None; 3]);
    let whole = estimate.wall_seconds(2);
    assert!(estimate.wall_seconds(1) >= whole && estimate.wall_seconds(1000) <= whole);
    let mut last = 0;
    for share in 0..=20 {
        let budget = Budget {
            seconds: whole * f64::from(share) / 20.0,
            workers: 2,
        };
        let pairs = match fitting(&plan, &costs, budget) {
            Fitting::Everything => 6,
            Fitting::Nothing { cheapest_seconds } => {
                assert!(cheapest_seconds > budget.seconds);
                0
            }
            Fitting::Part(subset) => {
                assert!(subset.wall_seconds <= budget.seconds * (1.0 + 1e-9));
                let cells = plan.cells.iter().filter(|cell| {
                    subset.methods.contains(&cell.method) && subset.datasets.contains(&cell.dataset)
                });
                // A plan of the subset alone has these units.
                let mut units: BTreeSet<UnitIndex> = cells.flat_map(CellPlan::units).collect();
                let needs = units
                    .iter()
                    .flat_map(|unit| plan.graph[*unit].needs.clone());
                let needs: Vec<UnitIndex> = needs.collect();
                let second = needs
                    .iter()
                    .flat_map(|unit| plan.graph[*unit].needs.clone());
                units.extend(second.collect::<Vec<_>>());
                units.extend(needs);
                let sum: f64 = units.iter().map(|unit| costs.seconds[unit]).sum();
                assert!((sum / subset.processor_seconds - 1.0).abs() < 1e-9);
                subset.methods.len() * subset.datasets.len()
            }
        };
        assert!(pairs + 2 >= last, "{pairs} after {last} at {share}/20");
        last = pairs;
    }
    assert_eq!(last, 6);
}
