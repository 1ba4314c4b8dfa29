//! The list of drawn data sets.

use crate::caption::name;
use crate::world::{Attribute, Style, Wish};

/// What the classes of a data set tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Question {
    One(Attribute),
    /// A colour and a shape, each from a few.
    ColourAndShape,
}

/// Colours and shapes of [`Question::ColourAndShape`].
const PAIRED_COLOURS: [usize; 6] = [0, 2, 4, 5, 7, 8];
const PAIRED_SHAPES: [usize; 6] = [0, 1, 4, 7, 9, 11];

/// A drawn data set.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Definition {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) template: &'static str,
    pub(crate) question: Question,
    pub(crate) style: Style,
    /// The data set whose classes this one shows in another style; it has a test split alone.
    pub(crate) shift_of: Option<&'static str>,
    /// Pictures per class for training.
    pub(crate) train: usize,
    pub(crate) seed: u64,
}

const fn plain(
    name: &'static str,
    title: &'static str,
    template: &'static str,
    question: Question,
    seed: u64,
) -> Definition {
    let (style, shift_of, train) = (Style::Photo, None, 64);
    Definition {
        name,
        title,
        template,
        question,
        style,
        shift_of,
        train,
        seed,
    }
}

const fn shifted(
    of: Definition,
    name: &'static str,
    title: &'static str,
    style: Style,
    seed: u64,
) -> Definition {
    Definition {
        name,
        title,
        style,
        shift_of: Some(of.name),
        train: 0,
        seed,
        ..of
    }
}

const SHAPES: Definition = plain(
    "shapes",
    "Which of twelve shapes",
    "a picture of a {} .",
    Question::One(Attribute::Shape),
    101,
);
const TEXTURES: Definition = plain(
    "textures",
    "How a shape is filled",
    "a picture of a {} thing .",
    Question::One(Attribute::Texture),
    102,
);
const COLOURS: Definition = plain(
    "object-colours",
    "Which colour the shapes have, on a background of another",
    "a {} picture .",
    Question::One(Attribute::Colour),
    103,
);

/// Every drawn data set, in the order of tables.
pub(crate) const DEFINITIONS: [Definition; 10] = [
    SHAPES,
    TEXTURES,
    COLOURS,
    plain(
        "background-colours",
        "Which colour lies behind the shapes",
        "a {} picture .",
        Question::One(Attribute::Background),
        104,
    ),
    plain(
        "counting",
        "How many shapes, one to six",
        "a picture of {} .",
        Question::One(Attribute::Count),
        105,
    ),
    plain(
        "positions",
        "Where in the picture a shape lies",
        "a picture , {} .",
        Question::One(Attribute::Position),
        106,
    ),
    Definition {
        train: 32,
        ..plain(
            "coloured-shapes",
            "Which of six shapes in which of six colours",
            "a picture of a {} .",
            Question::ColourAndShape,
            107,
        )
    },
    shifted(
        SHAPES,
        "shapes-outline",
        "The shapes as line drawings",
        Style::Outline,
        108,
    ),
    shifted(
        TEXTURES,
        "textures-negative",
        "The textures as negatives",
        Style::Negative,
        109,
    ),
    shifted(
        COLOURS,
        "object-colours-blurred",
        "The colours, out of focus",
        Style::Blurred,
        110,
    ),
];

impl Definition {
    pub(crate) fn class_count(&self) -> usize {
        match self.question {
            Question::One(attribute) => attribute.values(),
            Question::ColourAndShape => PAIRED_COLOURS.len() * PAIRED_SHAPES.len(),
        }
    }

    pub(crate) fn class_name(&self, class: usize) -> String {
        match self.question {
            Question::One(attribute) => name(attribute, class).to_owned(),
            Question::ColourAndShape => {
                let (colour, shape) = pair(class);
                let colour = name(Attribute::Colour, colour);
                format!("{colour} {}", name(Attribute::Shape, shape))
            }
        }
    }

    /// What a picture of the class must show.
    pub(crate) fn wish(&self, class: usize) -> Wish {
        let base = Wish {
            style: Some(self.style),
            ..Wish::default()
        };
        match self.question {
            Question::One(Attribute::Shape) => Wish {
                shape: Some(class),
                count: Some(0),
                ..base
            },
            Question::One(Attribute::Texture) => Wish {
                texture: Some(class),
                size: Some(2),
                ..base
            },
            Question::One(Attribute::Colour) => Wish {
                colour: Some(class),
                ..base
            },
            Question::One(Attribute::Background) => Wish {
                background: Some(class),
                ..base
            },
            Question::One(Attribute::Count) => Wish {
                count: Some(class),
                ..base
            },
            Question::One(Attribute::Position) => Wish {
                position: Some(class),
                ..base
            },
            Question::One(Attribute::Size) => Wish {
                size: Some(class),
                ..base
            },
            Question::One(Attribute::Style | Attribute::Digit) => base,
            Question::ColourAndShape => {
                let (colour, shape) = pair(class);
                Wish {
                    colour: Some(colour),
                    shape: Some(shape),
                    count: Some(0),
                    ..base
                }
            }
        }
    }
}

fn pair(class: usize) -> (usize, usize) {
    let shapes = PAIRED_SHAPES.len();
    (
        PAIRED_COLOURS[class / shapes],
        PAIRED_SHAPES[class % shapes],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_have_names_of_their_own() {
        for definition in DEFINITIONS {
            let mut names: Vec<String> = (0..definition.class_count())
                .map(|c| definition.class_name(c))
                .collect();
            names.sort();
            names.dedup();
            assert_eq!(names.len(), definition.class_count(), "{}", definition.name);
        }
    }

    #[test]
    fn a_shifted_data_set_asks_what_its_original_asks() {
        for shifted in DEFINITIONS.iter().filter(|d| d.shift_of.is_some()) {
            let original = DEFINITIONS
                .iter()
                .find(|d| Some(d.name) == shifted.shift_of);
            let original = original.expect("the original is in the list");
            assert_eq!(original.question, shifted.question);
            assert_ne!(original.style, shifted.style);
        }
    }
}
