//! A parameter before it has values: name, shape and initialisation.

use harness_abi::wire::{ParameterShape, Tower};

/// A tensor that a method trains or carries.
///
/// ```
/// use harness_sdk::{Init, Parameter, wire::Setting};
/// fn parameters(setting: &Setting) -> Vec<Parameter> {
///     let (classes, embed) = (setting.task.classes.len(), setting.backbone.embed_dim);
///     vec![
///         // The same for every class, so it moves to any classes.
///         Parameter::new("w", &[embed, embed], Init::Normal { std: 0.02 }),
///         // An entry a class: selected by class id on other classes.
///         Parameter::new("x", &[classes, embed], Init::Zeros).per_class(0),
///         // Carried, but not trained.
///         Parameter::new("alpha", &[1], Init::Zeros).fixed(),
///     ]
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Parameter {
    pub(super) name: String,
    pub(super) shape: Vec<usize>,
    pub(super) init: Init,
    class_axis: Option<usize>,
    optional: bool,
    fixed: bool,
}

/// How a parameter is initialised.
#[derive(Clone, Debug, PartialEq)]
pub enum Init {
    /// All 0.
    Zeros,
    /// N(0, std²).
    Normal {
        /// Standard deviation.
        std: f64,
    },
    /// U(-bound, bound); a bound of `1 / sqrt(inputs)` is torch's default for a linear
    /// layer.
    Uniform {
        /// Largest absolute value.
        bound: f64,
    },
    /// Token embeddings of the words, in the last rows of `[.., M, D]`; rows before them
    /// N(0, 0.02²). Of more than M tokens the last M are used.
    Words(String),
    /// Like [`Words`](Self::Words), with zeros in the rows before them.
    WordsAfterZeros(String),
    /// The backbone's own bias or gain of this name.
    FromBackbone(Tower, String),
    /// The projection of the image tower, `[E, image.width]`.
    ImageProjection,
    /// A copy of a parameter declared earlier.
    CopyOf(String),
}

impl Parameter {
    /// A dynamic dimension: the tensor that [`build`](crate::Method::build) returns
    /// determines it (the number of training images, for example).
    pub const DYNAMIC: usize = 0;

    /// A trained parameter.
    pub fn new(name: &str, shape: &[usize], init: Init) -> Self {
        Self {
            name: name.to_owned(),
            shape: shape.to_vec(),
            init,
            class_axis: None,
            optional: false,
            fixed: false,
        }
    }

    /// Marks dimension `axis` as having one entry per class. On a data set with other
    /// classes the entries are selected by class id; if one is missing, the module is not
    /// injectable.
    #[must_use]
    pub fn per_class(self, axis: usize) -> Self {
        Self {
            class_axis: Some(axis),
            ..self
        }
    }

    /// Leaves the parameter out on targets without a counterpart, such as a bias that
    /// another architecture does not have.
    #[must_use]
    pub fn optional(self) -> Self {
        Self {
            optional: true,
            ..self
        }
    }

    /// Changes the initialisation.
    #[must_use]
    pub fn with_init(self, init: Init) -> Self {
        Self { init, ..self }
    }

    /// Carries the parameter without training it: labels of a cache, a selected constant.
    #[must_use]
    pub fn fixed(self) -> Self {
        Self {
            fixed: true,
            ..self
        }
    }

    /// Name in the module file.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn shape(&self) -> ParameterShape {
        ParameterShape {
            name: self.name.clone(),
            shape: self.shape.clone(),
            class_axis: self.class_axis,
            optional: self.optional,
            fixed: self.fixed,
        }
    }
}
