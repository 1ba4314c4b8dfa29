//! Names that mean the same with other words: `ViT-B/16` and `clip-vit-b16`.

use std::collections::BTreeSet;

/// Names that are suggested at most.
const MOST: usize = 4;
/// The share of words, of those in either name, that two names have in common.
const ENOUGH: f64 = 0.4;
/// How near to the best suggestion the others are.
const NEAR: f64 = 0.8;

/// The known names that share most words with `found`, the nearest first.
pub(super) fn similar<'a>(found: &str, known: &[&'a str]) -> Vec<&'a str> {
    let found = words(found);
    let score = |name: &str| {
        let name = words(name);
        let shared = found.intersection(&name).count();
        shared as f64 / found.union(&name).count().max(1) as f64
    };
    let mut scored: Vec<(f64, &str)> = known.iter().map(|name| (score(name), *name)).collect();
    // Stable: of equal ones the first known comes first.
    scored.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    let best = scored.first().map_or(0.0, |(score, _)| *score);
    scored
        .into_iter()
        .take_while(|(score, _)| *score >= ENOUGH.max(best * NEAR))
        .take(MOST)
        .map(|(_, name)| name)
        .collect()
}

/// Runs of letters and runs of digits in lower case, with sizes as the field abbreviates them.
fn words(name: &str) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    let mut word = String::new();
    let mut close = |word: &mut String| {
        let short = match word.as_str() {
            "base" => "b",
            "large" => "l",
            "huge" => "h",
            other => other,
        };
        if !matches!(short, "" | "patch") {
            words.insert(short.to_owned());
        }
        word.clear();
    };
    for letter in name.to_lowercase().chars() {
        let continues = match word.chars().next_back() {
            Some(last) => last.is_ascii_digit() == letter.is_ascii_digit(),
            None => true,
        };
        if !letter.is_alphanumeric() || !continues {
            close(&mut word);
        }
        if letter.is_alphanumeric() {
            word.push(letter);
        }
    }
    close(&mut word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [&str; 7] = [
        "clip-laion2b-b16",
        "clip-vit-b16",
        "clip-vit-b16-timm",
        "clip-vit-b32",
        "clip-vit-l14",
        "eva02-clip-b16",
        "micro-clip",
    ];

    #[test]
    fn names_of_other_projects_lead_to_ours() {
        for (found, first) in [
            ("ViT-B/16", "clip-vit-b16"),
            ("openai/clip-vit-base-patch16", "clip-vit-b16"),
            ("openai/clip-vit-large-patch14", "clip-vit-l14"),
            ("EVA02-B-16", "eva02-clip-b16"),
            ("laion/CLIP-ViT-B-16-laion2B-s34B-b88K", "clip-laion2b-b16"),
        ] {
            assert_eq!(similar(found, &KNOWN).first(), Some(&first), "{found}");
        }
    }

    #[test]
    fn another_name_leads_nowhere() {
        assert!(similar("convnext_xxlarge", &KNOWN).is_empty());
        assert!(similar("", &KNOWN).is_empty());
    }
}
