//! Reads and hashes the inputs of a suite at once, saying how far it is.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use rayon::prelude::*;

use crate::registry::{BackboneFacts, DatasetFacts, FactsError, SearchPath};
use crate::schedule::{Observer, Reading};
use crate::suite::DatasetEntry;

/// Time between two looks at what is read.
const TICK: Duration = Duration::from_millis(100);

/// What was found under each name, in the order of the names.
pub(super) struct Read {
    pub(super) backbones: Vec<Result<BackboneFacts, FactsError>>,
    pub(super) datasets: Vec<Result<DatasetFacts, FactsError>>,
}

/// What a thread of the reader found.
enum Facts {
    Backbone(Result<BackboneFacts, FactsError>),
    Dataset(Result<DatasetFacts, FactsError>),
}

enum Input<'a> {
    Backbone(&'a str),
    Dataset(&'a DatasetEntry),
}

impl Input<'_> {
    fn name(&self) -> &str {
        match self {
            Input::Backbone(name) => name,
            Input::Dataset(entry) => &entry.label,
        }
    }

    fn read(&self, search_path: &SearchPath) -> Facts {
        match self {
            Input::Backbone(name) => Facts::Backbone(BackboneFacts::read(search_path, name)),
            Input::Dataset(entry) => Facts::Dataset(DatasetFacts::read(search_path, entry, "")),
        }
    }
}

/// Reads backbones and data sets, as many at a time as there are cores.
pub(super) fn read(
    search_path: &SearchPath,
    backbones: &[&str],
    datasets: &[DatasetEntry],
    observer: &mut dyn Observer,
) -> Read {
    let inputs = backbones.iter().copied().map(Input::Backbone);
    let inputs: Vec<Input<'_>> = inputs.chain(datasets.iter().map(Input::Dataset)).collect();
    let (sender, done) = mpsc::channel();
    let found = thread::scope(|scope| {
        let inputs = &inputs;
        let reader = scope.spawn(move || {
            let indices = (0..inputs.len()).into_par_iter();
            let read = indices.map_with(sender, |sender, index| {
                let facts = inputs[index].read(search_path);
                // Who waits for it may have given up.
                let _ = sender.send(index);
                facts
            });
            read.collect::<Vec<Facts>>()
        });
        let mut left: Vec<usize> = (0..inputs.len()).collect();
        loop {
            match done.recv_timeout(TICK) {
                Ok(index) => left.retain(|other| *other != index),
                Err(RecvTimeoutError::Timeout) => observer.reading(&Reading {
                    done: inputs.len() - left.len(),
                    total: inputs.len(),
                    left: left.iter().map(|index| inputs[*index].name()).collect(),
                }),
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        match reader.join() {
            Ok(found) => found,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    });
    let mut read = Read {
        backbones: Vec::new(),
        datasets: Vec::new(),
    };
    for facts in found {
        match facts {
            Facts::Backbone(facts) => read.backbones.push(facts),
            Facts::Dataset(facts) => read.datasets.push(facts),
        }
    }
    read
}
