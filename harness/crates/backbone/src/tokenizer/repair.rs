//! Repairs broken Unicode as ftfy's `fix_text` does, as far as it occurs in names.

use tokenizers::NormalizedString;

use super::mojibake::{decode_controls, decode_mojibake};

/// Maximum rounds of repair. Each undoes one layer of damage; more than two are rare.
const ROUNDS: usize = 16;
/// Length of the longest name of a character reference.
const LONGEST_REFERENCE: usize = 24;
/// Latin ligatures and digraphs, with their letters.
const LIGATURES: [(char, &str); 22] = [
    ('Ĳ', "IJ"),
    ('ĳ', "ij"),
    ('ŉ', "ʼn"),
    ('Ǳ', "DZ"),
    ('ǲ', "Dz"),
    ('ǳ', "dz"),
    ('Ǆ', "DŽ"),
    ('ǅ', "Dž"),
    ('ǆ', "dž"),
    ('Ǉ', "LJ"),
    ('ǈ', "Lj"),
    ('ǉ', "lj"),
    ('Ǌ', "NJ"),
    ('ǋ', "Nj"),
    ('ǌ', "nj"),
    ('ﬀ', "ff"),
    ('ﬁ', "fi"),
    ('ﬂ', "fl"),
    ('ﬃ', "ffi"),
    ('ﬄ', "ffl"),
    ('ﬅ', "ſt"),
    ('ﬆ', "st"),
];

/// Repairs each line: resolves character references, decodes mojibake, replaces ligatures, wide
/// characters and curly quotes, removes control characters, and normalises to NFC.
pub(super) fn repair(text: &str) -> String {
    text.split_inclusive('\n').map(repair_line).collect()
}

fn repair_line(line: &str) -> String {
    // In a line with a tag, references are part of the markup.
    let is_markup = line.contains('<');
    let mut text = line.to_owned();
    for _ in 0..ROUNDS {
        let before = text.clone();
        if !is_markup {
            text = unescape(&text);
        }
        text = decode_mojibake(text);
        text = decode_controls(&text);
        text = replace_characters(&text);
        text = text.replace("\r\n", "\n");
        text = text.replace(['\r', '\u{2028}', '\u{2029}', '\u{85}'], "\n");
        text = remove_terminal_escapes(&text);
        text.retain(|c| !is_unwanted(c));
        text = compose(&text);
        if text == before {
            break;
        }
    }
    text
}

/// Resolves character references that end with a semicolon.
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let reference = reference(rest);
        out.push_str(&htmlize::unescape(reference));
        rest = &rest[reference.len()..];
        if reference.is_empty() {
            out.push('&');
            rest = &rest[1..];
        }
    }
    out.push_str(rest);
    out
}

/// The character reference at the start of a text, or an empty string.
fn reference(text: &str) -> &str {
    let number = usize::from(text[1..].starts_with('#'));
    let name = &text[1 + number..];
    let letters = name.bytes().take_while(u8::is_ascii_alphanumeric).count();
    let is_whole = (1..=LONGEST_REFERENCE).contains(&letters) && name[letters..].starts_with(';');
    if is_whole {
        &text[..1 + number + letters + 1]
    } else {
        ""
    }
}

/// Replaces ligatures, full-width and half-width forms, and curly quotes.
fn replace_characters(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\u{2bc}' | '\u{2018}'..='\u{201b}' => out.push('\''),
            '\u{201c}'..='\u{201f}' => out.push('"'),
            '\u{3000}' => out.push(' '),
            '\u{ff01}'..='\u{ffef}' => {
                let mut usual = NormalizedString::from(c.to_string());
                out.push_str(usual.nfkc().get());
            }
            _ => match LIGATURES.iter().find(|(ligature, _)| *ligature == c) {
                Some((_, letters)) => out.push_str(letters),
                None => out.push(c),
            },
        }
    }
    out
}

/// Removes terminal escapes of the form `ESC [ numbers letter`.
fn remove_terminal_escapes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("\u{1b}[") {
        out.push_str(&rest[..at]);
        let numbers = &rest[at + 2..];
        let end = numbers.find(|c: char| !c.is_ascii_digit() && c != ';');
        rest = match end {
            Some(end) if numbers[end..].starts_with(|c: char| c.is_ascii_alphabetic()) => {
                &numbers[end + 1..]
            }
            _ => {
                out.push('\u{1b}');
                &rest[at + 1..]
            }
        };
    }
    out.push_str(rest);
    out
}

/// Whether a control character never occurs in a name on purpose.
fn is_unwanted(c: char) -> bool {
    matches!(
        c,
        '\0'..='\u{8}'
            | '\u{b}'
            | '\u{e}'..='\u{1f}'
            | '\u{7f}'
            | '\u{206a}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffc}'
    )
}

/// Normalises to form C.
fn compose(text: &str) -> String {
    if text.is_ascii() {
        return text.to_owned();
    }
    let mut composed = NormalizedString::from(text);
    composed.nfc().get().to_owned()
}
