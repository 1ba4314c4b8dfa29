//! One shard: a safetensors file whose header says what it holds.

use std::collections::HashMap;
use std::ops::Range;

use safetensors::tensor::TensorView;
use safetensors::{SafeTensors, serialize};

use super::{FeatureError, FeatureRequest, Precision, ShardError, key};
use crate::digest::FieldDigest;

const FORMAT: &str = "harness-features/2";
const TENSOR: &str = "features";

/// The bytes of the shard with the rows `range` of a requested matrix.
pub(super) fn encode(
    request: &FeatureRequest,
    range: &Range<usize>,
    numbers: &[f32],
) -> Result<Vec<u8>, FeatureError> {
    let precision = request.key.precision;
    let payload = precision.encode(numbers);
    let view = TensorView::new(
        precision.dtype(),
        vec![range.len(), request.width],
        &payload,
    )?;
    let fields = request.key.fields();
    let mut header: HashMap<String, String> = fields
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    for (name, value) in [
        ("format", FORMAT.to_owned()),
        ("first_row", range.start.to_string()),
        ("title", request.title.clone()),
        (
            "payload_sha256",
            payload_digest(range.len(), request.width, &payload),
        ),
    ] {
        header.insert(name.to_owned(), value);
    }
    Ok(serialize([(TENSOR, view)], Some(header))?)
}

/// A shard that is what its header says.
pub(super) struct Shard {
    header: HashMap<String, String>,
    pub(super) rows: usize,
    pub(super) width: usize,
    pub(super) numbers: Vec<f32>,
}

impl Shard {
    /// Reads a shard and checks it against itself, or says what is wrong with it.
    pub(super) fn decode(bytes: &[u8]) -> Result<Shard, ShardError> {
        let (_, metadata) = SafeTensors::read_metadata(bytes)?;
        let header = metadata.metadata().clone().ok_or(ShardError::NoHeader)?;
        let shard = Shard {
            header,
            rows: 0,
            width: 0,
            numbers: Vec::new(),
        };
        shard.expect("format", FORMAT)?;
        let precision = match shard.field("precision")? {
            "f32" => Precision::F32,
            "f16" => Precision::F16,
            other => {
                return Err(ShardError::Field {
                    field: "precision".to_owned(),
                    found: other.to_owned(),
                    expected: "f32 or f16".to_owned(),
                });
            }
        };
        let tensors = SafeTensors::deserialize(bytes)?;
        let tensor = tensors.tensor(TENSOR)?;
        let &[rows, width] = tensor.shape() else {
            return Err(ShardError::Shape(tensor.shape().to_vec()));
        };
        if tensor.dtype() != precision.dtype() {
            return Err(ShardError::Precision {
                found: tensor.dtype(),
                expected: precision,
            });
        }
        shard.expect(
            "payload_sha256",
            &payload_digest(rows, width, tensor.data()),
        )?;
        Ok(Shard {
            rows,
            width,
            numbers: precision.decode(tensor.data()),
            ..shard
        })
    }

    /// Whether these are the rows `range` of a requested matrix, and what speaks against it.
    pub(super) fn is_part_of(
        &self,
        request: &FeatureRequest,
        range: &Range<usize>,
    ) -> Result<(), ShardError> {
        for (name, value) in request.key.fields() {
            self.expect(name, value)?;
        }
        self.expect("first_row", &range.start.to_string())?;
        let (found, expected) = ((self.rows, self.width), (range.len(), request.width));
        if found != expected {
            return Err(ShardError::Size { found, expected });
        }
        Ok(())
    }

    /// The name that the entry of this shard has, see [`super::FeatureKey::digest`].
    pub(super) fn entry(&self) -> Result<String, ShardError> {
        let mut fields = Vec::new();
        for name in key::FIELDS {
            fields.push((name, self.field(name)?));
        }
        Ok(key::digest(fields))
    }

    pub(super) fn field(&self, name: &str) -> Result<&str, ShardError> {
        let value = self.header.get(name).map(String::as_str);
        value.ok_or_else(|| ShardError::Lacks(name.to_owned()))
    }

    fn expect(&self, name: &str, expected: &str) -> Result<(), ShardError> {
        match self.field(name)? {
            found if found == expected => Ok(()),
            found => Err(ShardError::Field {
                field: name.to_owned(),
                found: found.to_owned(),
                expected: expected.to_owned(),
            }),
        }
    }
}

fn payload_digest(rows: usize, width: usize, payload: &[u8]) -> String {
    let mut digest = FieldDigest::default();
    digest.number(rows as u64).number(width as u64);
    digest.bytes(payload).hex()
}
