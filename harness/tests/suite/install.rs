//! An installation works away from the checkout it was built in.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use harness_report::{Cell, Report, Status};
use ruzstd::decoding::StreamingDecoder;

use crate::env::{plugins, root};

/// The first cell of the quickstart suite.
const FIRST: &str = "method=coop,dataset=digits,target=micro-eva-clip";

/// The program that cargo built, run in the checkout.
fn built(arguments: &[&str]) -> Output {
    let output = Command::new(env!("CARGO_BIN_EXE_harness"))
        .args(arguments)
        .current_dir(root())
        .env("HARNESS_PLUGIN_PATH", plugins())
        .env_remove("HARNESS_EMBEDDED")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    output
}

/// A program that was installed, run in an empty folder with nothing of this machine's
/// environment but where the system's programs are.
fn installed(prefix: &Path, folder: &Path, arguments: &[&str]) -> Output {
    let home = folder.join("home");
    std::fs::create_dir_all(&home).unwrap();
    let output = Command::new(prefix.join("bin/harness"))
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env("HOME", home)
        .env("PATH", "/usr/bin:/bin")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    output
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn path(folder: &tempfile::TempDir, name: &str) -> String {
    folder.path().join(name).to_str().unwrap().to_owned()
}

/// The built-in suite's first cell has the accuracies of the committed report.
fn first_cell_is_right(prefix: &Path) {
    let folder = tempfile::tempdir().unwrap();
    let output = installed(
        prefix,
        folder.path(),
        &[
            "run",
            "suites/quickstart.yaml",
            "--only",
            FIRST,
            "-o",
            "report.json",
        ],
    );
    let used = prefix.join("share/harness/suites/quickstart.yaml");
    let used = used.to_str().unwrap();
    assert!(
        text(&output.stderr).contains(used),
        "{}",
        text(&output.stderr)
    );
    let report = Report::read(folder.path().join("report.json")).unwrap();
    assert_eq!(report.cells.len(), 1);
    let cell = &report.cells[0];
    assert_eq!(cell.status, Status::Ok);
    let accepted = Report::read(root().join("reports/quickstart.json")).unwrap();
    let is_same = |other: &&Cell| {
        (&other.method, &other.dataset, &other.upgrade)
            == (&cell.method, &cell.dataset, &cell.upgrade)
    };
    let accepted = accepted.cells.iter().find(is_same).unwrap();
    assert_eq!(correct(cell), correct(accepted));
}

fn correct(cell: &Cell) -> Vec<(String, u64)> {
    let conditions = cell.conditions.measured();
    let counts = conditions.map(|(name, condition)| (name.to_owned(), condition.correct));
    counts.collect()
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn an_installed_program_runs_built_in_suites_from_anywhere() {
    let folder = tempfile::tempdir().unwrap();
    let prefix = folder.path().join("prefix");
    let output = built(&["self", "install", "--prefix", &path(&folder, "prefix")]);
    assert!(text(&output.stdout).contains(" plugins, "));
    for file in [
        "share/bash-completion/completions/harness",
        "share/zsh/site-functions/_harness",
        "share/fish/vendor_completions.d/harness.fish",
        "share/man/man1/harness.1",
        "share/man/man1/harness-run.1",
        "share/doc/harness/LICENSE-MIT",
    ] {
        assert!(prefix.join(file).is_file(), "{file}");
    }
    first_cell_is_right(&prefix);

    let elsewhere = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| text(&installed(&prefix, elsewhere.path(), arguments).stdout);
    let plugins = names(&prefix.join("lib/harness"));
    for plugin in names(&root().join("plugins")) {
        let name = format!("harness_plugin_{}.", plugin.replace('-', "_"));
        assert!(plugins.iter().any(|file| file.contains(&name)), "{plugin}");
    }
    let methods = text(&built(&["list", "methods"]).stdout);
    assert_eq!(run(&["list", "methods"]), methods);
    assert!(run(&["list", "backbones"]).contains("micro-clip"));
    // By its bare name, too.
    assert!(run(&["plan", "quickstart"]).contains("micro-clip → micro-eva-clip"));

    // An installed program can install itself, here over itself.
    std::fs::write(prefix.join("lib/harness/mine.txt"), "").unwrap();
    run(&["self", "install", "--prefix", &path(&folder, "prefix")]);
    std::fs::remove_file(prefix.join("lib/harness/mine.txt")).unwrap();
    assert_eq!(names(&prefix.join("lib/harness")), plugins);
    run(&["self", "uninstall", "--prefix", &path(&folder, "prefix")]);
    assert_eq!(names(&prefix), Vec::<String>::new());
}

#[test]
fn an_unpacked_archive_runs_built_in_suites_from_anywhere() {
    let folder = tempfile::tempdir().unwrap();
    let output = built(&["self", "package", "-o", &path(&folder, "packed")]);
    let archive = PathBuf::from(text(&output.stdout).trim_end());
    let name = archive.file_name().unwrap().to_str().unwrap();
    let name = name.strip_suffix(".tar.zst").unwrap().to_owned();
    let version = concat!("harness-", env!("CARGO_PKG_VERSION"), "-");
    assert!(name.starts_with(version), "{name}");

    let packed = std::fs::File::open(&archive).unwrap();
    let unpacked = folder.path().join("unpacked");
    let decoder = StreamingDecoder::new(std::io::BufReader::new(packed)).unwrap();
    tar::Archive::new(decoder).unpack(&unpacked).unwrap();
    std::fs::remove_file(&archive).unwrap();
    first_cell_is_right(&unpacked.join(name));
}
