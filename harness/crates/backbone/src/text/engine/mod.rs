//! The text tower without an automatic-differentiation graph: a forward pass and a vector-Jacobian
//! product written by hand on flat buffers.
//!
//! Prompts form a trie whose nodes are computed once; nodes of one depth are joined into chunks that
//! run through all blocks on one thread. Results do not depend on the number of threads: chunks are
//! a function of the request, and their contributions are added in order.

mod attention;
mod backward;
mod chunk;
mod forward;
mod lower;
mod model;
mod node;
mod operation;
mod plan;
mod source;
mod trace;
mod trie;

use crate::{kernels, matrix};

pub(super) use lower::LowerStates;
pub(super) use operation::encode;
pub(crate) use source::{Sequences, Source};
pub(super) use source::{sequences_of_batch, sequences_of_embeddings};
