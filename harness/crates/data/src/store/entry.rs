//! One entry of the store: a safetensors file whose header says what it holds.

use std::collections::HashMap;

use safetensors::tensor::{Dtype, TensorView};
use safetensors::{SafeTensors, serialize};

use super::{FeatureKey, Features, StoreError};
use crate::digest::FieldDigest;

const FORMAT: &str = "harness-features/1";
const TENSOR: &str = "features";

/// The bytes of the entry for `features` under `key`.
pub(super) fn encode(key: &FeatureKey, features: &Features) -> Result<Vec<u8>, StoreError> {
    features.check()?;
    let payload: Vec<u8> = features
        .data
        .iter()
        .flat_map(|number| number.to_le_bytes())
        .collect();
    let shape = vec![features.rows, features.width];
    let view = TensorView::new(Dtype::F32, shape, &payload)?;
    let mut header: HashMap<String, String> = key
        .fields()
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    header.insert("format".to_owned(), FORMAT.to_owned());
    header.insert(
        "payload_sha256".to_owned(),
        payload_digest(features.rows, features.width, &payload),
    );
    Ok(serialize([(TENSOR, view)], Some(header))?)
}

/// The features in `bytes`, or why they are not those of `key`.
pub(super) fn decode(key: &FeatureKey, bytes: &[u8]) -> Result<Features, String> {
    let not_ours = |error: safetensors::SafeTensorError| format!("not a whole entry: {error}");
    let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(not_ours)?;
    let header = metadata
        .metadata()
        .as_ref()
        .ok_or("no header: written by something else")?;
    let expect = |name: &str, expected: &str| match header.get(name) {
        Some(found) if found == expected => Ok(()),
        Some(found) => Err(format!("{name} is `{found}`, expected `{expected}`")),
        None => Err(format!("the header lacks {name}")),
    };
    expect("format", FORMAT)?;
    for (name, value) in key.fields() {
        expect(name, value)?;
    }
    let tensors = SafeTensors::deserialize(bytes).map_err(not_ours)?;
    let tensor = tensors.tensor(TENSOR).map_err(not_ours)?;
    let (Dtype::F32, &[rows, width]) = (tensor.dtype(), tensor.shape()) else {
        return Err(format!(
            "the tensor is {:?} of shape {:?}, expected a matrix of F32",
            tensor.dtype(),
            tensor.shape()
        ));
    };
    let payload = tensor.data();
    expect("payload_sha256", &payload_digest(rows, width, payload))?;
    let (words, _) = payload.as_chunks::<4>();
    let features = Features {
        rows,
        width,
        data: words.iter().map(|word| f32::from_le_bytes(*word)).collect(),
    };
    features.check().map_err(|error| error.to_string())?;
    Ok(features)
}

fn payload_digest(rows: usize, width: usize, payload: &[u8]) -> String {
    let mut digest = FieldDigest::default();
    digest.number(rows as u64).number(width as u64);
    digest.bytes(payload).hex()
}
