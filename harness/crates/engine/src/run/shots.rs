//! Shots that a data set cannot give.

use std::collections::BTreeSet;

use crate::plan::{Coordinates, DatasetIndex, Inputs};

/// A data set of which no class has the training images that are asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "data set {dataset}: {shots} shots asked for, but no class has more than {largest} training images; \
     write at most `shots: [{largest}]`"
)]
pub struct TooManyShots {
    pub dataset: String,
    pub shots: u32,
    /// Training images of the largest class.
    pub largest: usize,
}

/// A line for each data set and number of shots that some classes cannot give, with the count that
/// is used.
///
/// # Errors
/// No class can give them: the run would be of fewer shots than it says.
pub(super) fn warnings(
    inputs: &Inputs,
    cells: &[Coordinates],
) -> Result<Vec<String>, TooManyShots> {
    let trained = cells.iter().filter(|cell| {
        !cell.is_file || (inputs.suite.oracle && inputs[cell.method].can_be_retrained())
    });
    let draws = trained.map(|cell| (inputs.training_set(cell.dataset), cell.draw.shots));
    let draws: BTreeSet<(DatasetIndex, u32)> = draws.collect();
    let lines = draws.into_iter().filter_map(|(dataset, shots)| {
        let facts = &inputs[dataset];
        let counts = &facts.contents.present()?.train_per_class;
        warning(&facts.reference.name, counts, shots).transpose()
    });
    lines.collect()
}

fn warning(dataset: &str, counts: &[usize], shots: u32) -> Result<Option<String>, TooManyShots> {
    let wanted = shots as usize;
    let (Some(&least), Some(&largest)) = (counts.iter().min(), counts.iter().max()) else {
        return Ok(None);
    };
    if largest < wanted {
        return Err(TooManyShots {
            dataset: dataset.to_owned(),
            shots,
            largest,
        });
    }
    let short = counts.iter().filter(|count| **count < wanted).count();
    let used: usize = counts.iter().map(|count| wanted.min(*count)).sum();
    Ok((short > 0).then(|| {
        format!(
            "{dataset}: {short} of {} classes have fewer than {shots} training images (at least \
             {least}); {used} are used in place of {}",
            counts.len(),
            wanted * counts.len()
        )
    }))
}

#[cfg(test)]
mod tests {
    use super::warning;

    #[test]
    fn the_count_that_is_used_is_told_and_too_many_shots_are_refused() {
        assert_eq!(warning("d", &[16, 20], 16), Ok(None));
        assert_eq!(warning("d", &[], 16), Ok(None));
        assert_eq!(
            warning("d", &[3, 20, 7], 8).unwrap().unwrap(),
            "d: 2 of 3 classes have fewer than 8 training images (at least 3); 18 are used in place of 24"
        );
        let refused = warning("d", &[3, 7], 8).unwrap_err().to_string();
        assert!(refused.contains("no class has more than 7"), "{refused}");
    }
}
