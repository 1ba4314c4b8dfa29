//! The marks that say without colour which way a number went.

pub(crate) const UP: char = '▲';
pub(crate) const DOWN: char = '▼';
pub(crate) const LEVEL: char = '·';
pub(crate) const MISSING: char = '✗';
pub(crate) const GOOD: char = '✓';
pub(crate) const LESS: char = '↘';
