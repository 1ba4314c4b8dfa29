//! The README is true: its sample is what a committed report prints, and
//! every command in it is one that CI runs.

use harness_render::terminal::{Style, render, render_details};
use harness_report::Report;

use crate::env::root;

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
fn samples_are_what_the_reports_print() {
    for (document, report, width) in [
        ("README.md", "reports/quickstart.json", Some(100)),
        ("reports/README.md", "reports/micro.json", None),
    ] {
        let report = Report::read(root().join(report)).unwrap();
        let style = Style {
            colour: false,
            width,
        };
        let printed = render(&report, &style) + &render_details(&report, &style);
        let samples = blocks(&read(document), "text");
        assert!(!samples.is_empty(), "{document}");
        // A sample may leave out what stands between two of its paragraphs.
        for paragraph in samples.iter().flat_map(|sample| sample.split("\n\n")) {
            assert!(
                printed.contains(paragraph),
                "{document}: not printed:\n{paragraph}"
            );
        }
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
