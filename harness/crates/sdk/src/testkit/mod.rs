//! Conformance checks for a method, run by `cargo test` without any backbone.
//!
//! ```text
//! // tests/conformance.rs
//! harness_sdk::conformance!(my_plugin::MyMethod);
//! ```
//!
//! They call the method through the plugin boundary with a host whose towers have a few
//! hundred parameters, so that every check takes milliseconds.

mod bench;
mod checks;
mod host;
mod image_tower;
mod setting;
mod text_tower;
mod tower_parameters;
mod values;

pub use bench::Bench;
pub use checks::{
    classes_are_matched_by_id, damaged_modules_are_rejected, defaults_train, gradients_are_correct,
    module_round_trip, other_shapes_are_not_injectable, rows_out_of_range_are_rejected,
    seed_determines_module, sites_are_those_of_the_card, unknown_config_is_rejected,
};
pub use host::ToyHost;

/// Generates a test from every check for a method type.
#[macro_export]
macro_rules! conformance {
    ($method:ty) => {
        $crate::conformance!(@check $method:
            unknown_config_is_rejected, defaults_train, seed_determines_module,
            module_round_trip, damaged_modules_are_rejected, gradients_are_correct,
            other_shapes_are_not_injectable, classes_are_matched_by_id,
            rows_out_of_range_are_rejected, sites_are_those_of_the_card
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
