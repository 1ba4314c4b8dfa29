//! Frames: a head in JSON and tensors behind it.
//!
//! `u32` length of the head, `u64` length of the tensors, both little-endian; the head; the
//! tensors' values as little-endian `f32`, one tensor after the other. `tensors` in the head has
//! their shapes.

use std::io::{self, Read, Write};

use harness_sdk::script::AbiTensor;
use serde_json::{Map, Value};

/// Longest head in bytes.
pub(crate) const LONGEST_HEAD: u32 = 16 << 20;
/// Most bytes of tensors.
pub(crate) const MOST_BYTES: u64 = 4 << 30;
/// Key of the shapes.
const SHAPES: &str = "tensors";
/// Bytes that are turned into numbers at once.
const CHUNK: usize = 1 << 16;

/// A head with its tensors.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Frame {
    pub(crate) head: Map<String, Value>,
    pub(crate) tensors: Vec<AbiTensor>,
}

impl Frame {
    pub(crate) fn new(head: Value, tensors: Vec<AbiTensor>) -> Self {
        let head = match head {
            Value::Object(head) => head,
            other => Map::from_iter([("value".to_owned(), other)]),
        };
        Self { head, tensors }
    }

    pub(crate) fn write(&self, to: &mut impl Write) -> io::Result<()> {
        let mut head = self.head.clone();
        let shapes = self.tensors.iter().map(|tensor| {
            let dims = tensor.shape.iter().map(|dim| Value::from(*dim));
            Value::Array(dims.collect())
        });
        head.insert(SHAPES.to_owned(), Value::Array(shapes.collect()));
        let head = serde_json::to_vec(&head)?;
        let values: usize = self.tensors.iter().map(|tensor| tensor.values.len()).sum();
        let length = u32::try_from(head.len()).map_err(io::Error::other)?;
        to.write_all(&length.to_le_bytes())?;
        to.write_all(&(4 * values as u64).to_le_bytes())?;
        to.write_all(&head)?;
        let mut buffer = Vec::with_capacity(CHUNK);
        for tensor in &self.tensors {
            for values in tensor.values.chunks(CHUNK / 4) {
                buffer.clear();
                buffer.extend(values.iter().flat_map(|value| value.to_le_bytes()));
                to.write_all(&buffer)?;
            }
        }
        to.flush()
    }

    /// Reads the next frame; none where the stream ends before it.
    ///
    /// # Errors
    /// The stream ends within it, or it is no frame.
    pub(crate) fn read(from: &mut impl Read) -> io::Result<Option<Self>> {
        let mut first = [0];
        if from.read(&mut first)? == 0 {
            return Ok(None);
        }
        let mut prefix = [first[0]; 12];
        from.read_exact(&mut prefix[1..])?;
        let [a, b, c, d, bytes @ ..] = prefix;
        let length = u32::from_le_bytes([a, b, c, d]);
        let bytes = u64::from_le_bytes(bytes);
        if length > LONGEST_HEAD {
            return Err(malformed(format!(
                "a head of {length} bytes, expected at most {LONGEST_HEAD}"
            )));
        }
        if bytes > MOST_BYTES {
            return Err(malformed(format!(
                "{bytes} bytes of tensors, expected at most {MOST_BYTES}"
            )));
        }
        let head = exactly(from, u64::from(length))?;
        let mut head: Map<String, Value> = serde_json::from_slice(&head)
            .map_err(|error| malformed(format!("a head that is no JSON object: {error}")))?;
        let shapes = head.remove(SHAPES).unwrap_or(Value::Array(Vec::new()));
        let shapes: Vec<Vec<usize>> = serde_json::from_value(shapes)
            .map_err(|error| malformed(format!("shapes that cannot be read: {error}")))?;
        let counts: Option<Vec<usize>> = shapes.iter().map(|shape| count(shape)).collect();
        let total = counts.as_ref().and_then(|counts| {
            let total = counts
                .iter()
                .try_fold(0u64, |sum, n| sum.checked_add(*n as u64));
            total?.checked_mul(4)
        });
        let (Some(counts), true) = (counts, total == Some(bytes)) else {
            return Err(malformed(format!(
                "{bytes} bytes for tensors of the shapes {shapes:?}"
            )));
        };
        let mut tensors = Vec::new();
        for (shape, count) in shapes.iter().zip(counts) {
            tensors.push(AbiTensor::new(shape, values(from, count)?));
        }
        Ok(Some(Self { head, tensors }))
    }
}

fn count(shape: &[usize]) -> Option<usize> {
    shape
        .iter()
        .try_fold(1usize, |count, dim| count.checked_mul(*dim))
}

/// Memory grows with what arrives, not with what is announced.
fn exactly(from: &mut impl Read, length: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(length).read_to_end(&mut bytes)?;
    match bytes.len() as u64 == length {
        true => Ok(bytes),
        false => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

fn values(from: &mut impl Read, count: usize) -> io::Result<Vec<f32>> {
    let mut values = Vec::with_capacity(count.min(CHUNK));
    let mut buffer = [0; CHUNK];
    while values.len() < count {
        let bytes = 4 * (count - values.len()).min(CHUNK / 4);
        from.read_exact(&mut buffer[..bytes])?;
        let (numbers, _) = buffer[..bytes].as_chunks::<4>();
        values.extend(numbers.iter().map(|bytes| f32::from_le_bytes(*bytes)));
    }
    Ok(values)
}

fn malformed(what: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn example() -> (Frame, Vec<u8>) {
        let tensors = vec![
            AbiTensor::new(&[2, 2], vec![1.0, -0.0, f32::MIN_POSITIVE, 3.5]),
            AbiTensor::new(&[0], vec![]),
            AbiTensor::new(&[], vec![7.0]),
        ];
        let frame = Frame::new(json!({"call": "x", "rows": [1, 2]}), tensors);
        let mut bytes = Vec::new();
        frame.write(&mut bytes).unwrap();
        (frame, bytes)
    }

    fn read(mut bytes: &[u8]) -> io::Result<Option<Frame>> {
        Frame::read(&mut bytes)
    }

    #[test]
    fn a_frame_reads_back_and_an_empty_stream_has_none() {
        let (frame, bytes) = example();
        assert_eq!(read(&bytes).unwrap(), Some(frame));
        assert_eq!(read(&[]).unwrap(), None);
    }

    #[test]
    fn large_tensors_read_back() {
        let values: Vec<f32> = (0..100_000).map(|i| i as f32).collect();
        let frame = Frame::new(json!({}), vec![AbiTensor::new(&[100_000], values)]);
        let mut bytes = Vec::new();
        frame.write(&mut bytes).unwrap();
        assert_eq!(read(&bytes).unwrap(), Some(frame));
    }

    #[test]
    fn what_is_no_frame_is_named() {
        let frame = |length: u32, bytes: u64, head: &str| {
            let mut out = length.to_le_bytes().to_vec();
            out.extend(bytes.to_le_bytes());
            out.extend(head.as_bytes());
            read(&out).unwrap_err().to_string()
        };
        for (found, says) in [
            (frame(u32::MAX, 0, ""), "a head of 4294967295 bytes"),
            (
                frame(2, u64::MAX, "{}"),
                "18446744073709551615 bytes of tensors",
            ),
            (frame(2, 0, "[]"), "no JSON object"),
            (frame(2, 0, "{x"), "no JSON object"),
            (frame(2, 4, "{}"), "4 bytes for tensors of the shapes []"),
            (
                frame(15, 0, r#"{"tensors":"x"}"#),
                "shapes that cannot be read",
            ),
            (
                frame(24, 4, r#"{"tensors":[[4,1000000]]"#),
                "no JSON object",
            ),
        ] {
            assert!(found.contains(says), "{found}");
        }
        let huge = format!(r#"{{"tensors":[[{0},{0}]]}}"#, u64::MAX);
        let found = frame(huge.len() as u32, 4, &huge);
        assert!(found.contains("shapes"), "{found}");
    }

    #[test]
    fn a_frame_that_breaks_off_is_no_frame() {
        let (_, bytes) = example();
        for end in 1..bytes.len() {
            assert!(read(&bytes[..end]).is_err(), "{end}");
        }
    }

    proptest! {
        #[test]
        fn damaged_frames_do_not_panic(at in 0usize..200, byte: u8) {
            let (_, mut bytes) = example();
            let at = at % bytes.len();
            bytes[at] = byte;
            let _ = read(&bytes);
        }
    }
}
