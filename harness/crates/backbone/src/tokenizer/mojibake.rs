//! UTF-8 that was read as Latin-1 or Windows-1252.

/// What Windows-1252 has in place of the control characters U+0080 to U+009F; the five bytes
/// without a character stay controls.
const WINDOWS: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}',
    '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// Undoes one layer after another while the text, as bytes of Latin-1 or Windows-1252, is UTF-8.
///
/// A proper text of Western European letters is hardly ever valid UTF-8 in those encodings, since
/// every accented letter would have to be followed by just the right signs.
pub(super) fn decode_mojibake(mut text: String) -> String {
    while !text.is_ascii() {
        let bytes: Option<Vec<u8>> = text.chars().map(byte).collect();
        let Some(decoded) = bytes.and_then(|bytes| String::from_utf8(bytes).ok()) else {
            break;
        };
        text = decoded;
    }
    text
}

/// The byte of a character in Windows-1252, or of a control character in Latin-1.
fn byte(c: char) -> Option<u8> {
    match WINDOWS.iter().zip(0x80u8..).find(|(known, _)| **known == c) {
        Some((_, byte)) => Some(byte),
        None => u8::try_from(c).ok(),
    }
}

/// Reads leftover control characters U+0080 to U+009F as Windows-1252.
pub(super) fn decode_controls(text: &str) -> String {
    let decode = |c: char| match u32::from(c) {
        code @ 0x80..=0x9f => WINDOWS[code as usize - 0x80],
        _ => c,
    };
    text.chars().map(decode).collect()
}
