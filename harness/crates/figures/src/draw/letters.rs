//! How wide text is.

use std::sync::OnceLock;

use harness_render::terminal::one_line;
use ttf_parser::Face;

/// Most characters of a line.
const LONGEST: usize = 160;

/// The font that widths are of, and that PDF and PNG are set in.
fn face() -> Option<&'static Face<'static>> {
    static FACE: OnceLock<Option<Face<'static>>> = OnceLock::new();
    FACE.get_or_init(|| Face::parse(dejavu::sans::regular(), 0).ok())
        .as_ref()
}

/// Width of a line in letters of a size, in points.
pub(crate) fn width(text: &str, size: f64) -> f64 {
    let advance = |c: char| {
        let face = face()?;
        let units = f64::from(face.units_per_em());
        let glyph = face.glyph_index(c)?;
        Some(f64::from(face.glyph_hor_advance(glyph)?) / units)
    };
    // What the font lacks is about a letter wide.
    text.chars().map(|c| advance(c).unwrap_or(0.7) * size).sum()
}

/// A sentence in lines of a width, broken at its spaces.
pub(crate) fn wrapped(text: &str, most: f64, size: f64) -> Vec<String> {
    let text = one_line(text, LONGEST);
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if width(&format!("{line} {word}"), size) <= most => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(cut_to(word, most, size)),
        }
    }
    lines.retain(|line| !line.is_empty());
    lines
}

/// A name in one line, with what does not fit into a width replaced by `…`.
pub(crate) fn cut_to(name: &str, most: f64, size: f64) -> String {
    let whole = one_line(name, LONGEST);
    if width(&whole, size) <= most {
        return whole;
    }
    let mut kept = String::new();
    for c in whole.chars() {
        kept.push(c);
        if width(&kept, size) + width("…", size) > most {
            kept.pop();
            break;
        }
    }
    kept.push('…');
    kept
}
