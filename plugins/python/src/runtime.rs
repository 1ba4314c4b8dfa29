//! The runtime that the child runs: the package in `harness/python`, part of this library so that
//! both sides of the protocol always agree and nothing has to be installed.

/// Receives the package's sources and starts it. Old versions of Python must be able to read it.
pub(crate) const BOOTSTRAP: &str = include_str!("bootstrap.py");

macro_rules! modules {
    ($($name:literal),+ $(,)?) => {
        /// Each module with its source.
        const MODULES: &[(&str, &str)] = &[$((
            $name,
            include_str!(concat!("../../../harness/python/src/harness_sdk/", $name, ".py")),
        )),+];
    };
}

modules!(
    "__init__",
    "_child",
    "_frames",
    "_imports",
    "_torch_runner",
    "_training",
    "bench",
    "card",
    "config",
    "conformance",
    "errors",
    "host",
    "method",
    "numpy",
    "parameter",
    "prompts",
    "recipe",
    "setting",
    "torch",
);

/// The package as a line of JSON.
pub(crate) fn sources() -> String {
    let modules = MODULES.iter();
    let modules = modules.map(|(name, source)| ((*name).to_owned(), (*source).into()));
    let all = serde_json::Value::Object(modules.collect());
    format!("{all}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_module_of_the_package_is_part_of_the_runtime() {
        let folder = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../harness/python/src/harness_sdk"
        );
        let entries = std::fs::read_dir(folder).unwrap();
        let files = entries.map(|entry| entry.unwrap().path());
        let files = files.filter(|path| path.extension().is_some_and(|e| e == "py"));
        let names = files.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned());
        let mut names: Vec<String> = names.collect();
        names.sort();
        let listed: Vec<&str> = MODULES.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, listed);
    }
}
