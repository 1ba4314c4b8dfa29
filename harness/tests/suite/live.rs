//! A run that is watched while it goes on.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::Stdio;

use harness_report::{ExitCode, Report};
use serde_json::Value;

use crate::env::TestEnv;

/// What is at a path of a server, `None` where nothing answers.
fn got(address: &str, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(address).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (_, body) = answer.split_once("\r\n\r\n")?;
    Some(body.to_owned())
}

#[test]
fn a_run_is_watched_until_it_ends_with_its_report() {
    let env = TestEnv::new();
    env.write(
        "suite.yaml",
        "name: watched\nupgrades: [{source: micro-clip, targets: [micro-eva-clip]}]\n\
         methods: [coop, kgcoop]\ndatasets: [digits]\nshots: [1]\nseeds: [1]\n\
         recipe: {epochs: 2}\n",
    );
    let run = [
        "run",
        "suite.yaml",
        "--serve=127.0.0.1:0",
        "-o",
        "report.json",
    ];
    let mut run = env
        .command(&run)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(run.stderr.take().unwrap()).lines();
    let address = lines.find_map(|line| {
        let line = line.unwrap();
        let (_, address) = line.split_once("watch the run at http://")?;
        Some(address.trim_end_matches('/').to_owned())
    });
    let address = address.unwrap();
    let rest = std::thread::spawn(move || lines.map_while(Result::ok).collect::<Vec<_>>());
    let mut versions = Vec::new();
    let last = loop {
        let state = got(&address, "/state.json");
        let Some(state) = state.and_then(|text| serde_json::from_str::<Value>(&text).ok()) else {
            panic!("it ended without a word: {versions:?}");
        };
        let version = state["version"].as_u64().unwrap();
        if state["is_over"] == true {
            // The run waits for this, and ends.
            let report = got(&address, "/report.json").unwrap();
            assert!(
                got(&address, "/report")
                    .unwrap()
                    .contains("2 of 2 cells measured")
            );
            break (state, report);
        }
        versions.push(version);
        std::thread::sleep(std::time::Duration::from_millis(20));
    };
    let code = run.wait().unwrap().code();
    assert_eq!(code, Some(0), "{:?}", rest.join().unwrap());
    let (state, report) = last;
    // It was shown before it ended, and grew.
    assert!(versions.contains(&1), "{versions:?}");
    assert_eq!(state["suite"], "watched");
    assert_eq!(state["done"], state["total"]);
    assert_eq!(state["trainings"].as_array().unwrap().len(), 2);
    env.write("seen.json", report);
    let seen = Report::read(env.path("seen.json")).unwrap();
    let written = Report::read(env.path("report.json")).unwrap();
    assert_eq!(seen, written);
    assert!(got(&address, "/state.json").is_none(), "it is still served");
}

#[test]
fn an_address_that_cannot_be_served_is_named_before_anything_is_run() {
    let env = TestEnv::new();
    let nonsense = env.harness(&["run", "quickstart", "--serve=nowhere:80"]);
    assert_eq!(nonsense.status.code(), Some(ExitCode::Usage as i32));
    let stderr = String::from_utf8_lossy(&nonsense.stderr);
    assert!(
        stderr.contains("expected an address and port such as 127.0.0.1:8765"),
        "{stderr}"
    );
    // An address for documentation is nobody's.
    let elsewhere = env.harness(&["run", "quickstart", "--serve=192.0.2.1:80"]);
    assert_eq!(elsewhere.status.code(), Some(ExitCode::SetUp as i32));
    let stderr = String::from_utf8_lossy(&elsewhere.stderr);
    assert!(stderr.contains("cannot serve at 192.0.2.1:80"), "{stderr}");
}
