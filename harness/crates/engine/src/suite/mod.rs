//! The suite: the YAML file that says what to run, and every mistake in it.

mod aliases;
mod bounds;
mod dataset;
mod hint;
mod known;
mod mistake;
mod module;
mod module_entry;
mod names;
mod read;
mod recipe;
mod seeds;
mod shape;
mod similar;
mod slurm;
mod syntax;
#[cfg(test)]
mod tests;
mod tree;
mod types;
mod upgrade;

pub use dataset::{DatasetEntry, Ensemble, Sampler, SplitShares, TemplateChoice};
pub use known::{Known, KnownInputs, LookupError};
pub use mistake::{Mistake, Mistakes, closest};
pub use module_entry::ModuleEntry;
pub use read::{Document, SuiteError};
pub use recipe::{RecipeBase, RecipeChoice};
pub use seeds::{SplitsAndTrainings, SuiteSeeds};
pub use slurm::{SlurmOptions, UserSettings};
pub use tree::Mark;
pub use types::{Gate, MethodEntry, Suite, schema};
pub(crate) use upgrade::Pair;
pub use upgrade::{Chain, Targets, Upgrade};
