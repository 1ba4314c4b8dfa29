#!/usr/bin/env bash
# What takes too long for every commit: a million mutated inputs a reader, a fault at every call, a
# thousand kills, and an hour of runs. CASES, KILLS and SOAK_SECONDS change how much.
set -euo pipefail
cd "$(dirname "$0")/../.."

cargo build --workspace
target/debug/harness-fuzz --cases "${CASES:-1000000}" --seed "$(date +%Y%m%d)"
HARNESS_FAULTS=all cargo test -p harness --test suite faults -- --nocapture
HARNESS_KILLS="${KILLS:-1000}" HARNESS_SOAK_SECONDS="${SOAK_SECONDS:-3600}" \
  cargo test -p harness --test suite kills -- --nocapture
