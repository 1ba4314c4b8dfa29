//! What CLIP's tokenizer does to a text before it looks for words.

use super::repair::repair;

/// The text repaired, without character references, in lower case, with single spaces.
///
/// The steps of OpenAI's `basic_clean` and `whitespace_clean`: ftfy, `html.unescape` twice, white
/// space, lower case.
pub(super) fn clean(text: &str) -> String {
    let repaired = repair(text);
    let once = htmlize::unescape(repaired.as_str());
    let twice = htmlize::unescape(once.as_ref());
    let words: Vec<&str> = twice.split_whitespace().collect();
    words.join(" ").to_lowercase()
}
