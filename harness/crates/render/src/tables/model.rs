//! Columns, rows and cells.

use crate::text::{percent, points};
use harness_report::Status;
use harness_report::analysis::{Recommendation, Verdict};
use harness_report::stats::Estimate;

/// A table. Names are as the report brought them: whoever draws it makes them safe.
#[derive(Clone, Debug)]
pub(crate) struct Table<'a> {
    /// Heads of the columns behind the label.
    pub(crate) heads: Vec<String>,
    pub(crate) rows: Vec<Row<'a>>,
    /// The column that sums up the others; where columns are folded it stays with the first.
    pub(crate) mean: Option<usize>,
}

/// A row.
#[derive(Clone, Debug)]
pub(crate) struct Row<'a> {
    pub(crate) label: &'a str,
    /// Place of the method in its block; `None` for the zero-shot.
    pub(crate) method: Option<usize>,
    /// One a head.
    pub(crate) cells: Vec<Cell<'a>>,
}

/// What stands in a column of a row.
#[derive(Clone, Debug)]
pub(crate) enum Cell<'a> {
    /// The column says nothing of this row.
    Blank,
    /// There is no number, and why if that is known.
    Missing(Option<&'a Status>),
    Number(Number),
    /// New with its difference to the target's zero-shot.
    New {
        accuracy: Number,
        over_zero_shot: Number,
        /// Seeds without a number.
        missing: usize,
    },
    /// The gain of modules on a backbone of a chain, and what the step to it changed.
    Stop {
        gain: Number,
        change: Option<String>,
    },
    /// What became of a module and what to do with it.
    Recommendation {
        /// `None` where nothing was measured.
        verdict: Option<Verdict>,
        recommendation: Recommendation,
        /// Why there is no verdict.
        status: Option<&'a Status>,
    },
    Text(String),
}

/// A number as it is measured and as it is shown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Number {
    /// A fraction.
    pub(crate) value: f64,
    /// Half of the 95 % interval; `None` where there is none.
    pub(crate) half_width: Option<f64>,
    pub(crate) unit: Unit,
}

/// How a fraction is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// In percent with two decimals.
    Percent,
    /// A difference in percentage points, behind its glyph.
    Points,
}

impl<'a> Row<'a> {
    pub(crate) fn zero_shot(cells: Vec<Cell<'a>>) -> Self {
        Self {
            label: "zero-shot",
            method: None,
            cells,
        }
    }
}

impl Cell<'_> {
    /// A number without an interval; missing where there is none.
    pub(crate) fn percent(value: Option<f64>) -> Self {
        value.map_or(Self::Missing(None), |value| {
            Self::Number(Number::plain(value, Unit::Percent))
        })
    }

    /// An average with its interval; missing where there is none.
    pub(crate) fn estimate(estimate: Option<&Estimate>, unit: Unit) -> Self {
        estimate.map_or(Self::Missing(None), |estimate| {
            Self::Number(Number::of(estimate, unit))
        })
    }
}

impl Number {
    pub(crate) fn of(estimate: &Estimate, unit: Unit) -> Self {
        Self {
            value: estimate.mean,
            half_width: estimate.half_width,
            unit,
        }
    }

    pub(crate) fn plain(value: f64, unit: Unit) -> Self {
        Self {
            value,
            half_width: None,
            unit,
        }
    }

    /// The number alone.
    pub(crate) fn main(&self) -> String {
        match self.unit {
            Unit::Percent => percent(self.value),
            Unit::Points => points(self.value),
        }
    }

    /// `±` and half of the interval; empty where there is none.
    pub(crate) fn interval(&self) -> String {
        match self.half_width {
            None => String::new(),
            Some(half) => format!("±{}", percent(half)),
        }
    }

    /// The number and its interval on one line.
    pub(crate) fn text(&self) -> String {
        match self.half_width {
            Some(_) => format!("{} {}", self.main(), self.interval()),
            None => self.main(),
        }
    }
}
