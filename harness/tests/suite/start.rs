//! What would fail at the end of a run fails before it.

use std::process::Output;

use crate::env::{TestEnv, embedded};

fn refused(output: &Output, status: i32) -> String {
    let stderr = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(status), "{stderr}");
    stderr
}

#[test]
fn a_backbone_without_a_tokenizer_is_told_before_anything_is_measured() {
    let env = TestEnv::new();
    let files = std::fs::read_dir(embedded().join("backbones/micro-clip")).unwrap();
    for file in files.map(Result::unwrap) {
        let name = file.file_name().into_string().unwrap();
        if name != "tokenizer.json" {
            env.write(
                &format!("wordless/{name}"),
                std::fs::read(file.path()).unwrap(),
            );
        }
    }
    env.suite("[coop]", "[./wordless]", "");
    let told = refused(&env.harness(&["run", "suite.yaml"]), 96);
    assert!(
        told.contains("backbone ./wordless: no tokenizer.json beside the weights"),
        "{told}"
    );
    assert!(
        told.contains("copy the model's tokenizer.json to "),
        "{told}"
    );
}

#[test]
fn shots_that_no_class_has_are_refused_and_the_count_of_fewer_is_told() {
    let env = TestEnv::new();
    let with = |shots: usize| {
        env.suite("[coop]", "[micro-eva-clip]", "");
        let text = std::fs::read_to_string(env.path("suite.yaml")).unwrap();
        env.write(
            "suite.yaml",
            text.replace("shots: [1]", &format!("shots: [{shots}]")),
        );
        env.harness(&["run", "suite.yaml"])
    };
    let told = refused(&with(2000), 96);
    assert!(
        told.contains("data set digits: 2000 shots asked for, but no class has more than 81"),
        "{told}"
    );
    let told = refused(&with(81), 0);
    assert!(told.contains("warning: digits: "), "{told}");
    assert!(told.contains(" are used in place of 810"), "{told}");
}

#[test]
fn a_folder_of_modules_that_cannot_be_written_is_told_first() {
    let env = TestEnv::new();
    env.suite("[coop]", "[micro-eva-clip]", "");
    env.write("file", "");
    let told = refused(
        &env.harness(&["run", "suite.yaml", "--keep-modules", "file/modules"]),
        110,
    );
    assert!(told.contains("file/modules: cannot be written"), "{told}");
    assert!(told.contains("nothing was run"), "{told}");
}
