//! The checks that every method must pass.

mod vpt {
    harness_sdk::conformance!(harness_plugin_deep_prompts::Vpt);
}

mod ivlp {
    harness_sdk::conformance!(harness_plugin_deep_prompts::Ivlp);
}
