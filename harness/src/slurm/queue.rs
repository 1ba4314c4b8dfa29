//! Tasks of this program among the jobs of a user.

use harness_engine::distribute::Stage;

use super::TaskState;

/// How the names of our jobs begin.
const PREFIX: &str = "harness-";
/// The stage of the last job.
const REPORT: &str = "report";

/// A task as Slurm knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct QueuedTask {
    pub(crate) plan: String,
    /// None for the job that assembles the report.
    pub(crate) stage: Option<Stage>,
    /// From 1; 1 for the report.
    pub(crate) shard: usize,
    /// Such as `1234_5`.
    pub(crate) job: String,
    pub(crate) state: TaskState,
    pub(crate) node: String,
}

impl QueuedTask {
    /// The number that the whole array has.
    pub(crate) fn array(&self) -> &str {
        self.job.split('_').next().unwrap_or_default()
    }
}

/// The tasks that Slurm knows of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Queue(pub(crate) Vec<QueuedTask>);

/// What a job is called.
pub(crate) fn job_name(plan: &str, stage: Option<Stage>) -> String {
    format!("{PREFIX}{plan}-{}", stage.map_or(REPORT, Stage::name))
}

fn plan_and_stage(name: &str) -> Option<(String, Option<Stage>)> {
    let (plan, stage) = name.strip_prefix(PREFIX)?.rsplit_once('-')?;
    let stage = match stage {
        REPORT => None,
        stage => Some(stage.parse().ok()?),
    };
    Some((plan.to_owned(), stage))
}

impl Queue {
    /// Reads lines of `job|name|state|node`, as both squeue and sacct are asked to print them.
    /// Lines of other jobs, and of arrays as a whole, are left out.
    pub(crate) fn parse(text: &str) -> Self {
        let tasks = text.lines().filter_map(|line| {
            let mut fields = line.split('|');
            let job = fields.next()?.trim();
            let (plan, stage) = plan_and_stage(fields.next()?.trim())?;
            let state = TaskState::of(fields.next()?.trim());
            let node = fields.next().unwrap_or_default().trim();
            let shard = match (stage, job.split_once('_')) {
                (None, _) => 1,
                (Some(_), Some((_, shard))) => shard.parse().ok()?,
                (Some(_), None) => return None,
            };
            Some(QueuedTask {
                plan,
                stage,
                shard,
                job: job.to_owned(),
                state,
                node: node.to_owned(),
            })
        });
        Self(tasks.collect())
    }

    /// These and, of what they do not have, `older`.
    pub(crate) fn or(mut self, older: Self) -> Self {
        for task in older.0 {
            if self.0.iter().all(|known| known.job != task.job) {
                self.0.push(task);
            }
        }
        self
    }

    /// The tasks of a plan.
    pub(crate) fn of_plan(&self, plan: &str) -> impl Iterator<Item = &QueuedTask> {
        self.0.iter().filter(move |task| task.plan == plan)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_are_read_and_other_jobs_are_not() {
        let text = "12_3|harness-00ff-trainings|RUNNING|node7\n\
                    12_[4-9]|harness-00ff-trainings|PENDING|\n\
                    13|harness-00ff-report|PENDING|\n\
                    14|bash|RUNNING|node1\n\
                    garbage\n";
        let queue = Queue::parse(text);
        assert_eq!(queue.0.len(), 2);
        assert_eq!(queue.0[0].stage, Some(Stage::Trainings));
        assert_eq!((queue.0[0].shard, queue.0[0].array()), (3, "12"));
        assert_eq!(queue.0[1].stage, None);
        assert_eq!(queue.0[1].state, TaskState::Waiting);
    }

    #[test]
    fn a_name_comes_back() {
        for stage in [None, Some(Stage::Features), Some(Stage::Injections)] {
            let name = job_name("0123456789abcdef", stage);
            assert_eq!(
                plan_and_stage(&name),
                Some(("0123456789abcdef".to_owned(), stage))
            );
        }
    }

    #[test]
    fn the_queue_precedes_the_accounts() {
        let now = Queue::parse("1_1|harness-a-features|RUNNING|n");
        let then =
            Queue::parse("1_1|harness-a-features|NODE_FAIL|m\n1_2|harness-a-features|TIMEOUT|m");
        let both = now.or(then);
        assert_eq!(both.0.len(), 2);
        assert_eq!(both.0[0].state, TaskState::Running);
    }
}
