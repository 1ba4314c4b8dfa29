//! Inputs that are not on disk, for people.

use harness_engine::registry::Absent;

/// Each input with its files, one block after the other.
pub(crate) fn blocks(absent: &[Absent]) -> String {
    let blocks: Vec<String> = absent.iter().map(Absent::to_string).collect();
    blocks.join("\n\n")
}
