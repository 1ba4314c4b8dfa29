//! The JSON that crosses the boundary, as serde types.
//!
//! The host rejects fields and variants that it does not know, so that it never half
//! understands a newer plugin. Plugins ignore them, so that a newer host may add some.

mod card;
mod encode;
mod module;
mod recipe;
mod script;
mod service;
mod setting;
mod sites;
mod train;

pub use card::{DataNeed, Descriptor, Family, MethodCard, PluginInfo, Site};
pub use encode::{
    BiasMode, Dropout, Edit, Encoded, ImageRequest, Segment, TextRequest, TokenRows, Tower,
};
pub use module::{HeaderError, ModuleHeader, ModuleOrigin};
pub use recipe::{OptimizerKind, Recipe, RecipeChanges, RecipeError, Schedule};
pub use script::{Script, ScriptFacts};
pub use service::{Ensemble, ImageStage, Service, Split, Tokenized};
pub use setting::{
    BackboneFacts, Class, ImageFacts, NamedParameter, Role, Setting, TaskFacts, TextFacts,
};
pub use sites::differing_sites;
pub use train::{ParameterShape, Probe, ProbeReply, Survey, TrainJob, TrainSummary};
