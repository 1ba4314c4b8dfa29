//! What a method trains: names, shapes, how they begin, and their values.

use candle_core::{Device, Tensor, Var};
use harness_abi::wire::{ParameterShape, Tower};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Normal, Uniform};

use crate::{Bench, Error, Result};

/// A trained tensor before it has values.
#[derive(Clone, Debug)]
pub struct Parameter {
    name: String,
    shape: Vec<usize>,
    init: Init,
    class_axis: Option<usize>,
    optional: bool,
    fixed: bool,
}

/// How a parameter begins.
#[derive(Clone, Debug, PartialEq)]
pub enum Init {
    Zeros,
    /// N(0, std²).
    Normal {
        std: f64,
    },
    /// U(-bound, bound); `1 / sqrt(inputs)` is torch's default for a linear layer.
    Uniform {
        bound: f64,
    },
    /// Token embeddings of the words, in the last rows of `[.., M, D]`; rows
    /// before them N(0, 0.02²); of too many words the last M count.
    Words(String),
    /// The same with zeros in the rows before the words.
    WordsAfterZeros(String),
    /// The backbone's own bias or gain of this canonical name.
    Own(Tower, String),
    /// The same values as a parameter that was declared before.
    CopyOf(String),
}

impl Parameter {
    /// A dimension that the module decides, of a parameter that a method builds: the
    /// number of training images, say.
    pub const OPEN: usize = 0;

    pub fn new(name: &str, shape: &[usize], init: Init) -> Self {
        Self {
            name: name.to_owned(),
            shape: shape.to_vec(),
            init,
            class_axis: None,
            optional: false,
            fixed: false,
        }
    }

    /// Dimension `axis` has one entry for each class of the task. On a data set with
    /// other classes the entries are selected by class id; where one is missing, the
    /// module is not injectable.
    pub fn per_class(self, axis: usize) -> Self {
        Self {
            class_axis: Some(axis),
            ..self
        }
    }

    /// A parameter that a module goes without where a target has no counterpart,
    /// such as a bias of a layer that is built otherwise there.
    pub fn optional(self) -> Self {
        Self {
            optional: true,
            ..self
        }
    }

    /// The parameter with another beginning.
    pub fn beginning(self, init: Init) -> Self {
        Self { init, ..self }
    }

    /// Carried in the module, but not trained: labels of a cache, a chosen constant.
    pub fn fixed(self) -> Self {
        Self {
            fixed: true,
            ..self
        }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn shape(&self) -> ParameterShape {
        ParameterShape {
            name: self.name.clone(),
            shape: self.shape.clone(),
            class_axis: self.class_axis,
            optional: self.optional,
            fixed: self.fixed,
        }
    }

    fn initial(&self, bench: &Bench, before: &Parameters, rng: &mut ChaCha8Rng) -> Result<Tensor> {
        let count = self.shape.iter().product();
        let values = match &self.init {
            Init::Zeros => vec![0.0; count],
            Init::Normal { std } => normal(*std, count, rng)?,
            Init::Uniform { bound } => {
                let uniform = Uniform::new_inclusive(-bound, *bound)
                    .map_err(|e| Error::Config(format!("init of `{}`: {e}", self.name)))?;
                sample(&uniform, count, rng)
            }
            Init::Words(words) => {
                return self.words(words, bench, |count| normal(0.02, count, rng));
            }
            Init::WordsAfterZeros(words) => {
                return self.words(words, bench, |count| Ok(vec![0.0; count]));
            }
            Init::Own(tower, name) => return bench.parameter(*tower, name),
            Init::CopyOf(name) => return Ok(before.get(name)?.copy()?),
        };
        Ok(Tensor::from_vec(
            values,
            self.shape.as_slice(),
            &Device::Cpu,
        )?)
    }

    /// `fill` gives the numbers of the rows that no word takes.
    fn words(
        &self,
        words: &str,
        bench: &Bench,
        fill: impl FnOnce(usize) -> Result<Vec<f32>>,
    ) -> Result<Tensor> {
        let [.., rows, width] = self.shape[..] else {
            return Err(Error::Config(format!(
                "`{}` cannot begin with words: its shape {:?} has no token dimension",
                self.name, self.shape
            )));
        };
        let ids = bench.tokenize(&[words])?.rows.swap_remove(0);
        let ids = &ids[ids.len().saturating_sub(rows)..];
        let mut parts = vec![];
        if ids.len() < rows {
            let free = rows - ids.len();
            let fill = fill(free * width)?;
            parts.push(Tensor::from_vec(fill, (free, width), &Device::Cpu)?);
        }
        if !ids.is_empty() {
            parts.push(bench.token_embeddings(ids)?);
        }
        let context = Tensor::cat(&parts, 0)?;
        Ok(context.broadcast_as(self.shape.as_slice())?.contiguous()?)
    }
}

fn normal(std: f64, count: usize, rng: &mut ChaCha8Rng) -> Result<Vec<f32>> {
    let normal = Normal::new(0.0, std).map_err(|e| Error::Config(format!("init: {e}")))?;
    Ok(sample(&normal, count, rng))
}

fn sample(distribution: &impl Distribution<f64>, count: usize, rng: &mut impl Rng) -> Vec<f32> {
    (0..count)
        .map(|_| distribution.sample(rng) as f32)
        .collect()
}

/// Named tensors, in the order the method declared them.
#[derive(Clone, Debug)]
pub struct Parameters {
    entries: Vec<(String, Tensor)>,
}

impl Parameters {
    pub fn new(entries: Vec<(String, Tensor)>) -> Self {
        Self { entries }
    }

    pub fn get(&self, name: &str) -> Result<&Tensor> {
        self.iter()
            .find_map(|(n, tensor)| (n == name).then_some(tensor))
            .ok_or_else(|| Error::Config(format!("the method declares no parameter `{name}`")))
    }

    /// Several by name, in the order of the names.
    pub fn all(&self, names: &[String]) -> Result<Vec<&Tensor>> {
        names.iter().map(|name| self.get(name)).collect()
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &Tensor)> {
        self.entries.iter().map(|(name, t)| (name.as_str(), t))
    }
}

/// Parameters while they are trained.
pub(crate) struct Trainable {
    entries: Vec<Entry>,
}

struct Entry {
    name: String,
    var: Var,
    fixed: bool,
}

impl Trainable {
    pub(crate) fn initial(
        declared: &[Parameter],
        bench: &Bench,
        rng: &mut ChaCha8Rng,
    ) -> Result<Self> {
        let mut values = Parameters::new(vec![]);
        for parameter in declared {
            let tensor = parameter.initial(bench, &values, rng)?;
            values.entries.push((parameter.name.clone(), tensor));
        }
        let declared: Vec<ParameterShape> = declared.iter().map(Parameter::shape).collect();
        Self::from_values(&values, &declared)
    }

    /// Parameters with given values; those that `declared` says are fixed stay so.
    pub(crate) fn from_values(values: &Parameters, declared: &[ParameterShape]) -> Result<Self> {
        let mut entries = vec![];
        for (name, tensor) in values.iter() {
            entries.push(Entry {
                name: name.to_owned(),
                var: Var::from_tensor(tensor)?,
                fixed: declared.iter().any(|d| d.name == name && d.fixed),
            });
        }
        Ok(Self { entries })
    }

    /// Those that are trained.
    pub(crate) fn vars(&self) -> impl Iterator<Item = (&str, &Var)> {
        let trained = self.entries.iter().filter(|entry| !entry.fixed);
        trained.map(|entry| (entry.name.as_str(), &entry.var))
    }

    /// Trained numbers in total.
    pub(crate) fn count(&self) -> u64 {
        self.vars().map(|(_, var)| var.elem_count() as u64).sum()
    }

    /// The parameters as tensors; gradients are tracked for those that are trained.
    pub(crate) fn tracked(&self) -> Parameters {
        let tensor = |entry: &Entry| match entry.fixed {
            true => entry.var.as_detached_tensor(),
            false => entry.var.as_tensor().clone(),
        };
        let entries = self.entries.iter();
        Parameters::new(entries.map(|e| (e.name.clone(), tensor(e))).collect())
    }

    /// Their present values, apart from any later step.
    pub(crate) fn values(&self) -> Result<Parameters> {
        let mut entries = vec![];
        for Entry { name, var, .. } in &self.entries {
            entries.push((name.clone(), var.as_tensor().detach().copy()?));
        }
        Ok(Parameters::new(entries))
    }
}
