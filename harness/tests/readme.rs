//! The README is true: its sample is what the report of the quickstart prints, and
//! every command in it is one that CI runs.

// A test that cannot go on ends.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use harness_report::{
    Report,
    terminal::{Style, render},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap()
}

/// The fenced blocks of a language.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let mut blocks = vec![];
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line != format!("```{language}") {
            continue;
        }
        let block: Vec<&str> = lines.by_ref().take_while(|l| *l != "```").collect();
        blocks.push(block.join("\n"));
    }
    blocks
}

#[test]
fn the_sample_is_what_the_quickstart_prints() {
    let report = Report::read(root().join("reports/quickstart.json")).unwrap();
    let style = Style {
        colour: false,
        width: None,
    };
    let printed = render(&report, &style);
    let readme = read("README.md");
    let samples = blocks(&readme, "text");
    assert!(!samples.is_empty());
    for sample in samples {
        assert!(
            printed.contains(&sample),
            "not printed:\n{sample}\nbut\n{printed}"
        );
    }
}

#[test]
fn every_command_is_run_by_ci() {
    let ci = read(".ci/run");
    let commands: Vec<String> = ["README.md", "harness/docs/performance.md"]
        .iter()
        .flat_map(|path| blocks(&read(path), "sh"))
        .flat_map(|block| block.lines().map(str::to_owned).collect::<Vec<_>>())
        .collect();
    assert!(commands.len() >= 5);
    for command in commands {
        assert!(ci.contains(&command), "CI does not run `{command}`");
    }
}
