//! CLIP's kind of tokenizer, with merges learnt from our own captions.
//!
//! Lower-cased bytes, split as CLIP splits, byte-pair merges, `</w>` at the end of a word. Ids:
//! 256 bytes, 256 bytes that end a word, the merges in order, start, end; so that no text is
//! unknown and the end token has the highest id, as in CLIP.

use std::collections::HashMap;

use tokenizers::decoders::sequence::Sequence as Decoders;
use tokenizers::models::TrainerWrapper;
use tokenizers::models::bpe::{BPE, BpeTrainer, Vocab};
use tokenizers::normalizers::{Lowercase, NFC, Replace, Sequence, replace::ReplacePattern};
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::sequence::Sequence as PreTokenizers;
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
use tokenizers::processors::roberta::RobertaProcessing;
use tokenizers::{AddedToken, SplitDelimiterBehavior, Tokenizer};

use crate::caption::{NUMBERS, Voice, caption};
use crate::stream::stream;
use crate::world::Scene;

/// Opens every text.
pub(crate) const START: &str = "<start_of_text>";
/// Closes every text; its feature is the text's feature.
pub(crate) const END: &str = "<end_of_text>";

/// Merges that are learnt: enough for every common word to be one token and rare ones a few.
const MERGES: usize = 420;
/// Captions the merges are learnt from.
const CORPUS: u64 = 20_000;
const SEED: u64 = 0x70_6B_01;
const SUFFIX: &str = "</w>";
const WORDS: &str =
    r"<start_of_text>|<end_of_text>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+";

/// Learns the tokenizer; the same code gives the same file.
pub(crate) fn learn() -> tokenizers::Result<Tokenizer> {
    let voice = Voice {
        wrong: 0.0,
        exact: 0.3,
        missing: 0.0,
    };
    let captions = (0..CORPUS).map(|index| {
        let mut rng = stream(SEED, index);
        let scene = Scene::any(&mut rng);
        caption(&scene, voice, &mut rng)
    });
    let mut letters: Vec<char> = ByteLevel::alphabet().into_iter().collect();
    letters.sort_unstable();
    let numbers = NUMBERS.iter().map(|word| (*word).to_owned());
    let merges = merges(captions.chain(numbers), &letters)?;
    let plain = letters.iter().map(char::to_string);
    let last = letters.iter().map(|letter| format!("{letter}{SUFFIX}"));
    let merged = merges.iter().map(|(a, b)| format!("{a}{b}"));
    let specials = [START, END].map(str::to_owned);
    let tokens = plain.chain(last).chain(merged).chain(specials);
    let vocab: HashMap<String, u32> = tokens.zip(0..).collect();
    let id = |token: &str| vocab.get(token).copied().unwrap_or_default();
    let ends = [(START.to_owned(), id(START)), (END.to_owned(), id(END))];

    let bpe = BPE::builder()
        .vocab_and_merges(vocab.into_iter().collect::<Vocab>(), merges)
        .end_of_word_suffix(SUFFIX.to_owned())
        .build()?;
    let mut tokenizer = Tokenizer::new(bpe);
    with_text_rules(&mut tokenizer)?;
    tokenizer
        .add_special_tokens([START, END].map(|t| AddedToken::from(t, true).normalized(false)))?;
    let [start, end] = ends;
    tokenizer.with_post_processor(Some(
        RobertaProcessing::new(end, start)
            .trim_offsets(false)
            .add_prefix_space(false),
    ));
    // `Ġ` is how byte-level tokenizers spell a space.
    let space = Replace::new(ReplacePattern::String(SUFFIX.to_owned()), "Ġ")?;
    let bytes = ByteLevel::new(false, false, false);
    tokenizer.with_decoder(Some(Decoders::new(vec![space.into(), bytes.into()])));
    Ok(tokenizer)
}

fn with_text_rules(tokenizer: &mut Tokenizer) -> tokenizers::Result<()> {
    tokenizer.with_normalizer(Some(Sequence::new(vec![
        NFC.into(),
        Replace::new(ReplacePattern::Regex(r"\s+".to_owned()), " ")?.into(),
        Lowercase.into(),
    ])))?;
    let words = Split::new(
        SplitPattern::Regex(WORDS.to_owned()),
        SplitDelimiterBehavior::Removed,
        true,
    )?;
    let bytes = ByteLevel::new(false, false, false);
    tokenizer.with_pre_tokenizer(Some(PreTokenizers::new(vec![words.into(), bytes.into()])));
    Ok(())
}

/// The merges in the order they were learnt.
fn merges(
    corpus: impl Iterator<Item = String>,
    letters: &[char],
) -> tokenizers::Result<Vec<(String, String)>> {
    // The trainer breaks ties by token id, and gives ids to final letters as it meets them, in no
    // fixed order: naming them beforehand makes the result the same every time.
    let last = letters
        .iter()
        .map(|letter| AddedToken::from(format!("{letter}{SUFFIX}"), false));
    let trainer = BpeTrainer::builder()
        .vocab_size(2 * letters.len() + MERGES)
        .special_tokens(last.collect())
        .initial_alphabet(letters.iter().copied().collect())
        .end_of_word_suffix(SUFFIX.to_owned())
        .show_progress(false)
        .build();
    let bpe = BPE::builder()
        .end_of_word_suffix(SUFFIX.to_owned())
        .build()?;
    let mut tokenizer = Tokenizer::new(bpe);
    with_text_rules(&mut tokenizer)?;
    let corpus: Vec<String> = corpus.collect();
    tokenizer.train(&mut TrainerWrapper::BpeTrainer(trainer), corpus.into_iter())?;
    let json = serde_json::to_value(tokenizer.get_model())?;
    let pairs = json.get("merges").cloned().unwrap_or_default();
    Ok(serde_json::from_value(pairs)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn captions_come_back_from_their_ids() {
        let tokenizer = learn().expect("a tokenizer");
        for text in [
            "a photo of two red stars on blue .",
            "the number 7",
            "einbürgerung , xyzzy",
        ] {
            let ids = tokenizer.encode(text, true).expect("ids");
            let back = tokenizer.decode(ids.get_ids(), true).expect("text");
            assert_eq!(
                back.split_whitespace().collect::<Vec<_>>(),
                text.split(' ').collect::<Vec<_>>()
            );
        }
    }

    #[test]
    fn start_and_end_are_the_last_ids_and_common_words_one_token() {
        let tokenizer = learn().expect("a tokenizer");
        let size = tokenizer.get_vocab_size(true) as u32;
        assert_eq!(tokenizer.token_to_id(START), Some(size - 2));
        assert_eq!(tokenizer.token_to_id(END), Some(size - 1));
        for word in ["circle", "red", "striped", "photo"] {
            assert_eq!(
                tokenizer.encode(word, false).expect("ids").len(),
                1,
                "{word}"
            );
        }
        let ids = tokenizer.encode("Red", true).expect("ids");
        assert_eq!(ids.get_ids()[0], size - 2);
        assert_eq!(ids.get_ids()[2], size - 1);
    }

    #[test]
    fn learning_twice_gives_the_same_file() {
        let file = || learn().and_then(|t| t.to_string(false)).expect("json");
        assert_eq!(file(), file());
    }
}
