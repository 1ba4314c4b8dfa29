//! The recommendation for each method on each data set: keep, drop or retrain.

use crate::tables::{Cell, Row, Table};
use crate::text::{NAME, count, one_line};
use harness_report::aggregate::Block;
use harness_report::analysis::{Analysis, Assessment, Claim, Recommendation, Verdict};

/// The table of a block: verdicts and recommendations.
pub(crate) fn recommendations<'a>(block: &Block<'a>, analysis: &Analysis<'a>) -> Table<'a> {
    let methods = block.methods.iter().enumerate();
    let rows = methods.map(|(at, method)| {
        let cells = block.datasets.iter().map(|dataset| {
            let found = analysis.find(block.upgrade, block.shots, method.label, dataset);
            found.map_or(Cell::Missing(None), cell)
        });
        Row {
            label: method.label,
            method: Some(at),
            cells: cells.collect(),
        }
    });
    Table {
        heads: block
            .datasets
            .iter()
            .map(|name| (*name).to_owned())
            .collect(),
        rows: rows.collect(),
        mean: None,
    }
}

fn cell<'a>(assessment: &Assessment<'a>) -> Cell<'a> {
    Cell::Recommendation {
        verdict: assessment.verdict,
        recommendation: assessment.recommendation,
        status: assessment.missing.first().map(|missing| missing.status),
    }
}

/// Whether any method of the block has a verdict.
pub(crate) fn is_assessed(block: &Block<'_>, analysis: &Analysis<'_>) -> bool {
    let mut own = analysis.of_block(block.upgrade, block.shots);
    own.any(|one| one.verdict.is_some())
}

/// What the table says, and its glyphs.
pub(crate) fn title(analysis: &Analysis<'_>) -> String {
    let verdicts = Verdict::ALL;
    let glyphs = verdicts.map(|verdict| format!("{} {}", verdict.glyph(), verdict.word()));
    format!(
        "Recommendations (margin {:.2} points): {}",
        analysis.rule.margin,
        glyphs.join(", ")
    )
}

/// `keep 2; retrain 3; drop 1; undecided 1`; nothing where nothing was
/// assessed.
pub(crate) fn sentence(block: &Block<'_>, analysis: &Analysis<'_>, method: &str) -> Option<String> {
    let own = analysis.of_method(block.upgrade, block.shots, method);
    let own: Vec<&Assessment<'_>> = own.filter(|one| one.verdict.is_some()).collect();
    let parts = Recommendation::ALL;
    let parts = parts.into_iter().filter_map(|wanted| {
        let count = own
            .iter()
            .filter(|one| one.recommendation == wanted)
            .count();
        (count > 0).then(|| format!("{} {count}", wanted.word()))
    });
    let parts: Vec<String> = parts.collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// What the verdicts mean, for those who read no further.
pub(crate) fn definitions(analysis: &Analysis<'_>) -> String {
    let margin = analysis.rule.margin;
    format!(
        "compatible: the module's gain over zero-shot fell by less than {margin:.2} points, or \
         retraining adds less than that; degraded: it fell; incompatible: below the target's \
         zero-shot; no gain: none shown on the source. Each is shown at a family-wise level over \
         the methods and data sets of the upgrade"
    )
}

/// Which modules of the upgrade help, which must be trained again and which can go.
pub(crate) fn outlook(block: &Block<'_>, analysis: &Analysis<'_>) -> Option<String> {
    let headline = headline(block, analysis)?;
    let parts = counted(block, analysis).into_iter();
    let parts = parts.map(|(counted, names)| format!("{counted} ({names})"));
    Some(format!(
        "{headline}: {}",
        parts.collect::<Vec<_>>().join("; ")
    ))
}

/// How many modules help, and how many have each recommendation, without their names.
pub(crate) fn answer(block: &Block<'_>, analysis: &Analysis<'_>) -> Option<String> {
    let headline = headline(block, analysis)?;
    let parts = counted(block, analysis).into_iter();
    let parts = parts.map(|(counted, _)| counted);
    Some(format!(
        "{headline}: {}",
        parts.collect::<Vec<_>>().join("; ")
    ))
}

/// How many modules of the upgrade help.
pub(crate) fn headline(block: &Block<'_>, analysis: &Analysis<'_>) -> Option<String> {
    let own = assessed(block, analysis);
    if own.is_empty() {
        return None;
    }
    let helping = own.iter();
    let helping = helping
        .filter(|one| one.helps == Some(Claim::Shown))
        .count();
    let one_split = own.iter().any(|one| one.replicates().is_one_split());
    let one_seed = match own.iter().any(|one| one.is_one_seed()) {
        true => "; one seed, so this holds for these modules only",
        false if one_split => "; one few-shot split, so this holds for that split only",
        false => "",
    };
    Some(format!(
        "{helping} of {} {} shown to help on {} ({:.0} %){one_seed}",
        count(own.len(), "module", "modules"),
        if helping == 1 { "is" } else { "are" },
        one_line(&block.upgrade.target, NAME),
        100.0 * helping as f64 / own.len() as f64,
    ))
}

/// A line for each recommendation that is given, with its modules: `keep 2: coop on digits, …`.
pub(crate) fn lines(block: &Block<'_>, analysis: &Analysis<'_>) -> Vec<String> {
    let parts = counted(block, analysis).into_iter();
    parts
        .map(|(counted, names)| format!("{counted}: {names}"))
        .collect()
}

/// `micro-clip → micro-eva-clip, 16 shots: keep 2, drop 1 of 3 modules`; nothing where nothing was
/// assessed.
pub(crate) fn verdict_line(block: &Block<'_>, analysis: &Analysis<'_>) -> Option<String> {
    let parts = counted(block, analysis).into_iter();
    let parts: Vec<String> = parts.map(|(counted, _)| counted).collect();
    (!parts.is_empty()).then(|| {
        format!(
            "{} → {}, {}: {} of {}",
            one_line(&block.upgrade.source, NAME),
            one_line(&block.upgrade.target, NAME),
            count(block.shots as usize, "shot", "shots"),
            parts.join("; "),
            count(assessed(block, analysis).len(), "module", "modules"),
        )
    })
}

fn assessed<'b, 'a>(block: &Block<'a>, analysis: &'b Analysis<'a>) -> Vec<&'b Assessment<'a>> {
    let own = analysis.of_block(block.upgrade, block.shots);
    own.filter(|one| one.verdict.is_some()).collect()
}

/// Each recommendation that is given with its number, and its modules.
fn counted(block: &Block<'_>, analysis: &Analysis<'_>) -> Vec<(String, String)> {
    let own = assessed(block, analysis);
    let given = Recommendation::ALL.into_iter().filter_map(|wanted| {
        let found = own.iter();
        let found: Vec<&&Assessment<'_>> =
            found.filter(|one| one.recommendation == wanted).collect();
        let counted = format!("{} {}", wanted.word(), found.len());
        (!found.is_empty()).then(|| (counted, names(block, &found)))
    });
    given.collect()
}

/// Up to three modules by name; of more, how many of each method.
fn names(block: &Block<'_>, found: &[&&Assessment<'_>]) -> String {
    let name = |one: &&&Assessment<'_>| {
        format!(
            "{} on {}",
            one_line(one.method, NAME),
            one_line(one.dataset, NAME)
        )
    };
    let names: Vec<String> = match found.len() {
        0..=3 => found.iter().map(name).collect(),
        _ => {
            let methods = block.methods.iter().filter_map(|method| {
                let own = found
                    .iter()
                    .filter(|one| one.method == method.label)
                    .count();
                (own > 0).then(|| format!("{} {own}", one_line(method.label, NAME)))
            });
            methods.collect()
        }
    };
    names.join(", ")
}
