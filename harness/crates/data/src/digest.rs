//! SHA-256 over fields, each with its length in front so that no two lists run together.

use sha2::{Digest as _, Sha256};

/// Hex SHA-256 of `bytes`.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    format!("{:x}", Sha256::digest(bytes))
}

/// A hash under construction.
#[derive(Default)]
pub(crate) struct FieldDigest(Sha256);

impl FieldDigest {
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.number(bytes.len() as u64);
        self.0.update(bytes);
        self
    }

    pub(crate) fn text(&mut self, text: &str) -> &mut Self {
        self.bytes(text.as_bytes())
    }

    pub(crate) fn number(&mut self, number: u64) -> &mut Self {
        self.0.update(number.to_le_bytes());
        self
    }

    pub(crate) fn hex(&self) -> String {
        format!("{:x}", self.0.clone().finalize())
    }
}
