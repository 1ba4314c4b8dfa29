//! What stands in the way of reading a checkpoint.

/// An entry that cannot be converted, and why.
pub(crate) type Obstacle = (String, String);
