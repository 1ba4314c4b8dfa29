//! What the author of a fine-tuning method depends on, and nothing else.
//!
//! Implement [`Method`], call [`export_plugin!`], build a `cdylib`. Write ordinary candle
//! code: the host's towers are differentiable operations here, and the SDK takes care of
//! training, optimizers, schedules, module files and the plugin boundary.
//!
//! Built on `harness-abi` and candle. It knows neither how the host stores backbones and
//! data nor any particular method. Modules, each using only those before it: `host`
//! (queries to the host), `parameter`, `method` (what an author implements), `prompts`,
//! `module` (the module file), `training`, [`script`], `boundary` (calls from the host), [`testkit`].
//!
//! ```
//! use harness_sdk::{
//!     Card, ClassPrompts, Context, Host, Method, Parameter, Parameters, Result, Tensor,
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
//!             data: DataNeed::Features,
//!             recomputed: &["token ids of the class names"],
//!             deviations: &[],
//!         }
//!     }
//!
//!     fn parameters(context: &Context, setting: &Setting) -> Result<Vec<Parameter>> {
//!         Ok(vec![context.parameter("ctx", setting, false)?])
//!     }
//!
//!     fn setup(context: &Context, host: &Host) -> Result<Self> {
//!         Ok(Self(context.prompts(host)?))
//!     }
//!
//!     fn classifier(&self, host: &Host, parameters: &Parameters) -> Result<Tensor> {
//!         Ok(self.0.encode(host, parameters.get("ctx")?)?)
//!     }
//! }
//!
//! harness_sdk::export_plugin!(CoOp);
//! # fn main() {}
//! ```

#![warn(missing_docs)]

mod author_frame;
mod boundary;
mod error;
#[doc(hidden)]
pub mod export;
mod host;
mod method;
mod module;
pub mod ops;
mod parameter;
mod prompts;
pub mod script;
mod side_file;
pub mod testkit;
mod training;

pub use candle_core::{self, Device, Tensor};
pub use error::{Error, Result};
pub use harness_abi::wire::{self, OptimizerKind, Recipe, Schedule};
pub use host::{Host, Random};
pub use method::{Batch, Card, Feature, Forward, Gradients, Method};
pub use parameter::{Init, Parameter, Parameters};
pub use prompts::{
    ClassPrompts, ClassTokenPosition, Context, Edits, Prompts, TowerPrompts, TowerPromptsShape,
    deep,
};
pub use schemars;
pub use serde;
pub use side_file::SideFile;
