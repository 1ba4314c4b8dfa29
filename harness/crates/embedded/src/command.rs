//! What the command line offers.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::dataset::{DEFINITIONS, write_digits, write_drawn};
use crate::error::EmbeddedError;
use crate::folder::TOKENIZER;
use crate::train::{BACKBONES, train};
use crate::{probe, tokenizer};

/// Draws the embedded data sets and trains the embedded backbones.
#[derive(Parser)]
pub(crate) struct Cli {
    #[command(subcommand)]
    what: What,
    /// Folder that holds `backbones/` and `datasets/`.
    #[arg(long, default_value = "suites/embedded", global = true)]
    out: PathBuf,
    /// Folder for the tokenizer and for image towers between the stages.
    #[arg(long, default_value = "target/embedded", global = true)]
    scratch: PathBuf,
    /// scikit-learn's digits.csv, unpacked; without it the existing digits are kept.
    #[arg(long, global = true)]
    digits: Option<PathBuf>,
}

#[derive(Subcommand)]
enum What {
    /// Everything, in order.
    All,
    /// Draws the data sets.
    Datasets,
    /// Learns the tokenizer.
    Tokenizer,
    /// Trains one backbone; micro-eva-clip needs micro-clip.
    Train {
        #[arg(long, value_parser = BACKBONES.map(|b| b.name))]
        backbone: String,
    },
    /// Measures zero-shot accuracy and a linear probe of the backbones in the folder.
    Probe,
}

impl Cli {
    pub(crate) fn run(&self) -> Result<(), EmbeddedError> {
        match &self.what {
            What::All => {
                self.datasets()?;
                self.tokenizer()?;
                BACKBONES
                    .iter()
                    .try_for_each(|recipe| self.train(recipe.name))?;
                self.probe()
            }
            What::Datasets => self.datasets(),
            What::Tokenizer => self.tokenizer(),
            What::Train { backbone } => self.train(backbone),
            What::Probe => self.probe(),
        }
    }

    fn backbones(&self) -> PathBuf {
        self.out.join("backbones")
    }

    fn datasets_folder(&self) -> PathBuf {
        self.out.join("datasets")
    }

    fn datasets(&self) -> Result<(), EmbeddedError> {
        let folder = self.datasets_folder();
        for definition in &DEFINITIONS {
            eprintln!("drawing {}", definition.name);
            write_drawn(definition, &folder)?;
        }
        match &self.digits {
            Some(csv) => write_digits(csv, &folder),
            None => {
                eprintln!("digits: kept; pass --digits FILE to write them");
                Ok(())
            }
        }
    }

    fn tokenizer_file(&self) -> PathBuf {
        self.scratch.join(TOKENIZER)
    }

    fn tokenizer(&self) -> Result<(), EmbeddedError> {
        let file = self.tokenizer_file();
        fs_err::create_dir_all(&self.scratch)?;
        eprintln!("learning {}", file.display());
        Ok(tokenizer::learn()?.save(&file, true)?)
    }

    fn train(&self, name: &str) -> Result<(), EmbeddedError> {
        let file = self.tokenizer_file();
        if !file.is_file() {
            self.tokenizer()?;
        }
        let recipe = BACKBONES.iter().filter(|recipe| recipe.name == name);
        recipe
            .take(1)
            .try_for_each(|r| train(r, &self.backbones(), &file, &self.scratch))
    }

    fn probe(&self) -> Result<(), EmbeddedError> {
        let datasets = DEFINITIONS.iter().map(|d| d.name).chain(["digits"]);
        let made = BACKBONES.iter().map(|b| b.name);
        let made = made.filter(|name| self.backbones().join(name).is_dir());
        probe::measure(
            &made.collect::<Vec<_>>(),
            &datasets.collect::<Vec<_>>(),
            &self.backbones(),
            &self.datasets_folder(),
        )
    }
}
