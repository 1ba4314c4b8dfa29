//! Prompts that do not fit into a backbone's context and are cut.

use std::collections::BTreeMap;

use harness_backbone::Tokenizer;

use super::error::RunError;
use crate::plan::Inputs;
use crate::registry::Contents;

/// Classes that a warning names.
const NAMED: usize = 3;
/// Characters of a class name in it.
const SHOWN: usize = 40;

/// Every backbone is measured with prompts, so that each needs a tokenizer.
///
/// # Errors
/// One has none.
pub(super) fn check_tokenizers(inputs: &Inputs) -> Result<(), RunError> {
    for backbone in &inputs.backbones {
        let Some(files) = backbone.reference.files.present() else {
            continue;
        };
        let reason = match Tokenizer::of(&files.path) {
            Ok(Some(_)) => continue,
            Ok(None) => "no tokenizer.json beside the weights".to_owned(),
            Err(error) => error.to_string(),
        };
        return Err(RunError::NoTokenizer {
            name: backbone.reference.name.clone(),
            path: files.path.clone(),
            reason,
        });
    }
    Ok(())
}

/// A line for each backbone and data set of which prompts are cut.
pub(super) fn warnings(inputs: &Inputs) -> Vec<String> {
    let mut lines = Vec::new();
    for backbone in &inputs.backbones {
        let (Some(files), Some(architecture)) = (
            backbone.reference.files.present(),
            backbone.architecture.present(),
        ) else {
            continue;
        };
        let context = architecture.dims.text.context_length;
        let datasets = inputs.datasets.iter();
        let present = datasets.filter_map(|dataset| {
            let contents = dataset.contents.present()?;
            Some((dataset.reference.name.as_str(), contents))
        });
        // A token is at least one byte.
        let candidates: Vec<(&str, &Contents)> = present
            .filter(|(_, contents)| prompts(contents).any(|prompt| prompt.len() + 2 > context))
            .collect();
        if candidates.is_empty() {
            continue;
        }
        // Whatever is wrong with it is reported by what needs it.
        let Ok(Some(tokenizer)) = Tokenizer::of(&files.path) else {
            continue;
        };
        let found = candidates.into_iter();
        lines.extend(found.filter_map(|(dataset, contents)| {
            let cut = warning(contents, context, &tokenizer)?;
            Some(format!("{dataset} on {}: {cut}", backbone.reference.name))
        }));
    }
    lines
}

/// The longest prompt of each class, in label order.
fn prompts(dataset: &Contents) -> impl Iterator<Item = String> {
    let template = dataset
        .templates
        .iter()
        .max_by_key(|template| template.len());
    let names = template.into_iter().flat_map(|template| {
        let names = dataset.class_names.iter();
        names.map(move |name| template.replace("{}", name))
    });
    names.collect::<Vec<_>>().into_iter()
}

fn warning(dataset: &Contents, context: usize, tokenizer: &Tokenizer) -> Option<String> {
    let mut cut: BTreeMap<Vec<u32>, Vec<&str>> = BTreeMap::new();
    for (prompt, name) in prompts(dataset).zip(&dataset.class_names) {
        let ids = tokenizer.prompt(&prompt, usize::MAX).ok()?;
        if ids.len() > context {
            let kept = tokenizer.prompt(&prompt, context).ok()?;
            cut.entry(kept).or_default().push(name);
        }
    }
    let count: usize = cut.values().map(Vec::len).sum();
    let names: Vec<String> = cut
        .values()
        .flatten()
        .take(NAMED)
        .map(|name| shown(name))
        .collect();
    let same = cut.values().find(|names| names.len() > 1);
    let same = same.map_or_else(String::new, |names| {
        format!(
            "; {} of them get the same prompt, so that zero-shot cannot tell them apart",
            names.len()
        )
    });
    (count > 0).then(|| {
        format!(
            "prompts of {count} classes are cut to the context of {context} tokens ({}){same}",
            names.join(", "),
        )
    })
}

fn shown(name: &str) -> String {
    match name.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("`{}…`", &name[..end]),
        None => format!("`{name}`"),
    }
}
