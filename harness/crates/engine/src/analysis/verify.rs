//! Compares the towers with vectors that another framework computed from the same weights.

use std::path::Path;

use candle_core::{Tensor, Var};

use super::AnalysisError;
use super::subject::Subject;
use super::vectors::Vectors;
use crate::registry::SearchPath;

/// One quantity, compared.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    pub quantity: &'static str,
    /// Shape of what was compared.
    pub shape: Vec<usize>,
    /// Largest |found - expected| over the largest |expected|; for token ids, the
    /// share of texts whose ids differ. NaN if a found number is.
    pub error: f64,
    /// Whether only an error of 0 agrees.
    pub exact: bool,
}

impl Comparison {
    /// Whether the error is within `tolerance`. A NaN is not.
    pub fn agrees(&self, tolerance: f64) -> bool {
        self.error <= if self.exact { 0.0 } else { tolerance }
    }

    pub(super) fn of(
        quantity: &'static str,
        found: &Tensor,
        expected: &Tensor,
    ) -> Result<Self, AnalysisError> {
        let values = |tensor: &Tensor| tensor.flatten_all()?.to_vec1::<f32>();
        let (found_values, expected_values) = (values(found)?, values(expected)?);
        let largest = |values: &mut dyn Iterator<Item = f32>| {
            // `fold` with `max` would skip a NaN.
            values.fold(0f32, |m, v| if v > m || v.is_nan() { v } else { m })
        };
        let pairs = found_values.iter().zip(&expected_values);
        let far = largest(&mut pairs.map(|(f, e)| (f - e).abs()));
        let scale = largest(&mut expected_values.iter().map(|e| e.abs()));
        Ok(Self {
            quantity,
            shape: expected.dims().to_vec(),
            // If all expected values are zero, the error is absolute.
            error: f64::from(far) / f64::from(if scale > 0.0 { scale } else { 1.0 }),
            exact: false,
        })
    }
}

/// A backbone compared with a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Verification {
    pub backbone: String,
    /// SHA-256 over every file that decides what the backbone computes.
    pub sha256: String,
    /// Checkpoint layout.
    pub layout: String,
    /// The framework that computed the vectors, if the file names it.
    pub framework: Option<String>,
    pub comparisons: Vec<Comparison>,
}

/// Compares every quantity that `expected` holds: token ids of texts, text features,
/// features and gradient of prompt embeddings, image features, logit scale.
///
/// # Errors
/// The backbone or the file cannot be used, or a tensor of a pair is missing.
pub fn verify(
    search_path: &SearchPath,
    name: &str,
    expected: &Path,
) -> Result<Verification, AnalysisError> {
    // The file first: it is small, weights are not.
    let vectors = Vectors::read(expected)?;
    let subject = Subject::load(search_path, name)?;
    let check = Check {
        vectors: &vectors,
        subject: &subject,
    };
    let mut comparisons = Vec::new();
    if vectors.has("token_ids") || vectors.has("text_features") {
        check.texts(&mut comparisons)?;
    }
    if vectors.has("prompt_embeddings") || vectors.has("prompt_text_features") {
        check.prompts(&mut comparisons)?;
    }
    if vectors.has("pixels") || vectors.has("image_features") {
        comparisons.push(check.images()?);
    }
    if vectors.has("logit_scale") {
        comparisons.push(check.logit_scale()?);
    }
    if comparisons.is_empty() {
        return Err(vectors.error("no tensors to compare"));
    }
    let framework = vectors.note("framework").map(str::to_owned);
    Ok(Verification {
        backbone: subject.name,
        sha256: subject.files.sha256,
        layout: subject.architecture.layout,
        framework,
        comparisons,
    })
}

struct Check<'a> {
    vectors: &'a Vectors,
    subject: &'a Subject,
}

impl Check<'_> {
    fn texts(&self, comparisons: &mut Vec<Comparison>) -> Result<(), AnalysisError> {
        let dims = self.subject.backbone.dims();
        let &[count, length] = self.vectors.dims("token_ids")? else {
            return Err(self
                .vectors
                .error("tensor `token_ids`: expected [texts, tokens]"));
        };
        let ids = self.vectors.indices("token_ids", dims.text.vocab_size)?;
        let ends = self.ends(count, length)?;
        let rows = ids.chunks(length.max(1)).zip(&ends);
        let rows: Vec<Vec<u32>> = rows.map(|(row, end)| row[..=*end].to_vec()).collect();
        if let Some(texts) = self.vectors.texts()? {
            comparisons.push(self.token_ids(&texts, &rows, length)?);
        }
        let expected = self
            .vectors
            .get("text_features", &[count, dims.embed_dim])?;
        let found = self.subject.backbone.text().encode_ids(&rows);
        let found = found.map_err(|error| self.subject.error(error))?;
        comparisons.push(Comparison::of("text features", &found, &expected)?);
        Ok(())
    }

    /// Our tokenizer on the texts of which the file holds the ids.
    fn token_ids(
        &self,
        texts: &[String],
        rows: &[Vec<u32>],
        length: usize,
    ) -> Result<Comparison, AnalysisError> {
        if texts.len() != rows.len() {
            return Err(self.vectors.error(format!(
                "{} texts, but `token_ids` has {} rows",
                texts.len(),
                rows.len()
            )));
        }
        let found = self.subject.prompts(texts)?;
        let differ = found.iter().zip(rows).filter(|(found, row)| found != row);
        Ok(Comparison {
            quantity: "token ids of texts",
            shape: vec![rows.len(), length],
            error: differ.count() as f64 / rows.len().max(1) as f64,
            exact: true,
        })
    }

    fn prompts(&self, comparisons: &mut Vec<Comparison>) -> Result<(), AnalysisError> {
        let dims = self.subject.backbone.dims();
        let shape = [0, 0, dims.text.width];
        let embeddings = self.vectors.get("prompt_embeddings", &shape)?;
        let (count, length, _) = embeddings.dims3()?;
        let features = [count, dims.embed_dim];
        let expected = self.vectors.get("prompt_text_features", &features)?;
        let ends = self.ends(count, length)?;
        let embeddings = Var::from_tensor(&embeddings)?;
        let tower = self.subject.backbone.text();
        let found = tower.encode_embeddings(&embeddings, &ends);
        let found = found.map_err(|error| self.subject.error(error))?;
        comparisons.push(Comparison::of("prompt features", &found, &expected)?);
        if self.vectors.has("cotangent") || self.vectors.has("grad_prompt_embeddings") {
            let cotangent = self.vectors.get("cotangent", &features)?;
            let shape = embeddings.dims();
            let expected = self.vectors.get("grad_prompt_embeddings", shape)?;
            let gradients = (found * cotangent)?.sum_all()?.backward()?;
            let found = match gradients.get(&embeddings) {
                Some(gradient) => gradient.clone(),
                None => embeddings.zeros_like()?,
            };
            comparisons.push(Comparison::of("prompt gradients", &found, &expected)?);
        }
        Ok(())
    }

    fn images(&self) -> Result<Comparison, AnalysisError> {
        let dims = self.subject.backbone.dims();
        let side = dims.image.image_size;
        let pixels = self.vectors.get("pixels", &[0, 3, side, side])?;
        let features = [pixels.dim(0)?, dims.embed_dim];
        let expected = self.vectors.get("image_features", &features)?;
        let found = self.subject.backbone.image().encode(&pixels);
        let found = found.map_err(|error| self.subject.error(error))?;
        Comparison::of("image features", &found, &expected)
    }

    fn logit_scale(&self) -> Result<Comparison, AnalysisError> {
        let expected = self.vectors.get("logit_scale", &[])?;
        let found = self.subject.backbone.logit_scale();
        let found = found.map_err(|error| self.subject.error(error))?;
        Comparison::of(
            "logit scale",
            &Tensor::new(found, expected.device())?,
            &expected,
        )
    }

    /// Positions of the end tokens of `count` rows of `length`.
    fn ends(&self, count: usize, length: usize) -> Result<Vec<usize>, AnalysisError> {
        let ends = self.vectors.indices("eot_index", length.max(1))?;
        if ends.len() != count {
            return Err(self.vectors.error(format!(
                "{count} rows, but `eot_index` has {} entries",
                ends.len()
            )));
        }
        Ok(ends.into_iter().map(|end| end as usize).collect())
    }
}
