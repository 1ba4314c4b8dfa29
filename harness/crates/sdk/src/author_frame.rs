//! The author's own line in the backtrace of a candle error.

use candle_core::Error;

/// Crates between an author's code and the place where candle notices a mistake.
const OTHERS: [&str; 13] = [
    "abi_stable",
    "alloc",
    "backtrace",
    "candle_core",
    "candle_nn",
    "core",
    "gemm",
    "harness_abi",
    "harness_sdk",
    "rayon",
    "rayon_core",
    "std",
    "test",
];

/// An error without its backtrace, but with the innermost frame of the author's code. Workers
/// run with `RUST_LIB_BACKTRACE=1`, without which candle keeps no backtrace.
pub(crate) fn described(error: &Error) -> String {
    let (message, backtrace) = split(error);
    match backtrace.as_deref().and_then(author_frame) {
        Some(frame) => format!("{message} (at {frame})"),
        None => message,
    }
}

fn split(error: &Error) -> (String, Option<String>) {
    match error {
        Error::WithBacktrace { inner, backtrace } => {
            let (message, nested) = split(inner);
            (message, nested.or_else(|| Some(backtrace.to_string())))
        }
        Error::Context { inner, context } => {
            let (message, backtrace) = split(inner);
            (format!("{context}: {message}"), backtrace)
        }
        other => (other.to_string(), None),
    }
}

/// `src/lib.rs:42:9 in my_method::logits`, or the function alone without line tables.
fn author_frame(backtrace: &str) -> Option<String> {
    let mut lines = backtrace.lines().peekable();
    while let Some(line) = lines.next() {
        let Some((number, symbol)) = line.trim_start().split_once(": ") else {
            continue;
        };
        let is_frame = number.bytes().all(|byte| byte.is_ascii_digit());
        if !is_frame || !is_of_author(symbol) {
            continue;
        }
        let place = lines
            .peek()
            .and_then(|next| next.trim().strip_prefix("at "));
        return Some(match place {
            Some(place) => format!("{} in {symbol}", place.trim_start_matches("./")),
            None => symbol.to_owned(),
        });
    }
    None
}

/// Whether a symbol such as `<my_method::Lasp as harness_sdk::Method>::logits` begins with a
/// crate that is none of [`OTHERS`].
fn is_of_author(symbol: &str) -> bool {
    let symbol = symbol.trim_start_matches(['<', '&', '[', '(']);
    let Some((name, _)) = symbol.split_once("::") else {
        return false;
    };
    let is_name = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    is_name && !name.starts_with("__") && !OTHERS.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BACKTRACE: &str = "   0: candle_core::error::Error::bt
             at /registry/candle-core/src/error.rs:264:25
   1: candle_core::tensor::Tensor::matmul
   2: core::ops::function::FnOnce::call_once
   3: <my_method::Lasp as harness_sdk::method::definition::Method>::logits
             at ./src/lib.rs:42:9
   4: harness_sdk::method::forward::forward";

    #[test]
    fn the_innermost_frame_that_is_not_a_librarys_is_the_authors() {
        assert_eq!(
            author_frame(BACKTRACE).as_deref(),
            Some(
                "src/lib.rs:42:9 in \
                 <my_method::Lasp as harness_sdk::method::definition::Method>::logits"
            )
        );
        assert_eq!(author_frame("   0: std::rt::begin\n   1: main"), None);
    }

    #[test]
    fn a_message_has_no_backtrace_in_it() {
        let error = Error::Msg("shapes differ".into())
            .context("in a layer")
            .bt();
        let described = described(&error);
        assert!(described.starts_with("in a layer: shapes differ"));
        assert_eq!(described.lines().count(), 1, "{described}");
    }
}
