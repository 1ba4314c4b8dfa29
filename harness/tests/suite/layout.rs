//! The workspace keeps to its layout: who may depend on whom, how large a file gets.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use cargo_metadata::{Metadata, MetadataCommand, Package};

use crate::env::root;

fn metadata() -> Metadata {
    MetadataCommand::new()
        .current_dir(root())
        .no_deps()
        .other_options(vec!["--offline".to_owned()])
        .exec()
        .unwrap()
}

/// Names of the workspace's own packages that `package` depends on, tests aside.
fn own_dependencies<'p>(metadata: &Metadata, package: &'p Package) -> BTreeSet<&'p str> {
    let own: BTreeSet<&str> = metadata.packages.iter().map(|p| p.name.as_str()).collect();
    let dependencies = package.dependencies.iter();
    dependencies
        .filter(|dependency| dependency.kind != cargo_metadata::DependencyKind::Development)
        .map(|dependency| dependency.name.as_str())
        .filter(|name| own.contains(name))
        .collect()
}

fn is_in(package: &Package, folder: &str) -> bool {
    package
        .manifest_path
        .as_std_path()
        .starts_with(root().join(folder))
}

fn is_plugin(package: &Package) -> bool {
    is_in(package, "plugins")
}

#[test]
fn dependencies_point_one_way() {
    let metadata = metadata();
    let allowed: &[(&str, &[&str])] = &[
        ("harness-abi", &[]),
        ("harness-sdk", &["harness-abi"]),
        ("harness-store", &[]),
        ("harness-backbone", &["harness-store"]),
        ("harness-host", &["harness-abi", "harness-backbone"]),
        ("harness-data", &["harness-store"]),
        ("harness-hub", &["harness-store"]),
        ("harness-checkpoint", &["harness-abi", "harness-store"]),
        ("harness-report", &["harness-store"]),
        ("harness-render", &["harness-report", "harness-store"]),
        ("harness-reference", &["harness-backbone"]),
        (
            "harness-engine",
            &[
                "harness-abi",
                "harness-backbone",
                "harness-checkpoint",
                "harness-data",
                "harness-host",
                "harness-hub",
                "harness-reference",
                "harness-report",
                "harness-store",
            ],
        ),
        (
            "harness-figures",
            &["harness-render", "harness-report", "harness-store"],
        ),
        ("harness-test-tools", &[]),
        ("harness-live", &["harness-render", "harness-report"]),
        (
            "harness-trackers",
            &["harness-render", "harness-report", "harness-store"],
        ),
        (
            "harness",
            &[
                "harness-engine",
                "harness-figures",
                "harness-live",
                "harness-render",
                "harness-report",
                "harness-store",
                "harness-trackers",
            ],
        ),
        ("harness-embedded", &["harness-backbone", "harness-data"]),
        (
            "harness-fuzz",
            &[
                "harness-abi",
                "harness-backbone",
                "harness-checkpoint",
                "harness-data",
                "harness-engine",
                "harness-host",
                "harness-hub",
                "harness-report",
            ],
        ),
    ];
    let mut seen = 0;
    for package in &metadata.packages {
        let found = own_dependencies(&metadata, package);
        if is_plugin(package) || is_in(package, "harness/fixtures") {
            assert_eq!(found, BTreeSet::from(["harness-sdk"]), "{}", package.name);
            continue;
        }
        let rule = allowed
            .iter()
            .find(|(name, _)| *name == package.name.as_str());
        let (_, may) = rule.unwrap_or_else(|| panic!("{} has no rule here", package.name));
        let may: BTreeSet<&str> = may.iter().copied().collect();
        let beyond: Vec<_> = found.difference(&may).collect();
        assert!(
            beyond.is_empty(),
            "{} must not depend on {beyond:?}",
            package.name
        );
        seen += 1;
    }
    assert_eq!(seen, allowed.len(), "a rule for a package that is gone");
}

#[test]
fn a_plugin_is_a_library_that_is_only_loaded() {
    let metadata = metadata();
    let plugins: Vec<&Package> = metadata.packages.iter().filter(|p| is_plugin(p)).collect();
    assert!(plugins.len() >= 3);
    for plugin in plugins {
        let kinds: Vec<String> = plugin
            .targets
            .iter()
            .filter(|target| !target.is_test() && !target.is_custom_build())
            .flat_map(|target| target.crate_types.iter().map(ToString::to_string))
            .collect();
        // The cdylib is loaded; the rlib serves the plugin's own tests.
        assert_eq!(kinds, ["cdylib", "rlib"], "{}", plugin.name);
        assert!(
            plugin.name.starts_with("harness-plugin-"),
            "{}",
            plugin.name
        );
    }
}

#[test]
fn a_library_with_tests_runs_them() {
    for package in &metadata().packages {
        let mut files = Vec::new();
        let folder = package.manifest_path.parent().unwrap().join("src");
        sources(folder.as_std_path(), &mut files);
        let has_tests = |path: &PathBuf| {
            let text = std::fs::read_to_string(path).unwrap();
            text.lines().any(|line| line.trim() == "#[test]")
        };
        if !files.iter().any(has_tests) {
            continue;
        }
        for target in package
            .targets
            .iter()
            .filter(|t| t.is_lib() || t.is_cdylib())
        {
            assert!(
                target.test,
                "{}: `test = false`, with tests in src",
                package.name
            );
        }
    }
}

#[test]
fn only_the_reference_crate_names_candle_transformers() {
    for package in &metadata().packages {
        let mut names = package.dependencies.iter().map(|one| one.name.as_str());
        assert_eq!(
            names.any(|name| name == "candle-transformers"),
            package.name.as_str() == "harness-reference",
            "{}: it takes longer to compile than everything else",
            package.name
        );
    }
}

#[test]
fn only_the_abi_crate_names_abi_stable() {
    for package in &metadata().packages {
        let names = package
            .dependencies
            .iter()
            .map(|dependency| dependency.name.as_str());
        let is_named = names.into_iter().any(|name| name == "abi_stable");
        assert_eq!(
            is_named,
            package.name.as_str() == "harness-abi",
            "{}",
            package.name
        );
    }
}

#[test]
fn every_package_inherits_edition_licence_and_rust_version() {
    let metadata = metadata();
    for package in &metadata.packages {
        let manifest = std::fs::read_to_string(&package.manifest_path).unwrap();
        for key in ["edition", "rust-version", "license", "publish"] {
            // What authors depend on goes to crates.io, nothing else does.
            let is_published = ["harness-abi", "harness-sdk"].contains(&package.name.as_str());
            let expected = match key {
                "publish" if is_published => "\npublish = true\n".to_owned(),
                _ => format!("\n{key}.workspace = true\n"),
            };
            assert!(
                manifest.contains(&expected),
                "{}: expected {expected:?}",
                package.name
            );
        }
        assert!(
            manifest.contains("\n[lints]\nworkspace = true\n"),
            "{}: lints are not inherited",
            package.name
        );
    }
}

#[test]
fn files_stay_small() {
    let mut files = Vec::new();
    for folder in ["harness", "plugins"] {
        sources(&root().join(folder), &mut files);
    }
    assert!(files.len() > 50);
    let mut lengths: Vec<(usize, PathBuf)> = files
        .into_iter()
        .map(|path| {
            (
                std::fs::read_to_string(&path).unwrap().lines().count(),
                path,
            )
        })
        .collect();
    lengths.sort();
    let (longest, path) = lengths.last().unwrap();
    assert!(*longest <= 900, "{} has {longest} lines", path.display());
    let (ninth_decile, path) = &lengths[lengths.len() * 9 / 10];
    assert!(
        *ninth_decile <= 600,
        "a tenth of the files is longer than {}",
        path.display()
    );
    let (median, _) = lengths[lengths.len() / 2];
    assert!(
        median <= 220,
        "half of the files is longer than {median} lines"
    );
}

/// Rust files below a folder, build output aside.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if !path.ends_with("target") {
                sources(&path, found);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}
