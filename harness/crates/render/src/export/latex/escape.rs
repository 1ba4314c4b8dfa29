//! Text of a report as text to TeX.

use crate::export::NAME;
use crate::text::one_line;

/// A text of the report on one line, as text to TeX. A character that pdflatex may have no
/// glyph for is written as its code point.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for c in one_line(text, NAME).chars() {
        match c {
            '\\' => escaped += "\\textbackslash{}",
            '{' | '}' | '$' | '&' | '#' | '_' | '%' => escaped.extend(['\\', c]),
            '^' => escaped += "\\textasciicircum{}",
            '~' => escaped += "\\textasciitilde{}",
            '<' => escaped += "\\textless{}",
            '>' => escaped += "\\textgreater{}",
            '|' => escaped += "\\textbar{}",
            // The default encoding has no such letter or mark.
            'Ð' | 'ð' | 'Þ' | 'þ' | '"' => escaped += &code_point(c),
            '`' => escaped += "\\textasciigrave{}",
            '[' | ']' => escaped += &format!("{{{c}}}"),
            'λ' => escaped += "$\\lambda$",
            'α' => escaped += "$\\alpha$",
            'β' => escaped += "$\\beta$",
            '→' => escaped += "$\\to$",
            ' '..='~' | 'À'..='Ö' | 'Ø'..='ö' | 'ø'..='ÿ' => escaped.push(c),
            other => escaped += &code_point(other),
        }
    }
    escaped
}

fn code_point(c: char) -> String {
    format!("\\texttt{{U+{:04X}}}\\allowbreak{{}}", u32::from(c))
}
