//! Where cargo put the plugins: beside this test.

use std::path::PathBuf;

use harness_abi::wire::RecipeChanges;
use harness_host::plugin::LoadedPlugin;

/// The library of a package, built as part of the workspace.
pub(crate) fn library(package: &str) -> PathBuf {
    let exe = std::env::current_exe().unwrap();
    let folder = exe.parent().unwrap();
    let file = format!(
        "{}{}{}",
        std::env::consts::DLL_PREFIX,
        package.replace('-', "_"),
        std::env::consts::DLL_SUFFIX
    );
    let path = folder.join(file);
    assert!(
        path.exists(),
        "{} is not built; run the tests with `cargo test --workspace`",
        path.display()
    );
    path
}

pub(crate) fn plugin(package: &str) -> LoadedPlugin {
    LoadedPlugin::load(&library(package)).unwrap()
}

/// Changes to a recipe, as a suite states them.
pub(crate) fn recipe(changes: serde_json::Value) -> RecipeChanges {
    serde_json::from_value(changes).unwrap()
}
