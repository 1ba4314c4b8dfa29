//! What a browser gets, over a real socket and in a real browser.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use harness_report::{Report, Status};
use harness_test_tools::Browser;
use serde_json::Value;

use crate::address::DEFAULT_ADDRESS;
use crate::fixture;
use crate::{Board, Ended, Running, ServeAddress, Server, Training};

const ANYWHERE: &str = "127.0.0.1:0";

fn served() -> (Board, Server) {
    let board = Board::new("my-suite");
    let server = Server::start(ANYWHERE.parse().unwrap(), board.clone()).unwrap();
    (board, server)
}

/// A report with `done` of three methods measured.
fn report(done: usize) -> Report {
    fixture::report(&["a", "b", "c"], &["shapes"], &[1], |method, _, _| {
        match method < done {
            true => Ok(([500, 600, 550, 580], Some(620))),
            false => Err(Status::NotRun),
        }
    })
}

/// The answer to a request as it is written.
fn said(server: &Server, request: &str) -> String {
    let address = server.url();
    let address = address
        .trim_start_matches("http://")
        .trim_end_matches('/')
        .to_owned();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn got(server: &Server, path: &str) -> (String, String) {
    let answer = said(
        server,
        &format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    );
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

fn state(server: &Server) -> Value {
    serde_json::from_str(&got(server, "/state.json").1).unwrap()
}

#[test]
fn the_state_of_a_run_is_told() {
    let (board, server) = served();
    assert_eq!(state(&server)["suite"], "my-suite");
    let running = Running {
        name: "train a".to_owned(),
        share: 0.5,
        seconds: 3.0,
    };
    board.progress(
        (1, 9, 0.25),
        (6.0, Some(18.0)),
        vec![running],
        vec!["b".to_owned()],
    );
    for at in 0..100 {
        board.ended(Ended {
            name: format!("task {at}"),
            word: "crashed",
            message: String::new(),
            seconds: None,
            is_failure: true,
        });
    }
    board.trained(Training {
        name: "train a".to_owned(),
        losses: vec![2.0, f32::NAN],
    });
    let state = state(&server);
    assert_eq!(state["left_seconds"], 18.0);
    assert_eq!(state["running"][0]["share"], 0.5);
    // The newest first, and no more than a page shows.
    assert_eq!(state["ended"][0]["name"], "task 99");
    assert_eq!(state["ended"].as_array().unwrap().len(), 40);
    assert_eq!(state["failures"], 100);
    assert_eq!(
        state["trainings"][0]["losses"],
        serde_json::json!([2.0, null])
    );
    assert_eq!(state["version"], 0);
}

#[test]
fn the_report_so_far_is_a_page_and_a_file() {
    let (board, server) = served();
    assert!(got(&server, "/report").0.starts_with("HTTP/1.1 404 "));
    board.report(report(1));
    let (head, page) = got(&server, "/report?1");
    assert!(head.starts_with("HTTP/1.1 200 OK"), "{head}");
    assert!(
        head.contains("Content-Security-Policy: frame-ancestors 'self'"),
        "{head}"
    );
    assert!(page.contains("1 of 3 cells measured"));
    board.report(report(2));
    assert!(got(&server, "/report").1.contains("2 of 3 cells measured"));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.json");
    std::fs::write(&path, got(&server, "/report.json").1).unwrap();
    assert_eq!(Report::read(&path).unwrap().cells.len(), 3);
    assert_eq!(state(&server)["version"], 2);
}

#[test]
fn only_this_machine_is_answered_and_nothing_can_be_changed() {
    let (_board, server) = served();
    let elsewhere = said(&server, "GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n");
    assert!(elsewhere.starts_with("HTTP/1.1 421 "), "{elsewhere}");
    let post = said(&server, "POST / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert!(post.starts_with("HTTP/1.1 405 "), "{post}");
    let nonsense = said(&server, "\u{1}\r\n\r\n");
    assert!(nonsense.starts_with("HTTP/1.1 400 "), "{nonsense}");
    let head = said(&server, "HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert!(head.ends_with("\r\n\r\n"), "{head}");
    for path in ["/../Cargo.toml", "/etc/passwd", "//", "/page"] {
        assert!(got(&server, path).0.starts_with("HTTP/1.1 404 "), "{path}");
    }
    let (head, page) = got(&server, "/");
    assert!(head.contains("default-src 'self'") && page.contains("<title>harness</title>"));
}

#[test]
fn those_who_ask_nothing_keep_nobody_from_being_answered() {
    let (_board, server) = served();
    let address = server.url();
    let address = address.trim_start_matches("http://").trim_end_matches('/');
    let silent: Vec<TcpStream> = (0..8)
        .map(|_| TcpStream::connect(address).unwrap())
        .collect();
    assert_eq!(state(&server)["suite"], "my-suite");
    drop(silent);
}

#[test]
fn a_taken_port_is_named_unless_any_will_do() {
    let (_board, server) = served();
    let taken = server.url();
    let taken = taken.trim_start_matches("http://").trim_end_matches('/');
    let error = Server::start(taken.parse().unwrap(), Board::default()).unwrap_err();
    assert!(error.to_string().contains(taken), "{error}");
    let default: ServeAddress = DEFAULT_ADDRESS.parse().unwrap();
    let first = Server::start(default, Board::default()).unwrap();
    let second = Server::start(default, Board::default()).unwrap();
    assert_ne!(first.url(), second.url());
}

#[test]
fn the_end_waits_for_an_open_page_but_not_long() {
    let patience = Duration::from_secs(2);
    let (_board, server) = served();
    let start = Instant::now();
    server.finish(patience);
    assert!(start.elapsed() < patience, "nobody was there");

    let (board, server) = served();
    board.report(report(3));
    let url = server.url();
    let page = std::thread::spawn(move || {
        let address = url
            .trim_start_matches("http://")
            .trim_end_matches('/')
            .to_owned();
        let get = |path: &str| {
            let mut stream = TcpStream::connect(&address).unwrap();
            write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            answer
        };
        loop {
            if get("/state.json").contains("\"is_over\":true") {
                return get("/report").contains("3 of 3 cells measured");
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    });
    std::thread::sleep(Duration::from_millis(200));
    server.finish(Duration::from_secs(30));
    assert!(page.join().unwrap());
}

#[test]
fn a_browser_sees_the_report_grow() {
    let Some(browser) = Browser::start() else {
        return;
    };
    browser.resize(1280, 1400, false);
    let (board, server) = served();
    browser.visit(&server.url());
    let until = |script: &str| {
        let start = Instant::now();
        while browser.run(&format!("return !!({script})")) != Value::Bool(true) {
            let page = browser.run("return document.body.innerText");
            assert!(
                start.elapsed() < Duration::from_secs(20),
                "{script}: {page}"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    };
    until("document.querySelector('#suite').textContent === 'my-suite'");
    let running = Running {
        name: "train <i>c".to_owned(),
        share: 0.5,
        seconds: 3.0,
    };
    board.progress((1, 3, 0.5), (6.0, Some(6.0)), vec![running], Vec::new());
    board.trained(Training {
        name: "train a".to_owned(),
        losses: vec![2.0, 1.5, 1.25],
    });
    board.report(report(1));
    let inside = "document.querySelector('#report').contentDocument";
    until(&format!(
        "{inside}?.body?.innerText.includes('1 of 3 cells measured')"
    ));
    until(
        "document.querySelector('#progress').textContent === '1 of 3 tasks done, 6 s so far, 6 s left'",
    );
    until("document.querySelector('#running').textContent.includes('train <i>c')");
    until("document.querySelectorAll('#losses path[d]').length === 1");
    browser.picture("live");
    // What was chosen stays when more comes.
    browser.run(&format!(
        "{inside}.querySelector('input[value=new]').click()"
    ));
    until("document.querySelector('#report').contentWindow.location.hash !== ''");
    board.report(report(2));
    until(&format!(
        "{inside}?.body?.innerText.includes('2 of 3 cells measured')"
    ));
    until(&format!(
        "{inside}.querySelector('input[value=new]').checked"
    ));
    // It waits to be asked once that is wished.
    browser.click("#follow");
    board.report(report(3));
    until("!document.querySelector('#refresh').hidden");
    browser.click("#refresh");
    until(&format!(
        "{inside}?.body?.innerText.includes('3 of 3 cells measured')"
    ));
    server.finish(Duration::from_secs(5));
    until("document.querySelector('#progress').textContent.includes('the run is over')");
    let console = browser.console();
    assert!(console.is_empty(), "{console:?}");
}
