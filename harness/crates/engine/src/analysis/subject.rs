//! A backbone that an analysis looks at.

use harness_backbone::{Backbone, BackboneError, Tokenizer};

use super::AnalysisError;
use crate::job::BackboneFiles;
use crate::registry::{Architecture, PresentBackbone, SearchPath};

/// A loaded backbone with its name and hash.
pub(super) struct Subject {
    pub(super) name: String,
    pub(super) files: BackboneFiles,
    pub(super) architecture: Architecture,
    pub(super) backbone: Backbone,
}

impl Subject {
    pub(super) fn load(search_path: &SearchPath, name: &str) -> Result<Self, AnalysisError> {
        let PresentBackbone {
            name,
            files,
            architecture,
        } = PresentBackbone::read(search_path, name)?;
        let backbone = Backbone::load_at(&files.path, files.image_size);
        let backbone = backbone.map_err(|source| AnalysisError::Backbone {
            name: name.clone(),
            source,
        })?;
        Ok(Self {
            name,
            files,
            architecture,
            backbone,
        })
    }

    /// An error of the backbone under its name.
    pub(super) fn error(&self, source: BackboneError) -> AnalysisError {
        AnalysisError::Backbone {
            name: self.name.clone(),
            source,
        }
    }

    /// An error that names the first of `items` whose feature is no number. `features` are as many
    /// rows of the same length.
    pub(super) fn check_finite(
        &self,
        kind: &'static str,
        items: &[String],
        features: &[f32],
    ) -> Result<(), AnalysisError> {
        let Some(at) = features.iter().position(|value| !value.is_finite()) else {
            return Ok(());
        };
        let width = (features.len() / items.len().max(1)).max(1);
        Err(AnalysisError::NotFinite {
            name: self.name.clone(),
            kind,
            item: items.get(at / width).cloned().unwrap_or_default(),
        })
    }

    pub(super) fn tokenizer(&self) -> Result<&Tokenizer, AnalysisError> {
        self.backbone.tokenizer().ok_or_else(|| {
            let path = self.files.path.join("tokenizer.json");
            self.error(BackboneError::Tokenizer(format!(
                "not found; copy the model's tokenizer to {}",
                path.display()
            )))
        })
    }

    /// Ids of texts with start and end token, cut to the context.
    pub(super) fn prompts(&self, texts: &[String]) -> Result<Vec<Vec<u32>>, AnalysisError> {
        let tokenizer = self.tokenizer()?;
        let length = self.backbone.dims().text.context_length;
        let rows = texts.iter().map(|text| tokenizer.prompt(text, length));
        let rows: Result<_, BackboneError> = rows.collect();
        rows.map_err(|error| self.error(error))
    }
}
