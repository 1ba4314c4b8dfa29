//! A backbone as a whole.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use candle_core::Tensor;
use serde_json::Value;

use crate::checkpoint::{
    self, Architecture, Catalog, CheckpointLayout, Config, Files, Weights, read_catalog,
};
use crate::device::{Accelerator, Precision};
use crate::dims::{Activation, Dims};
use crate::error::{BackboneError, Result};
use crate::image::ImageTower;
use crate::text::TextTower;
use crate::tokenizer::Tokenizer;
use crate::transform::ImageTransform;

/// A vision-language model: two towers, logit scale, image transform and, if it has one, tokenizer.
#[derive(Debug, Clone)]
pub struct Backbone {
    architecture: Architecture,
    text: TextTower,
    image: ImageTower,
    /// Natural logarithm of the logit scale.
    log_scale: Tensor,
    transform: ImageTransform,
    tokenizer: Option<Tokenizer>,
}

impl Dims {
    /// Dimensions of the backbone in a folder; reads its configuration and the header of its weights.
    ///
    /// # Errors
    /// When a file is missing or damaged, or the layout is not known.
    pub fn read(folder: &Path) -> Result<Self> {
        let (_, _, architecture) = open(folder)?;
        Ok(architecture.dims)
    }
}

impl Architecture {
    /// Shapes and constants of the backbone in a folder; reads its configuration and the header of
    /// its weights.
    ///
    /// # Errors
    /// When a file is missing or damaged, or the layout is not known.
    pub fn of(folder: &Path) -> Result<Self> {
        Self::at(folder, None)
    }

    /// The same for images of another size than the weights', if one is given.
    ///
    /// # Errors
    /// As [`Self::of`], and when patches do not divide the size.
    pub fn at(folder: &Path, image_size: Option<usize>) -> Result<Self> {
        let (_, config, architecture) = open(folder)?;
        match image_size {
            Some(size) => architecture.at_size(&config, size),
            None => Ok(architecture),
        }
    }
}

impl CheckpointLayout {
    /// How the weights in a folder are laid out; reads no more than their header.
    ///
    /// # Errors
    /// When a file is missing or damaged, or the layout is not known.
    pub fn read(folder: &Path) -> Result<Self> {
        Self::detect(&read_catalog(&Files::find(folder)?.weights)?)
    }
}

/// sha256 (hex) of the files in a folder that decide what its backbone computes: weights,
/// configuration, tokenizer and image transform. File names do not enter.
///
/// # Errors
/// When a file is missing or damaged, or the layout is not known.
pub fn digest(folder: &Path) -> Result<String> {
    let files = Files::find(folder)?;
    let layout = CheckpointLayout::detect(&read_catalog(&files.weights)?)?;
    let (config, _) = files.config(&layout)?;
    files.digest(&config)
}

/// The weights of the backbone in a folder under their own names, as f32; buffers are left out.
///
/// # Errors
/// When a file is missing or damaged, or a tensor is of another type than f32, f16 or bf16.
pub fn read_tensors(folder: &Path) -> Result<HashMap<String, Tensor>> {
    checkpoint::read_tensors(&Files::find(folder)?.weights)
}

/// Finds the files of a folder and reads everything but the weights' values.
fn open(folder: &Path) -> Result<(Files, Config, Architecture)> {
    let files = Files::find(folder)?;
    let catalog = read_catalog(&files.weights)?;
    let layout = CheckpointLayout::detect(&catalog)?;
    let (_, config) = files.config(&layout)?;
    let architecture = Architecture::read(&catalog, &config, layout)?;
    Ok((files, config, architecture))
}

/// The image transform that the files of a folder describe.
fn transform(
    files: &Files,
    config: &Config,
    architecture: &Architecture,
) -> Result<ImageTransform> {
    let size = architecture.dims.image.image_size;
    if !architecture.layout.is_transformers() {
        return ImageTransform::of_open_clip(config, size);
    }
    match files.preprocessor()? {
        Some(config) => ImageTransform::of_transformers(&config, size),
        None => Ok(ImageTransform::transformers(size)),
    }
}

/// Architecture and image transform at a size.
fn sized(
    files: &Files,
    config: &Config,
    architecture: Architecture,
    image_size: Option<usize>,
) -> Result<(Architecture, ImageTransform)> {
    let transform = transform(files, config, &architecture)?;
    Ok(match image_size {
        None => (architecture, transform),
        Some(size) => (
            architecture.at_size(config, size)?,
            transform.with_size(size),
        ),
    })
}

impl Tokenizer {
    /// The tokenizer of the backbone in a folder, as [`Backbone::load`] gives it; reads no weights.
    ///
    /// # Errors
    /// As [`Backbone::check`].
    pub fn of(folder: &Path) -> Result<Option<Self>> {
        let (files, _, architecture) = open(folder)?;
        tokenizer(&files, &architecture)
    }
}

/// The tokenizer of a folder, or CLIP's own where none is there and the vocabulary is CLIP's.
fn tokenizer(files: &Files, architecture: &Architecture) -> Result<Option<Tokenizer>> {
    match files.tokenizer.as_deref() {
        Some(path) => Tokenizer::load(path).map(Some),
        None if Tokenizer::is_clip(architecture.dims.text.vocab_size) => {
            Tokenizer::clip().map(Some)
        }
        None => Ok(None),
    }
}

impl Backbone {
    /// Loads a folder: weights, `config.json` or `open_clip_config.json`, and `tokenizer.json` if
    /// there is one; a backbone of CLIP's vocabulary needs none.
    ///
    /// # Errors
    /// When a file is missing or damaged, or a tensor is missing, surplus, of another shape or type,
    /// or not finite.
    pub fn load(folder: &Path) -> Result<Self> {
        Self::load_at(folder, None)
    }

    /// The same for images of another size than the weights', if one is given: position embeddings
    /// are interpolated as open_clip does, rotary coordinates rescaled as EVA02 does.
    ///
    /// # Errors
    /// As [`Self::load`], and when patches do not divide the size.
    pub fn load_at(folder: &Path, image_size: Option<usize>) -> Result<Self> {
        let (files, config, architecture) = open(folder)?;
        let (architecture, transform) = sized(&files, &config, architecture, image_size)?;
        let tokenizer = tokenizer(&files, &architecture)?;
        let catalog = read_catalog(&files.weights)?;
        let weights = Weights::new(catalog, checkpoint::read_tensors(&files.weights)?);
        Self::build(weights, architecture, transform, tokenizer)
    }

    /// Whether a folder holds a backbone, as far as names and shapes of its tensors, configuration
    /// and tokenizer tell; reads no weight.
    ///
    /// # Errors
    /// As [`Self::load`], values aside.
    pub fn check(folder: &Path) -> Result<()> {
        Self::check_at(folder, None)
    }

    /// As [`Self::check`], for [`Self::load_at`].
    ///
    /// # Errors
    /// As [`Self::load_at`], values aside.
    pub fn check_at(folder: &Path, image_size: Option<usize>) -> Result<()> {
        let (files, config, architecture) = open(folder)?;
        let (architecture, transform) = sized(&files, &config, architecture, image_size)?;
        let tokenizer = tokenizer(&files, &architecture)?;
        let weights = Weights::placeholder(read_catalog(&files.weights)?)?;
        Self::build(weights, architecture, transform, tokenizer).map(drop)
    }

    /// Builds a backbone from a state dict in memory. Tracked tensors (such as those of a
    /// [`candle_core::Var`]) are used as they are, so gradients reach them and updates take effect.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn from_tensors(
        tensors: HashMap<String, Tensor>,
        config: &Value,
        tokenizer: Option<Tokenizer>,
    ) -> Result<Self> {
        let catalog = Catalog::of("state dict".into(), &tensors);
        let layout = CheckpointLayout::detect(&catalog)?;
        let config = Config::new("configuration".into(), config.clone());
        let architecture = Architecture::read(&catalog, &config, layout)?;
        let size = architecture.dims.image.image_size;
        let transform = match layout.is_transformers() {
            true => ImageTransform::transformers(size),
            false => ImageTransform::of_open_clip(&config, size)?,
        };
        Self::build(
            Weights::new(catalog, tensors),
            architecture,
            transform,
            tokenizer,
        )
    }

    /// The same backbone whose towers have another limit on activations, see
    /// [`TextTower::with_activation_limit`].
    #[must_use]
    pub fn with_activation_limit(self, bytes: usize) -> Self {
        Self {
            text: self.text.with_activation_limit(bytes),
            image: self.image.with_activation_limit(bytes),
            ..self
        }
    }

    /// The same backbone, whose towers run on a device. What enters and leaves them stays in the
    /// host's memory; weights are uploaded when they are first needed.
    ///
    /// A backbone that is trained as a whole stays on the CPU: the device computes the gradients of
    /// inputs and edits alone.
    #[must_use]
    pub fn on_device(mut self, device: &candle_core::Device, precision: Precision) -> Self {
        if self.text.is_tracked() || self.image.is_tracked() {
            return self;
        }
        let accelerator = Arc::new(Accelerator::new(device.clone(), precision));
        self.text.accelerator = Some(Arc::clone(&accelerator));
        self.image.accelerator = Some(accelerator);
        self
    }

    /// Whether the device ran out of memory since this was last asked; never on the CPU.
    pub fn take_ran_out_of_memory(&self) -> bool {
        let accelerator = self.text.accelerator.as_ref();
        accelerator.is_some_and(|accelerator| accelerator.take_ran_out())
    }

    fn build(
        mut weights: Weights,
        architecture: Architecture,
        transform: ImageTransform,
        tokenizer: Option<Tokenizer>,
    ) -> Result<Self> {
        let vocabulary = architecture.dims.text.vocab_size;
        if let Some(t) = tokenizer.as_ref().filter(|t| t.vocab_size() > vocabulary) {
            return Err(BackboneError::Tokenizer(format!(
                "has {} tokens, but the token embedding has {vocabulary} rows",
                t.vocab_size()
            )));
        }
        // CLIP reads the highest id of a row: its end token is the last of the vocabulary.
        let end_token = match (&tokenizer, architecture.end_token) {
            (Some(tokenizer), _) => tokenizer.eot(),
            (None, Some(id)) => id,
            (None, None) => u32::try_from(vocabulary - 1).unwrap_or(u32::MAX),
        };
        let text = TextTower::load(&mut weights, &architecture, end_token)?;
        let image = ImageTower::load(&mut weights, &architecture)?;
        let log_scale = weights.scalar("logit_scale")?;
        weights.finish()?;
        Ok(Self {
            architecture,
            text,
            image,
            log_scale,
            transform,
            tokenizer,
        })
    }

    /// Dimensions of both towers.
    pub fn dims(&self) -> &Dims {
        &self.architecture.dims
    }

    /// How the state dict's tensors were named.
    pub fn layout(&self) -> CheckpointLayout {
        self.architecture.layout
    }

    /// Nonlinearity of the text tower.
    pub fn activation(&self) -> Activation {
        self.architecture.dims.text.activation
    }

    /// The text tower.
    pub fn text(&self) -> &TextTower {
        &self.text
    }

    /// The image tower.
    pub fn image(&self) -> &ImageTower {
        &self.image
    }

    /// The factor that cosines are multiplied with to give logits.
    ///
    /// # Errors
    /// When the stored value cannot be read.
    pub fn logit_scale(&self) -> Result<f32> {
        Ok(self.log_scale.to_scalar::<f32>()?.exp())
    }

    /// Natural logarithm of the logit scale as it is stored: a scalar, tracked if it is trained.
    pub fn log_logit_scale(&self) -> &Tensor {
        &self.log_scale
    }

    /// How images become pixels.
    pub fn transform(&self) -> &ImageTransform {
        &self.transform
    }

    /// The tokenizer that came with the weights.
    pub fn tokenizer(&self) -> Option<&Tokenizer> {
        self.tokenizer.as_ref()
    }
}
