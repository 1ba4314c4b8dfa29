//! Which of a checkpoint's values are its weights.

use std::collections::{BTreeMap, BTreeSet};

use super::options::Options;
use super::pickle::{Arena, Id, TensorValue, Value};

/// Keys under which training scripts put the state dict, in order of preference.
const WRAPPERS: [&str; 5] = ["state_dict", "model_state_dict", "model", "module", "net"];
/// Entries beside it that are not weights.
const BESIDE: [&str; 18] = [
    "epoch",
    "optimizer",
    "scheduler",
    "lr_scheduler",
    "val_result",
    "scaler",
    "name",
    "args",
    "config",
    "step",
    "iteration",
    "loss",
    "best_acc",
    "best_acc1",
    "arch",
    "amp",
    "version",
    "meta",
];
/// State dicts inside each other.
const MOST_WRAPPED: usize = 4;
/// Modules inside each other.
const MOST_NESTED: usize = 64;

/// The weights by name, and what was passed over.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) tensors: BTreeMap<String, TensorValue>,
    pub(crate) left_out: BTreeSet<String>,
}

/// An entry that cannot be converted, and why.
pub(crate) type Obstacle = (String, String);

/// Finds the state dict below a pickle's root.
pub(crate) fn find(arena: &Arena, root: Id, options: &Options) -> Result<State, Obstacle> {
    let mut state = State::default();
    let mut at = root;
    let mut path = String::new();
    for _ in 0..MOST_WRAPPED {
        match arena.get(at) {
            Value::Object { .. } => {
                module(arena, at, "", 0, &mut state)?;
                return finish(state, options);
            }
            Value::Dict(entries) => {
                let is_state = entries
                    .iter()
                    .any(|(_, value)| matches!(arena.get(*value), Value::Tensor(_)));
                if is_state {
                    dict(arena, entries, &path, options, &mut state)?;
                    return finish(state, options);
                }
                let (key, inner) = unwrap(arena, entries, &path, options, &mut state)?;
                path = format!("{path}{key}.");
                at = inner;
            }
            _ => break,
        }
    }
    let what = arena.describe(at);
    Err((
        path.trim_end_matches('.').to_owned(),
        format!("expected a dict of tensors or a module, found {what}"),
    ))
}

/// The entry that the state dict is in.
fn unwrap(
    arena: &Arena,
    entries: &[(Id, Id)],
    path: &str,
    options: &Options,
    state: &mut State,
) -> Result<(String, Id), Obstacle> {
    let named: Vec<(&str, Id)> = entries
        .iter()
        .filter_map(|(key, value)| Some((arena.text(*key)?, *value)))
        .collect();
    let is_inner = |id: Id| matches!(arena.get(id), Value::Dict(_) | Value::Object { .. });
    let wanted: Vec<&str> = match &options.key {
        Some(key) => vec![key],
        None => WRAPPERS.to_vec(),
    };
    let found = wanted.iter().find_map(|key| {
        let mut named = named.iter();
        named.find(|(name, value)| name == key && is_inner(*value))
    });
    let keys: Vec<&str> = named.iter().map(|(name, _)| *name).collect();
    let Some((key, inner)) = found else {
        let reason = format!(
            "no tensors, and none of {} is there; found {}. Name the entry with --key",
            wanted.join(", "),
            keys.join(", ")
        );
        return Err((path.trim_end_matches('.').to_owned(), reason));
    };
    for name in keys.iter().filter(|name| *name != key) {
        let full = format!("{path}{name}");
        if !BESIDE.contains(name) && !options.leave_out.contains(&full) {
            let reason =
                format!("not known to be dispensable; leave it out with --leave-out {full}");
            return Err((full, reason));
        }
        state.left_out.insert(full);
    }
    Ok(((*key).to_owned(), *inner))
}

fn dict(
    arena: &Arena,
    entries: &[(Id, Id)],
    path: &str,
    options: &Options,
    state: &mut State,
) -> Result<(), Obstacle> {
    for (key, value) in entries {
        let Some(name) = arena.text(*key) else {
            let what = arena.describe(*key);
            return Err((
                path.to_owned(),
                format!("a key that is {what}, expected text"),
            ));
        };
        if options.leave_out.iter().any(|left| left == name) {
            state.left_out.insert(name.to_owned());
            continue;
        }
        let Value::Tensor(tensor) = arena.get(*value) else {
            let what = arena.describe(*value);
            let reason = format!("{what}, expected a tensor; leave it out with --leave-out {name}");
            return Err((name.to_owned(), reason));
        };
        if state
            .tensors
            .insert(name.to_owned(), tensor.clone())
            .is_some()
        {
            return Err((name.to_owned(), "it is duplicated".to_owned()));
        }
    }
    Ok(())
}

/// Collects the tensors of a TorchScript module and of those inside it. What else it
/// has, such as `training`, is no part of its state.
fn module(
    arena: &Arena,
    id: Id,
    path: &str,
    depth: usize,
    state: &mut State,
) -> Result<(), Obstacle> {
    if depth > MOST_NESTED {
        let reason = format!("modules lie more than {MOST_NESTED} deep");
        return Err((path.to_owned(), reason));
    }
    let attributes = match arena.get(id) {
        Value::Object {
            state: Some(attributes),
            ..
        } => *attributes,
        _ => return Ok(()),
    };
    let Value::Dict(entries) = arena.get(attributes) else {
        let what = arena.describe(attributes);
        return Err((
            path.to_owned(),
            format!("attributes that are {what}, expected a dict"),
        ));
    };
    for (key, value) in entries {
        let Some(name) = arena.text(*key) else {
            return Err((
                path.to_owned(),
                "an attribute whose name is not text".to_owned(),
            ));
        };
        let full = format!("{path}{name}");
        match arena.get(*value) {
            Value::Tensor(tensor) => {
                if state.tensors.insert(full.clone(), tensor.clone()).is_some() {
                    return Err((full, "it is duplicated".to_owned()));
                }
            }
            Value::Object { .. } => module(arena, *value, &format!("{full}."), depth + 1, state)?,
            _ => drop(state.left_out.insert(name.to_owned())),
        }
    }
    Ok(())
}

/// Takes away the prefix that parallel training puts before every name.
fn finish(mut state: State, options: &Options) -> Result<State, Obstacle> {
    const PREFIX: &str = "module.";
    if state.tensors.is_empty() {
        return Err((String::new(), "it contains no tensors".to_owned()));
    }
    if let Some(left) = options
        .leave_out
        .iter()
        .find(|left| !state.left_out.contains(*left))
    {
        return Err((left.clone(), "to be left out, but not there".to_owned()));
    }
    if state.tensors.keys().all(|name| name.starts_with(PREFIX)) {
        let tensors = std::mem::take(&mut state.tensors).into_iter();
        state.tensors = tensors
            .map(|(name, tensor)| (name[PREFIX.len()..].to_owned(), tensor))
            .collect();
    }
    Ok(state)
}
