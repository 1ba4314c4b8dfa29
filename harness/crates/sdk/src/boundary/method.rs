//! A method as the host calls it.

use harness_abi::{
    self as abi, AbiError, HostObject, MethodObject, PredictorObject, Reply,
    abi_stable::sabi_trait::TD_Opaque,
    std_types::{RResult, RSlice, RStr, RString, RVec},
    wire::{ModuleHeader, Probe, ProbeReply, Setting, Survey, TrainJob},
};
use serde_json::Value;

use super::{
    PluginIdentity, at_boundary,
    carried::{self, CarriedModule},
    predictor::PredictorEntry,
};
use crate::{
    Error, Host, Method, Parameters, Result,
    host::to_abi,
    method::{classifier, encode_batch, forward, parameters, setup},
    module,
    training::{Trainable, gradients, train},
};

/// Opens a method with a configuration.
pub(crate) fn open<M: Method>(plugin: PluginIdentity, config: &str) -> Result<MethodObject> {
    let config = serde_json::from_str(config)
        .map_err(|e| Error::Config(format!("config of method `{}`: {e}", M::card().id)))?;
    let entry = MethodEntry::<M> { plugin, config };
    Ok(abi::Method_TO::from_value(entry, TD_Opaque))
}

struct MethodEntry<M: Method> {
    plugin: PluginIdentity,
    config: M::Config,
}

impl<M: Method> MethodEntry<M> {
    fn survey(&self, setting: &Setting) -> Result<Survey> {
        let parameters = parameters::<M>(&self.config, setting)?;
        Ok(Survey {
            parameters: parameters.iter().map(|p| p.shape()).collect(),
            recipe: Some(M::recipe(&self.config, setting)),
        })
    }

    fn header(&self, host: &Host, seed: u64) -> Result<ModuleHeader> {
        let plugin = (self.plugin.name, self.plugin.version);
        let method = (M::card().id, serde_json::to_value(&self.config)?);
        Ok(carried::header(plugin, method, host.setting(), seed))
    }

    /// A module as it is carried, and its tensors for the host's backbone and classes.
    fn read(&self, host: &Host, bytes: &[u8]) -> Result<(CarriedModule, Parameters)> {
        let config: Value = serde_json::to_value(&self.config)?;
        let declared = self.survey(host.setting())?.parameters;
        carried::read(bytes, (M::card().id, &config), &declared, host.setting())
    }

    fn predictor(&self, host: HostObject, module: &[u8]) -> Result<PredictorEntry<M>> {
        let host = Host::new(host, M::USES)?;
        let (carried, parameters) = self.read(&host, module)?;
        let host = host.with_seed(carried.header.seed);
        let method = setup::<M>(&self.config, &host)?;
        let classifier = classifier(&method, &host, &parameters)?;
        Ok(PredictorEntry {
            carried,
            host,
            method,
            parameters,
            classifier,
        })
    }

    fn probe(&self, host: HostObject, module: &[u8], probe: &Probe) -> Result<Reply> {
        let host = Host::new(host, M::USES)?;
        let (carried, parameters) = self.read(&host, module)?;
        let host = host.with_seed(carried.header.seed);
        let declared = self.survey(host.setting())?.parameters;
        let method = setup::<M>(&self.config, &host)?;
        let trainable = Trainable::new(&parameters, &declared)?;
        let tracked = trainable.tracked();
        let batch = host.batch(probe.split, &probe.rows)?;
        let batch = encode_batch(&method, &host, &tracked, batch)?;
        let forward = forward(&method, &host, &tracked, &batch)?;
        let vars: Vec<_> = trainable.vars().collect();
        let (loss, gradients) = gradients(&method, &host, &tracked, &batch, &forward, &vars)?;
        let mut tensors = vec![to_abi(&forward.logits)?];
        for gradient in &gradients {
            tensors.push(to_abi(gradient)?);
        }
        let reply = ProbeReply {
            loss,
            gradients: vars.iter().map(|&(name, _)| name.to_owned()).collect(),
        };
        Ok(Reply {
            json: serde_json::to_string(&reply)?.into(),
            tensors: tensors.into(),
            bytes: RVec::new(),
        })
    }
}

impl<M: Method> abi::Method for MethodEntry<M> {
    fn survey(&self, setting: RStr<'_>) -> RResult<RString, AbiError> {
        at_boundary(|| {
            let setting = serde_json::from_str(setting.as_str())?;
            Ok(serde_json::to_string(&Self::survey(self, &setting)?)?.into())
        })
    }

    fn train(&self, host: HostObject, job: RStr<'_>) -> RResult<Reply, AbiError> {
        at_boundary(|| {
            let job: TrainJob = serde_json::from_str(job.as_str())?;
            let host = Host::new(host, M::USES)?.with_seed(job.seed);
            let (module, summary) = train::<M>(&self.config, &host, &job)?;
            let header = self.header(&host, job.seed)?;
            Ok(Reply {
                json: serde_json::to_string(&summary)?.into(),
                tensors: RVec::new(),
                bytes: module::save(&header, &module)?.into(),
            })
        })
    }

    fn probe(
        &self,
        host: HostObject,
        module: RSlice<'_, u8>,
        probe: RStr<'_>,
    ) -> RResult<Reply, AbiError> {
        at_boundary(|| {
            let probe = serde_json::from_str(probe.as_str())?;
            Self::probe(self, host, module.as_slice(), &probe)
        })
    }

    fn inject(
        &self,
        host: HostObject,
        module: RSlice<'_, u8>,
    ) -> RResult<PredictorObject, AbiError> {
        at_boundary(|| {
            let predictor = self.predictor(host, module.as_slice())?;
            Ok(abi::Predictor_TO::from_value(predictor, TD_Opaque))
        })
    }
}
