//! Several at once.

use std::time::Duration;

use harness_hub::Quiet;

use crate::server::*;

#[test]
fn two_at_once_fetch_once() {
    let cache = tempfile::tempdir().unwrap();
    let server = Server::start(|asked, _| {
        std::thread::sleep(Duration::from_millis(200));
        hub_reply(asked, b"weights")
    });
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let hub = client(cache.path(), &server.url);
                let fetched = hub.fetch(&request(&["x"]), HASTY, &mut Quiet).unwrap();
                let found = std::fs::read(&fetched.located.found[0]).unwrap();
                assert_eq!(found, b"weights");
            });
        }
    });
    let lines = server.lines();
    let fetched = lines.iter().filter(|line| line.starts_with("GET"));
    assert_eq!(fetched.count(), 1, "{lines:?}");
}

#[test]
fn a_lock_that_another_tool_holds_is_waited_for() {
    let cache = tempfile::tempdir().unwrap();
    let server = Server::hub(b"weights");
    // Where huggingface_hub locks, with the same system call.
    let locks = cache.path().join(".locks/models--org--name");
    std::fs::create_dir_all(&locks).unwrap();
    let name = format!("{}.lock", sha256(b"weights"));
    let held = std::fs::File::create(locks.join(name)).unwrap();
    held.lock().unwrap();
    std::thread::scope(|scope| {
        let fetching = scope.spawn(|| {
            let hub = client(cache.path(), &server.url);
            let mut watch = Watch::default();
            hub.fetch(&request(&["x"]), HASTY, &mut watch).unwrap();
            watch.notes
        });
        std::thread::sleep(Duration::from_millis(300));
        assert!(!fetching.is_finished());
        held.unlock().unwrap();
        let notes = fetching.join().unwrap();
        assert!(
            notes[0].contains("waiting for another process"),
            "{notes:?}"
        );
    });
}
