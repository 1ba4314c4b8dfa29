//! From the cells of a method on a data set to an assessment.

use crate::analysis::assessment::{Assessment, Contrasts, Missing, Retrained};
use crate::analysis::claims::{Claim, Shown, Statement};
use crate::analysis::decide::{Deciding, Size};
use crate::analysis::effect::{Effect, Ratio};
use crate::analysis::measured::{Measured, Priors, is_measured};
use crate::analysis::recommendation::{Evidence, Recommendation};
use crate::analysis::verdict::Verdict;
use crate::analysis::words;
use crate::cell::{Cell, Status};
use crate::metrics::Flips;
use crate::report::GateRule;
use crate::stats::mean;

/// The cells of one method, data set, upgrade and number of shots.
pub(super) struct Group<'a> {
    /// By ascending seed.
    cells: Vec<&'a Cell>,
    pub(super) measured: Measured,
}

/// What the claims of a family have in common.
pub(super) struct Family<'p> {
    pub(super) priors: &'p Priors,
    pub(super) rule: GateRule,
    /// Methods × data sets with a number.
    pub(super) members: usize,
}

impl<'a> Group<'a> {
    pub(super) fn of(cells: &[&'a Cell]) -> Self {
        let mut cells = cells.to_vec();
        cells.sort_by_key(|cell| cell.seed);
        Self {
            measured: Measured::of(&cells),
            cells,
        }
    }

    /// The assessment, given what is shown; `None` of no cell.
    pub(super) fn assess(&self, shown: Shown, family: &Family<'_>) -> Option<Assessment<'a>> {
        let first = *self.cells.first()?;
        let (done, others): (Vec<&Cell>, Vec<&Cell>) = self
            .cells
            .iter()
            .copied()
            .partition(|cell| is_measured(cell));
        let unfit = others.iter().find_map(|cell| match &cell.status {
            Status::NotInjectable { reason } => Some(reason.as_str()),
            _ => None,
        });
        let (of, priors) = (&self.measured, family.priors);
        let over_zero_shot = of.over_zero_shot.as_ref();
        let over_zero_shot = over_zero_shot.map(|d| Effect::of(d, priors.over_zero_shot.as_ref()));
        let source_gain = of.source_gain.as_ref();
        let source_gain = source_gain.map(|d| Effect::of(d, priors.source_gain.as_ref()));
        let change = of.gains.as_ref().map(|gains| gains.less(1.0));
        let retrained = self.retrained(priors);
        let helps = over_zero_shot.map(|_| {
            let refuted = shown.is(Statement::HelpsLittle);
            claim(shown.is(Statement::Helps), refuted)
        });
        let retraining_pays = retrained.map(|_| {
            let adds_little = shown.is(Statement::RetrainingAddsLittle);
            let refuted = adds_little || shown.is(Statement::RetrainingUseless);
            claim(shown.is(Statement::RetrainingPays), refuted)
        });
        let verdict = match over_zero_shot {
            _ if unfit.is_some() => Some(Verdict::NotInjectable),
            Some(_) => Some(Verdict::of(shown)),
            None => None,
        };
        let mut assessment = Assessment {
            upgrade: &first.upgrade,
            shots: first.shots,
            method: &first.method,
            dataset: &first.dataset,
            missing: others.iter().map(|cell| missing_cell(cell)).collect(),
            gain_change: change.map(|d| Effect::of(&d, priors.gain_change.as_ref())),
            recovery: of
                .recovery
                .as_ref()
                .zip(retrained)
                .and_then(|(both, retrained)| {
                    let priors = (&priors.over_zero_shot, &priors.retrained_over_zero_shot);
                    Ratio::of(
                        both,
                        &retrained.over_zero_shot,
                        priors.0.as_ref().zip(priors.1.as_ref()),
                    )
                }),
            gain_kept: of.gains.as_ref().zip(source_gain).and_then(|(both, gain)| {
                let priors = (&priors.over_zero_shot, &priors.source_gain);
                Ratio::of(both, &gain, priors.0.as_ref().zip(priors.1.as_ref()))
            }),
            update_gain: of.update.as_ref().and_then(|(both, over_base)| {
                let gain = Effect::of(over_base, priors.retrained_over_base.as_ref());
                let priors = (&priors.update, &priors.retrained_over_base);
                Ratio::of(both, &gain, priors.0.as_ref().zip(priors.1.as_ref()))
            }),
            contrasts: Contrasts {
                recovery: of.recovery.clone(),
                gain_kept: of.gains.clone(),
            },
            flips: flips(&done),
            cells: done,
            over_zero_shot,
            source_gain,
            retrained,
            helps,
            helps_little: shown.is(Statement::HelpsLittle),
            harms: shown.is(Statement::Harms),
            retraining_pays,
            verdict,
            reason: String::new(),
            recommendation: Recommendation::of(Evidence {
                helps,
                retraining_pays,
                is_useless: shown.is(Statement::Useless),
            }),
            deciding: None,
            advice: String::new(),
        };
        assessment.deciding = deciding(&assessment, family);
        assessment.reason = words::reason(&assessment, family.rule.fraction(), unfit);
        assessment.advice = words::advice(&assessment, family.rule.fraction());
        Some(assessment)
    }

    fn retrained(&self, priors: &Priors) -> Option<Retrained> {
        let prior = priors.retrained_over_zero_shot.as_ref();
        let over_zero_shot = self.measured.retrained_over_zero_shot.as_ref()?;
        let over_new = self.measured.over_new.as_ref();
        let cells = self
            .cells
            .iter()
            .filter(|cell| cell.conditions.oracle.is_some());
        let cells: Vec<&Cell> = cells.copied().collect();
        let on_target = cells.iter().map(|cell| Some(cell.retraining?.seconds));
        let on_target = on_target.collect::<Option<Vec<f64>>>();
        let on_source = cells.iter().filter_map(|cell| cell.training.as_ref());
        let on_source: Vec<f64> = on_source.map(|training| training.seconds).collect();
        let is_measured = on_target.is_some();
        Some(Retrained {
            over_new: over_new.map(|d| Effect::of(d, priors.over_new.as_ref())),
            over_zero_shot: Effect::of(over_zero_shot, prior),
            seconds: mean(&on_target.unwrap_or(on_source)).unwrap_or_default(),
            is_measured,
        })
    }
}

fn claim(is_shown: bool, is_refuted: bool) -> Claim {
    match (is_shown, is_refuted) {
        (true, _) => Claim::Shown,
        (false, true) => Claim::Refuted,
        (false, false) => Claim::Open,
    }
}

/// What would decide the claim that a recommendation leaves open.
fn deciding(of: &Assessment<'_>, family: &Family<'_>) -> Option<Deciding> {
    let margin = family.rule.fraction();
    let (effect, distance) = match (of.recommendation, of.helps) {
        (Recommendation::UndecidedKeepMeanwhile, _) => {
            let effect = of.retrained?.over_new?;
            (effect, effect.value - margin)
        }
        (Recommendation::Undecided, Some(Claim::Open)) => {
            let effect = of.over_zero_shot?;
            // To 0 for "helps", to the margin for "does not": whichever is further off.
            (effect, effect.value.max(margin - effect.value))
        }
        (Recommendation::Undecided, _) => {
            let effect = of.retrained?.over_zero_shot;
            (effect, effect.value - margin)
        }
        _ => return None,
    };
    let condition = of
        .cells
        .first()
        .and_then(|cell| cell.conditions.zero_target.as_ref());
    let size = Size {
        images: condition?.total,
        seeds: of.cells.len() as u64,
        alpha: family.rule.alpha / 2.0 / family.members.max(1) as f64,
    };
    Deciding::of(&effect, distance, size)
}

/// Summed over cells; `None` of none.
fn flips(cells: &[&Cell]) -> Option<Flips> {
    let each = cells.iter().map(|cell| Flips::of(&cell.conditions));
    let each = each.collect::<Option<Vec<Flips>>>()?;
    each.into_iter().reduce(|sum, one| sum + one)
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
