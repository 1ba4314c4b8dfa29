//! Turns panics into errors before they reach the boundary, where they would abort the
//! process.

use std::{
    any::Any,
    cell::RefCell,
    panic::{self, AssertUnwindSafe},
    sync::Once,
};

use abi_stable::std_types::RResult;

use crate::{AbiError, ErrorKind};

thread_local! {
    static PANIC_LOCATION: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Runs `entry`, a function that the other side calls, and returns a panic as an error.
/// `side` ("the plugin") begins the message.
///
/// # Errors
/// The error of `entry`, or one of kind [`ErrorKind::Panicked`].
pub fn guarded<T, E: Into<AbiError>>(
    side: &str,
    entry: impl FnOnce() -> Result<T, E>,
) -> RResult<T, AbiError> {
    static HOOK: Once = Once::new();
    HOOK.call_once(record_locations);
    // Unwind safe: what the entry used is dropped or behind a lock that a panic poisons.
    match panic::catch_unwind(AssertUnwindSafe(entry)) {
        Ok(Ok(value)) => RResult::ROk(value),
        Ok(Err(error)) => RResult::RErr(error.into()),
        Err(payload) => RResult::RErr(panicked(side, payload)),
    }
}

/// Keeps the location of the last panic. A plugin has its own copy of std, so each side
/// has its own hook.
fn record_locations() {
    let previous = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        let location = info.location().map(ToString::to_string);
        PANIC_LOCATION.with_borrow_mut(|last| *last = location);
        previous(info);
    }));
}

fn panicked(side: &str, payload: Box<dyn Any + Send>) -> AbiError {
    let message = match payload.downcast_ref::<&str>() {
        Some(text) => (*text).to_owned(),
        None => payload
            .downcast_ref::<String>()
            .cloned()
            .unwrap_or_else(|| "a payload that is not a string".to_owned()),
    };
    let location = PANIC_LOCATION
        .with_borrow_mut(Option::take)
        .map_or_else(String::new, |location| format!(" at {location}"));
    // Dropping the payload could panic again.
    std::mem::forget(payload);
    AbiError::new(
        ErrorKind::Panicked,
        format!("{side} panicked: {message}{location}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error_with_its_location() {
        let result: RResult<(), _> = guarded("the plugin", || -> Result<(), AbiError> {
            panic!("index {} out of bounds", 7)
        });
        let error = result.into_result().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Panicked);
        assert!(
            error
                .message()
                .starts_with("the plugin panicked: index 7 out of bounds")
        );
        assert!(error.message().contains("guard.rs:"), "{error}");
    }

    #[test]
    fn errors_keep_their_kind() {
        let refuse = || Err(AbiError::new(ErrorKind::NotInjectable, "too wide"));
        let result: RResult<(), _> = guarded("the plugin", refuse);
        let error = result.into_result().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotInjectable);
        assert_eq!(error.message(), "too wide");
    }
}
