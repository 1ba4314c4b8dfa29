//! Why a condition of a cell has no number.

use super::UnitResult;

/// Why a condition is not measured.
#[derive(Clone, Debug, PartialEq)]
pub enum NotMeasured {
    /// The module does not fit; a result, not an error.
    NotInjectable(String),
    /// The survey itself failed.
    SurveyFailed(UnitResult),
}
