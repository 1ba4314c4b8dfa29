//! The JSON that crosses, as serde types.
//!
//! A field or variant that the reader does not know is an error on the way to
//! the host (a newer plugin must not be half understood) and ignored on the way
//! to the plugin (a newer host may say more).

mod card;
mod encode;
mod service;
mod setting;
mod train;

pub use card::{DataNeed, Descriptor, Family, MethodCard, PluginInfo, Site};
pub use encode::{
    BiasMode, Dropout, Edit, Encoded, ImageRequest, Segment, TextRequest, TokenRows, Tower,
};
pub use service::{Ensemble, Service, Split, Tokenized};
pub use setting::{
    BackboneFacts, Class, ImageFacts, NamedParameter, Role, Setting, TaskFacts, TextFacts,
};
pub use train::{ModuleHeader, ParameterShape, Probe, ProbeReply, Survey, TrainJob, TrainSummary};
