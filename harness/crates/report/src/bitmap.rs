//! One bit per test image, written as hexadecimal text.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// Which test images were classified correctly, in the data set's order.
///
/// Image `i` is bit `i % 8` (least significant first) of byte `i / 8`; the bits
/// behind the last image are zero. A file holds the bytes as lower-case
/// hexadecimal text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Bitmap {
    bytes: Vec<u8>,
}

/// Text that is not a bitmap.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BitmapError {
    /// A byte takes two digits.
    #[error("a bitmap of {0} hexadecimal digits: expected an even number")]
    OddLength(usize),
    /// Something else than `0-9a-f`.
    #[error("a bitmap with {found:?} at digit {position}: expected 0-9 or a-f")]
    NotHexadecimal { found: char, position: usize },
}

impl Bitmap {
    /// Number of bytes, ⌈images / 8⌉.
    pub fn len_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Number of bits that are set.
    pub fn count(&self) -> u64 {
        self.bytes.iter().map(|b| u64::from(b.count_ones())).sum()
    }

    /// Whether image `index` is set; an index behind the end is not.
    pub fn get(&self, index: usize) -> bool {
        self.bytes
            .get(index / 8)
            .is_some_and(|byte| byte >> (index % 8) & 1 == 1)
    }

    /// The first `total` bits in order.
    pub fn iter(&self, total: usize) -> impl Iterator<Item = bool> + '_ {
        (0..total).map(|index| self.get(index))
    }

    /// Whether the bytes are exactly those that `total` images need, with nothing
    /// set behind the last of them.
    pub fn fits(&self, total: u64) -> bool {
        if self.bytes.len() as u64 != total.div_ceil(8) {
            return false;
        }
        match (self.bytes.last(), total % 8) {
            (Some(last), used @ 1..) => last >> used == 0,
            _ => true,
        }
    }
}

impl FromIterator<bool> for Bitmap {
    fn from_iter<I: IntoIterator<Item = bool>>(bits: I) -> Self {
        let mut bytes = Vec::new();
        for (index, bit) in bits.into_iter().enumerate() {
            if index % 8 == 0 {
                bytes.push(0);
            }
            if let (true, Some(last)) = (bit, bytes.last_mut()) {
                *last |= 1 << (index % 8);
            }
        }
        Self { bytes }
    }
}

impl From<Bitmap> for String {
    fn from(bitmap: Bitmap) -> Self {
        harness_store::hex(&bitmap.bytes)
    }
}

impl TryFrom<String> for Bitmap {
    type Error = BitmapError;

    fn try_from(text: String) -> Result<Self, BitmapError> {
        let mut digits = Vec::with_capacity(text.len());
        for (position, found) in text.chars().enumerate() {
            match found {
                '0'..='9' => digits.push(found as u8 - b'0'),
                'a'..='f' => digits.push(found as u8 - b'a' + 10),
                _ => return Err(BitmapError::NotHexadecimal { found, position }),
            }
        }
        if digits.len() % 2 == 1 {
            return Err(BitmapError::OddLength(digits.len()));
        }
        let bytes = digits.chunks_exact(2).map(|p| p[0] << 4 | p[1]).collect();
        Ok(Self { bytes })
    }
}

impl JsonSchema for Bitmap {
    fn schema_name() -> Cow<'static, str> {
        "Bitmap".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "One bit per test image in the data set's order, least significant \
                            bit of each byte first, as lower-case hexadecimal text.",
            "type": "string",
            "pattern": "^([0-9a-f]{2})*$"
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn bits_are_least_significant_first() {
        let bits = [true, false, false, true, false, false, false, false, true];
        let bitmap: Bitmap = bits.into_iter().collect();
        assert_eq!(String::from(bitmap.clone()), "0901");
        assert_eq!(bitmap.count(), 3);
        assert!(bitmap.fits(9));
        assert!(bitmap.fits(16));
        assert!(!bitmap.fits(8));
        assert!(!bitmap.fits(17));
    }

    #[test]
    fn a_bit_behind_the_last_image_does_not_fit() {
        let bitmap = Bitmap::try_from(String::from("10")).unwrap();
        assert!(!bitmap.fits(4));
        assert!(bitmap.fits(5));
    }

    #[test]
    fn bad_text_is_named() {
        let odd = Bitmap::try_from(String::from("abc")).unwrap_err();
        assert_eq!(odd, BitmapError::OddLength(3));
        for (text, found, position) in [("0g", 'g', 1), ("AB", 'A', 0), ("0é", 'é', 1)] {
            assert_eq!(
                Bitmap::try_from(String::from(text)).unwrap_err(),
                BitmapError::NotHexadecimal { found, position }
            );
        }
    }

    proptest! {
        #[test]
        fn text_round_trips(bits in prop::collection::vec(any::<bool>(), 0..200)) {
            let bitmap: Bitmap = bits.iter().copied().collect();
            prop_assert!(bitmap.fits(bits.len() as u64));
            let back = Bitmap::try_from(String::from(bitmap.clone())).unwrap();
            prop_assert_eq!(back.iter(bits.len()).collect::<Vec<_>>(), bits);
            prop_assert_eq!(back, bitmap);
        }
    }
}
