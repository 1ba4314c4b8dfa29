//! Words to token ids.

use harness_backbone::{BackboneError, Tokenizer};

/// A tokenizer as the host needs it. Reference vectors have their own.
pub trait Vocabulary: Send + Sync {
    /// Ids of a text, without start and end.
    fn ids(&self, text: &str) -> Result<Vec<u32>, BackboneError>;
    fn start_of_text(&self) -> u32;
    fn end_of_text(&self) -> u32;
}

impl Vocabulary for Tokenizer {
    fn ids(&self, text: &str) -> Result<Vec<u32>, BackboneError> {
        self.encode(text)
    }

    fn start_of_text(&self) -> u32 {
        self.sot()
    }

    fn end_of_text(&self) -> u32 {
        self.eot()
    }
}
