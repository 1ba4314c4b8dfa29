//! CuPL: customised prompts via language models (Pratt et al., arXiv 2209.03320).
//!
//! A class is the normalised mean of the normalised text features of sentences that describe it,
//! which a language model wrote beforehand. Nothing is trained: the sentences are what moves to
//! another backbone.

mod descriptions;

use harness_sdk::{
    Card, Host, Method, Parameter, Parameters, Prompts, Recipe, Result, SideFile, Tensor,
    export_plugin, ops,
    wire::{DataNeed, Family, Setting, Site},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Sentences per request; bounds memory.
const CHUNK: usize = 256;

/// Configuration of CuPL.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// JSON file `{"class name": ["sentence", …], …}`, the form of the authors' files; `null`
    /// for the data set's own templates, which gives the zero-shot classifier.
    descriptions: Option<SideFile>,
}

/// CuPL for one backbone.
pub struct CuPl {
    /// `[C, E]`
    classes: Tensor,
}

impl Method for CuPl {
    type Config = Config;

    fn card() -> Card {
        Card {
            id: "cupl",
            title: "CuPL: classes described by a language model",
            paper: "arXiv 2209.03320",
            family: Family::Features,
            depth: "text feature",
            sites: &[Site::TextFeature],
            data: DataNeed::Features,
            recomputed: &["text features of the descriptions"],
            deviations: &[
                "the authors' descriptions are not bundled; without a file, classes are described by the data set's templates",
                "a sentence that is longer than the text tower's context is cut, with the end token kept; the reference fails",
            ],
        }
    }

    fn recipe(_config: &Config, _setting: &Setting) -> Recipe {
        Recipe {
            epochs: 0,
            ..Recipe::default()
        }
    }

    fn parameters(config: &Config, setting: &Setting) -> Result<Vec<Parameter>> {
        descriptions::of_classes(config.descriptions.as_ref(), &setting.task)?;
        Ok(vec![])
    }

    fn setup(config: &Config, host: &Host) -> Result<Self> {
        let setting = host.setting();
        let of_classes = descriptions::of_classes(config.descriptions.as_ref(), &setting.task)?;
        let tokens = host.tokenize(&of_classes.concat())?;
        let room = setting.backbone.text.context_length.saturating_sub(2);
        let prompts = tokens.rows.into_iter().map(|mut row| {
            row.truncate(room);
            [vec![tokens.start_of_text], row, vec![tokens.end_of_text]].concat()
        });
        let prompts: Vec<Vec<u32>> = prompts.collect();
        let mut features = vec![];
        for chunk in prompts.chunks(CHUNK) {
            let prompts = Prompts::new(chunk.len()).class_tokens(chunk);
            features.push(prompts.encode(host)?.squeeze(0)?);
        }
        let features = ops::normalize(&Tensor::cat(&features, 0)?)?;
        let mut classes = vec![];
        let mut start = 0;
        for sentences in &of_classes {
            let own = features.narrow(0, start, sentences.len())?;
            classes.push(own.mean_keepdim(0)?);
            start += sentences.len();
        }
        let classes = ops::normalize(&Tensor::cat(&classes, 0)?)?;
        Ok(Self { classes })
    }

    fn classifier(&self, _host: &Host, _parameters: &Parameters) -> Result<Tensor> {
        Ok(self.classes.clone())
    }
}

export_plugin!(CuPl);
