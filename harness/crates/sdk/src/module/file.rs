//! Reading and writing a module: the carried tensors as safetensors, with a header.

use std::collections::HashMap;

use candle_core::{Device, Tensor};
use harness_abi::wire::ModuleHeader;
use safetensors::{Dtype, SafeTensors, serialize, tensor::TensorView};

use crate::{Error, Parameters, Result};

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
        let view = TensorView::new(Dtype::F32, shape.clone(), bytes).map_err(malformed)?;
        views.push((*name, view));
    }
    let metadata = HashMap::from([(ModuleHeader::KEY.to_owned(), serde_json::to_string(header)?)]);
    serialize(views, Some(metadata)).map_err(malformed)
}

/// Reads a module.
pub(crate) fn load(bytes: &[u8]) -> Result<(ModuleHeader, Parameters)> {
    let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(malformed)?;
    let header = metadata
        .metadata()
        .as_ref()
        .and_then(|m| m.get(ModuleHeader::KEY))
        .ok_or_else(|| Error::Module("no `harness` entry in its header".into()))?;
    let header: ModuleHeader = serde_json::from_str(header)
        .map_err(|e| Error::Module(format!("its `harness` header is malformed: {e}")))?;
    if header.format != ModuleHeader::FORMAT {
        return Err(Error::Module(format!(
            "its format is `{}`, expected `{}`",
            header.format,
            ModuleHeader::FORMAT
        )));
    }
    let file = SafeTensors::deserialize(bytes).map_err(malformed)?;
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

fn malformed(error: safetensors::SafeTensorError) -> Error {
    Error::Module(format!("not a safetensors file: {error}"))
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
            origin: None,
        }
    }

    fn example() -> Parameters {
        let ctx = Tensor::new(&[[1f32, -0.0, 3.5]], &Device::Cpu).unwrap();
        let w = Tensor::new(&[2f32], &Device::Cpu).unwrap();
        Parameters::new(vec![("ctx".into(), ctx), ("a".into(), w)])
    }

    #[test]
    fn a_module_reads_back_and_saves_to_the_same_bytes() {
        let bytes = save(&header(), &example()).unwrap();
        let (read, parameters) = load(&bytes).unwrap();
        assert_eq!(read, header());
        assert_eq!(save(&read, &parameters).unwrap(), bytes);
    }

    #[test]
    fn values_must_be_finite() {
        let nan = Tensor::new(&[f32::NAN], &Device::Cpu).unwrap();
        let bytes = save(&header(), &Parameters::new(vec![("x".into(), nan)])).unwrap();
        let error = load(&bytes).unwrap_err();
        assert_eq!(error.to_string(), "module file: tensor `x` holds NaN");
    }

    proptest! {
        #[test]
        fn damaged_module_files_do_not_panic(at in 0usize..400, byte: u8, cut in 0usize..400) {
            let mut bytes = save(&header(), &example()).unwrap();
            let at = at % bytes.len();
            bytes[at] = byte;
            bytes.truncate(cut.max(1));
            let _ = load(&bytes);
        }
    }
}
