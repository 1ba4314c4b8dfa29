//! Entropy-regularised optimal transport between uniform distributions (Cuturi, arXiv 1306.0895).

use harness_sdk::{Device, Error, Result, Tensor};

use crate::Config;

/// Transport plans `[C, M, N]` for cosines `[C, M, N]`, with cost `1 - cosine`: each row of a plan
/// sums to 1 / M, each column to 1 / N. The iteration ends for all classes at once.
pub(crate) fn plan(cosines: &Tensor, config: &Config) -> Result<Tensor> {
    let (classes, rows, columns) = cosines.dims3()?;
    let cosines = cosines.flatten_all()?.to_vec1::<f32>()?;
    let kernel: Vec<f64> = cosines
        .iter()
        .map(|&cosine| ((f64::from(cosine) - 1.0) / config.epsilon).exp())
        .collect();
    let size = rows * columns;
    let (mut r, mut c) = (vec![1.0; classes * rows], vec![1.0; classes * columns]);
    for _ in 0..config.iterations {
        let mut change = 0.0;
        for class in 0..classes {
            let kernel = &kernel[class * size..(class + 1) * size];
            let r = &mut r[class * rows..(class + 1) * rows];
            let c = &mut c[class * columns..(class + 1) * columns];
            let mut sums = vec![0.0; columns];
            for (r, kernel) in r.iter_mut().zip(kernel.chunks_exact(columns)) {
                let sum: f64 = kernel.iter().zip(c.iter()).map(|(k, c)| k * c).sum();
                let scaled = 1.0 / (rows as f64 * sum);
                change += (scaled - *r).abs();
                *r = scaled;
                sums.iter_mut()
                    .zip(kernel)
                    .for_each(|(s, k)| *s += k * scaled);
            }
            for (c, sum) in c.iter_mut().zip(sums) {
                *c = 1.0 / (columns as f64 * sum);
            }
        }
        if change / ((classes * rows) as f64) < config.threshold {
            break;
        }
    }
    let mut plan = Vec::with_capacity(kernel.len());
    for (at, k) in kernel.iter().enumerate() {
        let (class, within) = (at / size, at % size);
        let row = class * rows + within / columns;
        let column = class * columns + within % columns;
        plan.push((r[row] * k * c[column]) as f32);
    }
    if plan.iter().any(|value| !value.is_finite()) {
        return Err(Error::Numeric(format!(
            "the transport plan is not finite; epsilon {} is too small",
            config.epsilon
        )));
    }
    Ok(Tensor::from_vec(
        plan,
        (classes, rows, columns),
        &Device::Cpu,
    )?)
}
