//! Balanced tasks: the largest piece goes to the task with the least work so far (Graham's
//! longest processing time first, never more than 4/3 of the best possible longest task).

/// What decides the number of tasks of a stage.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum CutBy {
    /// So many tasks, or as many as there are pieces.
    Tasks(usize),
    /// Tasks of about so many seconds.
    Seconds(f64),
}

impl CutBy {
    /// Tasks for pieces of `total` seconds, done by so many workers at once.
    pub(super) fn tasks(self, pieces: usize, total: f64, workers: usize, most: usize) -> usize {
        let wanted = match self {
            Self::Tasks(tasks) => tasks,
            Self::Seconds(seconds) => {
                let each = (seconds * workers.max(1) as f64).max(1.0);
                (total / each).ceil() as usize
            }
        };
        wanted.min(most).clamp(1, pieces.max(1))
    }
}

/// Which pieces each task gets: positions in `seconds`, ascending. No task is empty as long as
/// there are as many pieces as tasks.
pub(super) fn cut(seconds: &[f64], tasks: usize) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..seconds.len()).collect();
    // A stable sort: equal plans are cut equally.
    order.sort_by(|a, b| seconds[*b].total_cmp(&seconds[*a]));
    let mut bins = vec![(0.0_f64, Vec::new()); tasks.max(1)];
    for piece in order {
        let least = bins.iter_mut().min_by(|a, b| {
            (a.0, a.1.len())
                .partial_cmp(&(b.0, b.1.len()))
                .unwrap_or(std::cmp::Ordering::Equal)
        });
        if let Some((load, pieces)) = least {
            *load += seconds[piece];
            pieces.push(piece);
        }
    }
    let mut bins: Vec<Vec<usize>> = bins.into_iter().map(|(_, pieces)| pieces).collect();
    bins.retain(|pieces| !pieces.is_empty());
    for pieces in &mut bins {
        pieces.sort_unstable();
    }
    bins
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_piece_is_in_one_task_and_none_is_overfull(
            seconds in prop::collection::vec(0.0..1e4_f64, 1..200),
            tasks in 1..40_usize,
        ) {
            let bins = cut(&seconds, tasks);
            let mut all: Vec<usize> = bins.iter().flatten().copied().collect();
            all.sort_unstable();
            prop_assert_eq!(all, (0..seconds.len()).collect::<Vec<_>>());
            prop_assert!(bins.len() <= tasks);
            let load = |bin: &Vec<usize>| bin.iter().map(|piece| seconds[*piece]).sum::<f64>();
            let longest = bins.iter().map(load).fold(0.0, f64::max);
            let total: f64 = seconds.iter().sum();
            let largest = seconds.iter().copied().fold(0.0, f64::max);
            prop_assert!(longest <= total / tasks as f64 + largest + 1e-6);
            prop_assert_eq!(cut(&seconds, tasks), bins);
        }
    }

    #[test]
    fn the_number_of_tasks_follows_the_time_and_the_pieces() {
        assert_eq!(CutBy::Seconds(3600.0).tasks(100, 36_000.0, 1, 1000), 10);
        assert_eq!(CutBy::Seconds(3600.0).tasks(100, 36_000.0, 5, 1000), 2);
        assert_eq!(CutBy::Seconds(3600.0).tasks(3, 36_000.0, 1, 1000), 3);
        assert_eq!(CutBy::Tasks(16).tasks(100, 1.0, 1, 10), 10);
        assert_eq!(CutBy::Tasks(16).tasks(0, 0.0, 1, 10), 1);
    }
}
