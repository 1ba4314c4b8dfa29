//! What goes well.

use harness_hub::{FetchError, Hub, Quiet, Repo, RepoFile, Request, Verification};

use crate::server::*;

#[test]
fn files_come_once_and_lie_as_other_tools_have_them() {
    let cache = tempfile::tempdir().unwrap();
    let server = Server::hub(b"weights");
    let hub = client(cache.path(), &server.url);
    let request = request(&["model.safetensors", "sub/config.json"]);
    let mut watch = Watch::default();
    let fetched = hub.fetch(&request, HASTY, &mut watch).unwrap();
    assert!(fetched.located.is_complete());
    // The second file has the same bytes: nothing to fetch, one more link.
    assert_eq!(fetched.downloads.len(), 1);
    assert_eq!(fetched.downloads[0].verification, Verification::Sha256);
    assert_eq!(watch.begun, [("model.safetensors".to_owned(), Some(7), 0)]);
    assert_eq!((watch.last, watch.ended), (7, 1));

    let root = cache.path().join("models--org--name");
    let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap();
    assert_eq!(read("refs/main"), COMMIT);
    assert_eq!(read(&format!("blobs/{}", sha256(b"weights"))), "weights");
    assert_eq!(
        read(&format!("snapshots/{COMMIT}/sub/config.json")),
        "weights"
    );
    let blobs = std::fs::read_dir(root.join("blobs")).unwrap();
    assert_eq!(blobs.count(), 1, "nothing incomplete is left");

    let before = server.asked().len();
    let again = hub.fetch(&request, HASTY, &mut Quiet).unwrap();
    assert_eq!(again.located, fetched.located);
    assert_eq!(server.asked().len(), before, "nothing is asked twice");
}

#[test]
fn files_of_one_request_come_from_one_commit() {
    let cache = tempfile::tempdir().unwrap();
    let server = Server::start(|asked, _| {
        let name: &'static [u8] = match asked.path.ends_with("a.json") {
            true => b"a",
            false => b"bb",
        };
        hub_reply(asked, name)
    });
    let hub = client(cache.path(), &server.url);
    hub.fetch(&request(&["a.json"]), HASTY, &mut Quiet).unwrap();
    hub.fetch(&request(&["a.json", "b.json"]), HASTY, &mut Quiet)
        .unwrap();
    assert_eq!(
        server.lines(),
        [
            "HEAD /org/name/resolve/main/a.json".to_owned(),
            "GET /org/name/resolve/main/a.json".to_owned(),
            // The branch may have moved; what is on disk is of this commit.
            format!("HEAD /org/name/resolve/{COMMIT}/b.json"),
            format!("GET /org/name/resolve/{COMMIT}/b.json"),
        ]
    );
}

#[test]
fn a_broken_connection_is_gone_on_with() {
    let cache = tempfile::tempdir().unwrap();
    let server = Server::start(|asked, _| match asked.verb.as_str() {
        "HEAD" => hub_reply(asked, b"0123456789"),
        // Three bytes a time, however much was promised.
        _ => {
            let left = 10 - asked.start();
            Reply::part(asked, b"0123456789")
                .header("ETag", "\"v\"")
                .cut(left.min(3))
        }
    });
    let hub = client(cache.path(), &server.url);
    let mut watch = Watch::default();
    let fetched = hub.fetch(&request(&["x"]), HASTY, &mut watch).unwrap();
    assert_eq!(
        std::fs::read(&fetched.located.found[0]).unwrap(),
        b"0123456789"
    );
    let asked = server.asked();
    let starts: Vec<usize> = asked[1..].iter().map(Asked::start).collect();
    assert_eq!(starts, [0, 3, 6, 9]);
    assert_eq!(asked[2].header("if-range"), Some("\"v\""));
    assert_eq!(watch.notes.len(), 3);
    assert!(
        watch.notes[0].contains("after 3 bytes"),
        "{}",
        watch.notes[0]
    );
}

#[test]
fn what_an_earlier_run_left_is_gone_on_with() {
    let cache = tempfile::tempdir().unwrap();
    let server = Server::hub(b"0123456789");
    let blobs = cache.path().join("models--org--name/blobs");
    std::fs::create_dir_all(&blobs).unwrap();
    let incomplete = format!("{}.incomplete", sha256(b"0123456789"));
    std::fs::write(blobs.join(incomplete), "01234").unwrap();
    let hub = client(cache.path(), &server.url);
    let mut watch = Watch::default();
    hub.fetch(&request(&["x"]), HASTY, &mut watch).unwrap();
    assert_eq!(watch.begun[0].2, 5);
    assert_eq!(server.asked()[1].start(), 5);
}

#[test]
fn the_first_name_that_is_there_serves() {
    let cache = tempfile::tempdir().unwrap();
    let server = Server::start(
        |asked, _| match asked.path.ends_with("/model.safetensors") {
            true => hub_reply(asked, b"w"),
            false => Reply::status(404).header("X-Error-Code", "EntryNotFound"),
        },
    );
    let hub = client(cache.path(), &server.url);
    let files = vec![
        RepoFile::any_of(["open_clip_model.safetensors", "model.safetensors"]),
        RepoFile::file("tokenizer.json").optional(),
    ];
    let request = Request::new(Repo::model("org/name", "main").unwrap(), files);
    let fetched = hub.fetch(&request, HASTY, &mut Quiet).unwrap();
    assert!(fetched.located.found[0].ends_with("model.safetensors"));
    assert_eq!(fetched.located.found.len(), 1);
}

#[test]
fn the_token_stays_with_its_host() {
    let cache = tempfile::tempdir().unwrap();
    let store = Server::start(|asked, _| Reply::part(asked, b"w"));
    let to = format!("{}/signed?x=y", store.url);
    let hub_server = Server::start(move |asked, _| {
        match asked.path.starts_with("/renamed") {
            // Of the hub's own answer only the headers count.
            true => hub_reply(asked, b"w")
                .status_to(302)
                .header("Location", &to),
            false => Reply::status(307).header("Location", "/renamed/x"),
        }
    });
    let hub = client(cache.path(), &hub_server.url);
    let fetched = hub.fetch(&request(&["x"]), HASTY, &mut Quiet).unwrap();
    assert_eq!(fetched.downloads[0].verification, Verification::Sha256);
    for asked in hub_server.asked() {
        assert_eq!(asked.header("authorization"), Some("Bearer hf_secret"));
    }
    let stored = store.asked();
    assert_eq!(stored.len(), 1);
    assert_eq!(
        (stored[0].verb.as_str(), stored[0].path.as_str()),
        ("GET", "/signed?x=y")
    );
    assert_eq!(stored[0].header("authorization"), None);
}

#[test]
fn a_plain_mirror_needs_no_hub() {
    let cache = tempfile::tempdir().unwrap();
    let server = Server::start(|asked, _| match asked.path.as_str() {
        "/mirror/org/name/x" => Reply::part(asked, b"w"),
        _ => Reply::status(404),
    });
    let mut settings = settings(cache.path(), "http://127.0.0.1:9");
    settings.mirror = Some(format!("{}/mirror", server.url));
    let hub = Hub::new(settings);
    let mut request = request(&["x"]);
    let fetched = hub.fetch(&request, HASTY, &mut Quiet).unwrap();
    assert!(fetched.located.is_complete());
    assert_eq!(fetched.downloads[0].verification, Verification::None);
    assert_eq!(
        server.lines(),
        ["HEAD /mirror/org/name/x", "GET /mirror/org/name/x"]
    );
    assert_eq!(server.asked()[0].header("authorization"), None);

    request.files[0].names = vec!["y".to_owned()];
    let error = hub.fetch(&request, HASTY, &mut Quiet).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("/mirror/org/name/y: file not found"),
        "{error}"
    );
}

#[test]
fn files_of_a_mirror_that_leads_to_a_hub_are_pinned_and_checked() {
    let cache = tempfile::tempdir().unwrap();
    let hub = Server::hub(b"w");
    let to = format!("{}/org/name/resolve/main/x", hub.url);
    let mirror = Server::start(move |_, _| Reply::status(308).header("Location", &to));
    let mut settings = settings(cache.path(), "http://127.0.0.1:9");
    settings.mirror = Some(mirror.url.clone());
    let fetched = Hub::new(settings).fetch(&request(&["x"]), HASTY, &mut Quiet);
    let fetched = fetched.unwrap();
    assert_ne!(fetched.downloads[0].verification, Verification::None);
    assert!(fetched.located.folder.ends_with(COMMIT));
}

#[test]
fn offline_asks_nobody_and_says_what_is_missing() {
    let cache = tempfile::tempdir().unwrap();
    let server = Server::hub(b"w");
    let mut settings = settings(cache.path(), &server.url);
    let request = request(&["x"]);
    settings.offline = true;
    let error = Hub::new(settings.clone())
        .fetch(&request, HASTY, &mut Quiet)
        .unwrap_err();
    let FetchError::Offline { missing, .. } = error else {
        panic!("{error}");
    };
    assert_eq!(missing.len(), 1);
    assert!(missing[0].path.ends_with("snapshots/main/x"));
    assert!(server.asked().is_empty());
    settings.offline = false;
    Hub::new(settings.clone())
        .fetch(&request, HASTY, &mut Quiet)
        .unwrap();
    settings.offline = true;
    assert!(
        Hub::new(settings)
            .fetch(&request, HASTY, &mut Quiet)
            .is_ok()
    );
}
