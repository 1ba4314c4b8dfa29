//! The checks that every method must pass.

harness_sdk::conformance!(harness_plugin_proda::Proda);
