//! The checks that every method must pass.

mod bitfit {
    harness_sdk::conformance!(harness_plugin_bitfit::BitFit);
}

mod clipfit {
    harness_sdk::conformance!(harness_plugin_bitfit::ClipFit);
}
