//! The committed JSON Schemas are what the types say.

use std::path::Path;
use std::process::Command;

#[test]
fn the_committed_schemas_are_up_to_date() {
    for name in ["suite", "report", "plan"] {
        let output = Command::new(env!("CARGO_BIN_EXE_harness"))
            .args(["schema", name])
            .output()
            .unwrap();
        assert!(output.status.success());
        let path =
            Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("schemas/{name}.schema.json"));
        let committed = std::fs::read_to_string(&path).unwrap();
        assert!(
            committed.as_bytes() == output.stdout,
            "{} is out of date: run `harness schema {name} > {}`",
            path.display(),
            path.display()
        );
    }
}
