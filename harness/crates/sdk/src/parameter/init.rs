//! Initial values of declared parameters.

use candle_core::{Device, Tensor};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Normal, Uniform};

use super::{Init, Parameter, Parameters};
use crate::{Error, Host, Result};

/// Values of all parameters, drawn in their order.
pub(crate) fn initial_values(
    declared: &[Parameter],
    host: &Host,
    rng: &mut ChaCha8Rng,
) -> Result<Parameters> {
    let mut values = Parameters::new(vec![]);
    for parameter in declared {
        let tensor = initial(parameter, host, &values, rng)?;
        values.push(parameter.name.clone(), tensor);
    }
    Ok(values)
}

fn initial(
    parameter: &Parameter,
    host: &Host,
    earlier: &Parameters,
    rng: &mut ChaCha8Rng,
) -> Result<Tensor> {
    let count = parameter.shape.iter().product();
    let values = match &parameter.init {
        Init::Zeros => vec![0.0; count],
        Init::Normal { std } => normal(*std, count, rng)?,
        Init::Uniform { bound } => {
            let uniform = Uniform::new_inclusive(-bound, *bound)
                .map_err(|e| Error::Config(format!("init of `{}`: {e}", parameter.name)))?;
            sample(&uniform, count, rng)
        }
        Init::Words(text) => {
            return words(parameter, text, host, |count| normal(0.02, count, rng));
        }
        Init::WordsAfterZeros(text) => {
            return words(parameter, text, host, |count| Ok(vec![0.0; count]));
        }
        Init::FromBackbone(tower, name) => return host.parameter(*tower, name),
        Init::ImageProjection => return host.image_projection(),
        Init::CopyOf(name) => return Ok(earlier.get(name)?.copy()?),
    };
    Ok(Tensor::from_vec(
        values,
        parameter.shape.as_slice(),
        &Device::Cpu,
    )?)
}

/// Token embeddings in the last rows; `fill` gives the values of the rows before them.
fn words(
    parameter: &Parameter,
    text: &str,
    host: &Host,
    fill: impl FnOnce(usize) -> Result<Vec<f32>>,
) -> Result<Tensor> {
    let [.., rows, width] = parameter.shape[..] else {
        return Err(Error::Config(format!(
            "`{}` cannot be initialised with words: its shape {:?} has no token dimension",
            parameter.name, parameter.shape
        )));
    };
    let ids = host.tokenize(&[text])?.rows.swap_remove(0);
    let ids = &ids[ids.len().saturating_sub(rows)..];
    let mut parts = vec![];
    if ids.len() < rows {
        let free = rows - ids.len();
        let fill = fill(free * width)?;
        parts.push(Tensor::from_vec(fill, (free, width), &Device::Cpu)?);
    }
    if !ids.is_empty() {
        parts.push(host.token_embeddings(ids)?);
    }
    let tokens = Tensor::cat(&parts, 0)?;
    Ok(tokens
        .broadcast_as(parameter.shape.as_slice())?
        .contiguous()?)
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
