//! Panics become error values before they reach the boundary.
//!
//! A panic that reaches a function of the boundary would end the process there
//! and then, whichever side it came from.

use std::{
    any::Any,
    cell::RefCell,
    panic::{self, AssertUnwindSafe},
    sync::Once,
};

use abi_stable::std_types::RResult;

use crate::{AbiError, ErrorKind};

thread_local! {
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Runs an entry of `side` ("the plugin", say) and returns its panic as an error.
pub fn guarded<T, E: Into<AbiError>>(
    side: &str,
    entry: impl FnOnce() -> Result<T, E>,
) -> RResult<T, AbiError> {
    static HOOK: Once = Once::new();
    HOOK.call_once(note_places);
    // What the entry touched is dropped, or behind a lock that a panic poisons.
    match panic::catch_unwind(AssertUnwindSafe(entry)) {
        Ok(Ok(value)) => RResult::ROk(value),
        Ok(Err(error)) => RResult::RErr(error.into()),
        Err(payload) => RResult::RErr(panicked(side, payload)),
    }
}

/// Keeps the place of a panic. A plugin has its own copy of std, so each side has
/// its own hook.
fn note_places() {
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        let place = info.location().map(ToString::to_string);
        PLACE.with_borrow_mut(|p| *p = place);
        before(info);
    }));
}

fn panicked(side: &str, payload: Box<dyn Any + Send>) -> AbiError {
    let message = match payload.downcast_ref::<&str>() {
        Some(text) => (*text).to_owned(),
        None => payload
            .downcast_ref::<String>()
            .cloned()
            .unwrap_or_else(|| "a value that is not text".to_owned()),
    };
    let place = PLACE
        .with_borrow_mut(Option::take)
        .map_or_else(String::new, |place| format!(" at {place}"));
    // A payload whose own drop panics must not get out either.
    std::mem::forget(payload);
    AbiError::new(
        ErrorKind::Panicked,
        format!("{side} panicked: {message}{place}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error_with_its_place() {
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
