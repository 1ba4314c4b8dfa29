//! A caption for a scene, as careless as its voice.

use rand::Rng;
use rand::seq::IndexedRandom;

use super::lexicon::{entries, plural};
use crate::world::{Attribute, Labels, Scene};

/// How captions are written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Voice {
    /// Chance that a mention names another value than the one drawn.
    pub(crate) wrong: f64,
    /// Chance that a mention uses the exact name instead of what is commonly said.
    pub(crate) exact: f64,
    /// Chance that a mention is left out, on top of what captions leave out anyway.
    pub(crate) missing: f64,
}

const FILLERS: [&str; 10] = [
    "for sale",
    "of the day",
    "seen today",
    "on my wall",
    "free to use",
    "from my collection",
    "which i like",
    "for the kids",
    "number 2",
    "in one minute",
];

const OPENINGS: [&str; 6] = ["", "here is", "look ,", "this is", "my", "new :"];

/// Writes one caption.
pub(crate) fn caption(scene: &Scene, voice: Voice, rng: &mut impl Rng) -> String {
    let words = Words {
        labels: &scene.labels,
        voice,
    };
    let mut parts = vec![(*OPENINGS.choose(rng).unwrap_or(&"")).to_owned()];
    if let Some(medium) = words.medium(rng) {
        parts.push(medium);
    }
    if scene.labels.get(Attribute::Digit).is_some() {
        parts.extend(words.digit(rng));
    } else {
        parts.extend(words.figures(rng));
    }
    if rng.random_bool(0.25) {
        parts.push((*FILLERS.choose(rng).unwrap_or(&"")).to_owned());
    }
    if rng.random_bool(0.5) {
        parts.push(".".to_owned());
    }
    parts.retain(|part| !part.is_empty());
    parts.join(" ")
}

struct Words<'a> {
    labels: &'a Labels,
    voice: Voice,
}

impl Words<'_> {
    /// A word for the attribute, if it is visible and gets mentioned.
    fn mention<R: Rng>(
        &self,
        attribute: Attribute,
        chance: f64,
        rng: &mut R,
    ) -> Option<&'static str> {
        let value = self.labels.get(attribute)?;
        if !rng.random_bool(chance) || rng.random_bool(self.voice.missing) {
            return None;
        }
        let all = entries(attribute);
        let value = if rng.random_bool(self.voice.wrong) {
            (value + rng.random_range(1..all.len())) % all.len()
        } else {
            value
        };
        let (name, said) = all[value];
        if rng.random_bool(self.voice.exact) {
            return Some(name);
        }
        let picked = said.choose_weighted(rng, |(_, weight)| *weight);
        Some(picked.map_or(name, |(word, _)| *word))
    }

    /// "a sketch of", sometimes nothing.
    fn medium(&self, rng: &mut impl Rng) -> Option<String> {
        let word = self.mention(Attribute::Style, 0.7, rng)?;
        let size = ["", "", "small", "nice"].choose(rng).copied().unwrap_or("");
        Some(match size {
            "" => format!("{} {word} of", article(word)),
            _ => format!("a {size} {word} of"),
        })
    }

    fn digit(&self, rng: &mut impl Rng) -> Vec<String> {
        let noun = [
            "the number",
            "the digit",
            "number",
            "a printed",
            "a",
            "the figure",
        ];
        let mut parts = vec![(*noun.choose(rng).unwrap_or(&"number")).to_owned()];
        match self.mention(Attribute::Digit, 0.9, rng) {
            Some(word) => parts.push(word.to_owned()),
            None => parts = vec!["a number".to_owned()],
        }
        if let Some(word) = self.mention(Attribute::Colour, 0.15, rng) {
            parts.push(format!("in {word}"));
        }
        parts.extend(self.background(0.2, rng));
        parts
    }

    fn figures(&self, rng: &mut impl Rng) -> Vec<String> {
        let many = self
            .labels
            .get(Attribute::Count)
            .is_some_and(|count| count > 0);
        let count = self.mention(Attribute::Count, 0.85, rng);
        let size = self.mention(Attribute::Size, 0.3, rng);
        let texture = self.mention(Attribute::Texture, 0.4, rng);
        let colour = self.mention(Attribute::Colour, 0.55, rng);
        let thing = ["thing", "object", "figure"]
            .choose(rng)
            .copied()
            .unwrap_or("thing");
        let noun = self.mention(Attribute::Shape, 0.65, rng).unwrap_or(thing);

        // Real captions often name two colours without saying what has which.
        let loose = rng.random_bool(0.12);
        let mut adjectives: Vec<&str> = [size, texture].into_iter().flatten().collect();
        adjectives.extend(colour.filter(|_| !loose));
        let noun = if many { plural(noun) } else { noun.to_owned() };
        let first = adjectives.first().copied().unwrap_or(&noun);
        let mut parts = vec![match count {
            Some("a") => article(first).to_owned(),
            Some(word) => word.to_owned(),
            None if many => "some".to_owned(),
            None => article(first).to_owned(),
        }];
        parts.extend(adjectives.iter().map(|word| (*word).to_owned()));
        parts.push(noun);
        match (loose, colour) {
            (true, Some(colour)) => {
                let other = self.mention(Attribute::Background, 0.6, rng);
                parts.push(match other {
                    Some(other) if rng.random_bool(0.5) => format!(", {other} and {colour}"),
                    Some(other) => format!(", {colour} and {other}"),
                    None => format!(", {colour}"),
                });
            }
            _ => parts.extend(self.background(0.35, rng)),
        }
        if let Some(word) = self.mention(Attribute::Position, 0.3, rng) {
            let place = ["at the", "in the", "on the", ","]
                .choose(rng)
                .copied()
                .unwrap_or("at the");
            parts.push(format!("{place} {word}"));
        }
        parts
    }

    fn background(&self, chance: f64, rng: &mut impl Rng) -> Option<String> {
        let word = self.mention(Attribute::Background, chance, rng)?;
        Some(match rng.random_range(0..4) {
            0 => format!("on {word}"),
            1 => format!("on {} {word} background", article(word)),
            2 => format!("with {} {word} background", article(word)),
            _ => format!("on {word} paper"),
        })
    }
}

fn article(word: &str) -> &'static str {
    if word.starts_with(['a', 'e', 'i', 'o', 'u']) {
        "an"
    } else {
        "a"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::caption::name;
    use crate::stream::stream;

    const FAITHFUL: Voice = Voice {
        wrong: 0.0,
        exact: 1.0,
        missing: 0.0,
    };

    /// Whole-word search.
    fn says(caption: &str, word: &str) -> bool {
        format!(" {caption} ").contains(&format!(" {word} "))
    }

    #[test]
    fn a_faithful_caption_names_only_what_is_drawn() {
        let mut named = 0;
        for index in 0..2_000 {
            let mut rng = stream(11, index);
            let scene = Scene::any(&mut rng);
            let caption = caption(&scene, FAITHFUL, &mut rng);
            for attribute in [Attribute::Shape, Attribute::Texture] {
                for value in 0..attribute.values() {
                    let word = name(attribute, value);
                    if says(&caption, word) || says(&caption, &plural(word)) {
                        assert_eq!(scene.labels.get(attribute), Some(value), "{caption}");
                        named += 1;
                    }
                }
            }
            for value in 0..Attribute::Colour.values() {
                let word = name(Attribute::Colour, value);
                if says(&caption.replace("grey photo", ""), word) {
                    let is = |a| scene.labels.get(a) == Some(value);
                    assert!(
                        is(Attribute::Colour) || is(Attribute::Background),
                        "{caption}"
                    );
                    named += 1;
                }
            }
        }
        assert!(named > 2_000, "captions named something only {named} times");
    }

    #[test]
    fn wrong_words_come_as_often_as_asked() {
        let voice = Voice {
            wrong: 0.3,
            exact: 1.0,
            missing: 0.0,
        };
        let (mut right, mut wrong) = (0, 0);
        for index in 0..6_000 {
            let mut rng = stream(12, index);
            let scene = Scene::any(&mut rng);
            let caption = caption(&scene, voice, &mut rng);
            for value in 0..Attribute::Texture.values() {
                if says(&caption, name(Attribute::Texture, value)) {
                    let is = scene.labels.get(Attribute::Texture) == Some(value);
                    *(if is { &mut right } else { &mut wrong }) += 1;
                }
            }
        }
        let share = f64::from(wrong) / f64::from(right + wrong);
        assert!(
            (share - 0.3).abs() < 0.04,
            "{share} of {} are wrong",
            right + wrong
        );
    }

    #[test]
    fn the_same_stream_writes_the_same_caption() {
        let write = |seed| {
            let mut rng = stream(seed, 4);
            let scene = Scene::any(&mut rng);
            caption(&scene, FAITHFUL, &mut rng)
        };
        assert_eq!(write(1), write(1));
    }
}
