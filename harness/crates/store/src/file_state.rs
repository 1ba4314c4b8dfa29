//! Whether a stored file is what was written.

/// Whether a file is usable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileState {
    Good,
    /// A running process is writing it.
    InUse,
    /// A process that is gone left it unfinished.
    Leftover,
    /// Damaged, with the reason; never used.
    Damaged(String),
    /// A module that no stored training wrote.
    Orphan,
}
