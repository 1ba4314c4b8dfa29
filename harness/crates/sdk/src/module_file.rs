//! The module file: the carried tensors as safetensors, with a header.

use std::collections::HashMap;

use candle_core::{Device, Tensor};
use harness_abi::wire::{ModuleHeader, ParameterShape};
use safetensors::{Dtype, SafeTensors, serialize, tensor::TensorView};

use crate::{Error, Parameter, Parameters, Result};

/// Writes a module.
pub(crate) fn save(header: &ModuleHeader, parameters: &Parameters) -> Result<Vec<u8>> {
    let mut buffers = vec![];
    for (name, tensor) in parameters.iter() {
        let values = tensor.flatten_all()?.to_vec1::<f32>()?;
        let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        buffers.push((name, tensor.dims().to_vec(), bytes));
    }
    let mut views = vec![];
    for (name, shape, bytes) in &buffers {
        let view = TensorView::new(Dtype::F32, shape.clone(), bytes).map_err(broken)?;
        views.push((*name, view));
    }
    let metadata = HashMap::from([(ModuleHeader::KEY.to_owned(), serde_json::to_string(header)?)]);
    serialize(views, Some(metadata)).map_err(broken)
}

/// Reads a module back.
pub(crate) fn load(bytes: &[u8]) -> Result<(ModuleHeader, Parameters)> {
    let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(broken)?;
    let header = metadata
        .metadata()
        .as_ref()
        .and_then(|m| m.get(ModuleHeader::KEY))
        .ok_or_else(|| Error::Module("no `harness` entry in its header".into()))?;
    let header: ModuleHeader = serde_json::from_str(header)
        .map_err(|e| Error::Module(format!("its `harness` header is malformed: {e}")))?;
    if header.format != ModuleHeader::FORMAT {
        return Err(Error::Module(format!(
            "its format is `{}`, this SDK reads `{}`",
            header.format,
            ModuleHeader::FORMAT
        )));
    }
    let file = SafeTensors::deserialize(bytes).map_err(broken)?;
    let mut entries = vec![];
    for (name, view) in file.iter() {
        entries.push((name.to_owned(), tensor(name, &view)?));
    }
    Ok((header, Parameters::new(entries)))
}

fn tensor(name: &str, view: &TensorView<'_>) -> Result<Tensor> {
    if view.dtype() != Dtype::F32 {
        return Err(Error::Module(format!(
            "tensor `{name}` is {:?}, expected F32",
            view.dtype()
        )));
    }
    let (chunks, _) = view.data().as_chunks::<4>();
    let values: Vec<f32> = chunks.iter().map(|b| f32::from_le_bytes(*b)).collect();
    if let Some(bad) = values.iter().find(|v| !v.is_finite()) {
        return Err(Error::Module(format!("tensor `{name}` holds {bad}")));
    }
    Ok(Tensor::from_vec(values, view.shape(), &Device::Cpu)?)
}

fn broken(error: safetensors::SafeTensorError) -> Error {
    Error::Module(format!("not a safetensors file: {error}"))
}

/// Puts a module's tensors into declared order, or says why it does not fit.
///
/// Where parameters are optional, those that only one side has are left out; what
/// the module holds beyond is then no mistake, but something must remain.
pub(crate) fn fit(
    module: &Parameters,
    declared: &[ParameterShape],
    backbone: &str,
) -> Result<Parameters> {
    let mut entries = vec![];
    for ParameterShape {
        name,
        shape,
        optional,
        ..
    } in declared
    {
        let tensor = match module.iter().find(|(n, _)| n == name) {
            Some((_, tensor)) => tensor,
            None if *optional => continue,
            None => return Err(Error::Module(format!("tensor `{name}` is missing"))),
        };
        if !matches(tensor.dims(), shape) {
            return Err(Error::NotInjectable(format!(
                "`{name}` is {:?} in the module, {backbone} needs {shape:?}",
                tensor.dims()
            )));
        }
        entries.push((name.clone(), tensor.clone()));
    }
    if declared.iter().any(|d| d.optional) {
        return match entries.is_empty() {
            true => Err(Error::NotInjectable(format!(
                "no tensor of the module has a counterpart in {backbone}"
            ))),
            false => Ok(Parameters::new(entries)),
        };
    }
    let surplus = module
        .iter()
        .find(|(name, _)| declared.iter().all(|d| d.name != *name));
    match surplus {
        Some((name, _)) => Err(Error::Module(format!(
            "tensor `{name}` is not one of this method's with this configuration"
        ))),
        None => Ok(Parameters::new(entries)),
    }
}

/// Whether a tensor has a declared shape, some of whose dimensions may be open.
fn matches(dims: &[usize], shape: &[usize]) -> bool {
    let mut pairs = dims.iter().zip(shape);
    let fits = |(&dim, &wanted)| wanted == Parameter::OPEN || dim == wanted;
    dims.len() == shape.len() && pairs.all(fits)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn header() -> ModuleHeader {
        ModuleHeader {
            format: ModuleHeader::FORMAT.into(),
            plugin: "p".into(),
            plugin_version: "0.1.0".into(),
            method: "m".into(),
            config: serde_json::json!({}),
            source: "b".into(),
            dataset: "d".into(),
            classes: vec!["c".into()],
            seed: 1,
        }
    }

    fn example() -> Parameters {
        let ctx = Tensor::new(&[[1f32, -0.0, 3.5]], &Device::Cpu).unwrap();
        let w = Tensor::new(&[2f32], &Device::Cpu).unwrap();
        Parameters::new(vec![("ctx".into(), ctx), ("a".into(), w)])
    }

    fn declared(shape: &[usize]) -> Vec<ParameterShape> {
        [("ctx", shape), ("a", &[1][..])]
            .map(|(name, shape)| ParameterShape {
                name: name.into(),
                shape: shape.to_vec(),
                class_axis: None,
                optional: false,
                fixed: false,
            })
            .to_vec()
    }

    #[test]
    fn a_module_reads_back_and_saves_to_the_same_bytes() {
        let bytes = save(&header(), &example()).unwrap();
        let (read, parameters) = load(&bytes).unwrap();
        assert_eq!(read, header());
        let fitted = fit(&parameters, &declared(&[1, 3]), "b").unwrap();
        let names: Vec<_> = fitted.iter().map(|(n, _)| n).collect();
        assert_eq!(names, ["ctx", "a"]);
        assert_eq!(save(&read, &fitted).unwrap(), bytes);
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let bytes = save(&header(), &example()).unwrap();
        let (_, parameters) = load(&bytes).unwrap();
        let error = fit(&parameters, &declared(&[1, 4]), "big").unwrap_err();
        assert!(matches!(error, Error::NotInjectable(_)));
        assert_eq!(
            error.to_string(),
            "`ctx` is [1, 3] in the module, big needs [1, 4]"
        );
        let error = fit(&parameters, &declared(&[1, 3])[..1], "b").unwrap_err();
        assert!(error.to_string().contains("tensor `a` is not one"));
    }

    #[test]
    fn optional_tensors_may_lack_a_counterpart_on_either_side() {
        let bytes = save(&header(), &example()).unwrap();
        let (_, parameters) = load(&bytes).unwrap();
        let mut here = declared(&[1, 3]);
        here.iter_mut().for_each(|d| d.optional = true);
        here[1].name = "only here".into();
        let fitted = fit(&parameters, &here, "b").unwrap();
        let names: Vec<_> = fitted.iter().map(|(n, _)| n).collect();
        assert_eq!(names, ["ctx"]);
        let error = fit(&parameters, &here[1..], "b").unwrap_err();
        assert!(matches!(error, Error::NotInjectable(_)));
    }

    #[test]
    fn values_that_are_not_finite_are_refused() {
        let nan = Tensor::new(&[f32::NAN], &Device::Cpu).unwrap();
        let bytes = save(&header(), &Parameters::new(vec![("x".into(), nan)])).unwrap();
        let error = load(&bytes).unwrap_err();
        assert_eq!(error.to_string(), "module file: tensor `x` holds NaN");
    }

    proptest! {
        #[test]
        fn no_damage_to_a_module_file_panics(at in 0usize..400, byte: u8, cut in 0usize..400) {
            let mut bytes = save(&header(), &example()).unwrap();
            let at = at % bytes.len();
            bytes[at] = byte;
            bytes.truncate(cut.max(1));
            let _ = load(&bytes);
        }
    }
}
