//! Whether the order of the methods survives, and how far the class embeddings moved.

use crate::text::{NAME, count, one_line};
use harness_report::Report;
use harness_report::aggregate::Block;
use harness_report::analysis::Analysis;
use harness_report::stats::mean;

/// A sentence each, where there is something to say.
pub(crate) fn explanations(
    report: &Report,
    block: &Block<'_>,
    analysis: &Analysis<'_>,
) -> Vec<String> {
    let rank = rank(block, analysis);
    rank.into_iter().chain(drift(report, block)).collect()
}

fn rank(block: &Block<'_>, analysis: &Analysis<'_>) -> Option<String> {
    let mut ranks = analysis.ranks.iter();
    let ranks = ranks.find(|r| (r.upgrade, r.shots) == (block.upgrade, block.shots))?;
    let tau = ranks.tau?;
    let interval = ranks.interval.map_or_else(String::new, |interval| {
        format!(" [{:+.2}, {:+.2}]", interval.low, interval.high)
    });
    let (before, after) = ranks.best()?;
    let best = if before == after {
        format!("best by both: {}", one_line(before, NAME))
    } else {
        format!(
            "best by Base: {}, by New: {}",
            one_line(before, NAME),
            one_line(after, NAME)
        )
    };
    Some(format!(
        "ranking of {} by Base and by New: Kendall's tau {tau:+.2}{interval} over {}; {best}",
        count(ranks.methods.len(), "method", "methods"),
        count(ranks.datasets.len(), "data set", "data sets"),
    ))
}

fn drift(report: &Report, block: &Block<'_>) -> Option<String> {
    let own = report.text_drift.iter().filter(|drift| {
        drift.upgrade == *block.upgrade && block.datasets.contains(&drift.dataset.as_str())
    });
    let (ckas, residuals): (Vec<f64>, Vec<f64>) = own.map(|d| (d.cka, d.procrustes)).unzip();
    Some(format!(
        "class embeddings of the two backbones: linear CKA {:.2} (1 for the same geometry), \
         Procrustes residual {:.2} (0 for the same shape), means over {}",
        mean(&ckas)?,
        mean(&residuals)?,
        count(ckas.len(), "data set", "data sets")
    ))
}
