//! How prompts are laid out: families that share what they begin with, in chunks that fit the memory.

use std::ops::Range;

use crate::device::rows::RowLayout;
use crate::text::Sequences;

/// Sequences that run through the tower together.
pub(super) struct Chunk {
    pub(super) prompts: Range<usize>,
    pub(super) layout: RowLayout,
}

/// Fewest rows that sharing must save.
const LEAST_SAVED: usize = 16;

/// Cuts prompts into chunks of at most about `most` rows. `groups` divides the prompts into equal
/// runs that may begin alike.
pub(super) fn chunks(sequences: &Sequences, groups: usize, most: usize) -> Vec<Chunk> {
    let prompts = sequences.rows().len();
    let families = best_families(sequences, groups);
    let per_family = prompts / families;
    let whole = layout(sequences, 0..prompts, families);
    if whole.rows() <= most || prompts == 1 {
        return vec![Chunk {
            prompts: 0..prompts,
            layout: whole,
        }];
    }
    // Rows of a family, as long as its longest prompt.
    let family_rows = whole.prefix + per_family * whole.length;
    let (step, families_of) = match families > 1 && family_rows <= most {
        true => {
            let count = most / family_rows;
            (count * per_family, count)
        }
        false => (
            ((most.saturating_sub(whole.prefix)) / whole.length).max(1),
            1,
        ),
    };
    let mut chunks = Vec::new();
    let mut start = 0;
    while start < prompts {
        let mut end = (start + step).min(prompts);
        if families_of == 1 && families > 1 {
            end = end.min((start / per_family + 1) * per_family);
        }
        let count = match families_of {
            1 => 1,
            _ => (end - start) / per_family,
        };
        chunks.push(Chunk {
            prompts: start..end,
            layout: layout(sequences, start..end, count),
        });
        start = end;
    }
    chunks
}

/// The number of families, one or one a group, that leaves the fewest rows.
fn best_families(sequences: &Sequences, groups: usize) -> usize {
    let prompts = sequences.rows().len();
    let rows = |families| layout(sequences, 0..prompts, families).rows();
    match groups > 1 && prompts.is_multiple_of(groups) && rows(groups) < rows(1) {
        true => groups,
        false => 1,
    }
}

fn layout(sequences: &Sequences, prompts: Range<usize>, families: usize) -> RowLayout {
    let rows = &sequences.rows()[prompts];
    let per_family = rows.len() / families;
    let longest = rows.iter().map(Vec::len).max().unwrap_or(1);
    let common = |family: &[Vec<u32>]| {
        let first = &family[0];
        let of_row = |row: &Vec<u32>| first.iter().zip(row).take_while(|(a, b)| a == b).count();
        // At least one row of its own: the one that is read.
        family
            .iter()
            .map(|row| of_row(row).min(row.len() - 1))
            .min()
            .unwrap_or(0)
    };
    let prefix = match sequences.shares() && per_family > 1 {
        true => rows.chunks(per_family).map(common).min().unwrap_or(0),
        false => 0,
    };
    let saved = families * prefix * (per_family - 1);
    let prefix = if saved >= LEAST_SAVED { prefix } else { 0 };
    RowLayout {
        families,
        prompts: per_family,
        prefix,
        length: longest - prefix,
    }
}
