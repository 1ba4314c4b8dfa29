//! Which of a checkpoint's values are its weights.

use std::collections::{BTreeMap, BTreeSet};

use glob::Pattern;

use super::names;
use super::options::Options;
use super::pickle::{Arena, Id, TensorValue, Value};
use crate::modules::ROOT;
use crate::obstacle::Obstacle;
use crate::settings::{Setting, settings};

/// Keys under which training scripts put the state dict, in order of preference.
const WRAPPERS: [&str; 11] = [
    "state_dict",
    "model_state_dict",
    "model",
    "module",
    "net",
    "ema",
    "model_ema",
    "state_dict_ema",
    "ema_state_dict",
    "model_state",
    "weights",
];
/// Entries beside it that are not weights.
const BESIDE: [&str; 40] = [
    "epoch",
    "epochs",
    "optimizer",
    "optimizers",
    "optimizer_state_dict",
    "scheduler",
    "scheduler_state_dict",
    "lr_scheduler",
    "val_result",
    "scaler",
    "name",
    "args",
    "config",
    "step",
    "global_step",
    "iteration",
    "iter",
    "loss",
    "best_acc",
    "best_acc1",
    "best_score",
    "arch",
    "amp",
    "version",
    "meta",
    "metrics",
    "rng_state",
    "timestamp",
    // PyTorch Lightning.
    "pytorch-lightning_version",
    "loops",
    "callbacks",
    "optimizer_states",
    "lr_schedulers",
    "hparams_name",
    "hparams_type",
    "hyper_parameters",
    "datamodule_hparams_name",
    "datamodule_hyper_parameters",
    "MixedPrecision",
    // CLIP-LoRA.
    "metadata",
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
    /// How names were changed, a line each.
    pub(crate) notes: Vec<String>,
    /// Plain values beside the tensors.
    pub(crate) settings: BTreeMap<String, Setting>,
    obstacles: Vec<Obstacle>,
}

/// Finds the state dict below a pickle's root, or everything that is in its way.
pub(crate) fn find(arena: &Arena, root: Id, options: &Options) -> Result<State, Vec<Obstacle>> {
    let mut state = State {
        settings: settings(arena, root),
        ..State::default()
    };
    let found = descend(arena, root, options, &mut state);
    state.obstacles.extend(found.err());
    // Without tensors nothing more can be said of them.
    if !state.tensors.is_empty() {
        finish(&mut state, options);
    }
    match state.obstacles.is_empty() {
        true => Ok(state),
        false => Err(state.obstacles),
    }
}

fn descend(arena: &Arena, root: Id, options: &Options, state: &mut State) -> Result<(), Obstacle> {
    let (mut at, mut path) = (root, String::new());
    if let Some(key) = &options.key {
        at = follow(arena, root, key, "", state)?;
        path = format!("{key}.");
    }
    for _ in 0..MOST_WRAPPED {
        match arena.get(at) {
            Value::Object { .. } => {
                module(arena, at, "", 0, state)?;
                return any_tensor(state);
            }
            Value::Tensor(tensor) => {
                state.tensors.insert(ROOT.to_owned(), tensor.clone());
                return Ok(());
            }
            Value::Dict(entries) if is_nested(arena, entries) => {
                nested(arena, entries, "", state);
                return any_tensor(state);
            }
            Value::Dict(entries) => {
                let is_state = entries
                    .iter()
                    .any(|(_, value)| matches!(arena.get(*value), Value::Tensor(_)));
                if is_state {
                    dict(arena, entries, &path, options, state);
                    return any_tensor(state);
                }
                let (key, inner) = unwrap(arena, entries, &path, options, state)?;
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

/// Whether a dict holds dicts of tensors, or of such dicts, and no state dict has its usual name.
fn is_nested(arena: &Arena, entries: &[(Id, Id)]) -> bool {
    fn holds_tensors(arena: &Arena, id: Id, depth: usize) -> bool {
        match arena.get(id) {
            Value::Tensor(_) => depth > 0,
            Value::Dict(entries) if depth < MOST_WRAPPED => {
                let mut values = entries.iter();
                !entries.is_empty()
                    && values.all(|(key, value)| {
                        arena.text(*key).is_some() && holds_tensors(arena, *value, depth + 1)
                    })
            }
            _ => false,
        }
    }
    let mut names = entries.iter().filter_map(|(key, _)| arena.text(*key));
    !entries.is_empty()
        && names.all(|name| !WRAPPERS.contains(&name))
        && entries.iter().all(|(key, value)| {
            let is_dict = matches!(arena.get(*value), Value::Dict(_));
            is_dict && arena.text(*key).is_some() && holds_tensors(arena, *value, 0)
        })
}

/// Collects the tensors of dicts inside each other, whose names are joined with dots.
fn nested(arena: &Arena, entries: &[(Id, Id)], path: &str, state: &mut State) {
    for (name, value) in named(arena, entries) {
        let full = format!("{path}{name}");
        match arena.get(value) {
            Value::Tensor(tensor) => {
                let other = state.tensors.insert(full.clone(), tensor.clone());
                let duplicated = other.map(|_| (full, "it is duplicated".to_owned()));
                state.obstacles.extend(duplicated);
            }
            Value::Dict(inner) => nested(arena, inner, &format!("{full}."), state),
            _ => {}
        }
    }
}

fn any_tensor(state: &State) -> Result<(), Obstacle> {
    match state.tensors.is_empty() && state.obstacles.is_empty() {
        true => Err((String::new(), "it contains no tensors".to_owned())),
        false => Ok(()),
    }
}

/// The entries of a dict whose keys are text.
fn named<'a>(arena: &'a Arena, entries: &[(Id, Id)]) -> Vec<(&'a str, Id)> {
    entries
        .iter()
        .filter_map(|(key, value)| Some((arena.text(*key)?, *value)))
        .collect()
}

/// The value at a path, whose keys may have dots of their own. What lies beside is left out.
fn follow(arena: &Arena, at: Id, key: &str, path: &str, state: &mut State) -> Result<Id, Obstacle> {
    let entries = match arena.get(at) {
        Value::Dict(entries) => named(arena, entries),
        _ => Vec::new(),
    };
    let rest = |name: &str| match key.strip_prefix(name)? {
        "" => Some(""),
        rest => rest.strip_prefix('.'),
    };
    let mut ways = entries
        .iter()
        .filter_map(|(name, id)| Some((*name, *id, rest(name)?)));
    let Some((name, inner, rest)) = ways.next() else {
        let keys: Vec<&str> = entries.iter().map(|(name, _)| *name).collect();
        let found = match keys.as_slice() {
            [] => arena.describe(at),
            keys => keys.join(", "),
        };
        return Err((format!("{path}{key}"), format!("not there; found {found}")));
    };
    let beside = entries.iter().filter(|(other, _)| *other != name);
    state
        .left_out
        .extend(beside.map(|(other, _)| format!("{path}{other}")));
    match rest {
        "" => Ok(inner),
        rest => follow(arena, inner, rest, &format!("{path}{name}."), state),
    }
}

/// The entry that the state dict is in.
fn unwrap(
    arena: &Arena,
    entries: &[(Id, Id)],
    path: &str,
    options: &Options,
    state: &mut State,
) -> Result<(String, Id), Obstacle> {
    let named = named(arena, entries);
    let is_inner = |id: Id| matches!(arena.get(id), Value::Dict(_) | Value::Object { .. });
    let is_left_out = |name: &str| options.leave_out.contains(&format!("{path}{name}"));
    let found = WRAPPERS.iter().find_map(|key| {
        let mut named = named.iter();
        named.find(|(name, value)| name == key && is_inner(*value) && !is_left_out(name))
    });
    let keys: Vec<&str> = named.iter().map(|(name, _)| *name).collect();
    let Some((key, inner)) = found else {
        let reason = format!(
            "no tensors, and none of {} is there; found {}. Name the entry with --key",
            WRAPPERS.join(", "),
            keys.join(", ")
        );
        return Err((path.trim_end_matches('.').to_owned(), reason));
    };
    for name in keys.iter().filter(|name| *name != key) {
        let full = format!("{path}{name}");
        if !BESIDE.contains(name) && !options.leave_out.contains(&full) {
            let reason = match WRAPPERS.contains(name) {
                true => format!(
                    "perhaps the weights, as is {path}{key}; choose with --key {full} or --leave-out {full}"
                ),
                false => {
                    format!("not known to be dispensable; leave it out with --leave-out {full}")
                }
            };
            state.obstacles.push((full, reason));
            continue;
        }
        state.left_out.insert(full);
    }
    Ok(((*key).to_owned(), *inner))
}

fn dict(arena: &Arena, entries: &[(Id, Id)], path: &str, options: &Options, state: &mut State) {
    for (key, value) in entries {
        let Some(name) = arena.text(*key) else {
            let what = arena.describe(*key);
            let reason = format!("a key that is {what}, expected text");
            state.obstacles.push((path.to_owned(), reason));
            continue;
        };
        if options.leave_out.iter().any(|left| left == name) {
            state.left_out.insert(name.to_owned());
            continue;
        }
        let Value::Tensor(tensor) = arena.get(*value) else {
            let what = arena.describe(*value);
            let reason = format!("{what}, expected a tensor; leave it out with --leave-out {name}");
            state.obstacles.push((name.to_owned(), reason));
            continue;
        };
        if state
            .tensors
            .insert(name.to_owned(), tensor.clone())
            .is_some()
        {
            let reason = "it is duplicated".to_owned();
            state.obstacles.push((name.to_owned(), reason));
        }
    }
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

/// Leaves out and renames tensors as the options say.
fn finish(state: &mut State, options: &Options) {
    for left in &options.leave_out {
        if !state.left_out.contains(left) && state.tensors.remove(left).is_none() {
            let reason = "to be left out, but not there".to_owned();
            state.obstacles.push((left.clone(), reason));
        } else {
            state.left_out.insert(left.clone());
        }
    }
    for pattern in &options.drop {
        let dropped: Vec<String> = match Pattern::new(pattern) {
            Ok(pattern) => {
                let names = state.tensors.keys();
                names
                    .filter(|name| pattern.matches(name))
                    .cloned()
                    .collect()
            }
            Err(error) => {
                state.obstacles.push((pattern.clone(), error.to_string()));
                continue;
            }
        };
        if dropped.is_empty() {
            let reason = "matches no tensor".to_owned();
            state.obstacles.push((pattern.clone(), reason));
        }
        for name in dropped {
            state.tensors.remove(&name);
            state.left_out.insert(name);
        }
    }
    let tensors = std::mem::take(&mut state.tensors);
    let mut renamed = names::rename(tensors, options);
    state.tensors = renamed.tensors;
    state.notes.append(&mut renamed.notes);
    state.obstacles.append(&mut renamed.obstacles);
}
