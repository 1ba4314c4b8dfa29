//! The words for every value of every attribute.
//!
//! A value has one exact name and a list of what people actually say, with how often. The lists
//! overlap as in real captions: turquoise is mostly called blue, a pentagon a polygon, four things
//! "several". Few-shot tuning has something to learn because the exact name may be a rare word.

use crate::world::Attribute;

/// Exact name, and `(word, weight)` of what is said.
type Entry = (&'static str, &'static [(&'static str, u32)]);

const SHAPES: [Entry; 12] = [
    ("circle", &[("circle", 4), ("disc", 1), ("ball", 2)]),
    (
        "oval",
        &[("oval", 2), ("ellipse", 1), ("circle", 2), ("egg", 1)],
    ),
    ("square", &[("square", 4), ("box", 2), ("block", 1)]),
    ("triangle", &[("triangle", 5), ("wedge", 1)]),
    ("diamond", &[("diamond", 2), ("rhombus", 1), ("square", 2)]),
    ("pentagon", &[("pentagon", 1), ("polygon", 3), ("block", 1)]),
    ("hexagon", &[("hexagon", 1), ("polygon", 3), ("tile", 1)]),
    ("star", &[("star", 5), ("spark", 1)]),
    ("heart", &[("heart", 5), ("love", 1)]),
    ("cross", &[("cross", 3), ("plus", 2)]),
    ("ring", &[("ring", 2), ("circle", 2), ("hoop", 1)]),
    ("crescent", &[("crescent", 1), ("moon", 4)]),
];

const COLOURS: [Entry; 12] = [
    ("red", &[("red", 5), ("crimson", 1)]),
    ("orange", &[("orange", 3), ("amber", 1), ("red", 1)]),
    ("yellow", &[("yellow", 4), ("golden", 2)]),
    ("green", &[("green", 5), ("emerald", 1)]),
    ("turquoise", &[("turquoise", 1), ("cyan", 1), ("blue", 3)]),
    ("blue", &[("blue", 5), ("navy", 1)]),
    ("purple", &[("purple", 3), ("violet", 2)]),
    ("pink", &[("pink", 4), ("rose", 1), ("red", 1)]),
    ("brown", &[("brown", 3), ("dark", 2)]),
    ("white", &[("white", 3), ("pale", 1), ("bright", 2)]),
    ("grey", &[("grey", 3), ("pale", 1), ("dark", 1)]),
    ("black", &[("black", 3), ("dark", 2)]),
];

const TEXTURES: [Entry; 10] = [
    ("plain", &[("plain", 3), ("solid", 2), ("simple", 1)]),
    ("banded", &[("banded", 1), ("striped", 4), ("layered", 1)]),
    ("barred", &[("barred", 1), ("striped", 4), ("ribbed", 1)]),
    (
        "diagonal",
        &[("diagonal", 1), ("striped", 3), ("slanted", 1)],
    ),
    (
        "checked",
        &[("checked", 3), ("chequered", 2), ("patterned", 1)],
    ),
    ("dotted", &[("dotted", 2), ("spotted", 2), ("patterned", 1)]),
    ("zigzag", &[("zigzag", 2), ("wavy", 2), ("striped", 1)]),
    (
        "concentric",
        &[("concentric", 1), ("ringed", 2), ("target", 1)],
    ),
    ("gridded", &[("gridded", 1), ("netted", 1), ("checked", 2)]),
    ("speckled", &[("speckled", 1), ("rough", 2), ("spotted", 2)]),
];

const COUNTS: [Entry; 6] = [
    ("one", &[("a", 6), ("one", 2), ("single", 1)]),
    ("two", &[("two", 3), ("2", 1), ("a pair of", 2)]),
    ("three", &[("three", 2), ("3", 1), ("a few", 2)]),
    (
        "four",
        &[("four", 2), ("4", 1), ("a few", 1), ("several", 2)],
    ),
    (
        "five",
        &[("five", 2), ("5", 1), ("several", 2), ("many", 1)],
    ),
    ("six", &[("six", 2), ("6", 1), ("many", 3), ("lots of", 1)]),
];

const POSITIONS: [Entry; 9] = [
    (
        "top left",
        &[
            ("top left", 2),
            ("upper left", 1),
            ("left", 2),
            ("corner", 2),
        ],
    ),
    ("top", &[("top", 3), ("upper side", 1), ("edge", 1)]),
    (
        "top right",
        &[
            ("top right", 2),
            ("upper right", 1),
            ("right", 2),
            ("corner", 2),
        ],
    ),
    ("left", &[("left", 3), ("left side", 2), ("edge", 1)]),
    ("centre", &[("centre", 3), ("middle", 3)]),
    ("right", &[("right", 3), ("right side", 2), ("edge", 1)]),
    (
        "bottom left",
        &[
            ("bottom left", 2),
            ("lower left", 1),
            ("bottom", 2),
            ("corner", 2),
        ],
    ),
    ("bottom", &[("bottom", 3), ("lower side", 1), ("edge", 1)]),
    (
        "bottom right",
        &[
            ("bottom right", 2),
            ("lower right", 1),
            ("bottom", 2),
            ("corner", 2),
        ],
    ),
];

const SIZES: [Entry; 3] = [
    ("small", &[("small", 3), ("little", 2), ("tiny", 1)]),
    ("medium", &[("medium", 1), ("normal", 1)]),
    ("large", &[("large", 2), ("big", 3), ("huge", 1)]),
];

const STYLES: [Entry; 6] = [
    ("photo", &[("photo", 3), ("picture", 4), ("image", 3)]),
    (
        "outline",
        &[("outline", 2), ("sketch", 2), ("line drawing", 1)],
    ),
    ("negative", &[("negative", 3), ("inverted picture", 1)]),
    (
        "noisy photo",
        &[("noisy photo", 2), ("grainy photo", 2), ("bad photo", 1)],
    ),
    (
        "blurred photo",
        &[("blurred photo", 2), ("blurry photo", 3), ("bad photo", 1)],
    ),
    (
        "grey photo",
        &[
            ("grey photo", 1),
            ("black and white photo", 2),
            ("old photo", 2),
        ],
    ),
];

/// Names of the digits; captions use them for how many things there are, too.
pub(crate) const NUMBERS: [&str; 10] = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine",
];

const DIGITS: [Entry; 10] = [
    ("zero", &[("zero", 1), ("0", 3), ("nil", 1)]),
    ("one", &[("one", 1), ("1", 3)]),
    ("two", &[("two", 1), ("2", 3)]),
    ("three", &[("three", 1), ("3", 3)]),
    ("four", &[("four", 1), ("4", 3)]),
    ("five", &[("five", 1), ("5", 3)]),
    ("six", &[("six", 1), ("6", 3)]),
    ("seven", &[("seven", 1), ("7", 3)]),
    ("eight", &[("eight", 1), ("8", 3)]),
    ("nine", &[("nine", 1), ("9", 3)]),
];

/// The entries of an attribute, one for each value.
pub(super) fn entries(attribute: Attribute) -> &'static [Entry] {
    match attribute {
        Attribute::Shape => &SHAPES,
        Attribute::Colour | Attribute::Background => &COLOURS,
        Attribute::Texture => &TEXTURES,
        Attribute::Count => &COUNTS,
        Attribute::Position => &POSITIONS,
        Attribute::Size => &SIZES,
        Attribute::Style => &STYLES,
        Attribute::Digit => &DIGITS,
    }
}

/// The exact name of a value, which data sets use for their classes.
pub(crate) fn name(attribute: Attribute, value: usize) -> &'static str {
    entries(attribute)[value].0
}

/// More than one of a shape.
pub(super) fn plural(noun: &str) -> String {
    let sibilant = ["x", "s", "sh", "ch"].iter().any(|end| noun.ends_with(end));
    format!("{noun}{}", if sibilant { "es" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_has_a_name_that_is_also_said() {
        for attribute in Attribute::ALL {
            assert_eq!(entries(attribute).len(), attribute.values());
            for (name, said) in entries(attribute) {
                let known = said
                    .iter()
                    .any(|(word, weight)| word == name && *weight > 0);
                assert!(known, "{name} is never said");
            }
        }
    }

    #[test]
    fn names_differ_within_an_attribute() {
        for attribute in Attribute::ALL {
            let mut names: Vec<_> = entries(attribute).iter().map(|e| e.0).collect();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), attribute.values());
        }
    }

    #[test]
    fn plurals_are_english() {
        assert_eq!(plural("box"), "boxes");
        assert_eq!(plural("cross"), "crosses");
        assert_eq!(plural("star"), "stars");
    }
}
