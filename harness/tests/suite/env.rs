//! A folder to run the program in, and the environment that it sees there.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// Variables that would let the machine that tests change what the program does.
const VARIABLES: [&str; 13] = [
    "GITHUB_ACTIONS",
    "GITHUB_STEP_SUMMARY",
    "HARNESS_BACKBONES",
    "HARNESS_DATA",
    "HARNESS_EMBEDDED",
    "HARNESS_MIRROR",
    "HARNESS_PYTHON",
    "HARNESS_STORE",
    "HF_ENDPOINT",
    "HF_HUB_CACHE",
    "HF_HUB_OFFLINE",
    "HF_TOKEN",
    "VIRTUAL_ENV",
];

/// The repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

/// The embedded backbones and data sets.
pub(crate) fn embedded() -> PathBuf {
    root().join("suites/embedded")
}

/// Where cargo puts the libraries of the workspace.
pub(crate) fn libraries() -> PathBuf {
    let executable = std::env::current_exe().unwrap();
    executable.parent().unwrap().to_owned()
}

/// A library of the workspace, such as `harness_plugin_coop`.
pub(crate) fn library(name: &str) -> PathBuf {
    let (prefix, suffix) = (std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    let path = libraries().join(format!("{prefix}{name}{suffix}"));
    assert!(
        path.exists(),
        "{} is not built; run the tests with `cargo test --workspace`",
        path.display()
    );
    path
}

/// The harness's own plugins, as a search path: cargo's folder also holds those for tests.
pub(crate) fn plugins() -> OsString {
    let prefix = format!("{}harness_plugin_", std::env::consts::DLL_PREFIX);
    let entries = std::fs::read_dir(libraries()).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path()).filter(|path| {
        let name = path.file_name().and_then(|name| name.to_str());
        let is_library = |name: &str| name.ends_with(std::env::consts::DLL_SUFFIX);
        name.is_some_and(|name| name.starts_with(&prefix) && is_library(name))
    });
    std::env::join_paths(paths).unwrap()
}

pub(crate) struct TestEnv {
    pub(crate) folder: TempDir,
    has_plugins: bool,
}

impl TestEnv {
    /// An empty folder, with the plugins and the embedded data of the checkout.
    pub(crate) fn new() -> Self {
        // Libraries beside the executable may be of an older build.
        for name in ["coop", "kgcoop", "contcoop"] {
            library(&format!("harness_plugin_{name}"));
        }
        Self {
            folder: tempfile::tempdir().unwrap(),
            has_plugins: true,
        }
    }

    /// A folder with backbones and a data set that nobody reads, and no plugins named.
    pub(crate) fn without_plugins() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for path in [
            "backbones/micro-clip",
            "backbones/micro-eva-clip",
            "datasets/shapes",
        ] {
            std::fs::create_dir_all(folder.path().join("embedded").join(path)).unwrap();
        }
        Self {
            folder,
            has_plugins: false,
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file, and the folders above it.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    /// `program` in the folder.
    pub(crate) fn program(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command.current_dir(self.folder.path()).env("NO_COLOR", "1");
        for variable in VARIABLES {
            command.env_remove(variable);
        }
        match self.has_plugins {
            true => command
                .env("HARNESS_EMBEDDED", embedded())
                .env("HARNESS_PLUGIN_PATH", plugins())
                .env("HF_HUB_CACHE", self.path("hub")),
            false => command.env("HARNESS_PLUGIN_PATH", ""),
        };
        command
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.program(env!("CARGO_BIN_EXE_harness"));
        command.args(arguments);
        command
    }

    /// Runs without a network.
    pub(crate) fn harness(&self, arguments: &[&str]) -> Output {
        let mut command = self.command(arguments);
        command.env("HF_HUB_OFFLINE", "1").output().unwrap()
    }
}
