//! The checks that every method must pass.

mod training_free {
    harness_sdk::conformance!(harness_plugin_tip_adapter::TipAdapter);
}

mod fine_tuned {
    harness_sdk::conformance!(harness_plugin_tip_adapter::TipAdapterF);
}
