//! Arguments of figures.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use harness_figures::{Format, Options, Style, Width};

/// Figures to draw, if any.
#[derive(Args)]
pub(crate) struct FigureArguments {
    /// Draw figures into a folder: accuracies by method, Base against New, heat map, ranks, recovery by
    /// depth, learning curves, each with its numbers as CSV beside it
    #[arg(long, value_name = "DIR")]
    pub(crate) figures: Option<PathBuf>,
    /// Formats of the figures
    #[arg(
        long,
        value_name = "FORMAT,…",
        value_delimiter = ',',
        default_value = "svg",
        requires = "figures"
    )]
    pub(crate) format: Vec<FigureFormat>,
    #[command(flatten)]
    pub(crate) look: LookArguments,
}

/// What figures look like.
#[derive(Args)]
pub(crate) struct LookArguments {
    /// What figures are for
    #[arg(long, default_value = "paper")]
    pub(crate) style: FigureStyle,
    /// Width in columns of a two-column page
    #[arg(long, value_name = "1|2", default_value = "2", value_parser = clap::value_parser!(u8).range(1..=2))]
    pub(crate) columns: u8,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum FigureFormat {
    Svg,
    Pdf,
    Png,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum FigureStyle {
    /// Black on white, 8 points
    Paper,
    /// Black on white, larger
    Slide,
    /// White on black, larger
    Dark,
}

impl LookArguments {
    pub(crate) fn options(&self) -> Options {
        Options {
            style: match self.style {
                FigureStyle::Paper => Style::Paper,
                FigureStyle::Slide => Style::Slide,
                FigureStyle::Dark => Style::Dark,
            },
            width: match self.columns {
                1 => Width::Column,
                _ => Width::Page,
            },
        }
    }
}

impl FigureArguments {
    /// Each format once.
    pub(crate) fn formats(&self) -> Vec<Format> {
        let format = |format: &FigureFormat| match format {
            FigureFormat::Svg => Format::Svg,
            FigureFormat::Pdf => Format::Pdf,
            FigureFormat::Png => Format::Png,
        };
        let mut formats: Vec<Format> = self.format.iter().map(format).collect();
        formats.sort_unstable();
        formats.dedup();
        formats
    }
}
