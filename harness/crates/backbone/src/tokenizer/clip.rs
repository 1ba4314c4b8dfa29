//! CLIP's byte-pair encoding, built from the merges that OpenAI published.

use std::io::Read;
use std::sync::OnceLock;

use flate2::read::GzDecoder;
use tokenizers::models::bpe::{BPE, Merges, Vocab};
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
use tokenizers::{PreTokenizerWrapper, SplitDelimiterBehavior, Tokenizer};

use crate::error::{BackboneError, Result};

/// Tokens of CLIP's vocabulary: 256 bytes, each also at the end of a word, the merges, start and end.
pub(super) const VOCABULARY: usize = 49408;
/// Ids of the start and end token.
pub(super) const START_AND_END: (u32, u32) = (49406, 49407);
/// Merges that are used; the file has more.
const MERGES: usize = VOCABULARY - 2 * 256 - 2;
/// OpenAI's file, see `assets/README.md`.
const FILE: &[u8] = include_bytes!("../../assets/bpe_simple_vocab_16e6.txt.gz");
/// Words, single digits and runs of everything else; white space between them is dropped.
const WORDS: &str = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+";
/// Suffix of the last piece of a word.
const END_OF_WORD: &str = "</w>";

/// The encoding without start and end token, for text that is already cleaned. Built once.
pub(super) fn tokenizer() -> Result<&'static Tokenizer> {
    static BUILT: OnceLock<Tokenizer> = OnceLock::new();
    if let Some(built) = BUILT.get() {
        return Ok(built);
    }
    let built = build()
        .map_err(|error| BackboneError::Tokenizer(format!("the embedded merges: {error}")))?;
    Ok(BUILT.get_or_init(|| built))
}

fn build() -> tokenizers::Result<Tokenizer> {
    let mut text = String::new();
    GzDecoder::new(FILE).read_to_string(&mut text)?;
    // The first line is a version.
    let lines = text.lines().skip(1).take(MERGES);
    let merges = lines.map(|line| match line.split_once(' ') {
        Some((left, right)) => Ok((left.to_owned(), right.to_owned())),
        None => Err(format!("expected two pieces, found {line:?}").into()),
    });
    let merges = merges.collect::<tokenizers::Result<Merges>>()?;
    let bytes = byte_characters();
    let alone = bytes.iter().map(char::to_string);
    let last = bytes.iter().map(|c| format!("{c}{END_OF_WORD}"));
    let merged = merges.iter().map(|(left, right)| format!("{left}{right}"));
    let vocabulary: Vocab = alone.chain(last).chain(merged).zip(0..).collect();
    let model = BPE::builder()
        .vocab_and_merges(vocabulary, merges)
        .end_of_word_suffix(END_OF_WORD.to_owned())
        .build()?;
    let mut tokenizer = Tokenizer::new(model);
    let words = Split::new(
        SplitPattern::Regex(WORDS.to_owned()),
        SplitDelimiterBehavior::Removed,
        true,
    )?;
    let bytes = ByteLevel::default()
        .add_prefix_space(false)
        .use_regex(false);
    tokenizer.with_pre_tokenizer(Some(Sequence::new(vec![
        PreTokenizerWrapper::Split(words),
        PreTokenizerWrapper::ByteLevel(bytes),
    ])));
    Ok(tokenizer)
}

/// The characters that stand for bytes, in the order of their ids: printable bytes stand for
/// themselves and come first, the others are moved beyond the first 256 characters.
fn byte_characters() -> Vec<char> {
    let printable = || (b'!'..=b'~').chain(0xa1..=0xac).chain(0xae..=0xff);
    let moved = (0..=255u8).filter(|byte| printable().all(|other| other != *byte));
    let moved = moved
        .zip(256u32..)
        .filter_map(|(_, code)| char::from_u32(code));
    printable().map(char::from).chain(moved).collect()
}
