//! Mutations of JSON that leave it JSON, mostly.

use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use crate::text::SCALARS;

/// Written in place of a marker once the rest is text: what no value can hold.
const RAW: [&str; 6] = [
    "1e999",
    "NaN",
    "-0",
    "1e-999",
    "1E+2",
    "123456789012345678901234567890",
];
const MARKER: &str = "\u{1}raw\u{1}";

/// Changes one thing.
pub(crate) fn mutate(input: Vec<u8>, rng: &mut ChaCha8Rng) -> Vec<u8> {
    let Ok(mut value) = serde_json::from_slice::<Value>(&input) else {
        return crate::text::mutate(input, rng);
    };
    let nodes = count(&value);
    let mut target = rng.random_range(0..nodes);
    let doubled = at(&mut value, &mut target).and_then(|node| change(node, rng));
    let raw = RAW.choose(rng).unwrap_or(&"0");
    let text = value.to_string();
    let text = text.replace(&Value::from(MARKER).to_string(), raw);
    match doubled {
        // A key that comes twice, the second time with nothing.
        Some(key) => {
            let key = Value::from(key).to_string();
            text.replacen(&format!("{key}:"), &format!("{key}:null,{key}:"), 1)
        }
        None => text,
    }
    .into_bytes()
}

fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(count).sum(),
        Value::Object(entries) => entries.values().map(count).sum(),
        _ => 0,
    }
}

/// The node of a number in the order of the text.
fn at<'v>(value: &'v mut Value, number: &mut usize) -> Option<&'v mut Value> {
    if *number == 0 {
        return Some(value);
    }
    *number -= 1;
    match value {
        Value::Array(items) => items.iter_mut().find_map(|item| at(item, number)),
        Value::Object(entries) => entries.values_mut().find_map(|entry| at(entry, number)),
        _ => None,
    }
}

/// Changes a node; gives the key that is to be doubled, if any.
fn change(node: &mut Value, rng: &mut ChaCha8Rng) -> Option<String> {
    match (rng.random_range(0..9), &mut *node) {
        (0, Value::Object(entries)) => {
            let key = entries
                .keys()
                .nth(rng.random_range(0..entries.len().max(1)))?;
            return Some(key.clone());
        }
        (1, Value::Object(entries)) => {
            let key = entries
                .keys()
                .nth(rng.random_range(0..entries.len().max(1)))?;
            let key = key.clone();
            entries.remove(&key);
        }
        (2, Value::Object(entries)) => {
            entries.insert("unheard-of".to_owned(), Value::Null);
        }
        (0 | 1, Value::Array(items)) => {
            let again = items.first()?.clone();
            items.extend(std::iter::repeat_n(again, *[1, 3000].choose(rng)?));
        }
        (2, Value::Array(items)) => items.clear(),
        (3, _) => {
            let depth = *[3, 100, 200].choose(rng)?;
            let inner = node.take();
            *node = (0..depth).fold(inner, |inner, _| json!([inner]));
        }
        (4, _) => *node = Value::from(MARKER),
        (5, Value::Number(number)) => {
            let number = number.as_f64().unwrap_or_default();
            let factor = *[-1.0, 0.0, 2.0, 1e9, 1e300].choose(rng)?;
            *node = json!(number * factor);
        }
        (5, Value::String(text)) => {
            text.push_str(&"\u{1b}\u{202e}\u{e9}".repeat(*[1, 5000].choose(rng)?));
        }
        (6, _) => *node = json!(*[0_i64, 1, -1, i64::MAX, i64::MIN, 1 << 32].choose(rng)?),
        (7, _) => *node = Value::Null,
        _ => *node = Value::from(*SCALARS.choose(rng)?),
    }
    None
}
