//! CLIP's own tokenizer against open_clip's.

use harness_backbone::Tokenizer;
use serde::Deserialize;

use crate::common::golden;

#[derive(Deserialize)]
struct Case {
    text: String,
    ids: Vec<u32>,
}

fn cases() -> Vec<Case> {
    let path = golden().join("io/tokenizer.json");
    serde_json::from_slice(&fs_err::read(path).unwrap()).unwrap()
}

#[test]
fn golden_token_ids_of_every_text() {
    let tokenizer = Tokenizer::clip().unwrap();
    let cases = cases();
    assert!(cases.len() > 100);
    for Case { text, ids } in cases {
        let mut found = tokenizer.prompt(&text, ids.len()).unwrap();
        assert!(found.len() <= ids.len());
        found.resize(ids.len(), 0);
        assert_eq!(found, ids, "{text:?}");
    }
}

#[test]
fn a_long_text_is_cut_and_keeps_its_end() {
    let tokenizer = Tokenizer::clip().unwrap();
    let ids = tokenizer.prompt(&"word ".repeat(200), 77).unwrap();
    assert_eq!(ids.len(), 77);
    assert_eq!((ids[0], ids[76]), (tokenizer.sot(), tokenizer.eot()));
    assert_eq!(tokenizer.vocab_size(), 49408);
}

#[test]
fn a_text_that_spells_a_special_token_is_refused() {
    let tokenizer = Tokenizer::clip().unwrap();
    for text in ["a <start_of_text>", "<END_OF_TEXT>", "&lt;end_of_text&gt;"] {
        let message = tokenizer.encode(text).unwrap_err().to_string();
        assert!(message.contains("start or end token"), "{message}");
    }
}

#[test]
fn broken_texts_read_as_the_texts_they_were() {
    let tokenizer = Tokenizer::clip().unwrap();
    let ids = |text: &str| tokenizer.encode(text).unwrap();
    for (broken, whole) in [
        ("cafÃ©", "café"),
        ("crÃ¨me brÃ»lÃ©e", "crème brûlée"),
        ("schÃƒÂ¶n", "schön"),
        ("â€œquotedâ€\u{9d}", "\"quoted\""),
        ("itâ€™s", "it's"),
        ("ＷＩＤＥ\u{3000}text", "wide text"),
        ("ﬂuﬃeﬆ", "fluffiest"),
        ("a\u{301}", "á"),
        ("\u{1b}[31mred\u{1b}[0m", "red"),
        ("zero\u{feff}width\u{0}", "zerowidth"),
        ("P&eacute;rez &amp;amp; co", "Pérez & co"),
        ("this&not that", "this¬ that"),
    ] {
        assert_eq!(ids(broken), ids(whole), "{broken:?}");
    }
    // Proper texts that only look a little odd stay what they are.
    for text in [
        "Ångström",
        "naïve façade",
        "ÀÉÎÕÜ",
        "50 % ± 2 °C",
        "São Tomé",
    ] {
        assert_eq!(ids(text), ids(&text.to_lowercase()), "{text:?}");
    }
}
