//! Words to token ids.

use harness_backbone::Tokenizer;

/// A tokenizer as the host needs it. The reference vectors bring their own.
pub trait Vocabulary: Send + Sync {
    /// Ids of a text, without start and end.
    fn ids(&self, text: &str) -> Result<Vec<u32>, String>;
    fn start_of_text(&self) -> u32;
    fn end_of_text(&self) -> u32;
}

impl Vocabulary for Tokenizer {
    fn ids(&self, text: &str) -> Result<Vec<u32>, String> {
        self.encode(text).map_err(|e| e.to_string())
    }

    fn start_of_text(&self) -> u32 {
        self.sot()
    }

    fn end_of_text(&self) -> u32 {
        self.eot()
    }
}
