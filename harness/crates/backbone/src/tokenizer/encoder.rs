//! Encoding a text with the tokenizer of a backbone.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use super::{clean::clean, clip};
use crate::error::{BackboneError, Result};

/// Names of the start and end token, in the two spellings of the CLIP family.
const SPECIALS: [(&str, &str); 2] = [("<|startoftext|>", "<|endoftext|>"), OPEN_CLIP];
/// The spelling that open_clip's tokenizer takes out of a text.
const OPEN_CLIP: (&str, &str) = ("<start_of_text>", "<end_of_text>");

/// A CLIP-style tokenizer.
#[derive(Debug, Clone)]
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
    start: u32,
    end: u32,
    /// Whether texts are cleaned first, as CLIP's own tokenizer does.
    cleans: bool,
}

/// What `work` gives; none if it panics, as the library does over a file whose merges are shorter
/// than their prefix, for one.
fn unharmed<T>(work: impl FnOnce() -> T) -> Option<T> {
    // Nothing that it leaves half done is used again.
    catch_unwind(AssertUnwindSafe(work)).ok()
}

impl Tokenizer {
    /// CLIP's own: OpenAI's merges, with a vocabulary of 49408 tokens.
    ///
    /// # Errors
    /// Never, unless this crate's build was damaged.
    pub fn clip() -> Result<Self> {
        let (start, end) = clip::START_AND_END;
        Ok(Self {
            inner: clip::tokenizer()?.clone(),
            start,
            end,
            cleans: true,
        })
    }

    /// Whether a backbone with this number of tokens has CLIP's vocabulary.
    pub(crate) fn is_clip(vocabulary: usize) -> bool {
        vocabulary == clip::VOCABULARY
    }

    /// Reads a `tokenizer.json`. One with CLIP's vocabulary gets texts cleaned as
    /// [`Self::clip`] does.
    ///
    /// # Errors
    /// When the file is unreadable, of another format, or has no start and end token.
    pub fn load(path: &Path) -> Result<Self> {
        let text = fs_err::read_to_string(path)?;
        let at = |reason: String| BackboneError::File {
            path: path.to_path_buf(),
            reason,
        };
        // Parsed by name: `from_bytes` is generic and would be compiled here once more.
        let mut inner = unharmed(|| text.parse::<tokenizers::Tokenizer>())
            .ok_or_else(|| at("not a tokenizer: its parts contradict each other".to_owned()))?
            .map_err(|e| at(format!("not a tokenizer: {e}")))?;
        // Length is decided here, not by settings that happen to be saved in the file.
        inner.with_padding(None);
        inner
            .with_truncation(None)
            .map_err(|e| at(format!("cannot lift truncation: {e}")))?;
        let pair = SPECIALS
            .iter()
            .find_map(|(start, end)| Some((inner.token_to_id(start)?, inner.token_to_id(end)?)));
        let Some((start, end)) = pair else {
            let wanted = SPECIALS.map(|(s, e)| format!("{s} and {e}")).join(", or ");
            return Err(at(format!(
                "expected the special tokens {wanted}; found neither pair"
            )));
        };
        Ok(Self {
            inner,
            start,
            end,
            cleans: (start, end) == clip::START_AND_END,
        })
    }

    /// Token ids of a text, without start and end token.
    ///
    /// # Errors
    /// When the text spells a start or end token.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>> {
        let cleaned = match self.cleans {
            true => clean(text),
            false => text.to_owned(),
        };
        let failed = |reason: &dyn std::fmt::Display| {
            BackboneError::Tokenizer(format!("cannot encode {text:?}: {reason}"))
        };
        let encoding = unharmed(|| self.inner.encode(cleaned.as_str(), false))
            .ok_or_else(|| failed(&"the tokenizer's parts contradict each other"))?
            .map_err(|e| failed(&e))?;
        let ids = encoding.get_ids().to_vec();
        let (start, end) = OPEN_CLIP;
        let is_spelled = self.cleans && (cleaned.contains(start) || cleaned.contains(end));
        if is_spelled || ids.contains(&self.start) || ids.contains(&self.end) {
            return Err(BackboneError::Tokenizer(format!(
                "{text:?} spells a start or end token"
            )));
        }
        Ok(ids)
    }

    /// `[start] text [end]`, cut to `context_length` with the end token kept; not padded.
    ///
    /// # Errors
    /// As [`Self::encode`], or when the context cannot hold two tokens.
    pub fn prompt(&self, text: &str, context_length: usize) -> Result<Vec<u32>> {
        let Some(room) = context_length.checked_sub(2) else {
            return Err(BackboneError::Tokenizer(format!(
                "a context of {context_length} holds no start and end token"
            )));
        };
        let mut ids = vec![self.start];
        ids.extend(self.encode(text)?.into_iter().take(room));
        ids.push(self.end);
        Ok(ids)
    }

    /// The start token.
    pub fn sot(&self) -> u32 {
        self.start
    }

    /// The end token.
    pub fn eot(&self) -> u32 {
        self.end
    }

    /// One more than the largest id.
    pub fn vocab_size(&self) -> usize {
        let ids = self.inner.get_vocab(true).into_values();
        let special = [self.start, self.end];
        ids.chain(special).max().map_or(0, |id| id as usize + 1)
    }
}
