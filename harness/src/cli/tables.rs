//! Arguments of tables for a paper.

use clap::{Args, ValueEnum};
use harness_render::export::{Metric, TableOptions, TableWidth};

/// What `.tex` files show.
#[derive(Args)]
pub(crate) struct TableArguments {
    /// Columns of .tex tables [default: base,new,h, and all for means of two columns]
    #[arg(long, value_name = "METRIC,…", value_delimiter = ',')]
    metrics: Vec<TableMetric>,
    /// Digits behind the point in .tex tables
    #[arg(long, value_name = "N", default_value = "2", value_parser = clap::value_parser!(u8).range(0..=4))]
    digits: u8,
    /// Write data sets as rows and methods as columns of .tex tables
    #[arg(long)]
    transpose: bool,
    /// Scale .tex tables down to the width of the text (needs graphicx)
    #[arg(long)]
    resize: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum TableMetric {
    /// Accuracy of a module on the source that it was trained on
    Base,
    /// Accuracy of the same module moved to the target
    New,
    /// New less the target's zero-shot accuracy, in points
    OverZeroShot,
    /// Accuracy of a module trained on the target
    Retrained,
    /// Harmonic mean of Base and New
    H,
}

impl TableArguments {
    /// For tables as wide as this number of columns.
    pub(crate) fn options(&self, columns: u8) -> TableOptions {
        let mut metrics: Vec<Metric> = Vec::new();
        for metric in &self.metrics {
            let metric = match metric {
                TableMetric::Base => Metric::Base,
                TableMetric::New => Metric::New,
                TableMetric::OverZeroShot => Metric::OverZeroShot,
                TableMetric::Retrained => Metric::Retrained,
                TableMetric::H => Metric::H,
            };
            if !metrics.contains(&metric) {
                metrics.push(metric);
            }
        }
        TableOptions {
            width: match columns {
                1 => TableWidth::Column,
                _ => TableWidth::Page,
            },
            metrics,
            digits: self.digits,
            transpose: self.transpose,
            resize: self.resize,
        }
    }
}
