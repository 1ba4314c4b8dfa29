#!/usr/bin/env bash
# Builds a wheel: `pip install` of it gives the `harness` command with plugins, suites and
# bundled data. Needs maturin.
# usage: build_wheel.sh OUT [cargo profile, release by default]
set -euo pipefail
out=$(realpath -m "${1:?usage: build_wheel.sh OUT [PROFILE]}")
profile=${2:-release}
cd "$(dirname "$0")/../.."

cargo build --profile "$profile"
folder=$profile
[ "$profile" = dev ] && folder=debug
data=${CARGO_TARGET_DIR:-target}/wheel/harness.data
rm -rf "$data"
"${CARGO_TARGET_DIR:-target}/$folder/harness" self install --prefix "$data/data"
# maturin packs the program itself, as a script of the environment.
rm -r "$data/data/bin" "$data/data/share/harness/files.txt"
maturin build --manifest-path harness/Cargo.toml --profile "$profile" --out "$out"
