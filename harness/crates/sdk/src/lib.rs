//! What the author of a fine-tuning method depends on, and nothing else.
//!
//! Implement [`Method`], call [`export_plugin!`], build as a `cdylib`. Write
//! ordinary candle code: the host's towers are differentiable operations here,
//! and training, optimisers, schedules, module files and the boundary itself are
//! the SDK's business.
//!
//! ```
//! use harness_sdk::{
//!     Bench, Card, ClassPrompts, Context, Method, Parameter, Parameters, Result, Tensor,
//!     wire::{DataNeed, Family, Setting, Site},
//! };
//!
//! struct CoOp(ClassPrompts);
//!
//! impl Method for CoOp {
//!     type Config = Context;
//!
//!     fn card() -> Card {
//!         Card {
//!             id: "my-coop",
//!             title: "Context optimisation",
//!             paper: "arXiv 2109.01134",
//!             family: Family::Input,
//!             depth: "text input",
//!             sites: &[Site::TextInput],
//!             needs: &["ctx [context.length, text.width]"],
//!             data: DataNeed::Features,
//!             carried: &["ctx"],
//!             recomputed: &["token ids of the class names"],
//!             deviations: &[],
//!         }
//!     }
//!
//!     fn parameters(context: &Context, setting: &Setting) -> Result<Vec<Parameter>> {
//!         Ok(vec![context.parameter("ctx", setting, false)?])
//!     }
//!
//!     fn prepare(context: &Context, bench: &Bench) -> Result<Self> {
//!         Ok(Self(context.prompts(bench)?))
//!     }
//!
//!     fn classifier(&self, bench: &Bench, parameters: &Parameters) -> Result<Option<Tensor>> {
//!         Ok(Some(self.0.encode(bench, parameters.get("ctx")?)?))
//!     }
//! }
//!
//! harness_sdk::export_plugin!(CoOp);
//! # fn main() {}
//! ```

mod bench;
mod boundary;
mod bridge;
mod class_axis;
mod context;
pub mod deep;
mod edits;
mod entry;
mod error;
#[doc(hidden)]
pub mod export;
mod method;
mod module_file;
pub mod ops;
mod optimizer;
mod parameter;
mod plugin;
mod prompt;
mod recipe;
mod schedule;
pub mod testkit;
mod tower_prompts;
mod train;

pub use bench::Bench;
pub use candle_core::{self, Device, Tensor};
pub use context::{ClassPrompts, ClassTokenPosition, Context};
pub use edits::Edits;
pub use error::{Error, Result};
pub use harness_abi::wire;
pub use method::{Batch, Card, Forward, Method};
pub use optimizer::OptimizerKind;
pub use parameter::{Init, Parameter, Parameters};
pub use prompt::Prompts;
pub use recipe::Recipe;
pub use schedule::Schedule;
pub use tower_prompts::{TowerPrompts, TowerPromptsShape};
