//! Features of texts and images in a file, for use elsewhere.

use std::collections::HashMap;
use std::path::Path;

use candle_core::{Device, Tensor};
use safetensors::tensor::{Dtype, TensorView, serialize};

use super::subject::Subject;
use super::{AnalysisError, images, inputs};
use crate::registry::SearchPath;

/// Prompts or images that go through a tower at once.
const BATCH: usize = 32;
/// Unusable images that a message names.
const NAMED: usize = 10;

/// What is to be embedded, at least one of the two.
#[derive(Clone, Copy, Debug)]
pub struct EmbedInputs<'a> {
    /// A file with one text a line.
    pub texts: Option<&'a Path>,
    /// A folder of images, with those in folders below it.
    pub images: Option<&'a Path>,
}

/// How much was embedded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Embedded {
    /// What is read of the backbone otherwise than it is stored, a line each.
    pub notes: Vec<String>,
    pub texts: usize,
    pub images: usize,
    /// Length of a feature.
    pub width: usize,
}

/// Writes features to `output` in one step: `text_features` [texts, E] with `token_ids`
/// and `eot_index`, `image_features` [images, E], all unnormalised. The file's metadata
/// hold the texts and the images' paths as JSON, in order, and name the backbone.
/// `progress` is called with the number done and the total.
///
/// # Errors
/// An input or the backbone cannot be used, or the file cannot be written. Unusable
/// images are counted and named together, and nothing is written.
pub fn embed(
    search_path: &SearchPath,
    name: &str,
    inputs: EmbedInputs<'_>,
    output: &Path,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Embedded, AnalysisError> {
    let texts = inputs.texts.map(inputs::texts).transpose()?;
    let names = inputs.images.map(images::list).transpose()?;
    let count = |list: &Option<Vec<String>>| list.as_ref().map_or(0, Vec::len);
    let embedded = |notes, width| Embedded {
        notes,
        texts: count(&texts),
        images: count(&names),
        width,
    };
    let total = count(&texts) + count(&names);
    let subject = Subject::load(search_path, name)?;
    let mut file = Features::new(&subject);
    let mut done = 0;
    let mut advance = |more: usize| {
        done += more;
        progress(done, total);
    };
    if let Some(texts) = &texts {
        file.texts(&subject, texts, &mut advance)?;
    }
    if let (Some(folder), Some(names)) = (inputs.images, &names) {
        file.images(&subject, folder, names, &mut advance)?;
    }
    file.write(output)?;
    let width = subject.backbone.dims().embed_dim;
    Ok(embedded(subject.architecture.notes, width))
}

/// Tensors and metadata of a file in the making.
struct Features {
    tensors: Vec<(&'static str, Dtype, Vec<usize>, Vec<u8>)>,
    metadata: HashMap<String, String>,
}

impl Features {
    fn new(subject: &Subject) -> Self {
        let notes = [
            ("format", "harness-features/1"),
            ("harness", env!("CARGO_PKG_VERSION")),
            ("backbone", &subject.name),
            ("backbone_sha256", &subject.files.sha256),
            ("normalised", "false"),
        ];
        Self {
            tensors: Vec::new(),
            metadata: notes.map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
        }
    }

    fn texts(
        &mut self,
        subject: &Subject,
        texts: &[String],
        advance: &mut dyn FnMut(usize),
    ) -> Result<(), AnalysisError> {
        let rows = subject.prompts(texts)?;
        let mut features = Vec::new();
        for batch in rows.chunks(BATCH) {
            let found = subject.backbone.text().encode_ids(batch);
            append(&mut features, &found.map_err(|e| subject.error(e))?)?;
            advance(batch.len());
        }
        subject.check_finite("text", texts, &features)?;
        self.features("text_features", texts.len(), features);
        let length = subject.backbone.dims().text.context_length;
        let padded = |row: &Vec<u32>| {
            let filler = std::iter::repeat_n(0, length - row.len());
            row.iter().copied().chain(filler).collect::<Vec<_>>()
        };
        let ids = rows.iter().flat_map(padded).map(i64::from);
        self.integers("token_ids", vec![rows.len(), length], ids);
        let ends = rows.iter().map(|row| row.len() as i64 - 1);
        self.integers("eot_index", vec![rows.len()], ends);
        self.note("texts", texts);
        Ok(())
    }

    fn images(
        &mut self,
        subject: &Subject,
        folder: &Path,
        names: &[String],
        advance: &mut dyn FnMut(usize),
    ) -> Result<(), AnalysisError> {
        let transform = subject.backbone.transform();
        let mut features = Vec::new();
        let mut unusable = Vec::new();
        for batch in names.chunks(BATCH) {
            let mut pixels = Vec::new();
            for name in batch {
                let image = harness_data::read_image(&folder.join(name));
                match image.map(|image| transform.apply(&image)) {
                    Ok(Ok(image)) => pixels.push(image),
                    Ok(Err(error)) => unusable.push(format!("{name}: {error}")),
                    Err(error) => unusable.push(error.to_string()),
                }
            }
            // Once one is unusable the rest is only read, to name them all.
            if unusable.is_empty() {
                let found = subject.backbone.image().encode(&Tensor::stack(&pixels, 0)?);
                append(&mut features, &found.map_err(|e| subject.error(e))?)?;
            }
            advance(batch.len());
        }
        if !unusable.is_empty() {
            let shown = unusable.iter().take(NAMED).cloned().collect::<Vec<_>>();
            return Err(AnalysisError::Input {
                path: folder.to_owned(),
                reason: format!(
                    "{} of {} images cannot be used: {}{}",
                    unusable.len(),
                    names.len(),
                    shown.join("; "),
                    if unusable.len() > NAMED { "; …" } else { "" }
                ),
            });
        }
        subject.check_finite("image", names, &features)?;
        self.features("image_features", names.len(), features);
        self.note("images", names);
        Ok(())
    }

    fn features(&mut self, name: &'static str, rows: usize, values: Vec<f32>) {
        let shape = vec![rows, values.len() / rows.max(1)];
        let bytes = values.iter().flat_map(|value| value.to_le_bytes());
        self.tensors
            .push((name, Dtype::F32, shape, bytes.collect()));
    }

    fn integers(
        &mut self,
        name: &'static str,
        shape: Vec<usize>,
        values: impl Iterator<Item = i64>,
    ) {
        let bytes = values.flat_map(i64::to_le_bytes).collect();
        self.tensors.push((name, Dtype::I64, shape, bytes));
    }

    fn note(&mut self, key: &str, list: &[String]) {
        let list = serde_json::Value::from(list.to_vec());
        self.metadata.insert(key.to_owned(), list.to_string());
    }

    fn write(self, path: &Path) -> Result<(), AnalysisError> {
        let output = |reason: String| AnalysisError::Output {
            path: path.to_owned(),
            reason,
        };
        let views = self.tensors.iter().map(|(name, dtype, shape, bytes)| {
            let view = TensorView::new(*dtype, shape.clone(), bytes);
            view.map(|view| (*name, view))
                .map_err(|error| output(error.to_string()))
        });
        let views = views.collect::<Result<Vec<_>, _>>()?;
        let bytes = serialize(views, Some(self.metadata));
        let bytes = bytes.map_err(|error| output(error.to_string()))?;
        harness_store::write_atomically(path, &bytes).map_err(|error| output(error.to_string()))
    }
}

fn append(values: &mut Vec<f32>, features: &Tensor) -> Result<(), AnalysisError> {
    values.extend(
        features
            .to_device(&Device::Cpu)?
            .flatten_all()?
            .to_vec1::<f32>()?,
    );
    Ok(())
}
