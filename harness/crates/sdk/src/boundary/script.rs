//! A script's methods as the host calls them.

use std::sync::{Arc, OnceLock};

use harness_abi::{
    self as abi, ABI_MAJOR, ABI_MINOR, AbiError, AbiTensor, HostObject, MethodObject,
    PredictorObject, RUSTC_VERSION, Reply,
    abi_stable::sabi_trait::TD_Opaque,
    std_types::{RResult, RSlice, RStr, RString, RVec},
    wire::{
        Descriptor, ParameterShape, PluginInfo, Probe, ProbeReply, Script, Setting, Split, Survey,
        TrainJob,
    },
};
use serde_json::Value;

use super::{
    SDK_VERSION, at_boundary,
    carried::{self, CarriedModule},
};
use crate::{
    Error, Feature, Host, Parameters, Result,
    host::to_abi,
    method::nominal_setting,
    module,
    script::{Declared, ScriptMethod, ScriptPlugin, ScriptPredictor, Training},
};

/// A script may use whatever the host offers.
const USES: &[Feature] = &[Feature::ImageActivations];

/// Reads the script that the host gives.
fn open_script<P: ScriptPlugin>(opened: &OnceLock<P>, script: &str) -> Result<MethodObject> {
    let plugin = P::open(&serde_json::from_str(script)?, &nominal_setting())?;
    let already = |_| Error::Config("the plugin runs another script already".into());
    opened.set(plugin).map_err(already)?;
    Ok(abi::Method_TO::from_value(Opened, TD_Opaque))
}

/// What the host gets for a script, which is no method.
struct Opened;

impl Opened {
    fn refuse<T>() -> RResult<T, AbiError> {
        at_boundary(|| Err(Error::Config("a script is no method".into())))
    }
}

impl abi::Method for Opened {
    fn survey(&self, _: RStr<'_>) -> RResult<RString, AbiError> {
        Self::refuse()
    }

    fn train(&self, _: HostObject, _: RStr<'_>) -> RResult<Reply, AbiError> {
        Self::refuse()
    }

    fn probe(&self, _: HostObject, _: RSlice<'_, u8>, _: RStr<'_>) -> RResult<Reply, AbiError> {
        Self::refuse()
    }

    fn inject(&self, _: HostObject, _: RSlice<'_, u8>) -> RResult<PredictorObject, AbiError> {
        Self::refuse()
    }
}

fn script<P>(opened: &OnceLock<P>) -> Result<&P> {
    let missing = || Error::Config("the plugin runs scripts and was given none".into());
    opened.get().ok_or_else(missing)
}

/// A plugin's `descriptor` entry point.
pub fn script_descriptor<P: ScriptPlugin>(opened: &OnceLock<P>) -> RResult<RString, AbiError> {
    at_boundary(|| {
        let script = script(opened)?;
        let descriptor = Descriptor {
            plugin: PluginInfo {
                name: script.name().to_owned(),
                version: script.version().to_owned(),
                license: script.license().to_owned(),
                sdk: SDK_VERSION.to_owned(),
                rustc: RUSTC_VERSION.to_owned(),
                abi: format!("{ABI_MAJOR}.{ABI_MINOR}"),
                opt_level: None,
                needs_abi: None,
                script: Some(script.facts().clone()),
            },
            methods: script.methods().to_vec(),
        };
        Ok(serde_json::to_string(&descriptor)?.into())
    })
}

/// A plugin's `open` entry point.
pub fn open_script_method<P: ScriptPlugin>(
    opened: &OnceLock<P>,
    method: RStr<'_>,
    config: RStr<'_>,
) -> RResult<MethodObject, AbiError> {
    at_boundary(|| {
        if method.as_str() == Script::ID {
            return open_script(opened, config.as_str());
        }
        let script = script(opened)?;
        let config: Value = serde_json::from_str(config.as_str())?;
        let entry = ScriptEntry {
            plugin: script.name().to_owned(),
            version: script.version().to_owned(),
            method: script.method(method.as_str(), &config)?,
        };
        Ok(abi::Method_TO::from_value(entry, TD_Opaque))
    })
}

struct ScriptEntry {
    plugin: String,
    version: String,
    method: Box<dyn ScriptMethod>,
}

/// Shapes of the declared parameters.
fn shapes(declared: &Declared) -> Vec<ParameterShape> {
    let parameters = declared.parameters();
    parameters
        .iter()
        .map(|parameter| parameter.shape())
        .collect()
}

impl ScriptEntry {
    fn trained(&self, host: HostObject, job: &TrainJob) -> Result<Reply> {
        let host = Host::new(host, USES)?.with_seed(job.seed);
        let setting = host.setting();
        let declared = self.method.declared(setting)?;
        let shapes = shapes(&declared);
        let mut training = Training::new(&declared, &host, job)?;
        let trained = self.method.train(&host, &mut training)?;
        let parameters = module::fit(&trained.parameters, &shapes, &setting.backbone.name)?;
        let is_trained = |name: &str| shapes.iter().any(|s| s.name == name && !s.fixed);
        let counted = parameters.iter().filter(|(name, _)| is_trained(name));
        let count = counted.map(|(_, tensor)| tensor.elem_count() as u64).sum();
        let summary = training.summary(count, trained.checked_gradients);
        let header = carried::header(
            (&self.plugin, &self.version),
            (self.method.id(), self.method.config().clone()),
            setting,
            job.seed,
        );
        Ok(Reply {
            json: serde_json::to_string(&summary)?.into(),
            tensors: RVec::new(),
            bytes: module::save(&header, &parameters)?.into(),
        })
    }

    /// The host of a module, the module as it is carried, and its tensors there.
    fn read(&self, host: HostObject, bytes: &[u8]) -> Result<(Host, CarriedModule, Parameters)> {
        let host = Host::new(host, USES)?;
        let declared = shapes(&self.method.declared(host.setting())?);
        let of = (self.method.id(), self.method.config());
        let (carried, parameters) = carried::read(bytes, of, &declared, host.setting())?;
        let host = host.with_seed(carried.header.seed);
        Ok((host, carried, parameters))
    }

    fn probed(&self, host: HostObject, module: &[u8], probe: &Probe) -> Result<Reply> {
        let (host, _, parameters) = self.read(host, module)?;
        let probed = self.method.probe(&host, &parameters, probe)?;
        let mut tensors = vec![to_abi(&probed.logits)?];
        let mut names = vec![];
        for (name, gradient) in probed.gradients.iter() {
            names.push(name.to_owned());
            tensors.push(to_abi(gradient)?);
        }
        let reply = ProbeReply {
            loss: probed.loss,
            gradients: names,
        };
        Ok(Reply {
            json: serde_json::to_string(&reply)?.into(),
            tensors: tensors.into(),
            bytes: RVec::new(),
        })
    }
}

impl abi::Method for ScriptEntry {
    fn survey(&self, setting: RStr<'_>) -> RResult<RString, AbiError> {
        at_boundary(|| {
            let setting: Setting = serde_json::from_str(setting.as_str())?;
            let declared = self.method.declared(&setting)?;
            let survey = Survey {
                parameters: shapes(&declared),
                recipe: Some(declared.recipe),
            };
            Ok(serde_json::to_string(&survey)?.into())
        })
    }

    fn train(&self, host: HostObject, job: RStr<'_>) -> RResult<Reply, AbiError> {
        at_boundary(|| self.trained(host, &serde_json::from_str(job.as_str())?))
    }

    fn probe(
        &self,
        host: HostObject,
        module: RSlice<'_, u8>,
        probe: RStr<'_>,
    ) -> RResult<Reply, AbiError> {
        at_boundary(|| {
            let probe = serde_json::from_str(probe.as_str())?;
            self.probed(host, module.as_slice(), &probe)
        })
    }

    fn inject(
        &self,
        host: HostObject,
        module: RSlice<'_, u8>,
    ) -> RResult<PredictorObject, AbiError> {
        at_boundary(|| {
            let (host, carried, parameters) = self.read(host, module.as_slice())?;
            let predictor = self.method.inject(&host, &parameters)?;
            let entry = PredictorEntry {
                host,
                carried: Arc::new(carried),
                predictor,
            };
            Ok(abi::Predictor_TO::from_value(entry, TD_Opaque))
        })
    }
}

struct PredictorEntry {
    host: Host,
    carried: Arc<CarriedModule>,
    predictor: Box<dyn ScriptPredictor>,
}

impl abi::Predictor for PredictorEntry {
    fn logits(&self, split: RStr<'_>, rows: RSlice<'_, u32>) -> RResult<AbiTensor, AbiError> {
        at_boundary(|| {
            let split = Split::parse(split.as_str())
                .ok_or_else(|| Error::Config(format!("unknown split `{split}`")))?;
            to_abi(&self.predictor.logits(&self.host, split, rows.as_slice())?)
        })
    }

    fn module(&self) -> RResult<RVec<u8>, AbiError> {
        at_boundary(|| {
            let CarriedModule { header, tensors } = &*self.carried;
            Ok(module::save(header, tensors)?.into())
        })
    }
}

/// Exports the methods of scripts from a `cdylib`: `export_script_plugin!(Python);`.
#[macro_export]
macro_rules! export_script_plugin {
    ($plugin:ty) => {
        #[doc(hidden)]
        // `expect` would warn in crates that do not deny unsafe code.
        #[allow(unsafe_code, reason = "the exported symbols need fixed names")]
        mod harness_plugin_exports {
            #[allow(unused_imports, reason = "the plugin may be given as a path")]
            use super::*;
            use $crate::export::{
                AbiError, Feature, MethodObject, PluginMod, PluginModRef, PluginRecord,
                PrefixTypeTrait, RResult, RStr, RString, RUSTC_VERSION, SDK_VERSION,
                export_symbols,
            };

            static OPENED: std::sync::OnceLock<$plugin> = std::sync::OnceLock::new();

            extern "C" fn descriptor() -> RResult<RString, AbiError> {
                $crate::export::script_descriptor(&OPENED)
            }

            extern "C" fn open(
                method: RStr<'_>,
                config: RStr<'_>,
            ) -> RResult<MethodObject, AbiError> {
                $crate::export::open_script_method(&OPENED, method, config)
            }

            fn root_module() -> PluginModRef {
                PluginMod { descriptor, open }.leak_into_prefix()
            }

            export_symbols!(
                root_module,
                PluginRecord::new(SDK_VERSION, RUSTC_VERSION).needing(Feature::Scripts.since())
            );
        }
    };
}
