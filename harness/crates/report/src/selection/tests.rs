use proptest::prelude::*;

use super::{CellLabels, Selection, Term};
use crate::fixture;
use crate::seeds::Seeds;

const COOP: CellLabels<'static> = CellLabels {
    method: "coop",
    dataset: "digits",
    source: "s",
    target: "t",
    shots: 16,
    seed: Seeds {
        split: 2,
        training: 2,
    },
};

fn select(terms: &[&str]) -> Selection {
    terms
        .iter()
        .map(|term| term.parse::<Term>().unwrap())
        .collect()
}

#[test]
fn every_key_has_one_of_its_values() {
    for terms in [
        &[][..],
        &["method=coop"],
        &["method=kgcoop,coop", "seed=1,2"],
        &["method=kgcoop,coop,seed=1,2"],
        &["method=coop,dataset=digits"],
        // A key may come twice: its values are alternatives.
        &["method=kgcoop", "method=coop"],
        &["method=kgcoop,method=coop"],
        &[" method = coop , dataset = digits "],
        &[r#"method="coop",dataset="digits""#],
        &[r#"method="co\u006fp", "kgcoop""#],
    ] {
        assert!(select(terms).admits(&COOP), "{terms:?}");
    }
    for terms in [
        &["method=coop", "seed=1"][..],
        &["method=coop,dataset=shapes"],
        &["method=coo"],
        &["method=\" coop\""],
    ] {
        assert!(!select(terms).admits(&COOP), "{terms:?}");
    }
}

#[test]
fn what_is_no_term_is_refused() {
    for (text, message) in [
        ("", "KEY=VALUE"),
        ("method", "KEY=VALUE"),
        ("method=", "KEY=VALUE"),
        ("seed=1,,2", "KEY=VALUE"),
        ("seed=1,", "KEY=VALUE"),
        ("method=coop,seed=", "KEY=VALUE"),
        ("coop,method=coop", "KEY=VALUE"),
        ("methods=coop", "unknown key \"methods\""),
        ("dataset=a,b=c", "needs double quotes"),
        ("dataset=\"a", "not a JSON string"),
        ("dataset=\"a\"b", "expected a comma before \"b\""),
    ] {
        let error = text.parse::<Term>().unwrap_err().to_string();
        assert!(error.contains(message), "{text}: {error}");
    }
}

#[test]
fn seeds_are_selected_as_they_are_shown() {
    let seeds = ["1", "1/2", "2/1", "2"].map(|text| text.parse().unwrap());
    let report = fixture::crossed(&["coop"], &["x"], &seeds, |_, _, _| {
        Ok(([1, 2, 3, 4], None))
    });
    let count = |term: &str| {
        let selection = select(&[term]);
        let cells = report.cells.iter().map(CellLabels::from);
        cells.filter(|cell| selection.admits(cell)).count()
    };
    assert_eq!(count("seed=2"), 1);
    assert_eq!(count("seed=2/2"), 1);
    assert_eq!(count("seed=1/2"), 1);
    assert_eq!(count("seed=1/2,2/1"), 2);
    assert_eq!(count("seed=3/1"), 0);
}

#[test]
fn a_value_that_selects_nothing_is_an_error_among_others_that_do() {
    let report = fixture::report(&["coop", "a,b"], &["x", "y"], &[1, 2], |_, _, _| {
        Ok(([1, 2, 3, 4], None))
    });
    let mut cells = report.cells.clone();
    // No cell of `a,b` on `y`.
    cells.retain(|cell| (cell.method.as_str(), cell.dataset.as_str()) != ("a,b", "y"));
    let check = |terms: &[&str]| {
        let cells = cells.iter().map(CellLabels::from);
        let checked = select(terms).check(cells);
        checked.map_err(|error| error.to_string())
    };
    assert_eq!(check(&[]), Ok(()));
    assert_eq!(check(&["method=coop,\"a,b\"", "seed=1,2"]), Ok(()));
    assert_eq!(
        check(&["method=coop,copo", "seed=3"]).unwrap_err(),
        "no cell has method=copo, expected coop, \"a,b\"; no cell has seed=3, expected 1, 2"
    );
    assert_eq!(
        check(&["method=\"a,b\",dataset=x,y"]).unwrap_err(),
        "no selected cell has dataset=y, expected x"
    );
    assert_eq!(
        check(&["method=\"a,b\",dataset=y"]).unwrap_err(),
        "no selected cell has method=\"a,b\", expected coop; no selected cell has dataset=y, \
         expected x"
    );
}

#[test]
fn a_report_keeps_what_its_selected_cells_name() {
    let report = fixture::report(&["a", "b"], &["x", "y"], &[1, 2], |_, _, _| {
        Ok(([1, 2, 3, 4], None))
    });
    let part = select(&["method=b,dataset=x"]).restrict(report.clone());
    assert_eq!(part.cells.len(), 2);
    assert!(
        part.cells
            .iter()
            .all(|c| (c.method.as_str(), c.dataset.as_str()) == ("b", "x"))
    );
    assert_eq!((part.methods.len(), part.datasets.len()), (1, 1));
    assert_eq!(part.upgrades, report.upgrades);
    assert!(part.lint().is_empty());
    assert_eq!(select(&[]).restrict(report.clone()), report);
}

/// Labels that are hard to write: separators, quotes, spaces, control and invisible characters.
fn label() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ab,=\"'\\\\ ]{0,6}",
        "[\u{0}-\u{20}\u{200b}\u{202e}\u{3164}é漢😀]{0,4}",
        any::<String>(),
        Just("method=coop,dataset=digits".to_owned()),
    ]
}

/// The words of a command line, as a shell without expansions splits it.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            ' ' => words.extend(word.take()),
            '\'' => {
                let quoted = chars.by_ref().take_while(|c| *c != '\'');
                word.get_or_insert_default().extend(quoted);
            }
            '\\' => word.get_or_insert_default().extend(chars.next()),
            '$' => panic!("a printable term needs no $'…': {line}"),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

proptest! {
    #[test]
    fn a_printed_selection_selects_exactly_its_cell(
        labels in proptest::collection::vec(label(), 8),
        at in 0..32_usize,
    ) {
        // Every combination of two methods, data sets, sources, targets and seeds.
        let cells: Vec<CellLabels<'_>> = (0..32)
            .map(|n| CellLabels {
                method: &labels[n & 1],
                dataset: &labels[2 + (n >> 1 & 1)],
                source: &labels[4 + (n >> 2 & 1)],
                target: &labels[6 + (n >> 3 & 1)],
                shots: 16,
                seed: ((n >> 4) as u64).into(),
            })
            .collect();
        let line = Selection::of(&cells[at]).arguments();
        prop_assert!(line.chars().all(|c| !c.is_control()));
        prop_assert!(!line.contains("  "));
        let read: Selection = words(&line)
            .chunks(2)
            .map(|pair| {
                assert_eq!(pair[0], "--only");
                pair[1].parse::<Term>().unwrap()
            })
            .collect();
        for cell in &cells {
            prop_assert_eq!(read.admits(cell), *cell == cells[at]);
        }
        prop_assert!(read.check(cells.iter().copied()).is_ok());
    }

    #[test]
    fn any_text_is_read_or_refused(text in ".{0,40}") {
        if let Ok(term) = text.parse::<Term>() {
            prop_assert_eq!(term.to_string().parse::<Term>(), Ok(term));
        }
    }
}
