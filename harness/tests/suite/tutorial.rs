//! The tutorial for authors: its commands run and its changes apply, in the order of the page.
//!
//! The commands for Rust build a crate of their own with its dependencies, which takes minutes: they
//! run where `HARNESS_TUTORIAL` is `rust`. Those for Python run where there is PyTorch.

use std::path::{Path, PathBuf};

use crate::env::{TestEnv, root};

/// Something that a reader does.
enum Step {
    Command(String),
    /// Lines to find and what takes their place.
    Change(String, String),
}

/// The steps of a language, `rust` or `python`.
fn steps(language: &str) -> Vec<Step> {
    let page = std::fs::read_to_string(root().join("harness/docs/plugin-authors.md")).unwrap();
    let mut steps = Vec::new();
    let mut parts = page.split("\n```");
    parts.next();
    // Blocks and what stands between them take turns.
    while let Some(block) = parts.next() {
        let (head, body) = block.split_once('\n').unwrap_or_default();
        match head.split_once(' ') {
            Some(("sh", of)) if of == language => {
                steps.extend(body.lines().map(|line| Step::Command(line.to_owned())));
            }
            Some(("diff", of)) if of == language => {
                let side = |sign: char| {
                    let lines = body.lines().filter_map(|line| match line.chars().next() {
                        // A blank line of context has lost its space.
                        None => Some(""),
                        Some(' ') => Some(&line[1..]),
                        Some(found) if found == sign => Some(&line[1..]),
                        Some(_) => None,
                    });
                    lines.collect::<Vec<_>>().join("\n") + "\n"
                };
                steps.push(Step::Change(side('-'), side('+')));
            }
            _ => {}
        }
        parts.next();
    }
    steps
}

/// A reader in a folder.
struct Reader<'e> {
    env: &'e TestEnv,
    folder: PathBuf,
    /// The file that is changed, from the folder where the reader is.
    file: &'static str,
    runs_all: bool,
    python: Option<PathBuf>,
}

impl Reader<'_> {
    fn follow(&mut self, steps: &[Step]) {
        assert!(steps.len() > 8, "{} steps", steps.len());
        for step in steps {
            match step {
                Step::Command(line) => self.command(line),
                Step::Change(from, to) => self.change(from, to),
            }
        }
    }

    fn command(&mut self, line: &str) {
        if let Some(folder) = line.strip_prefix("cd ") {
            self.folder.push(folder);
            return;
        }
        if !self.runs_all && !line.starts_with("harness plugin new ") {
            return;
        }
        let programs = Path::new(env!("CARGO_BIN_EXE_harness")).parent().unwrap();
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = self.env.program("bash");
        command
            .args(["-e", "-o", "pipefail", "-c", line])
            .current_dir(&self.folder)
            .env("PATH", format!("{}:{path}", programs.display()))
            .env("HF_HUB_OFFLINE", "1");
        if let Some(python) = &self.python {
            command.env("HARNESS_PYTHON", python);
        }
        let output = command.output().unwrap();
        assert!(
            output.status.success(),
            "{line}: {}\n{}{}",
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }

    fn change(&self, from: &str, to: &str) {
        let path = self.folder.join(self.file);
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.matches(from).count(), 1, "{from}\nin\n{text}");
        std::fs::write(&path, text.replacen(from, to, 1)).unwrap();
    }
}

#[test]
fn the_steps_in_rust_lead_to_a_matrix() {
    let env = TestEnv::new();
    let mut reader = Reader {
        folder: env.path(""),
        env: &env,
        file: "src/lib.rs",
        runs_all: std::env::var_os("HARNESS_TUTORIAL").is_some_and(|which| which == "rust"),
        python: None,
    };
    reader.follow(&steps("rust"));
}

#[test]
fn the_steps_in_python_lead_to_a_matrix() {
    let env = TestEnv::new();
    let python = crate::python::python("torch");
    let mut reader = Reader {
        folder: env.path(""),
        env: &env,
        file: "nearby.py",
        runs_all: python.is_some(),
        python,
    };
    reader.follow(&steps("python"));
}
