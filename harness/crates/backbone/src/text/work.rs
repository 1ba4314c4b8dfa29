//! How a request for text features was computed.

/// What computed a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TextPath {
    /// Kernels on the CPU, without a graph.
    Kernels,
    /// A device.
    Device,
    /// candle's operations.
    Operations,
}

/// The work of one request or of several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextWork {
    /// The slowest path of all requests.
    pub path: TextPath,
    /// Tokens of the prompts, up to their end tokens.
    pub tokens: u64,
    /// Tokens that were computed: what prompts begin with counts once. None where that is not known.
    pub computed: Option<u64>,
    /// The first block that was run for the features; what leaves the ones below was known, or is
    /// kept for the next request.
    pub first_block: usize,
}

impl TextWork {
    /// The work of this request and another.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            path: self.path.max(other.path),
            tokens: self.tokens + other.tokens,
            computed: self.computed.zip(other.computed).map(|(a, b)| a + b),
            first_block: self.first_block.min(other.first_block),
        }
    }
}
