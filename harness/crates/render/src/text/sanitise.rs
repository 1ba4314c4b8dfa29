//! Names and messages that others wrote, made safe for a terminal.

use unicode_width::UnicodeWidthChar;

/// `text` on one line of at most `width` columns.
///
/// White space becomes single spaces; control characters, and characters that
/// are invisible or turn the direction of writing, become `�`. What is too long
/// ends in `…`.
pub fn one_line(text: &str, width: usize) -> String {
    let mut line = String::new();
    let mut used = 0;
    let mut space = false;
    for c in text.chars() {
        if c.is_whitespace() {
            space = !line.is_empty();
            continue;
        }
        let c = if is_hostile(c) { '\u{fffd}' } else { c };
        let needed = usize::from(space) + c.width().unwrap_or(0);
        if used + needed > width {
            cut(&mut line, width);
            break;
        }
        if space {
            line.push(' ');
            space = false;
        }
        line.push(c);
        used += needed;
    }
    line
}

/// Most bytes of a command that is printed.
const COMMAND: usize = 1 << 15;

/// A command to copy, on one line: whole or not at all, since half of one does something else.
pub(crate) fn command(text: &str) -> String {
    match text.len() {
        0..=COMMAND => one_line(text, usize::MAX),
        bytes => format!("(a command of {bytes} bytes, see the report's JSON file)"),
    }
}

/// Shortens `line` until it and `…` fit.
fn cut(line: &mut String, width: usize) {
    if width == 0 {
        line.clear();
        return;
    }
    let mut used: usize = line.chars().map(|c| c.width().unwrap_or(0)).sum();
    while used + 1 > width {
        let Some(last) = line.pop() else { break };
        used -= last.width().unwrap_or(0);
    }
    line.push('…');
}

fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}'
                | '\u{61c}'
                | '\u{115f}'..='\u{1160}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{202a}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{3164}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e0fff}'
                | '\u{fdd0}'..='\u{fdef}'
        )
        // The last two of each plane are no characters; XML refuses them.
        || u32::from(c) & 0xfffe == 0xfffe
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use unicode_width::UnicodeWidthStr;

    use super::*;

    #[test]
    fn hostile_text_is_shown_not_obeyed() {
        for (text, expected) in [
            ("dtd", "dtd"),
            ("  two\n\twords ", "two words"),
            ("\u{1b}[31mred\u{1b}[0m", "\u{fffd}[31mred\u{fffd}[0m"),
            ("a\u{9b}2Jb\u{7}\u{8}", "a\u{fffd}2Jb\u{fffd}\u{fffd}"),
            ("abc\u{202e}fed", "abc\u{fffd}fed"),
            ("in\u{200b}visible\u{feff}", "in\u{fffd}visible\u{fffd}"),
            ("\u{fffe}\u{1ffff}\u{fdd0}", "\u{fffd}\u{fffd}\u{fffd}"),
            ("", ""),
            ("a name of many letters", "a name of m…"),
            ("日本語の長い名前", "日本語の長…"),
        ] {
            assert_eq!(one_line(text, 12), expected, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn never_wider_and_never_more_than_a_line(text in any::<String>(), width in 0usize..40) {
            let line = one_line(&text, width);
            prop_assert!(!line.chars().any(|c| c.is_control()), "{line:?}");
            prop_assert!(line.width() <= width, "{line:?} is wider than {width}");
        }

        #[test]
        fn plain_words_stay(text in "[a-z0-9_-]{1,20}( [a-z0-9_-]{1,20}){0,3}") {
            prop_assert_eq!(one_line(&text, 100), text);
        }
    }
}
