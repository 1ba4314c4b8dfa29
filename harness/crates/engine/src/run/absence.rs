//! Inputs that are known but not on disk.

use crate::registry::{Absent, FactsError};

/// `None` for an input that is known but not on disk; it is added to `absent` under the
/// name that the report uses.
pub(super) fn or_absent<F>(
    facts: Result<F, FactsError>,
    absent: &mut Vec<Absent>,
) -> Result<Option<F>, FactsError> {
    match facts {
        Err(FactsError::Absent(input)) => absent.push(*input),
        other => return other.map(Some),
    }
    Ok(None)
}
