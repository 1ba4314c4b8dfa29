//! Text features of the classes in templates, computed once for all who ask.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use candle_core::Tensor;
use harness_abi::{
    AbiError,
    wire::{Ensemble, TaskFacts},
};
use harness_backbone::Backbone;

use super::{
    Vocabulary,
    normalize::normalize,
    request::{refuse, refused},
    task::internal,
};

/// Sets of prompts whose features are kept: those of a data set's templates, of a method's own, and
/// of as many templates as PromptSRC asks for one by one.
const KEPT: usize = 128;

/// The class features of one backbone that were asked for last. Zero-shots, teachers and methods
/// whose text is fixed ask for the same, in every training and test.
#[derive(Debug, Default)]
pub struct ClassFeatures {
    kept: Mutex<VecDeque<(ClassPrompts, Tensor)>>,
}

/// Prompts of all classes in some templates.
#[derive(Debug, PartialEq)]
pub(super) struct ClassPrompts {
    /// Token rows of the classes for each template.
    templates: Vec<Vec<Vec<u32>>>,
    ensemble: Ensemble,
}

impl ClassPrompts {
    /// The class names of a task in templates.
    pub(super) fn of(
        backbone: &Backbone,
        words: &dyn Vocabulary,
        task: &TaskFacts,
        templates: &[String],
        ensemble: Ensemble,
    ) -> Result<Self, AbiError> {
        if templates.is_empty() {
            return Err(refuse("class features need at least one template".into()));
        }
        let room = backbone.dims().text.context_length.saturating_sub(2);
        let prompt = |template: &String, name: &str| {
            let text = template.replace("{}", &name.replace('_', " "));
            let mut row = vec![words.start_of_text()];
            let ids = words.ids(&text).map_err(refused)?;
            // Longer than the context: cut, with the end kept, as CLIP does.
            row.extend(&ids[..ids.len().min(room)]);
            row.push(words.end_of_text());
            Ok(row)
        };
        let rows = templates.iter().map(|template| {
            let classes = task.classes.iter();
            classes.map(|class| prompt(template, &class.name)).collect()
        });
        Ok(Self {
            templates: rows.collect::<Result<_, AbiError>>()?,
            ensemble,
        })
    }

    /// Features `[C, E]`.
    fn encode(&self, backbone: &Backbone) -> Result<Tensor, AbiError> {
        let mut sum: Option<Tensor> = None;
        for rows in &self.templates {
            let features = backbone.text().encode_ids(rows).map_err(refused)?;
            let features = match self.ensemble {
                Ensemble::NormalisedMean => normalize(&features).map_err(internal)?,
                Ensemble::RawMean => features,
            };
            sum = Some(match sum {
                None => features,
                Some(sum) => (sum + features).map_err(internal)?,
            });
        }
        let sum = sum.ok_or_else(|| refuse("no template".into()))?;
        let mean = (sum / self.templates.len() as f64).map_err(internal)?;
        match self.ensemble {
            Ensemble::NormalisedMean => normalize(&mean).map_err(internal),
            Ensemble::RawMean => Ok(mean),
        }
    }
}

impl ClassFeatures {
    /// Features `[C, E]` of prompts on the backbone that all calls name.
    pub(super) fn get(
        &self,
        backbone: &Backbone,
        prompts: ClassPrompts,
    ) -> Result<Tensor, AbiError> {
        if let Some((_, features)) = self.kept().iter().find(|(known, _)| *known == prompts) {
            return Ok(features.clone());
        }
        let features = prompts.encode(backbone)?;
        let mut kept = self.kept();
        kept.truncate(KEPT - 1);
        kept.push_front((prompts, features.clone()));
        Ok(features)
    }

    /// A poisoned lock only means that an earlier call panicked; what is kept is whole.
    fn kept(&self) -> MutexGuard<'_, VecDeque<(ClassPrompts, Tensor)>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
