//! A method behind the traits of the boundary.

use candle_core::Tensor;
use harness_abi::{
    self as abi, AbiError, AbiTensor, HostObject, MethodObject, PredictorObject, Reply,
    abi_stable::sabi_trait::TD_Opaque,
    std_types::{RResult, RSlice, RStr, RString, RVec},
    wire::{ModuleHeader, Probe, ProbeReply, Setting, Split, Survey, TrainJob},
};
use serde_json::Value;

use crate::{
    Batch, Bench, Error, Forward, Method, Parameters, Result, bench::to_abi, boundary::at_boundary,
    class_axis, method::directions, module_file, parameter::Trainable, plugin::PluginIdentity,
    train::train,
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
    fn declared(&self, setting: &Setting) -> Result<Survey> {
        let parameters = M::parameters(&self.config, setting)?;
        Ok(Survey {
            parameters: parameters.iter().map(|p| p.shape()).collect(),
            recipe: serde_json::to_value(M::recipe(&self.config))?,
        })
    }

    fn header(&self, bench: &Bench, seed: u64) -> Result<ModuleHeader> {
        let Setting { backbone, task, .. } = bench.setting();
        Ok(ModuleHeader {
            format: ModuleHeader::FORMAT.to_owned(),
            plugin: self.plugin.name.to_owned(),
            plugin_version: self.plugin.version.to_owned(),
            method: M::card().id.to_owned(),
            config: serde_json::to_value(&self.config)?,
            source: backbone.name.clone(),
            dataset: task.dataset.clone(),
            classes: task.classes.iter().map(|c| c.id.clone()).collect(),
            seed,
        })
    }

    /// A module as it is carried, and its tensors for the backbone and classes at hand.
    fn read(&self, bench: &Bench, bytes: &[u8]) -> Result<(Carried, Parameters)> {
        let (header, module) = module_file::load(bytes)?;
        let id = M::card().id;
        if header.method != id {
            return Err(Error::Module(format!(
                "it was trained by method `{}`, not by `{id}`",
                header.method
            )));
        }
        let config: Value = serde_json::to_value(&self.config)?;
        if header.config != config {
            return Err(Error::Module(format!(
                "it was trained with the configuration {}, not with {config}",
                header.config
            )));
        }
        let declared = self.declared(bench.setting())?.parameters;
        let backbone = &bench.setting().backbone.name;
        let here = class_axis::select(&module, &declared, &header, &bench.setting().task)?;
        let parameters = module_file::fit(&here, &declared, backbone)?;
        Ok((Carried { header, module }, parameters))
    }

    fn predictor(&self, host: HostObject, module: &[u8]) -> Result<PredictorEntry<M>> {
        let bench = Bench::new(host)?;
        let (carried, parameters) = self.read(&bench, module)?;
        let method = M::prepare(&self.config, &bench)?;
        let classifier = method.classifier(&bench, &parameters)?;
        Ok(PredictorEntry {
            carried,
            bench,
            method,
            parameters,
            classifier,
        })
    }

    fn probe(&self, host: HostObject, module: &[u8], probe: &Probe) -> Result<Reply> {
        let bench = Bench::new(host)?;
        let (_, parameters) = self.read(&bench, module)?;
        let declared = self.declared(bench.setting())?.parameters;
        let method = M::prepare(&self.config, &bench)?;
        let trainable = Trainable::from_values(&parameters, &declared)?;
        let labels = bench.labels(probe.split)?;
        let labels: Option<Vec<u32>> = probe
            .rows
            .iter()
            .map(|&row| labels.get(row as usize).copied())
            .collect();
        let labels = labels.ok_or_else(|| Error::Config("probe: a row is out of range".into()))?;
        let labels = Tensor::new(labels, &candle_core::Device::Cpu)?;
        let tracked = trainable.tracked();
        let batch = Batch::new(probe.split, probe.rows.clone(), Some(labels));
        let batch = batch.seen_by(&method, &bench, &tracked)?;
        let forward = Forward::of(&method, &bench, &tracked, &batch)?;
        let vars: Vec<_> = trainable.vars().collect();
        let (loss, gradients) = directions(&method, &bench, &batch, &forward, &vars)?;
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
            Ok(serde_json::to_string(&self.declared(&setting)?)?.into())
        })
    }

    fn train(&self, host: HostObject, job: RStr<'_>) -> RResult<Reply, AbiError> {
        at_boundary(|| {
            let job: TrainJob = serde_json::from_str(job.as_str())?;
            let bench = Bench::new(host)?;
            let (module, summary) = train::<M>(&self.config, &bench, &job)?;
            let header = self.header(&bench, job.seed)?;
            Ok(Reply {
                json: serde_json::to_string(&summary)?.into(),
                tensors: RVec::new(),
                bytes: module_file::save(&header, &module)?.into(),
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

/// A module with all its classes. Tensors that are used as they are share memory
/// with those in use; of the others only some classes are.
struct Carried {
    header: ModuleHeader,
    module: Parameters,
}

struct PredictorEntry<M> {
    carried: Carried,
    bench: Bench,
    method: M,
    parameters: Parameters,
    classifier: Option<Tensor>,
}

impl<M: Method> abi::Predictor for PredictorEntry<M> {
    fn logits(&self, split: RStr<'_>, rows: RSlice<'_, u32>) -> RResult<AbiTensor, AbiError> {
        at_boundary(|| {
            let split = Split::parse(split.as_str())
                .ok_or_else(|| Error::Config(format!("there is no split `{split}`")))?;
            let batch = Batch::new(split, rows.to_vec(), None);
            let batch = batch.seen_by(&self.method, &self.bench, &self.parameters)?;
            let classifier = self.classifier.as_ref();
            let logits = self
                .method
                .logits(&self.bench, &self.parameters, &batch, classifier)?;
            to_abi(&logits)
        })
    }

    fn module(&self) -> RResult<RVec<u8>, AbiError> {
        at_boundary(|| Ok(module_file::save(&self.carried.header, &self.carried.module)?.into()))
    }
}
