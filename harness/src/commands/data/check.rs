//! `harness data check`.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Instant;

use harness_engine::data::{self, Checked, DatasetCheck, ProblemGroup, Split};
use harness_render::terminal::one_line;
use harness_report::ExitCode;

use crate::cli::CheckArguments;
use crate::failure::Failure;
use crate::progress::Counter;
use crate::suite_path::find_suite;
use crate::{local_path, output, table};

/// Characters of a line of problems.
const WIDEST: usize = 2000;

pub(crate) fn check(arguments: &CheckArguments) -> Result<ExitCode, Failure> {
    let path = Path::new(&arguments.name);
    let is_yaml = path
        .extension()
        .is_some_and(|extension| extension == "yaml" || extension == "yml");
    let path = match is_yaml {
        true => find_suite(path),
        false => path.to_owned(),
    };
    let is_suite = is_yaml && path.is_file();
    let counter = Mutex::new(Counter::new("images"));
    let progress = |done, total| {
        if let Ok(mut counter) = counter.lock() {
            counter.tick(done, total);
        }
    };
    let started = Instant::now();
    let data = arguments.data.as_deref();
    let checked = if is_suite {
        data::check_suite(&path, data, !arguments.quick, &progress)?
    } else {
        vec![data::check(
            &arguments.name,
            data,
            !arguments.quick,
            &progress,
        )]
    };
    if let Ok(counter) = counter.into_inner() {
        counter.finish();
    }
    let mut text = String::new();
    let mut unsound = 0;
    for Checked { label, outcome } in &checked {
        match outcome {
            Ok(check) => {
                text.push_str(&render(label, check, arguments));
                unsound += usize::from(check.manifest_sha256.is_none());
            }
            Err(reason) => {
                unsound += 1;
                // Writing to a String cannot fail.
                let _ = writeln!(text, "{label}\n  {}", one_line(&reason.to_string(), WIDEST));
                if let Some(hint) = local_path::hint(label) {
                    let _ = writeln!(text, "  hint: {}", one_line(&hint, WIDEST));
                }
                text.push('\n');
            }
        }
    }
    let _ = writeln!(
        text,
        "Summary data-sets={} sound={} unsound={unsound} seconds={:.1}",
        checked.len(),
        checked.len() - unsound,
        started.elapsed().as_secs_f64()
    );
    output::print(&text)?;
    if let Some(path) = &arguments.output {
        write_all(path, &checked)?;
    }
    Ok(if unsound == 0 {
        ExitCode::Ok
    } else {
        ExitCode::SetUp
    })
}

fn render(label: &str, check: &DatasetCheck, arguments: &CheckArguments) -> String {
    let mut text = format!(
        "{label} ({}, {} classes)\n",
        check.format,
        check.classes.len()
    );
    let published = check.known.map(|known| known.sizes);
    let rows = Split::ALL.into_iter().map(|split| {
        let counts = || {
            check
                .counts
                .iter()
                .map(move |counts| counts[split as usize])
        };
        let expected = published.map(|sizes| match split {
            Split::Train => sizes.train,
            Split::Val => sizes.val,
            Split::Test => sizes.test,
        });
        vec![
            split.to_string(),
            check.len(split).to_string(),
            expected.map_or_else(String::new, |count| count.to_string()),
            counts().min().unwrap_or_default().to_string(),
            counts().max().unwrap_or_default().to_string(),
        ]
    });
    let head = [
        "SPLIT",
        "IMAGES",
        "PUBLISHED",
        "MIN PER CLASS",
        "MAX PER CLASS",
    ];
    text.push_str(&table::plain(&head, rows));
    if arguments.classes {
        let rows = check
            .classes
            .iter()
            .zip(&check.counts)
            .map(|(class, counts)| {
                let mut row = vec![class.id.clone(), class.name.clone()];
                row.extend(counts.map(|count| count.to_string()));
                row
            });
        text.push('\n');
        text.push_str(&table::plain(
            &["CLASS", "NAME", "TRAIN", "VAL", "TEST"],
            rows,
        ));
    }
    for (word, groups) in [("problem", &check.problems), ("note", &check.notes)] {
        for group in groups {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{word}: {}", one_line(&group.describe(), WIDEST));
        }
    }
    let _ = match &check.manifest_sha256 {
        Some(hash) if check.missing > 0 => {
            writeln!(
                text,
                "{} images are left out; manifest {hash}\n",
                check.missing
            )
        }
        Some(hash) => writeln!(text, "manifest {hash}\n"),
        None if check.problems.iter().all(ProblemGroup::is_about_images) => writeln!(
            text,
            "does not run unless its entry of the suite says `allow_missing: true`\n"
        ),
        None => writeln!(text, "does not run\n"),
    };
    text
}

/// Every problem and note, one a line: data set, kind, what it is about.
fn write_all(path: &PathBuf, checked: &[Checked]) -> Result<(), Failure> {
    let mut text = String::new();
    for Checked { label, outcome } in checked {
        let Ok(check) = outcome else { continue };
        for group in check.problems.iter().chain(&check.notes) {
            for item in &group.items {
                // Writing to a String cannot fail.
                let _ = writeln!(text, "{label}\t{}\t{}", group.kind, one_line(item, WIDEST));
            }
        }
    }
    std::fs::write(path, text).map_err(|error| {
        let message = format!("cannot write {}: {error}", path.display());
        Failure::new(ExitCode::OutputNotWritten, message)
    })
}
