//! A number of a table, and how it is written.

use crate::export::latex::layout::width;

/// What stands where no number exists.
const MISSING: &str = "{--}";
const DAGGER: &str = "{$^{\\dagger}$}";

/// A number of a table.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Entry {
    /// A fraction; `None` where there is no number.
    pub(super) value: Option<f64>,
    /// Half of its 95 % interval.
    pub(super) half_width: Option<f64>,
    pub(super) mark: Mark,
}

/// How a number stands among those that it is compared with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Mark {
    #[default]
    None,
    /// Leads, and some are shown to be below.
    Bold,
    /// The highest, and nothing is shown.
    Dagger,
}

/// Sets the marks of numbers that are compared: those that lead in bold if some do not, otherwise a
/// dagger at the highest.
pub(super) fn mark<'e>(
    entries: impl Iterator<Item = &'e mut Entry>,
    leads: &[bool],
    highest: Option<usize>,
) {
    let mut entries: Vec<&mut Entry> = entries.collect();
    let numbers = entries.iter().filter(|entry| entry.value.is_some()).count();
    let leading = leads.iter().filter(|leads| **leads).count();
    if leading < numbers {
        for (entry, _) in entries.iter_mut().zip(leads).filter(|(_, leads)| **leads) {
            entry.mark = Mark::Bold;
        }
    } else if let Some(entry) = highest.and_then(|at| entries.get_mut(at))
        && numbers > 1
    {
        entry.mark = Mark::Dagger;
    }
}

impl Entry {
    pub(super) fn number(value: Option<f64>) -> Self {
        Self {
            value,
            ..Self::default()
        }
    }

    fn digits(self, digits: usize) -> Option<String> {
        let text = format!("{:.digits$}", 100.0 * self.value?);
        // A zero has no sign.
        let is_zero = text
            .trim_start_matches('-')
            .chars()
            .all(|c| "0.".contains(c));
        Some(match text.strip_prefix('-') {
            Some(positive) if is_zero => positive.to_owned(),
            _ => text,
        })
    }
}

/// A column of numbers.
#[derive(Clone, Debug)]
pub(super) struct Column {
    /// Lines of its head, as TeX.
    pub(super) head: Vec<String>,
    pub(super) entries: Vec<Entry>,
}

impl Column {
    /// What its numbers need: digits before the point, a sign, an interval, a dagger.
    fn shape(&self, digits: usize) -> (usize, bool, usize, bool) {
        let texts = self.entries.iter().filter_map(|entry| entry.digits(digits));
        let whole = texts.map(|text| {
            let whole = text.split('.').next().unwrap_or_default();
            (whole.trim_start_matches('-').len(), whole.starts_with('-'))
        });
        let (mut integers, mut is_signed) = (1, false);
        for (length, has_sign) in whole {
            integers = integers.max(length);
            is_signed |= has_sign;
        }
        let intervals = self.entries.iter().filter_map(|entry| entry.half_width);
        let interval = intervals.map(|half| format!("{:.digits$}", 100.0 * half).len());
        let has_dagger = self.entries.iter().any(|entry| entry.mark == Mark::Dagger);
        (integers, is_signed, interval.max().unwrap_or(0), has_dagger)
    }

    pub(super) fn has_intervals(&self) -> bool {
        self.entries.iter().any(|entry| entry.half_width.is_some())
    }

    /// Its place in the preamble of a tabular.
    pub(super) fn specification(&self, digits: usize) -> String {
        let (integers, is_signed, _, has_dagger) = self.shape(digits);
        let sign = if is_signed { "-" } else { "" };
        let dagger = match has_dagger {
            true => format!(",table-space-text-post={DAGGER}"),
            false => String::new(),
        };
        let interval = if self.has_intervals() { "@{\\,}l" } else { "" };
        let format = match digits {
            0 => integers.to_string(),
            _ => format!("{integers}.{digits}"),
        };
        format!("S[table-format={sign}{format}{dagger}]{interval}")
    }

    /// In points, with the space on both sides.
    pub(super) fn width(&self, digits: usize) -> f64 {
        let (integers, is_signed, interval, has_dagger) = self.shape(digits);
        let number = 4.9 * (integers + digits) as f64 + 2.6 + if is_signed { 6.7 } else { 0.0 };
        let dagger = if has_dagger { 3.5 } else { 0.0 };
        let interval = match interval {
            0 => 0.0,
            length => 1.4 + 5.8 + 4.1 * length as f64,
        };
        let head = self.head.iter().map(|line| width(line));
        head.fold(number + dagger + interval, f64::max) + 6.0
    }

    /// A number as TeX, with the column of intervals if there is one.
    pub(super) fn cell(&self, row: usize, digits: usize) -> String {
        let entry = self.entries.get(row).copied().unwrap_or_default();
        let number = match (entry.digits(digits), entry.mark) {
            (None, _) => MISSING.to_owned(),
            (Some(number), Mark::None) => number,
            (Some(number), Mark::Bold) => format!("\\bfseries {number}"),
            (Some(number), Mark::Dagger) => format!("{number}{DAGGER}"),
        };
        if !self.has_intervals() {
            return number;
        }
        match entry.half_width {
            Some(half) => format!("{number} & {{\\scriptsize$\\pm${:.digits$}}}", 100.0 * half),
            None => format!("{number} &"),
        }
    }
}
