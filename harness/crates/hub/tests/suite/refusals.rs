//! Servers that say no, or not now.

use std::time::{Duration, Instant};

use harness_hub::{Quiet, RetryPolicy};

use crate::server::*;

/// The message that a server's answer comes to.
fn message(reply: impl Fn(&Asked, usize) -> Reply + Send + Sync + 'static) -> (String, usize) {
    let cache = tempfile::tempdir().unwrap();
    let server = Server::start(reply);
    let hub = client(cache.path(), &server.url);
    let error = hub.fetch(&request(&["x"]), HASTY, &mut Quiet).unwrap_err();
    (error.to_string(), server.asked().len())
}

#[test]
fn a_closed_repository_is_explained_and_not_asked_again() {
    for status in [401, 403] {
        let (text, asked) = message(move |_, _| Reply::status(status));
        assert!(text.contains("with the token from HF_TOKEN"), "{text}");
        assert!(!text.contains("hf_secret"), "{text}");
        assert_eq!(asked, 1);
    }
    let cache = tempfile::tempdir().unwrap();
    let server = Server::start(|_, _| Reply::status(401));
    let mut settings = settings(cache.path(), &server.url);
    settings.token = None;
    let hub = harness_hub::Hub::new(settings);
    let error = hub.fetch(&request(&["x"]), HASTY, &mut Quiet).unwrap_err();
    assert!(error.to_string().contains("set HF_TOKEN"), "{error}");
}

#[test]
fn what_is_not_there_is_named() {
    for (code, what) in [
        ("RepoNotFound", "repository not found"),
        ("RevisionNotFound", "revision not found"),
        ("EntryNotFound", "file not found"),
    ] {
        let (text, asked) = message(move |_, _| Reply::status(404).header("X-Error-Code", code));
        assert!(text.contains(what), "{text}");
        assert!(text.contains("/org/name/resolve/main/x"), "{text}");
        assert_eq!(asked, 1);
    }
}

#[test]
fn a_busy_server_is_asked_again_when_it_says() {
    let cache = tempfile::tempdir().unwrap();
    let server = Server::start(|asked, before| match before {
        0 => Reply::status(429).header("Retry-After", 1),
        2 => Reply::status(503),
        _ => hub_reply(asked, b"w"),
    });
    let hub = client(cache.path(), &server.url);
    let start = Instant::now();
    let mut watch = Watch::default();
    hub.fetch(&request(&["x"]), HASTY, &mut watch).unwrap();
    assert!(start.elapsed() >= Duration::from_secs(1));
    assert_eq!(server.asked().len(), 4);
    assert!(watch.notes[0].contains("429"), "{:?}", watch.notes);
    assert!(watch.notes[1].contains("503"), "{:?}", watch.notes);
}

#[test]
fn patience_ends() {
    let (text, asked) = message(|_, _| Reply::status(500));
    assert!(
        text.contains("failed after 3 attempts") && text.contains("500"),
        "{text}"
    );
    assert_eq!(asked, 3);
    let (text, asked) = message(|_, _| Reply::status(429).header("Retry-After", 3600));
    assert!(text.contains("asked to wait 3600 s"), "{text}");
    assert_eq!(asked, 1);
    // Nobody listens there.
    let cache = tempfile::tempdir().unwrap();
    let hub = client(cache.path(), "http://127.0.0.1:9");
    let policy = RetryPolicy {
        attempts: 2,
        ..HASTY
    };
    let error = hub.fetch(&request(&["x"]), policy, &mut Quiet).unwrap_err();
    assert!(
        error.to_string().contains("failed after 2 attempts"),
        "{error}"
    );
}

#[test]
fn redirects_end() {
    let (text, asked) =
        message(|_, before| Reply::status(302).header("Location", format!("/again/{before}")));
    assert!(text.contains("more than 10 redirects"), "{text}");
    assert_eq!(asked, 11);
    let (text, _) = message(|_, _| Reply::status(302));
    assert!(text.contains("without a valid Location"), "{text}");
}
