//! How much memory a worker may take.

use std::ffi::OsString;
use std::io;

use harness_backbone::ACTIVATION_LIMIT;
use rustix::process::{Resource, Rlimit, setrlimit};

/// Set by the scheduler, in bytes.
const SHARE: &str = "HARNESS_WORKER_MEMORY";
/// Likewise: what the system refuses to exceed.
const LIMIT: &str = "HARNESS_WORKER_LIMIT";

/// What workers may take of the memory, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct WorkerMemory {
    /// What a worker plans with.
    pub(crate) share: Option<u64>,
    /// What the system refuses to exceed.
    pub(crate) limit: Option<u64>,
}

impl WorkerMemory {
    /// The environment variables that tell a worker.
    pub(crate) fn envs(self) -> impl Iterator<Item = (OsString, OsString)> {
        [(SHARE, self.share), (LIMIT, self.limit)]
            .into_iter()
            .filter_map(|(name, bytes)| Some((name.into(), bytes?.to_string().into())))
    }

    /// The variable that tells a worker half of what `envs` tell the others.
    pub(crate) fn halved(envs: &[(OsString, OsString)]) -> (OsString, OsString) {
        let told = envs.iter().find(|(name, _)| name == SHARE);
        let share = told.and_then(|(_, bytes)| bytes.to_str()?.parse().ok());
        let share: u64 = share.unwrap_or(2 * ACTIVATION_LIMIT as u64);
        (SHARE.into(), (share / 2).to_string().into())
    }

    /// Bytes of activations that the text tower keeps: half of the share. The image tower keeps half
    /// of that; the rest is for weights, images and the plugin.
    pub(crate) fn activations(self) -> u64 {
        self.share
            .map_or(ACTIVATION_LIMIT as u64, |bytes| bytes / 2)
    }

    /// What this worker was told.
    pub(super) fn of_environment() -> Self {
        let bytes = |name| std::env::var(name).ok()?.parse().ok();
        Self {
            share: bytes(SHARE),
            limit: bytes(LIMIT),
        }
    }

    /// Limits this process. Counted is the data segment, which includes every private mapping that
    /// can be written to: unlike the address space it leaves out weights mapped from files and what
    /// a GPU driver only reserves.
    ///
    /// # Errors
    /// The system refuses, as it does where a lower limit is already set.
    pub(super) fn confine(self) -> io::Result<()> {
        // Where memory runs out anyway, the system should end a worker and not the scheduler.
        // It is a hint; where it cannot be given nothing is lost.
        let _ = std::fs::write("/proc/self/oom_score_adj", "500");
        if let Some(limit) = self.limit {
            let limit = Rlimit {
                current: Some(limit),
                maximum: Some(limit),
            };
            setrlimit(Resource::Data, limit)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_is_of_what_the_others_are_told() {
        let memory = WorkerMemory {
            share: Some(8 << 30),
            limit: None,
        };
        let envs: Vec<_> = memory.envs().collect();
        let (name, bytes) = WorkerMemory::halved(&envs);
        assert_eq!(
            (&name, bytes),
            (&envs[0].0, (4u64 << 30).to_string().into())
        );
        let (_, bytes) = WorkerMemory::halved(&[]);
        assert_eq!(bytes, ACTIVATION_LIMIT.to_string().as_str());
    }

    #[test]
    fn a_worker_keeps_activations_in_half_of_its_share() {
        let with = |share| WorkerMemory { share, limit: None }.activations();
        assert_eq!(with(None), ACTIVATION_LIMIT as u64);
        assert_eq!(with(Some(1 << 20)), 1 << 19);
        assert_eq!(with(Some(8 << 30)), 4 << 30);
    }
}
