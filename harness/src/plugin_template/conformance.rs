//! What every method must satisfy, on a host with toy towers.

harness_sdk::conformance!(@CRATE@::@TYPE@);
