//! Files that another machine has written and a network file system does not show yet.

use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long what another machine says it wrote is waited for. NFS caches attributes of a folder
/// for up to 60 s by default, but looks again when the folder is listed.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(250);

/// Time that is left to wait, of one task.
pub(super) struct Patience {
    until: Instant,
}

impl Patience {
    pub(super) fn new() -> Self {
        Self {
            until: Instant::now() + PATIENCE,
        }
    }

    /// Calls `find` until it finds something, there is nothing to wait for, or no time is left.
    /// Lists `folder` in between, which makes the client of a network file system look again.
    pub(super) fn wait_for<T>(
        &self,
        folder: &Path,
        mut find: impl FnMut() -> Option<T>,
    ) -> Option<T> {
        loop {
            let found = find();
            if found.is_some() || Instant::now() >= self.until {
                return found;
            }
            sleep(PAUSE);
            let _ = std::fs::read_dir(folder).map(Iterator::count);
        }
    }
}

#[cfg(test)]
mod tests {
    use harness_store::write_atomically;

    use super::*;

    #[test]
    fn what_appears_late_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("late");
        let writer = std::thread::spawn({
            let path = path.clone();
            move || {
                sleep(2 * PAUSE);
                // As the store does: whole or not at all.
                write_atomically(&path, b"x").unwrap();
            }
        });
        let found = Patience::new().wait_for(folder.path(), || std::fs::read(&path).ok());
        writer.join().unwrap();
        assert_eq!(found, Some(b"x".to_vec()));
    }

    #[test]
    fn waiting_has_an_end() {
        let patience = Patience {
            until: Instant::now() + PAUSE,
        };
        let found = patience.wait_for(Path::new("."), || None::<()>);
        assert_eq!(found, None);
    }
}
