//! Servers and disks that have something else than they claim.

use harness_hub::{FetchError, Hub, Quiet};

use crate::server::*;

fn fails(hub: &Hub) -> String {
    let error = hub.fetch(&request(&["x"]), HASTY, &mut Quiet).unwrap_err();
    error.to_string()
}

/// No file is to appear under any name after a failure.
fn assert_nothing_placed(cache: &std::path::Path) {
    let root = cache.join("models--org--name");
    assert!(!root.join("snapshots").exists());
    let blobs = std::fs::read_dir(root.join("blobs"))
        .into_iter()
        .flatten()
        .flatten();
    for blob in blobs {
        assert!(
            blob.path().extension().is_some(),
            "{}",
            blob.path().display()
        );
    }
}

#[test]
fn a_wrong_hash_is_an_error_that_keeps_nothing() {
    let cache = tempfile::tempdir().unwrap();
    let server = Server::start(|asked, _| match asked.verb.as_str() {
        "HEAD" => hub_reply(asked, b"right"),
        _ => Reply::part(asked, b"wrong"),
    });
    let text = fails(&client(cache.path(), &server.url));
    assert!(
        text.contains(&sha256(b"right")) && text.contains(&sha256(b"wrong")),
        "{text}"
    );
    assert_nothing_placed(cache.path());
    let blobs = std::fs::read_dir(cache.path().join("models--org--name/blobs")).unwrap();
    assert_eq!(blobs.count(), 0);
}

#[test]
fn a_file_that_is_not_the_one_of_the_registry_is_not_even_fetched() {
    let cache = tempfile::tempdir().unwrap();
    let server = Server::hub(b"other");
    let hub = client(cache.path(), &server.url);
    let mut request = request(&["x"]);
    request.files[0].sha256 = Some(sha256(b"right"));
    let error = hub.fetch(&request, HASTY, &mut Quiet).unwrap_err();
    assert!(matches!(error, FetchError::WrongHash { .. }), "{error}");
    request.files[0].sha256 = None;
    request.files[0].size = Some(4);
    let error = hub.fetch(&request, HASTY, &mut Quiet).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("expected 4 bytes, but the server has 5"),
        "{error}"
    );
    assert!(server.lines().iter().all(|line| line.starts_with("HEAD")));
}

#[test]
fn lies_about_the_length_are_found_out() {
    // Too long, too short, and a whole that the hub knows to be longer.
    for (length, expected) in [(9, "expected 5 bytes"), (3, "expected 5 bytes")] {
        let cache = tempfile::tempdir().unwrap();
        let server = Server::start(move |asked, _| match asked.verb.as_str() {
            "HEAD" => hub_reply(asked, b"right"),
            _ => Reply::part(asked, b"right").header("Content-Length", length),
        });
        let text = fails(&client(cache.path(), &server.url));
        assert!(text.contains(expected), "{text}");
        assert_nothing_placed(cache.path());
    }
    // A mirror that announces more than it sends, and is all that there is.
    let cache = tempfile::tempdir().unwrap();
    let server = Server::start(|_, _| Reply::status(200).header("Content-Length", 50));
    let mut settings = settings(cache.path(), "http://127.0.0.1:9");
    settings.mirror = Some(server.url.clone());
    let text = fails(&Hub::new(settings));
    assert!(text.contains("after 3 attempts"), "{text}");
    assert_nothing_placed(cache.path());
}

#[test]
fn another_range_than_was_asked_for_is_not_appended() {
    let cache = tempfile::tempdir().unwrap();
    let server = Server::start(|asked, before| match (asked.verb.as_str(), before) {
        ("HEAD", _) => hub_reply(asked, b"0123456789"),
        (_, 1) => Reply::part(asked, b"0123456789").cut(4),
        (_, 2) => Reply::status(206).header("Content-Range", "bytes 0-9/10"),
        _ => Reply::part(asked, b"0123456789"),
    });
    let hub = client(cache.path(), &server.url);
    let fetched = hub.fetch(&request(&["x"]), HASTY, &mut Quiet).unwrap();
    assert_eq!(
        std::fs::read(&fetched.located.found[0]).unwrap(),
        b"0123456789"
    );
}

#[test]
fn a_damaged_part_is_thrown_away_once() {
    let cache = tempfile::tempdir().unwrap();
    let server = Server::hub(b"0123456789");
    let blobs = cache.path().join("models--org--name/blobs");
    std::fs::create_dir_all(&blobs).unwrap();
    let incomplete = blobs.join(format!("{}.incomplete", sha256(b"0123456789")));
    for left in ["xxxxx", "0123456789 and more"] {
        std::fs::write(&incomplete, left).unwrap();
        let hub = client(cache.path(), &server.url);
        let mut watch = Watch::default();
        hub.fetch(&request(&["x"]), HASTY, &mut watch).unwrap();
        assert!(
            watch.notes[0].contains("starting over"),
            "{:?}",
            watch.notes
        );
        std::fs::remove_file(blobs.join(sha256(b"0123456789"))).unwrap();
    }
}

#[test]
fn damage_on_disk_is_noticed_and_mended() {
    let cache = tempfile::tempdir().unwrap();
    let server = Server::hub(b"right");
    let hub = client(cache.path(), &server.url);
    let request = request(&["x"]);
    let fetched = hub.fetch(&request, HASTY, &mut Quiet).unwrap();
    let blob = std::fs::canonicalize(&fetched.located.found[0]).unwrap();
    std::fs::write(&blob, "wrong").unwrap();
    let mut watch = Watch::default();
    let fetched = hub.fetch(&request, HASTY, &mut watch).unwrap();
    assert!(watch.notes[0].contains("is damaged"), "{:?}", watch.notes);
    assert_eq!(std::fs::read(&fetched.located.found[0]).unwrap(), b"right");
}

#[test]
fn a_file_that_a_person_put_there_is_checked_and_left_alone() {
    let cache = tempfile::tempdir().unwrap();
    let server = Server::hub(b"right");
    let hub = client(cache.path(), &server.url);
    let mut request = request(&["x"]);
    request.files[0].sha256 = Some(sha256(b"right"));
    let place = hub.locate(&request).unwrap().missing[0].path.clone();
    std::fs::create_dir_all(place.parent().unwrap()).unwrap();
    std::fs::write(&place, "wrong").unwrap();
    let error = hub.fetch(&request, HASTY, &mut Quiet).unwrap_err();
    assert!(error.to_string().contains("snapshots/main/x"), "{error}");
    assert_eq!(std::fs::read(&place).unwrap(), b"wrong");
    std::fs::write(&place, "right").unwrap();
    assert!(hub.fetch(&request, HASTY, &mut Quiet).is_ok());
    assert!(server.asked().is_empty());
}
