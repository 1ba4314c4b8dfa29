//! Modules as files: kept by a run, listed, exported, and checked on a new backbone.

use std::path::Path;
use std::process::Output;

use harness_report::Report;
use serde_json::Value;

use crate::env::TestEnv;

const COOP: &str = "coop_digits_1shot_seed1.safetensors";
const KGCOOP: &str = "kgcoop_digits_1shot_seed1.safetensors";

/// Two modules of micro-clip on digits in `prod/`.
fn env() -> TestEnv {
    let env = TestEnv::new();
    env.write(
        "suite.yaml",
        "name: test\nupgrades: [{source: micro-clip, targets: [micro-clip-unrelated]}]\n\
         methods: [coop, kgcoop]\ndatasets: [digits]\nshots: [1]\nseeds: [1]\n\
         recipe: {epochs: 2}\n",
    );
    text(&env, &["run", "suite.yaml", "--keep-modules", "prod"], 0);
    env
}

fn ended(output: &Output, status: i32) -> (String, String) {
    let stdout = String::from_utf8(output.stdout.clone()).unwrap();
    let stderr = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(status), "{stdout}{stderr}");
    (stdout, stderr)
}

fn text(env: &TestEnv, arguments: &[&str], status: i32) -> String {
    ended(&env.harness(arguments), status).0
}

fn error(env: &TestEnv, arguments: &[&str], status: i32) -> String {
    ended(&env.harness(arguments), status).1
}

fn json(env: &TestEnv, arguments: &[&str], status: i32) -> Value {
    serde_json::from_str(&text(env, arguments, status)).unwrap()
}

fn sha256(path: &Path) -> String {
    harness_store::sha256_file(path).unwrap()
}

#[test]
fn kept_modules_have_names_and_a_manifest_with_their_origin() {
    let env = env();
    let manifest = std::fs::read(env.path("prod/manifest.json")).unwrap();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    let modules = manifest["modules"].as_array().unwrap();
    let files: Vec<_> = modules
        .iter()
        .map(|one| one["file"].as_str().unwrap())
        .collect();
    assert_eq!(files, [COOP, KGCOOP]);
    for one in modules {
        let path = env.path("prod").join(one["file"].as_str().unwrap());
        assert_eq!(one["sha256"], sha256(&path).as_str());
    }
    let origin = &modules[0]["header"]["origin"];
    assert_eq!(origin["shots"], 1);
    assert_eq!(origin["recipe"]["epochs"], 2);
    assert_eq!(origin["class_names"].as_array().unwrap().len(), 10);
    assert_eq!(origin["source_sha256"].as_str().unwrap().len(), 64);

    let listed = text(&env, &["modules", "ls"], 0);
    assert!(
        listed.contains(COOP) && listed.contains("modules=2"),
        "{listed}"
    );
    let all = json(&env, &["modules", "ls", "--json"], 0);
    assert_eq!(all["modules"].as_array().unwrap().len(), 2);
    let shown = text(&env, &["modules", "show", &format!("prod/{COOP}")], 0);
    assert!(shown.contains("source         micro-clip"), "{shown}");
    text(&env, &["modules", "export", COOP, "-o", "out"], 0);
    assert_eq!(
        sha256(&env.path("out").join(COOP)),
        sha256(&env.path("prod").join(COOP))
    );
    text(&env, &["modules", "rm", KGCOOP], 0);
    let left = json(&env, &["modules", "ls", "--json"], 0);
    assert_eq!(left["modules"].as_array().unwrap().len(), 1);
    let unknown = error(&env, &["modules", "show", "nothing"], 4);
    assert!(unknown.contains("no module \"nothing\""), "{unknown}");
}

#[test]
fn a_check_finds_the_source_by_its_hash_and_retrains_as_the_header_says() {
    let env = env();
    let check = [
        "check",
        "prod",
        "--target",
        "micro-eva-clip",
        "--store",
        "another",
        "--retrain",
    ];
    let found = json(
        &env,
        &[&check[..], &["--json", "-o", "report.json"]].concat(),
        0,
    );
    let modules = found["modules"].as_array().unwrap();
    assert_eq!(modules.len(), 2);
    for one in modules {
        assert_eq!(one["source"], "micro-clip");
        assert_eq!(one["dataset"], "digits");
        assert!(one["points"].as_array().unwrap().len() == 3, "{one}");
        assert!(one["retrained"].is_number(), "{one}");
        assert!(one["retraining_seconds"].is_number(), "{one}");
    }
    let report = Report::read(env.path("report.json")).unwrap();
    assert_eq!(report.cells.len(), 2);
    assert!(
        report
            .cells
            .iter()
            .all(|cell| (cell.shots, cell.seed) == (1, 1.into()))
    );
    // Both modules get two epochs of ten images in one batch.
    let steps = |cell: &harness_report::Cell| cell.retraining.unwrap().steps;
    assert!(report.cells.iter().all(|cell| steps(cell) == 2));

    let printed = text(&env, &check, 0);
    assert!(
        printed.contains("On micro-eva-clip, of 2 modules: "),
        "{printed}"
    );
    let word = modules[0]["recommendation"].as_str().unwrap();
    let failed = error(&env, &[&check[..], &["--fail-on", word]].concat(), 106);
    assert!(failed.contains(&format!("--fail-on: {word} ")), "{failed}");
    let gate = ["gate", "report.json", "--fail-on", word];
    assert!(
        error(&env, &gate, 106).contains("no baseline"),
        "no baseline is needed"
    );
    let wrong = error(&env, &[&check[..], &["--fail-on", "dorp"]].concat(), 2);
    assert!(wrong.contains("expected one of keep"), "{wrong}");
}

#[test]
fn a_source_that_the_module_was_not_trained_on_is_refused_unless_told() {
    let env = env();
    let module = format!("prod/{COOP}");
    let check = [
        "check",
        &module,
        "--source",
        "micro-eva-clip",
        "--target",
        "micro-clip",
    ];
    let refused = error(&env, &check, 96);
    for part in [
        "trained on micro-clip (sha256",
        "micro-eva-clip",
        "--allow-other-source",
    ] {
        assert!(refused.contains(part), "{refused}");
    }
    let told = [&check[..], &["--allow-other-source", "--json"]].concat();
    assert_eq!(
        json(&env, &told, 0)["modules"][0]["source"],
        "micro-eva-clip"
    );

    std::fs::write(env.path("bad.safetensors"), b"not a module").unwrap();
    let bad = error(
        &env,
        &["check", "bad.safetensors", "--target", "micro-clip"],
        96,
    );
    assert!(
        bad.contains("bad.safetensors: not a safetensors file"),
        "{bad}"
    );
}

#[test]
fn a_suite_mixes_modules_with_methods_and_tests_each_on_its_own_data_set() {
    let env = env();
    let suite = |modules: &str| {
        format!(
            "name: mixed\nupgrades: [{{source: micro-clip, targets: [micro-eva-clip]}}]\n\
             methods: [coop]\nmodules:\n  - {modules}\ndatasets: [shapes]\nshots: [1]\n\
             seeds: [1]\nrecipe: {{epochs: 1}}\n"
        )
    };
    env.write("mixed.yaml", suite("prod/*.safetensors"));
    text(&env, &["run", "mixed.yaml", "-o", "report.json"], 0);
    let report = Report::read(env.path("report.json")).unwrap();
    let cells: Vec<_> = report
        .cells
        .iter()
        .map(|cell| (cell.method.as_str(), cell.dataset.as_str()))
        .collect();
    let stem = |name: &'static str| name.strip_suffix(".safetensors").unwrap();
    assert_eq!(
        cells,
        [
            ("coop", "shapes"),
            (stem(COOP), "digits"),
            (stem(KGCOOP), "digits")
        ]
    );
    env.write("mixed.yaml", suite("gone/*.safetensors"));
    let empty = error(&env, &["run", "mixed.yaml"], 96);
    let says = "mixed.yaml:5:5: \"modules\": no file matches \"gone/*.safetensors\"";
    assert!(empty.contains(says), "{empty}");
    env.write(
        "mixed.yaml",
        "name: x\nupgrades: [{source: micro-clip, targets: [micro-eva-clip]}]\n",
    );
    let lacking = error(&env, &["run", "mixed.yaml"], 96);
    assert!(
        lacking.contains("the key \"methods\" is missing"),
        "{lacking}"
    );
}

#[test]
fn several_targets_are_a_chain_that_tells_which_step_lost_what() {
    let env = env();
    let check = [
        "check",
        "prod",
        "--target",
        "micro-eva-clip",
        "--target",
        "micro-clip-unrelated",
    ];
    let found = json(&env, &[&check[..], &["--json"]].concat(), 0);
    let chains = found["chains"].as_array().unwrap();
    assert_eq!(chains.len(), 2, "nothing is trained without --retrain");
    let stops = chains[0]["stops"].as_array().unwrap();
    let names: Vec<_> = stops.iter().map(|stop| &stop["backbone"]).collect();
    assert_eq!(
        names,
        ["micro-clip", "micro-eva-clip", "micro-clip-unrelated"]
    );
    let gain = |at: usize| stops[at]["gain"][0].as_f64().unwrap();
    for at in [1, 2] {
        let change = stops[at]["change"][0].as_f64().unwrap();
        assert!((change - (gain(at) - gain(at - 1))).abs() < 1e-9, "{found}");
        assert!(["lost", "gained", "open"].contains(&stops[at]["step"].as_str().unwrap()));
    }
    assert!(stops[0]["change"].is_null());

    let retrained = [&check[..], &["--retrain"]].concat();
    let found = json(
        &env,
        &[&retrained[..], &["--json", "-o", "r.json"]].concat(),
        0,
    );
    // The files in both targets; what was trained again in between is in the chains alone.
    assert_eq!(found["modules"].as_array().unwrap().len(), 4);
    let of_eva = found["chains"].as_array().unwrap().iter();
    let of_eva = of_eva.filter(|row| row["trained_on"] == "micro-eva-clip");
    assert_eq!(of_eva.count(), 2);
    let report = Report::read(env.path("r.json")).unwrap();
    assert_eq!(report.chains[0].backbones.len(), 3);
    let own = |name: &str| report.cells.iter().find(|cell| cell.upgrade.source == name);
    let between = own("micro-eva-clip").unwrap();
    // The module that the first upgrade retrained is the one that the second moves on.
    let first = report
        .cells
        .iter()
        .find(|cell| cell.method == between.method && cell.upgrade.target == "micro-eva-clip");
    assert_eq!(first.unwrap().conditions.oracle, between.conditions.base);
    let printed = text(&env, &retrained, 0);
    for part in [
        "micro-clip → micro-eva-clip → micro-clip-unrelated, 1 shot",
        "trained on micro-eva-clip, moved to micro-clip-unrelated: ",
        "micro-eva-clip → micro-clip-unrelated: ",
    ] {
        assert!(printed.contains(part), "{printed}");
    }
    // Files of every format have the chain.
    for (ending, part) in [
        (
            "md",
            "## micro-clip → micro-eva-clip → micro-clip-unrelated, 1 shot",
        ),
        ("tex", "\\label{tab:harness-chain-1}"),
        ("html", "id=\"chain-1\""),
    ] {
        let file = format!("out.{ending}");
        text(&env, &["export", "r.json", "-o", &file], 0);
        let written = std::fs::read_to_string(env.path(&file)).unwrap();
        assert!(written.contains(part), "{ending}");
    }
    // A recommendation for what was trained again on the way fails nothing.
    let fails = [
        &retrained[..],
        &["--fail-on", "keep,retrain,drop,undecided"],
    ]
    .concat();
    let told = error(&env, &fails, 106);
    assert!(
        !told.contains("micro-eva-clip → micro-clip-unrelated"),
        "{told}"
    );
}

#[test]
fn a_suite_with_a_chain_trains_on_each_backbone_and_moves_to_the_later_ones() {
    let env = TestEnv::new();
    env.write(
        "suite.yaml",
        "name: test\nupgrades: [{chain: [micro-clip, micro-eva-clip, micro-clip-unrelated]}]\n\
         methods: [coop]\ndatasets: [digits]\nshots: [1]\nseeds: [1]\nrecipe: {epochs: 1}\n",
    );
    let printed = text(&env, &["run", "suite.yaml", "-o", "r.json"], 0);
    assert!(
        printed.contains("trained on micro-eva-clip, moved to"),
        "{printed}"
    );
    let report = Report::read(env.path("r.json")).unwrap();
    let pairs = report.cells.iter();
    let pairs: Vec<_> = pairs
        .map(|cell| (cell.upgrade.source.as_str(), cell.upgrade.target.as_str()))
        .collect();
    assert_eq!(
        pairs,
        [
            ("micro-clip", "micro-eva-clip"),
            ("micro-clip", "micro-clip-unrelated"),
            ("micro-eva-clip", "micro-clip-unrelated"),
        ]
    );
}

#[test]
fn a_check_has_a_line_for_each_module_in_a_narrow_terminal_too() {
    let env = env();
    let mut command = env.command(&["check", "prod", "--target", "micro-eva-clip"]);
    let output = command.env("COLUMNS", "130").output().unwrap();
    let (printed, _) = ended(&output, 0);
    let lines = printed.lines().filter(|line| line.contains("shot_seed1"));
    assert_eq!(lines.count(), 2, "{printed}");
    assert!(
        printed.contains("no room for base (source), new (target)"),
        "{printed}"
    );
    for line in printed.lines() {
        assert!(line.chars().count() <= 130, "{line}");
    }
    let nowhere = [
        "check",
        "prod",
        "--target",
        "micro-eva-clip",
        "-o",
        "no/r.json",
    ];
    let refused = error(&env, &nowhere, 110);
    assert!(refused.contains("nothing was run"), "{refused}");
}
