//! Which rows of a column are the best, as far as the test images can tell.

use crate::cell::{Cell, Conditions};
use crate::condition::Condition;
use crate::seeds::{Seeds, replicates};
use crate::stats::{Crossed, Difference, LEVEL, VariancePrior};

/// A row of a column: the same quantity of one method, or of the zero-shot, for every seed.
#[derive(Clone, Debug)]
pub struct Contender<'c> {
    conditions: Vec<(Seeds, &'c Condition)>,
}

impl<'c> Contender<'c> {
    /// Of a method's cells on a data set; `None` where one of them lacks the quantity.
    pub fn of(
        cells: &[&'c Cell],
        pick: impl Fn(&'c Conditions) -> Option<&'c Condition>,
    ) -> Option<Self> {
        let conditions = cells
            .iter()
            .map(|cell| Some((cell.seed, pick(&cell.conditions)?)));
        let conditions: Vec<_> = conditions.collect::<Option<_>>()?;
        (!conditions.is_empty()).then_some(Self { conditions })
    }

    fn mean(&self) -> f64 {
        let sum: f64 = self.conditions.iter().map(|(_, c)| c.accuracy).sum();
        sum / self.conditions.len() as f64
    }

    /// Its difference to another on the same images; `None` where the seeds are others.
    fn over(&self, other: &Self) -> Option<Difference> {
        let pairs = self.conditions.iter().map(|(seed, own)| {
            let mut theirs = other.conditions.iter();
            let (_, theirs) = theirs.find(|(other, _)| other == seed)?;
            Some((*seed, (*own, *theirs)))
        });
        Difference::of(&replicates(pairs.collect::<Option<Vec<_>>>()?))
    }
}

/// What leads a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaders {
    /// The row with the highest mean; `None` of a column without numbers.
    pub highest: Option<usize>,
    /// For each row whether it is the highest, or one that the highest is not shown to be above.
    pub leads: Vec<bool>,
}

impl Leaders {
    /// Whether some row is shown to be below the highest.
    pub fn is_shown(&self, rows: usize) -> bool {
        self.leads.iter().filter(|leads| **leads).count() < rows
    }
}

/// What leads a column of rows. Each comparison with the highest is at 95 % by itself, with images
/// and seeds as crossed sources of error and the variance of seeds shared by the comparisons.
pub fn leaders(rows: &[Option<Contender<'_>>]) -> Leaders {
    let numbers = rows.iter().enumerate();
    let numbers = numbers.filter_map(|(at, row)| Some((at, row.as_ref()?)));
    let best = numbers.max_by(|a, b| a.1.mean().total_cmp(&b.1.mean()));
    let Some((highest, best)) = best else {
        return Leaders {
            highest: None,
            leads: vec![false; rows.len()],
        };
    };
    let differences: Vec<Option<Difference>> = rows
        .iter()
        .enumerate()
        .map(|(at, row)| best.over(row.as_ref().filter(|_| at != highest)?))
        .collect();
    let variances = differences.iter().flatten();
    let variances: Vec<_> = variances.filter_map(Crossed::seed_variance).collect();
    let prior = VariancePrior::fit(&variances);
    let is_above = |difference: &Difference| difference.interval(LEVEL, prior.as_ref()).low > 0.0;
    let leads = rows
        .iter()
        .zip(&differences)
        .map(|(row, difference)| row.is_some() && !difference.as_ref().is_some_and(is_above));
    Leaders {
        highest: Some(highest),
        leads: leads.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    /// Leaders by New of methods with these numbers of correct images of 1,000, for each seed.
    fn found(counts: &[&[u32]]) -> Vec<bool> {
        let methods: Vec<String> = (0..counts.len()).map(|at| format!("m{at}")).collect();
        let names: Vec<&str> = methods.iter().map(String::as_str).collect();
        let seeds: Vec<u64> = (1..=counts[0].len() as u64).collect();
        let report = fixture::report(&names, &["d"], &seeds, |method, _, seed| {
            Ok(([400, 600, 450, counts[method][seed as usize - 1]], None))
        });
        let rows = names.iter().map(|name| {
            let cells = report.cells.iter().filter(|cell| cell.method == *name);
            let cells: Vec<&Cell> = cells.collect();
            Contender::of(&cells, |conditions| conditions.new.as_ref())
        });
        leaders(&rows.collect::<Vec<_>>()).leads
    }

    #[test]
    fn what_is_far_below_does_not_lead_and_what_is_near_does() {
        let far = found(&[&[700, 702, 701], &[500, 503, 499], &[690, 703, 699]]);
        assert_eq!(far, [true, false, true]);
        assert_eq!(found(&[&[700, 704], &[500, 498]]), [true, false]);
        assert_eq!(found(&[&[700], &[699]]), [true, true]);
        assert_eq!(found(&[&[500], &[700]]), [false, true]);
    }

    #[test]
    fn nobody_leads_a_column_without_numbers() {
        let none = leaders(&[None, None]);
        assert_eq!((none.highest, none.leads), (None, vec![false, false]));
        assert!(Contender::of(&[], |c| c.new.as_ref()).is_none());
    }
}
