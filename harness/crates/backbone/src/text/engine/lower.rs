//! Blocks below everything that is trained: what leaves them is the same at every step.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use candle_core::TensorId;

use super::model::Model;
use super::source::{Position, Sequences};

/// What decides the rows that enter a block.
#[derive(Clone, PartialEq)]
pub(super) struct Beginning {
    block: usize,
    /// The tensors of the blocks below.
    weights: Vec<TensorId>,
    positions: Vec<Position>,
    rows: Vec<Vec<u32>>,
    sharing: bool,
}

impl Beginning {
    /// None where an input of the request decides as well.
    pub(super) fn of(model: &Model, sequences: &Sequences, block: usize) -> Option<Self> {
        let is_fixed = |position: &Position| position.is_fixed_before(block);
        if model.has_dropout || !sequences.positions.iter().all(is_fixed) {
            return None;
        }
        Some(Self {
            block,
            weights: model.fixed_before(block)?,
            positions: sequences.positions.clone(),
            rows: sequences.rows.clone(),
            sharing: sequences.sharing,
        })
    }
}

/// Rows `[R, D]` of each chunk before a block.
pub(super) type States = Vec<Vec<f32>>;

/// Number of values.
pub(super) fn size(states: &States) -> usize {
    states.iter().map(Vec::len).sum()
}

/// Requests whose states are kept: a method's prompts, and those of a second one beside it.
const MOST: usize = 2;

/// States of the last requests, the latest first.
#[derive(Default)]
pub(crate) struct LowerStates {
    kept: Mutex<VecDeque<(Beginning, Arc<States>)>>,
}

impl std::fmt::Debug for LowerStates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LowerStates").finish_non_exhaustive()
    }
}

impl LowerStates {
    /// The states of a request, computed unless they are kept. They are kept if they have at most
    /// `most` values.
    pub(super) fn get(
        &self,
        beginning: Option<&Beginning>,
        most: usize,
        compute: impl FnOnce() -> States,
    ) -> Arc<States> {
        let Some(beginning) = beginning else {
            return Arc::new(compute());
        };
        let lock = || self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, states)) = lock().iter().find(|(known, _)| known == beginning) {
            return Arc::clone(states);
        }
        let states = Arc::new(compute());
        if size(&states) <= most {
            let mut kept = lock();
            kept.push_front((beginning.clone(), Arc::clone(&states)));
            kept.truncate(MOST);
        }
        states
    }
}
