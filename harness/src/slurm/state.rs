//! States of jobs, as Slurm's commands name them.

/// What Slurm says of a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TaskState {
    Waiting,
    Running,
    Completed,
    /// It ended otherwise: Slurm's word for it.
    Ended(String),
}

impl TaskState {
    /// From a word such as `PENDING` or `CANCELLED by 1000`.
    pub(crate) fn of(text: &str) -> Self {
        let word = text.split([' ', '+']).next().unwrap_or_default();
        match word {
            "PENDING" | "CONFIGURING" | "REQUEUED" | "REQUEUE_HOLD" | "REQUEUE_FED"
            | "RESV_DEL_HOLD" | "SPECIAL_EXIT" => Self::Waiting,
            "RUNNING" | "COMPLETING" | "SUSPENDED" | "STOPPED" | "STAGE_OUT" | "SIGNALING"
            | "RESIZING" => Self::Running,
            "COMPLETED" => Self::Completed,
            word => Self::Ended(word.to_owned()),
        }
    }

    /// Whether it may still do something.
    pub(crate) fn is_live(&self) -> bool {
        matches!(self, Self::Waiting | Self::Running)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_have_their_meaning() {
        assert_eq!(TaskState::of("PENDING"), TaskState::Waiting);
        assert_eq!(TaskState::of("COMPLETING"), TaskState::Running);
        assert_eq!(
            TaskState::of("CANCELLED by 1000"),
            TaskState::Ended("CANCELLED".to_owned())
        );
        assert!(!TaskState::of("OUT_OF_MEMORY").is_live());
    }
}
