//! Mutations of lines: YAML and tables.

use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

/// What stands for a number or a word.
pub(crate) const SCALARS: [&str; 24] = [
    "0",
    "-1",
    "1e308",
    "-1e400",
    ".nan",
    ".inf",
    "NaN",
    "18446744073709551616",
    "9223372036854775807",
    "0x7fffffff",
    "1_000",
    "~",
    "null",
    "true",
    "''",
    "\"\\u0000\\u001b[31m\\u202e\"",
    "\"\\x07\"",
    "[]",
    "{}",
    "../../../etc/passwd",
    "/dev/zero",
    "*a",
    "&a [*a]",
    "!!binary aGk=",
];

/// Changes one thing.
pub(crate) fn mutate(input: Vec<u8>, rng: &mut ChaCha8Rng) -> Vec<u8> {
    let text = String::from_utf8_lossy(&input).into_owned();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    if lines.is_empty() {
        lines.push(String::new());
    }
    let at = rng.random_range(0..lines.len());
    match rng.random_range(0..8) {
        0 => drop(lines.remove(at)),
        1 => lines.insert(at, lines[at].clone()),
        2 => {
            let other = rng.random_range(0..lines.len());
            lines.swap(at, other);
        }
        3 => lines[at].insert_str(0, ["  ", "- ", "\t", "? "].choose(rng).unwrap_or(&" ")),
        4 => {
            let depth = *[3, 40, 3000].choose(rng).unwrap_or(&3);
            let nested = format!("x: {}{}", "[".repeat(depth), "]".repeat(depth));
            lines.insert(at, nested);
        }
        5 => {
            let many: Vec<String> = (0..*[10, 3000].choose(rng).unwrap_or(&10))
                .map(|number: u32| number.to_string())
                .collect();
            lines[at] = replaced(&lines[at], &format!("[{}]", many.join(", ")), rng);
        }
        _ => {
            let scalar = SCALARS.choose(rng).unwrap_or(&"0");
            lines[at] = replaced(&lines[at], scalar, rng);
        }
    }
    let mut text = lines.join("\n");
    text.push('\n');
    text.into_bytes()
}

/// A line with something else for one of its words.
fn replaced(line: &str, scalar: &str, rng: &mut ChaCha8Rng) -> String {
    let is_end = |c: char| " ,:[]{}".contains(c);
    let words: Vec<&str> = line.split(is_end).filter(|word| !word.is_empty()).collect();
    match words.choose(rng) {
        Some(word) => line.replacen(word, scalar, 1),
        None => scalar.to_owned(),
    }
}
