//! The curve of the loss over a training.

use harness_abi::wire::TrainSummary;

/// Means over equal stretches of the steps.
pub(crate) struct Losses {
    steps: usize,
    /// Sum and number of each stretch.
    stretches: Vec<(f64, u32)>,
}

impl Losses {
    /// A stretch for each epoch, fewer if there are many.
    pub(crate) fn new(steps: usize, epochs: usize) -> Self {
        let stretches = epochs.min(TrainSummary::MOST_LOSSES).min(steps);
        Self {
            steps,
            stretches: vec![(0.0, 0); stretches],
        }
    }

    pub(crate) fn add(&mut self, step: usize, loss: f64) {
        let at = step * self.stretches.len() / self.steps.max(1);
        if let Some((sum, number)) = self.stretches.get_mut(at) {
            *sum += loss;
            *number += 1;
        }
    }

    pub(crate) fn means(&self) -> Vec<f32> {
        let taken = self.stretches.iter().filter(|(_, number)| *number > 0);
        taken
            .map(|(sum, number)| (sum / f64::from(*number)) as f32)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn means(steps: usize, epochs: usize) -> Vec<f32> {
        let mut losses = Losses::new(steps, epochs);
        for step in 0..steps {
            losses.add(step, step as f64);
        }
        losses.means()
    }

    #[test]
    fn each_epoch_has_its_mean() {
        assert_eq!(means(6, 3), [0.5, 2.5, 4.5]);
        assert_eq!(means(0, 0), [0.0; 0]);
    }

    #[test]
    fn many_epochs_share_points() {
        let means = means(1000, 1000);
        assert_eq!(means.len(), 100);
        assert_eq!((means[0], means[99]), (4.5, 994.5));
    }
}
