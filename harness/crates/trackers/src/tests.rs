//! Runs and files of a report, beyond what the trackers' own readers are tested with.

use crate::fixture;
use crate::{TrackerError, mlflow, model_card, runs, tensorboard, wandb};
use harness_report::{Report, Status};

fn report() -> Report {
    fixture::report(
        &["coop", "../a b"],
        &["d"],
        &[1, 2],
        |method, _, seed| match (method, seed) {
            (1, 2) => Err(Status::NotRun),
            _ => Ok(([400, 600, 450, 500], Some(620))),
        },
    )
}

/// Paths of the files below a folder, with `/`.
fn files(folder: &std::path::Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => found.push(path.to_str().unwrap().to_owned()),
        }
    }
    found.sort();
    found
}

#[test]
fn a_run_is_a_module_with_the_accuracies_on_its_targets() {
    let runs = runs(&report()).unwrap();
    assert_eq!(runs.len(), 3, "what was not trained is no run");
    let first = &runs[0];
    assert_eq!(first.metrics["base"], 0.6);
    let gain = first.metrics["micro-eva-clip/over_zero_shot"];
    assert!((gain - 0.05).abs() < 1e-12, "{gain}");
    assert_eq!(first.metrics["micro-eva-clip/retrained"], 0.62);
    assert_ne!(runs[0].id, runs[1].id, "another seed is another run");
    assert_eq!(runs[0].id, super::runs(&report()).unwrap()[0].id);
}

#[test]
fn files_stay_in_their_folder_whatever_methods_are_called() {
    let runs = runs(&report()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let inside = |name: &str| folder.path().join("written").join(name);
    tensorboard(&runs, &inside("tensorboard")).unwrap();
    mlflow(&runs, &inside("mlflow")).unwrap();
    wandb(&runs, &inside("wandb")).unwrap();
    let root = folder.path().join("written");
    let below = |root: &std::path::Path| -> Vec<String> {
        let prefix = root.to_str().unwrap();
        let paths = files(root).into_iter();
        paths.map(|path| path[prefix.len()..].to_owned()).collect()
    };
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    let written = below(&root);
    let events = written.iter().filter(|path| path.contains("tfevents"));
    assert_eq!(events.count(), 3);
    let logs = written.iter().filter(|path| path.ends_with(".wandb"));
    assert_eq!(logs.count(), 3);
    assert!(
        written.iter().all(|path| !path.contains("/.")),
        "{written:?}"
    );
    mlflow(&runs, &inside("mlflow")).unwrap();
    assert_eq!(below(&root), written, "the same again, and nothing more");
}

#[test]
fn a_card_is_of_one_module() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("README.md");
    let error = model_card(&report(), &path).unwrap_err();
    assert!(
        matches!(&error, TrackerError::ManyModules { count: 3, .. }),
        "{error}"
    );
    assert!(!path.exists());
    let mut one = report();
    one.cells.truncate(1);
    model_card(&one, &path).unwrap();
    let card = std::fs::read_to_string(path).unwrap();
    assert!(card.starts_with("---\nlibrary_name: harness\n"), "{card}");
    assert!(
        card.contains("| micro-eva-clip | 45.00 | 50.00 | 62.00 | "),
        "{card}"
    );
    one.cells.clear();
    let nothing = model_card(&one, &folder.path().join("none.md"));
    assert!(matches!(nothing, Err(TrackerError::NoRun)));
}
