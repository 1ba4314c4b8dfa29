//! The reasons behind entries without a number.

use std::collections::BTreeMap;

use crate::terminal::style::Style;
use crate::terminal::wrap;
use crate::text::{NAME, command, count, list, one_line, reason, word};
use harness_report::aggregate::{Block, MethodRow, Problem};
use harness_report::{Seeds, Status};

/// The numbered notes of one block: one for each method and reason, however many
/// cells share it.
pub(crate) struct Footnotes<'a> {
    notes: Vec<Note<'a>>,
}

struct Note<'a> {
    row: usize,
    kind: Kind<'a>,
}

enum Kind<'a> {
    /// Cells that gave no number for the same reason: column and seeds.
    Problem {
        word: &'static str,
        reason: String,
        places: BTreeMap<usize, Vec<Seeds>>,
        rerun: Option<&'a str>,
    },
    /// Averages over a part of the columns.
    Partial,
}

impl<'a> Footnotes<'a> {
    pub(crate) fn of(block: &Block<'a>) -> Self {
        let mut footnotes = Self { notes: Vec::new() };
        for (row, method) in block.methods.iter().enumerate() {
            for (column, entry) in method.entries.iter().enumerate() {
                for problem in &entry.problems {
                    footnotes.add(row, column, problem);
                }
            }
            if method.summary.is_some() && method.averaged.len() < method.entries.len() {
                footnotes.notes.push(Note {
                    row,
                    kind: Kind::Partial,
                });
            }
        }
        footnotes
    }

    fn add(&mut self, at: usize, column: usize, problem: &Problem<'a>) {
        let (found, why) = (word(problem.status), reason(problem.status));
        for note in self.notes.iter_mut().filter(|note| note.row == at) {
            if let Kind::Problem {
                word,
                reason,
                places,
                ..
            } = &mut note.kind
                && (*word, &*reason) == (found, &why)
            {
                places.entry(column).or_default().push(problem.seed);
                return;
            }
        }
        let again = !matches!(
            problem.status,
            Status::NotInjectable { .. } | Status::NotRun
        );
        self.notes.push(Note {
            row: at,
            kind: Kind::Problem {
                word: found,
                reason: why,
                places: BTreeMap::from([(column, vec![problem.seed])]),
                rerun: problem.rerun.filter(|_| again),
            },
        });
    }

    /// Markers of an entry, such as `[1]`; empty when there is nothing to note.
    pub(crate) fn of_entry(&self, at: usize, at_column: usize) -> String {
        self.markers(|note| match &note.kind {
            Kind::Problem { places, .. } => note.row == at && places.contains_key(&at_column),
            Kind::Partial => false,
        })
    }

    /// Markers of a method's averages.
    pub(crate) fn of_row(&self, at: usize) -> String {
        self.markers(|note| note.row == at && matches!(note.kind, Kind::Partial))
    }

    fn markers(&self, wanted: impl Fn(&Note<'_>) -> bool) -> String {
        let numbered = self.notes.iter().enumerate();
        numbered
            .filter(|(_, note)| wanted(note))
            .map(|(n, _)| format!("[{}]", n + 1))
            .collect()
    }

    /// The notes, one below the other, each ended by a line break.
    pub(crate) fn draw(&self, block: &Block<'_>, style: Style) -> String {
        let mut text = String::new();
        for (n, note) in self.notes.iter().enumerate() {
            let Some(method) = block.methods.get(note.row) else {
                continue;
            };
            let marker = format!("[{}]", n + 1);
            let indent = " ".repeat(marker.len() + 1);
            let sentence = format!("{marker} {}", note.sentence(method, block));
            text.push_str(&wrap::sentence(&sentence, style.width, &indent));
            text.push('\n');
            if let Kind::Problem {
                rerun: Some(rerun), ..
            } = note.kind
            {
                text.push_str(&format!("{indent}rerun: {}\n", command(rerun)));
            }
        }
        text
    }
}

impl Note<'_> {
    fn sentence(&self, method: &MethodRow<'_>, block: &Block<'_>) -> String {
        let label = one_line(method.label, NAME);
        match &self.kind {
            Kind::Problem {
                word,
                reason,
                places,
                ..
            } => {
                let place = describe(places, method, block);
                let colon = if reason.is_empty() { "" } else { ": " };
                format!("{label} on {place}: {word}{colon}{reason}")
            }
            Kind::Partial => {
                let (some, all) = (method.averaged.len(), block.datasets.len());
                let all = count(all, "data set", "data sets");
                format!("{label}: averages over {some} of {all}, those with every seed measured")
            }
        }
    }
}

/// The data sets of a note, each with its seeds unless all of the method's are meant.
fn describe(
    places: &BTreeMap<usize, Vec<Seeds>>,
    method: &MethodRow<'_>,
    block: &Block<'_>,
) -> String {
    let whole = |column: usize| method.entries.get(column).is_some_and(|e| e.new.is_none());
    if places.len() > 1
        && places.len() == block.datasets.len()
        && places.keys().all(|column| whole(*column))
    {
        return "every data set".into();
    }
    let names: Vec<String> = places
        .iter()
        .map(|(column, seeds)| {
            let name = block.datasets.get(*column).copied().unwrap_or_default();
            let name = one_line(name, NAME);
            if whole(*column) && method.entries[*column].problems.len() == seeds.len() {
                return name;
            }
            let noun = if seeds.len() == 1 { "seed" } else { "seeds" };
            let seeds: Vec<String> = seeds.iter().map(Seeds::to_string).collect();
            format!("{name} ({noun} {})", list(&seeds))
        })
        .collect();
    list(&names)
}
