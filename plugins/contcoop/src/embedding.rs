//! Class embeddings, from the host's backbone or from a module.

use harness_sdk::{Device, Error, Host, Init, Parameter, Parameters, Result, Tensor};
use rand::{SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;

use crate::config::ClassEmbedding;

/// Names of carried class embeddings and of their mask.
const CARRIED: [&str; 2] = ["class_rows", "class_mask"];

/// Carried class embeddings `[C, S, D]` and their mask `[C, S]`. S, the tokens of the longest
/// class name, is dynamic: empty until the end of the training.
pub(crate) fn carried_parameters(classes: usize, width: usize) -> [Parameter; 2] {
    let tokens = Parameter::DYNAMIC;
    let shapes = [vec![classes, tokens, width], vec![classes, tokens]];
    [0, 1].map(|at| {
        let parameter = Parameter::new(CARRIED[at], &shapes[at], Init::Zeros);
        parameter.per_class(0).fixed()
    })
}

/// What the context attends to, for every class.
#[derive(Clone)]
pub(crate) struct ClassEmbeddings {
    /// `[C, S, D]`
    rows: Tensor,
    /// `[C, S]`: 0 for a row, -1e9 for padding.
    mask: Tensor,
    /// Whether the context also attends to itself.
    with_context: bool,
}

impl ClassEmbeddings {
    /// Computes the embeddings; `zero_shot` are the text features `[C, E]`.
    pub(crate) fn new(kind: ClassEmbedding, host: &Host, zero_shot: &Tensor) -> Result<Self> {
        match kind {
            ClassEmbedding::NameTokens => Self::name_tokens(host),
            ClassEmbedding::TextFeature => Self::text_feature(host, zero_shot),
        }
    }

    /// The same with the embeddings of a module, once it has any.
    pub(crate) fn of_module(&self, module: &Parameters) -> Result<Self> {
        let [rows, mask] = [module.get(CARRIED[0])?, module.get(CARRIED[1])?];
        if rows.elem_count() == 0 {
            return Ok(self.clone());
        }
        Ok(Self {
            rows: rows.clone(),
            mask: mask.clone(),
            with_context: self.with_context,
        })
    }

    /// The module with these embeddings.
    pub(crate) fn carry(&self, trained: &Parameters) -> Parameters {
        let entries = trained.iter().map(|(name, tensor)| {
            let tensor = match name {
                _ if name == CARRIED[0] => &self.rows,
                _ if name == CARRIED[1] => &self.mask,
                _ => tensor,
            };
            (name.to_owned(), tensor.clone())
        });
        Parameters::new(entries.collect())
    }

    /// The same with each class's embedding replaced by that of another one.
    pub(crate) fn permuted(self) -> Result<Self> {
        let order = permutation(self.rows.dim(0)?);
        let order = Tensor::new(order, &Device::Cpu)?;
        Ok(Self {
            rows: self.rows.index_select(&order, 0)?,
            mask: self.mask.index_select(&order, 0)?,
            with_context: self.with_context,
        })
    }

    fn name_tokens(host: &Host) -> Result<Self> {
        let names = host.tokenize(&host.class_names())?.rows;
        let longest = names.iter().map(Vec::len).max().unwrap_or(0);
        let mut ids = vec![];
        let mut mask = vec![];
        for name in &names {
            let Some(&first) = name.first() else {
                return Err(Error::NotInjectable(
                    "a class name has no tokens and so no class embedding".into(),
                ));
            };
            let pad = longest - name.len();
            ids.extend(name.iter().copied().chain(std::iter::repeat_n(first, pad)));
            mask.extend(std::iter::repeat_n(0f32, name.len()));
            mask.extend(std::iter::repeat_n(-1e9f32, pad));
        }
        let width = host.setting().backbone.text.width;
        let rows = host.token_embeddings(&ids)?;
        Ok(Self {
            rows: rows.reshape((names.len(), longest, width))?,
            mask: Tensor::from_vec(mask, (names.len(), longest), &Device::Cpu)?,
            with_context: false,
        })
    }

    /// The feature as one more token, zero-padded to the text width.
    fn text_feature(host: &Host, zero_shot: &Tensor) -> Result<Self> {
        let (classes, embed) = zero_shot.dims2()?;
        let width = host.setting().backbone.text.width;
        let Some(pad) = width.checked_sub(embed) else {
            return Err(Error::NotInjectable(format!(
                "text features of dimension {embed} do not fit the text width {width}"
            )));
        };
        let mask = Tensor::zeros((classes, 1), zero_shot.dtype(), &Device::Cpu)?;
        Ok(Self {
            rows: zero_shot.pad_with_zeros(1, 0, pad)?.unsqueeze(1)?,
            mask,
            with_context: true,
        })
    }

    /// Input of keys and values `[C, S, D]` and mask `[C, S]` for a context `[M, D]`.
    pub(crate) fn attended(&self, context: &Tensor) -> Result<(Tensor, Tensor)> {
        if !self.with_context {
            return Ok((self.rows.clone(), self.mask.clone()));
        }
        let classes = self.rows.dim(0)?;
        let (length, width) = context.dims2()?;
        let context = context.broadcast_as((classes, length, width))?;
        let counts = Tensor::zeros((classes, length), context.dtype(), &Device::Cpu)?;
        Ok((
            Tensor::cat(&[&context.contiguous()?, &self.rows], 1)?,
            Tensor::cat(&[&counts, &self.mask], 1)?,
        ))
    }
}

/// The class that each class takes its embedding from: one random cycle through all of them, so
/// that none keeps its own. The same for every data set of as many classes.
pub fn permutation(classes: usize) -> Vec<u32> {
    let mut cycle: Vec<u32> = (0..classes as u32).collect();
    cycle.shuffle(&mut ChaCha8Rng::seed_from_u64(0));
    let mut order = vec![0; classes];
    for (at, class) in cycle.iter().enumerate() {
        order[*class as usize] = cycle[(at + 1) % classes];
    }
    order
}
