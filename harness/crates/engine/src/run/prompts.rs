//! Prompts that do not fit into a backbone's context and are cut.

use std::collections::BTreeMap;

use harness_backbone::Tokenizer;

use super::error::RunError;
use crate::plan::Inputs;
use crate::registry::Contents;

/// Context length of every published CLIP.
const CLIP_CONTEXT: usize = 77;
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

/// Names of classes with prompts that are cut to the context of CLIP's published text towers.
///
/// # Errors
/// CLIP's tokenizer cannot be made, or a name contains its special tokens.
pub(crate) fn cut_by_clip<'n>(
    templates: &[String],
    names: &[&'n str],
) -> harness_backbone::Result<Vec<&'n str>> {
    let mut cut = Vec::new();
    for (prompt, name) in longest(templates, names).into_iter().zip(names) {
        // A token is at least one byte.
        if prompt.len() + 2 > CLIP_CONTEXT
            && Tokenizer::clip()?.prompt(&prompt, usize::MAX)?.len() > CLIP_CONTEXT
        {
            cut.push(*name);
        }
    }
    Ok(cut)
}

/// The longest prompt of each class, in label order.
fn prompts(dataset: &Contents) -> impl Iterator<Item = String> {
    let names: Vec<&str> = dataset.class_names.iter().map(String::as_str).collect();
    longest(&dataset.templates, &names).into_iter()
}

fn longest(templates: &[String], names: &[&str]) -> Vec<String> {
    let template = templates.iter().max_by_key(|template| template.len());
    let prompts = template.into_iter().flat_map(|template| {
        let names = names.iter();
        names.map(move |name| template.replace("{}", name))
    });
    prompts.collect()
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

#[cfg(test)]
mod tests {
    use super::cut_by_clip;

    #[test]
    fn a_prompt_is_cut_if_its_longest_template_does_not_fit() {
        // 71 words, and with the template, the period and both ends 75, 77 or 78 tokens.
        let name = "cat ".repeat(71);
        let name = name.trim();
        for (template, is_cut) in [
            ("a {}.", false),
            ("a photo of {}.", false),
            ("a photo of a {}.", true),
        ] {
            let templates = ["{}".to_owned(), template.to_owned()];
            let found = cut_by_clip(&templates, &["cat", name]).unwrap();
            assert_eq!(found == [name], is_cut, "{template}");
        }
    }
}
