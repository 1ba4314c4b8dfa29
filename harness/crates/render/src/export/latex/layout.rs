//! How much room text takes, and how it is broken to take less.

/// Width of a text in the font of the tables, 8 points, on the safe side.
pub(super) fn width(text: &str) -> f64 {
    let mut width = 0.0;
    let mut is_command = false;
    for c in text.chars() {
        // A command makes one glyph; what it is spelt with takes no room.
        is_command = match c {
            '\\' => {
                width += 8.5;
                true
            }
            c if is_command && c.is_ascii_alphabetic() => true,
            _ => false,
        };
        if !is_command {
            width += match c {
                '{' | '}' | '$' | '^' => 0.0,
                'i' | 'j' | 'l' | '.' | ',' | ':' | ';' | '\'' | '!' | '|' | '(' | ')' | ' ' => 3.4,
                'm' | 'w' | 'M' | 'W' | '@' | '%' => 8.8,
                c if c.is_ascii_uppercase() || !c.is_ascii() => 6.9,
                _ => 4.9,
            };
        }
    }
    width
}

/// A text broken into lines of at most this width, at spaces and behind marks where it has them.
pub(super) fn lines(text: &str, most: f64, escape: impl Fn(&str) -> String) -> Vec<String> {
    let mut lines = vec![String::new()];
    for piece in text.split_inclusive([' ', '-', '_', '/', '=', ',', '+', '>', ')']) {
        let mut piece = piece.to_owned();
        let last = lines.last_mut().expect("there is always a line");
        if width(&escape(&format!("{last}{piece}"))) <= most {
            last.push_str(&piece);
            continue;
        }
        // What is too long for any line is broken within.
        while width(&escape(&piece)) > most && piece.chars().count() > 1 {
            let fits = |end: &usize| width(&escape(&piece[..*end])) <= most;
            let ends = piece.char_indices().map(|(at, c)| at + c.len_utf8());
            let first = piece.chars().next().map_or(1, char::len_utf8);
            let end = ends.take_while(fits).last().unwrap_or(first);
            lines.push(piece[..end].to_owned());
            piece = piece[end..].to_owned();
        }
        lines.push(piece);
    }
    let lines = lines.iter().map(|line| escape(line.trim()));
    let lines: Vec<String> = lines.filter(|line| !line.is_empty()).collect();
    match lines.is_empty() {
        true => vec![String::new()],
        false => lines,
    }
}

/// Lines above each other.
pub(super) fn stack(lines: &[String], align: char) -> String {
    match lines {
        [line] => line.clone(),
        lines => format!("\\shortstack[{align}]{{{}}}", lines.join("\\\\")),
    }
}
