//! Text in lines of a given width.

use crate::terminal::style::Style;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The fewest columns that sentences are broken for.
const NARROWEST: usize = 20;

/// A sentence in the width of a terminal, continued lines set in.
pub fn paragraph(text: &str, style: &Style) -> String {
    sentence(text, style.width, "  ")
}

/// Breaks a sentence at its spaces; lines but the first start with `indent`. A word
/// that no line can hold is broken too.
pub(crate) fn sentence(text: &str, width: Option<usize>, indent: &str) -> String {
    let Some(width) = width.map(|width| width.max(NARROWEST)) else {
        return text.to_owned();
    };
    let mut lines = Vec::new();
    let mut line = String::new();
    let room = width - indent.width();
    for word in text.split(' ').flat_map(|word| chop(word, room)) {
        let start = if line.is_empty() { 0 } else { line.width() + 1 };
        if start + word.width() > width {
            lines.push(std::mem::replace(&mut line, format!("{indent}{word}")));
            continue;
        }
        if start > 0 {
            line.push(' ');
        }
        line.push_str(&word);
    }
    lines.push(line);
    lines.join("\n")
}

/// Breaks a name of a head or a row behind its spaces, hyphens, dots, slashes and
/// underscores into at most `most` lines of `width` columns; what is left over ends
/// in `…`. A word is broken only beyond one and a half times the width.
pub(crate) fn name(text: &str, width: usize, most: usize) -> String {
    let widest = width + width / 2;
    let pieces = text
        .split_inclusive([' ', '-', '_', '.', '/'])
        .flat_map(|piece| chop(piece, widest));
    let mut lines: Vec<String> = vec![String::new()];
    for piece in pieces {
        match lines.last_mut() {
            Some(line) if line.is_empty() || line.width() + piece.trim_end().width() <= width => {
                line.push_str(&piece);
            }
            _ => lines.push(piece),
        }
    }
    for line in &mut lines {
        line.truncate(line.trim_end().len());
    }
    if lines.len() > most {
        lines.truncate(most);
        if let Some(last) = lines.last_mut() {
            while last.width() + 1 > widest && last.pop().is_some() {}
            last.push('…');
        }
    }
    lines.join("\n")
}

/// Pieces of at most `width` columns.
fn chop(word: &str, width: usize) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let mut used = 0;
    for c in word.chars() {
        let needed = c.width().unwrap_or(0);
        if used + needed > width {
            pieces.push(String::new());
            used = 0;
        }
        used += needed;
        if let Some(piece) = pieces.last_mut() {
            piece.push(c);
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_break_behind_their_separators() {
        assert_eq!(
            name("emoji-high-contrast", 10, 3),
            "emoji-\nhigh-\ncontrast"
        );
        assert_eq!(name("H of means", 7, 3), "H of\nmeans");
        assert_eq!(name("shapes", 10, 3), "shapes");
        assert_eq!(name("procedural", 8, 3), "procedural");
        assert_eq!(name("abcdefghijklmnopqrst", 4, 2), "abcdef\nghijk…");
    }

    #[test]
    fn sentences_break_at_spaces() {
        let text = "one two three four five six seven";
        assert_eq!(
            sentence(text, Some(20), "  "),
            "one two three four\n  five six seven"
        );
        assert_eq!(sentence(text, None, "  "), text);
    }

    proptest! {
        #[test]
        fn no_line_is_too_wide(text in "[a-z日 -]{0,80}", width in 20usize..60) {
            for line in sentence(&text, Some(width), "    ").lines() {
                prop_assert!(line.width() <= width, "{line:?}");
            }
            for line in name(&text, 8, 3).lines() {
                prop_assert!(line.width() <= 12, "{line:?}");
            }
        }

        #[test]
        fn no_word_is_lost(words in prop::collection::vec("[a-z]{1,15}", 1..20)) {
            let text = words.join(" ");
            let wrapped = sentence(&text, Some(30), "  ");
            prop_assert_eq!(wrapped.split_whitespace().collect::<Vec<_>>(), words);
        }
    }
}
