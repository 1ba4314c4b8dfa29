//! From the cells of a method on a data set to an assessment.

use crate::analysis::assessment::{Assessment, Missing};
use crate::analysis::decide::Deciding;
use crate::analysis::recommendation::Recommendation;
use crate::analysis::retrained::{Retrained, difference};
use crate::analysis::verdict::Verdict;
use crate::analysis::words;
use crate::cell::{Cell, Status};
use crate::metrics::Flips;

/// Of the cells of one method, data set, upgrade and number of shots; `margin` is the
/// accepted loss, a fraction. `None` of no cell.
pub(super) fn assess<'a>(cells: &[&'a Cell], margin: f64) -> Option<Assessment<'a>> {
    let mut cells = cells.to_vec();
    cells.sort_by_key(|cell| cell.seed);
    let first = *cells.first()?;
    let (measured, others): (Vec<&Cell>, Vec<&Cell>) =
        cells.iter().copied().partition(|cell| is_measured(cell));
    let missing: Vec<Missing<'_>> = others.iter().map(|cell| missing_cell(cell)).collect();
    let against_base = difference(&measured, |c| Some((c.new.as_ref()?, c.base.as_ref()?)));
    let over_zero_shot = difference(&measured, |c| {
        Some((c.new.as_ref()?, c.zero_target.as_ref()?))
    });
    let retrained = Retrained::of(&cells);
    let flips = measured
        .iter()
        .map(|cell| Flips::of(&cell.conditions))
        .collect::<Option<Vec<Flips>>>()
        .filter(|each| !each.is_empty())
        .map(|each| {
            each.into_iter()
                .fold(Flips::default(), |sum, one| sum + one)
        });
    let unfit = others.iter().find_map(|cell| match &cell.status {
        Status::NotInjectable { reason } => Some(reason.as_str()),
        _ => None,
    });
    let verdict = match (&against_base, &over_zero_shot) {
        _ if unfit.is_some() => Some(Verdict::NotInjectable),
        (Some(base), Some(zero)) => Some(Verdict::of(base, zero, margin)),
        _ => None,
    };
    let deciding = match (verdict, &against_base) {
        (Some(Verdict::Inconclusive), Some(base)) => Deciding::of(base, margin),
        _ => None,
    };
    let recommendation = Recommendation::of(verdict, over_zero_shot.as_ref(), retrained.as_ref());
    let mut assessment = Assessment {
        upgrade: &first.upgrade,
        shots: first.shots,
        method: &first.method,
        dataset: &first.dataset,
        cells: measured,
        missing,
        against_base,
        over_zero_shot,
        retrained,
        flips,
        verdict,
        reason: String::new(),
        deciding,
        recommendation,
        advice: String::new(),
    };
    assessment.reason = words::reason(&assessment, margin, unfit);
    assessment.advice = words::advice(&assessment);
    Some(assessment)
}

fn missing_cell(cell: &Cell) -> Missing<'_> {
    Missing {
        seed: cell.seed,
        // A finished cell without its conditions is a finding of the lints.
        status: match &cell.status {
            Status::Ok => &Status::NotRun,
            status => status,
        },
        rerun: &cell.rerun,
    }
}

fn is_measured(cell: &Cell) -> bool {
    let conditions = &cell.conditions;
    cell.status == Status::Ok
        && conditions.base.is_some()
        && conditions.zero_target.is_some()
        && conditions.new.is_some()
}
