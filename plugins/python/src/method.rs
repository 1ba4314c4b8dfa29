//! A method of a script, as calls of it.

use std::sync::{Arc, Mutex, PoisonError};

use harness_sdk::{
    Device, Error, Host, Parameters, Result, Tensor,
    script::{
        AbiError, AbiTensor, Declared, ErrorKind, Probed, ScriptMethod, ScriptPredictor, Trained,
        Training,
    },
    wire::{Probe, Setting, Split},
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::session::{NumberedHost, Returned, Session, read};

/// A method with its configuration.
pub(crate) struct PythonMethod {
    session: Arc<Session>,
    id: String,
    config: Value,
    /// What it declared last: a training asks several times.
    declared: Mutex<Option<(Setting, Declared)>>,
}

#[derive(Deserialize)]
struct TrainedNames {
    names: Vec<String>,
    checked_gradients: bool,
}

#[derive(Deserialize)]
struct ProbedNames {
    names: Vec<String>,
    loss: Option<f64>,
}

impl PythonMethod {
    pub(crate) fn open(session: Arc<Session>, id: &str, config: &Value) -> Result<Self> {
        let call = json!({"configure": {"method": id, "config": config}});
        let config = session.call(call, vec![], None, None)?.value;
        Ok(Self {
            session,
            id: id.to_owned(),
            config,
            declared: Mutex::default(),
        })
    }

    /// What every call of the method says.
    fn about(&self, host: &Host, number: u64) -> Value {
        json!({
            "method": self.id, "config": self.config, "host": number,
            "setting": host.setting(), "logit_scale": host.logit_scale(), "seed": host.seed(),
        })
    }

    fn call(
        &self,
        name: &str,
        host: &NumberedHost<'_>,
        more: Value,
        parameters: &Parameters,
        training: Option<&mut Training>,
    ) -> Result<Returned> {
        let mut about = self.about(host.host, host.number);
        if let (Value::Object(about), Value::Object(more)) = (&mut about, more) {
            about.extend(more);
            let names: Vec<&str> = parameters.iter().map(|(name, _)| name).collect();
            about.insert("names".to_owned(), json!(names));
        }
        let tensors = parameters.iter().map(|(_, tensor)| to_abi(tensor));
        let tensors = tensors.collect::<Result<_>>()?;
        self.session
            .call(json!({ name: about }), tensors, Some(host), training)
    }
}

impl ScriptMethod for PythonMethod {
    fn id(&self) -> &str {
        &self.id
    }

    fn config(&self) -> &Value {
        &self.config
    }

    fn declared(&self, setting: &Setting) -> Result<Declared> {
        let mut last = self.declared.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, declared)) = &*last
            && of == setting
        {
            return Ok(declared.clone());
        }
        let call = json!({"survey": {
            "method": self.id, "config": self.config, "setting": setting,
        }});
        let declared: Declared = read(self.session.call(call, vec![], None, None)?.value)?;
        *last = Some((setting.clone(), declared.clone()));
        Ok(declared)
    }

    fn train(&self, host: &Host, training: &mut Training) -> Result<Trained> {
        let number = self.session.next_host();
        let host = NumberedHost { host, number };
        let initial = training.initial().clone();
        let more = json!({
            "recipe": training.recipe(), "steps": training.steps(), "epochs": training.epochs(),
            "check_gradients": training.checks_gradients(),
        });
        let returned = self.call("train", &host, more, &initial, Some(training))?;
        let trained: TrainedNames = read(returned.value)?;
        Ok(Trained {
            parameters: named("train", trained.names, returned.tensors)?,
            checked_gradients: trained.checked_gradients,
        })
    }

    fn probe(&self, host: &Host, parameters: &Parameters, probe: &Probe) -> Result<Probed> {
        let number = self.session.next_host();
        let host = NumberedHost { host, number };
        let more = json!({"split": probe.split, "rows": probe.rows});
        let returned = self.call("probe", &host, more, parameters, None)?;
        let (value, mut tensors) = (returned.value, returned.tensors);
        let probed: ProbedNames = read(value)?;
        if tensors.is_empty() {
            return Err(incomplete("probe", "logits"));
        }
        let logits = from_abi(tensors.remove(0))?;
        let loss = probed.loss.filter(|loss| loss.is_finite());
        let loss = loss.ok_or_else(|| Error::Numeric("the loss is not finite".to_owned()))?;
        Ok(Probed {
            loss,
            logits,
            gradients: named("probe", probed.names, tensors)?,
        })
    }

    fn inject(&self, host: &Host, parameters: &Parameters) -> Result<Box<dyn ScriptPredictor>> {
        let number = self.session.next_host();
        let host = NumberedHost { host, number };
        let returned = self.call("inject", &host, json!({}), parameters, None)?;
        Ok(Box::new(Predictor {
            session: Arc::clone(&self.session),
            number,
            process: returned.process,
        }))
    }
}

/// A module in a backbone: the child holds it under the number of its host.
struct Predictor {
    session: Arc<Session>,
    number: u64,
    process: u64,
}

impl ScriptPredictor for Predictor {
    fn logits(&self, host: &Host, split: Split, rows: &[u32]) -> Result<Tensor> {
        if !self.session.is_process(self.process) {
            let message = "the process that held the module has ended";
            return Err(AbiError::new(ErrorKind::Crashed, message).into());
        }
        let number = self.number;
        let host = NumberedHost { host, number };
        let call = json!({"logits": {"host": number, "split": split, "rows": rows}});
        let tensors = self.session.call(call, vec![], Some(&host), None)?.tensors;
        match tensors.into_iter().next() {
            Some(logits) => from_abi(logits),
            None => Err(incomplete("logits", "a tensor")),
        }
    }
}

impl Drop for Predictor {
    fn drop(&mut self) {
        if self.session.is_process(self.process) {
            let call = json!({"forget": {"host": self.number}});
            // Nobody is left who could be told.
            let _ = self.session.call(call, vec![], None, None);
        }
    }
}

fn named(call: &str, names: Vec<String>, tensors: Vec<AbiTensor>) -> Result<Parameters> {
    if names.len() != tensors.len() {
        return Err(incomplete(call, "one name for each tensor"));
    }
    let entries = names.into_iter().zip(tensors);
    let entries = entries.map(|(name, tensor)| Ok((name, from_abi(tensor)?)));
    Ok(Parameters::new(entries.collect::<Result<_>>()?))
}

fn incomplete(call: &str, lacks: &str) -> Error {
    let message = format!("the script's reply to `{call}` lacks {lacks}");
    AbiError::new(ErrorKind::Internal, message).into()
}

fn to_abi(tensor: &Tensor) -> Result<AbiTensor> {
    let values = tensor.flatten_all()?.to_vec1::<f32>()?;
    Ok(AbiTensor::new(tensor.dims(), values))
}

fn from_abi(tensor: AbiTensor) -> Result<Tensor> {
    let shape = tensor.checked_shape()?;
    Ok(Tensor::from_vec(
        tensor.values.into_vec(),
        shape,
        &Device::Cpu,
    )?)
}
