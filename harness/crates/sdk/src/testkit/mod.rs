//! Checks that a method author runs in `cargo test`, without any backbone.
//!
//! ```text
//! // tests/conformance.rs
//! harness_sdk::conformance!(my_plugin::MyMethod);
//! ```
//!
//! The method is driven through the traits of the boundary against a host whose
//! towers are toys of a few hundred numbers, so that every check takes
//! milliseconds.

mod checks;
mod toy_block;
mod toy_host;
mod toy_images;
mod toy_tower;

pub use checks::{
    class_sets_are_matched, damaged_modules_are_refused, defaults_train, gradients_are_right,
    module_round_trip, other_shapes_are_not_injectable, seed_decides, unknown_config_is_refused,
};
pub use toy_host::ToyHost;

/// Makes a test of every check for a method type.
#[macro_export]
macro_rules! conformance {
    ($method:ty) => {
        $crate::conformance!(@check $method:
            unknown_config_is_refused, defaults_train, seed_decides, module_round_trip,
            damaged_modules_are_refused, gradients_are_right, other_shapes_are_not_injectable,
            class_sets_are_matched
        );
    };
    (@check $method:ty: $($check:ident),+) => {
        $(
            #[test]
            fn $check() {
                $crate::testkit::$check::<$method>();
            }
        )+
    };
}
