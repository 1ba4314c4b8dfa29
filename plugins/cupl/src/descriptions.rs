//! Sentences for every class of a task.

use std::collections::BTreeMap;

use harness_sdk::{Error, Result, SideFile, wire::TaskFacts};

/// Classes that are named in a message.
const NAMED: usize = 5;

/// At least one sentence for each class, in their order: from a file, or the task's templates.
pub(crate) fn of_classes(file: Option<&SideFile>, task: &TaskFacts) -> Result<Vec<Vec<String>>> {
    let names = task
        .classes
        .iter()
        .map(|class| class.name.replace('_', " "));
    let Some(file) = file else {
        let filled = |name: String| task.templates.iter().map(move |t| t.replace("{}", &name));
        return Ok(names.map(|name| filled(name).collect()).collect());
    };
    let written: BTreeMap<String, Vec<String>> =
        serde_json::from_str(file.text()).map_err(|e| {
            Error::Config(format!(
                "{}: expected {{\"class name\": [\"sentence\", …], …}}: {e}",
                file.name()
            ))
        })?;
    let written: BTreeMap<String, Vec<String>> = written
        .into_iter()
        .map(|(name, sentences)| (name.replace('_', " "), sentences))
        .collect();
    let mut missing = vec![];
    let mut found = vec![];
    for name in names {
        match written.get(&name) {
            Some(sentences) if !sentences.is_empty() => found.push(sentences.clone()),
            _ => missing.push(name),
        }
    }
    if missing.is_empty() {
        return Ok(found);
    }
    let more = missing.len().saturating_sub(NAMED);
    missing.truncate(NAMED);
    Err(Error::NotInjectable(format!(
        "{} has no sentence for {}{}",
        file.name(),
        missing.join(", "),
        match more {
            0 => String::new(),
            more => format!(" and {more} more classes"),
        }
    )))
}
