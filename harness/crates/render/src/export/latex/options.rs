//! What tables for a paper show, and how wide they may be.

/// What tables for a paper show, and how wide they may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableOptions {
    pub width: TableWidth,
    /// Columns of every data set and of the means; empty for what suits the width.
    pub metrics: Vec<Metric>,
    /// Digits behind the point, at most 4.
    pub digits: u8,
    /// Data sets as rows and methods as columns.
    pub transpose: bool,
    /// Whether each table is scaled to the width, with graphicx.
    pub resize: bool,
}

impl Default for TableOptions {
    fn default() -> Self {
        Self {
            width: TableWidth::Page,
            metrics: Vec::new(),
            digits: 2,
            transpose: false,
            resize: false,
        }
    }
}

/// How wide a table may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableWidth {
    /// One of two columns of a page, 219 pt.
    Column,
    /// Both columns, 455 pt.
    Page,
}

impl TableWidth {
    /// In points of 1/72.27 inch: the narrowest of the common two-column styles.
    pub(super) fn points(self) -> f64 {
        match self {
            Self::Column => 219.0,
            Self::Page => 455.0,
        }
    }

    pub(super) fn environment(self) -> &'static str {
        match self {
            Self::Column => "table",
            Self::Page => "table*",
        }
    }
}

/// A column of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    /// A(s→s).
    Base,
    /// A(s→t).
    New,
    /// New - Z(t), in points.
    OverZeroShot,
    /// A(t→t).
    Retrained,
    /// Harmonic mean of Base and New.
    H,
}

impl Metric {
    pub(super) const ACCURACIES: [Self; 3] = [Self::Base, Self::New, Self::H];
    pub(super) const ALL: [Self; 5] = [
        Self::Base,
        Self::New,
        Self::OverZeroShot,
        Self::Retrained,
        Self::H,
    ];

    /// Lines of its head.
    pub(super) fn head(self) -> &'static [&'static str] {
        match self {
            Self::Base => &["Base"],
            Self::New => &["New"],
            Self::OverZeroShot => &["New over", "zero-shot"],
            Self::Retrained => &["retrained"],
            Self::H => &["H"],
        }
    }
}

impl TableOptions {
    /// Columns of a data set.
    pub(super) fn of_dataset(&self) -> &[Metric] {
        match self.metrics.as_slice() {
            [] => &Metric::ACCURACIES,
            chosen => chosen,
        }
    }

    /// Columns of the means over data sets.
    pub(super) fn of_means(&self) -> &[Metric] {
        match (self.metrics.as_slice(), self.width, self.transpose) {
            ([], TableWidth::Page, false) => &Metric::ALL,
            _ => self.of_dataset(),
        }
    }
}
