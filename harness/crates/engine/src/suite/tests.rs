//! What a user sees of a wrong suite, and what hostile text does.

use std::path::Path;
use std::time::{Duration, Instant};

use harness_abi::wire::{DataNeed, Family, MethodCard, ModuleHeader, Recipe, RecipeChanges};
use harness_data::{OpenOptions, Templates};
use serde_json::json;

use super::{
    Document, Known, KnownInputs, LookupError, Mistakes, RecipeBase, Sampler, Suite, SuiteSeeds,
};

struct FewNames {
    cards: Vec<MethodCard>,
}

impl FewNames {
    fn new() -> Self {
        let cards = ["coop", "kgcoop", "contcoop"].map(|id| MethodCard {
            id: id.to_owned(),
            title: id.to_owned(),
            paper: String::new(),
            family: Family::Input,
            depth: "input".to_owned(),
            sites: Vec::new(),
            needs: Vec::new(),
            data: DataNeed::Features,
            carried: Vec::new(),
            recomputed: Vec::new(),
            deviations: Vec::new(),
            config_schema: json!({
                "type": "object",
                "additionalProperties": false,
                "properties": {
                    "class_specific": { "type": "boolean" },
                    "context_length": { "type": "integer", "format": "uint", "minimum": 1 },
                    "lambda": { "type": "number", "minimum": 0 },
                    "class_embedding": { "$ref": "#/$defs/ClassEmbedding" },
                    "init": { "anyOf": [{ "type": "string" }, { "type": "null" }] },
                },
                "$defs": {
                    "ClassEmbedding": {
                        "oneOf": [
                            { "const": "name-tokens", "type": "string" },
                            { "const": "text-feature", "type": "string" },
                        ],
                    },
                },
            }),
            recipe: Some(Recipe::default()),
        });
        Self {
            cards: cards.to_vec(),
        }
    }
}

impl KnownInputs for FewNames {
    fn backbones(&self) -> Vec<String> {
        ["micro-clip", "micro-eva-clip"].map(str::to_owned).to_vec()
    }

    fn has_backbone(&self, name: &str) -> Result<bool, LookupError> {
        Ok(self.backbones().iter().any(|known| known == name))
    }

    fn datasets(&self) -> Vec<String> {
        ["shapes", "colours"].map(str::to_owned).to_vec()
    }

    fn has_dataset(&self, name: &str) -> Result<bool, LookupError> {
        Ok(self.datasets().iter().any(|known| known == name))
    }
}

impl Known for FewNames {
    fn methods(&self) -> Vec<&str> {
        self.cards.iter().map(|card| card.id.as_str()).collect()
    }

    fn card(&self, id: &str, _: Option<&str>) -> Result<Option<&MethodCard>, LookupError> {
        Ok(self.cards.iter().find(|card| card.id == id))
    }

    fn side_file(&self, path: &str) -> Result<(), LookupError> {
        match path {
            "words.json" => Ok(()),
            _ => Err(format!("{path}: not found").into()),
        }
    }

    fn module_files(&self, pattern: &str) -> Result<Vec<std::path::PathBuf>, LookupError> {
        let files: &[&str] = match pattern {
            "prod/*.safetensors" => &["trained.safetensors"],
            "gone/*" => &["gone.safetensors"],
            _ => &[],
        };
        Ok(files.iter().map(std::path::PathBuf::from).collect())
    }

    fn module(&self, path: &str) -> Result<ModuleHeader, LookupError> {
        if !path.ends_with("trained.safetensors") {
            return Err(format!("{path}: not found").into());
        }
        Ok(ModuleHeader {
            format: ModuleHeader::FORMAT.to_owned(),
            plugin: "p".to_owned(),
            plugin_version: "1".to_owned(),
            method: "coop".to_owned(),
            config: json!({}),
            source: "micro-clip".to_owned(),
            dataset: "shapes".to_owned(),
            classes: Vec::new(),
            seed: 2,
            origin: None,
        })
    }
}

fn read(text: &[u8]) -> Result<Suite, Mistakes> {
    Document::parse(Path::new("suites/x.yaml"), text.to_vec())?.check(&FewNames::new())
}

const GOOD: &str = "\
name: quick
upgrades:
  - source: micro-clip
    targets: [micro-eva-clip]
methods:
  - coop
  - {id: coop, label: coop-csc, config: {class_specific: true, init: null}}
  - id: contcoop
    config:
      class_embedding: text-feature
      lambda: 2
    recipe: {epochs: 20, lr: 1e-3}
datasets: [shapes, colours]
shots: [1, 16]
seeds: [1, 2, 3]
oracle: true
recipe: {epochs: 10}
";

#[test]
fn a_good_suite_reads_as_written() {
    let suite = read(GOOD.as_bytes()).unwrap();
    assert_eq!(suite.shots, [1, 16]);
    assert_eq!(suite.seeds, SuiteSeeds::from(vec![1, 2, 3]));
    assert!(suite.oracle);
    assert_eq!(suite.time_limit, 600);
    let labels: Vec<&str> = suite.methods.iter().map(|m| m.label.as_str()).collect();
    assert_eq!(labels, ["coop", "coop-csc", "contcoop"]);
    assert_eq!(suite.methods[1].config["class_specific"], true);
    assert_eq!(suite.methods[2].recipe.changes.lr, Some(1e-3));
    assert_eq!(suite.recipe.changes.epochs, Some(10));
}

#[test]
fn a_module_trained_elsewhere_must_be_what_the_suite_measures() {
    let at = |entry: &str, seeds: &str, shots: &str| {
        let text = GOOD.replace("  - coop\n", &format!("  - {entry}\n"));
        let text = text.replace("seeds: [1, 2, 3]", seeds);
        read(text.replace("shots: [1, 16]", shots).as_bytes())
    };
    let good = "{id: coop, module: trained.safetensors}";
    let suite = at(good, "seeds: [2]", "shots: [16]").unwrap();
    let module = suite.methods[0].module.as_deref();
    assert_eq!(module, Some("trained.safetensors"));

    let (one_seed, one_shot) = ("seeds: [2]", "shots: [16]");
    let trained = "module: trained.safetensors";
    for (entry, seeds, shots, wanted) in [
        (
            "{id: coop, module: gone.safetensors}",
            one_seed,
            one_shot,
            ":6:24: \"module\": gone.safetensors: not found",
        ),
        (
            "{id: coop, module: 3}",
            one_seed,
            one_shot,
            ":6:24: \"module\": expected text",
        ),
        (
            &format!("{{id: kgcoop, {trained}}}"),
            one_seed,
            one_shot,
            ":6:26: \"module\": it was trained by method `coop`, not by `kgcoop`",
        ),
        (
            &format!("{{id: coop, {trained}, recipe: {{epochs: 1}}}}"),
            one_seed,
            one_shot,
            ":6:53: \"recipe\": not used: the entry's module is already trained",
        ),
        (
            good,
            "seeds: [2, 3]",
            one_shot,
            ":6:24: \"module\": it was trained with seed 2 only",
        ),
        (
            good,
            "seeds: {split: [2], training: [1]}",
            one_shot,
            ":6:24: \"module\": it was trained with seed 2 only; write `seeds: [2]`",
        ),
        (
            good,
            one_seed,
            "shots: [1, 16]",
            ":6:24: \"module\": it was trained with one number of shots",
        ),
    ] {
        let mistakes = at(entry, seeds, shots).unwrap_err().to_string();
        assert!(mistakes.contains(wanted), "{mistakes}");
    }
}

#[test]
fn splits_and_trainings_can_have_seeds_of_their_own() {
    let at = |seeds: &str| read(GOOD.replace("[1, 2, 3]", seeds).as_bytes());
    let suite = at("{split: [1, 2], training: [2, 3]}").unwrap();
    let all: Vec<String> = suite.seeds.all().iter().map(ToString::to_string).collect();
    assert_eq!(all, ["1/2", "1/3", "2", "2/3"]);
    let written = serde_json::to_value(&suite).unwrap();
    assert_eq!(
        written["seeds"],
        json!({"split": [1, 2], "training": [2, 3]})
    );
    assert_eq!(serde_json::from_value::<Suite>(written).unwrap(), suite);
    let mut out = String::new();
    for seeds in [
        "{split: [1, 2]}",
        "{split: 1, training: [1, 2]}",
        "{splits: [1], training: [1]}",
        "{split: [1, 1], training: []}",
        "{split: [1, x], training: [-1]}",
        "{}",
        "3",
        "[{split: 1, training: 2}]",
    ] {
        for mistake in at(seeds).unwrap_err().list() {
            let (mark, hint) = (mistake.mark, mistake.hint.as_deref().unwrap_or("none"));
            out.push_str(&format!(
                "{seeds}\n  {}:{}: {}\n  hint: {hint}\n",
                mark.line, mark.column, mistake.message
            ));
        }
    }
    insta::assert_snapshot!(out);
}

#[test]
fn a_recipe_is_a_word_or_a_mapping() {
    let at = |recipe: &str| {
        let text = GOOD.replace("recipe: {epochs: 10}", &format!("recipe: {recipe}"));
        read(text.as_bytes())
    };
    let common = at("common").unwrap().recipe;
    assert_eq!(common.base, Some(RecipeBase::Common));
    assert_eq!(common.changes, RecipeChanges::default());
    let both = at("{base: own, epochs: 3}").unwrap().recipe;
    assert_eq!(both.base, Some(RecipeBase::Own));
    assert_eq!(both.changes.epochs, Some(3));
    for (recipe, says) in [
        ("comon", "did you mean \"common\"?"),
        ("{base: comon}", "did you mean \"common\"?"),
        (
            "3",
            "\"recipe\": expected `own`, `common` or a mapping, found 3",
        ),
        ("{batch: 0}", "\"batch\": expected at least 1, found 0"),
        ("{optimizer: adm}", "did you mean \"adam\"?"),
        ("{lr: fast}", "\"lr\": expected a number"),
    ] {
        let mistakes = at(recipe).unwrap_err().to_string();
        assert!(mistakes.contains(says), "{mistakes}");
    }
}

/// Each slip replaces a line of the good suite.
#[test]
fn the_commonest_slips_say_what_to_write() {
    const SLIPS: [(&str, &str); 56] = [
        ("shots: [1, 16]", "shots: 16"),
        ("shots: [1, 16]", "shots: 1, 16"),
        ("shots: [1, 16]", "shots: [\"16\"]"),
        ("shots: [1, 16]", "shots: [16.0]"),
        ("shots: [1, 16]", "shots: [0]"),
        ("shots: [1, 16]", "shots: [16, 16]"),
        ("shots: [1, 16]", "num_shots: [16]"),
        ("seeds: [1, 2, 3]", "seeds: 1"),
        ("seeds: [1, 2, 3]", "seeds: 1-3"),
        ("seeds: [1, 2, 3]", "seeds: [1, 1]"),
        ("seeds: [1, 2, 3]", "seed: 1"),
        ("datasets: [shapes, colours]", "datasets: shapes"),
        ("datasets: [shapes, colours]", "dataset: shapes"),
        ("datasets: [shapes, colours]", "datasets: {name: shapes}"),
        (
            "    targets: [micro-eva-clip]",
            "    targets: micro-eva-clip",
        ),
        (
            "    targets: [micro-eva-clip]",
            "    target: micro-eva-clip",
        ),
        ("    targets: [micro-eva-clip]", "    to: [micro-eva-clip]"),
        ("    targets: [micro-eva-clip]", "    targets: [micro-clip]"),
        ("  - source: micro-clip", "  - from: micro-clip"),
        ("name: quick", "name: 12"),
        ("  - coop\n", "  - zero-shot\n"),
        ("  - coop\n", "  - retrained\n"),
        ("  - coop\n", "  - name: coop\n"),
        ("  - coop\n", "  - {id: kgcoop, params: {lambda: 1}}\n"),
        ("  - coop\n", "\t- coop\n"),
        ("  - coop\n", "  - @coop\n"),
        ("  - coop\n", "  - *coop\n"),
        ("oracle: true", "oracle: yes"),
        ("oracle: true", "retrain: true"),
        ("oracle: true", "oracle:true"),
        ("oracle: true", "description: a suite: for tests"),
        ("recipe: {epochs: 10}", "recipe: {optimizer: {rate: 1}}"),
        ("recipe: {epochs: 10}", "recipe: {schedule: {name: cosine}}"),
        (
            "recipe: {epochs: 10}",
            "recipe: {learning_rate: 0.1, batch_size: 8}",
        ),
        ("recipe: {epochs: 10}", "recipe: 20"),
        ("recipe: {epochs: 10}", "recipe: {lr: -3}"),
        ("recipe: {epochs: 10}", "recipe: {lr: 0, momentum: 1}"),
        ("recipe: {epochs: 10}", "recipe: {lr: .inf}"),
        ("recipe: {epochs: 10}", "recipe: {batch: 0, epochs: -1}"),
        (
            "recipe: {epochs: 10}",
            "recipe: {weight_decay: -0.1, eps: 0}",
        ),
        ("recipe: {epochs: 10}", "recipe: {betas: [0.9, 1]}"),
        ("recipe: {epochs: 10}", "recipe: {betas: [0.9, 0.9, 0.9]}"),
        ("recipe: {epochs: 20, lr: 1e-3}", "recipe: {lr: -1}"),
        ("oracle: true", "gate: 2"),
        ("oracle: true", "gate: {margin: -1}"),
        ("oracle: true", "gate: {margin: 1%}"),
        ("oracle: true", "gate: {tolerance: 1}"),
        ("oracle: true", "orcale: true"),
        ("oracle: true", " oracle: true"),
        ("  - source: micro-clip", "  - source: micro-clop"),
        ("[micro-eva-clip]", "[micro-eva_clip]"),
        ("[shapes, colours]", "[shapes, colors]"),
        ("  - coop\n", "  - CoOp2\n"),
        ("  - coop\n", " - coop\n"),
        ("    config:\n", "    config: class_embedding\n"),
        ("seeds: [1, 2, 3]", "seeds: 3"),
    ];
    let mut out = String::new();
    for (line, slip) in SLIPS {
        assert!(GOOD.contains(line), "{line}");
        let mistakes = read(GOOD.replacen(line, slip, 1).as_bytes()).unwrap_err();
        out.push_str(&format!("{:?}\n", slip.trim()));
        for mistake in mistakes.list() {
            let mark = mistake.mark;
            out.push_str(&format!(
                "  {}:{}: {}\n",
                mark.line, mark.column, mistake.message
            ));
            if let Some(hint) = &mistake.hint {
                out.push_str(&format!("    hint: {hint}\n"));
            }
        }
    }
    insta::assert_snapshot!(out);
}

#[test]
fn a_report_is_no_suite() {
    let report = b"{\n  \"schema\": \"harness-report/1\",\n  \"suite\": {}\n}";
    let shown = read(report).unwrap_err().to_string();
    assert!(
        shown.starts_with("suites/x.yaml: this is a report, not a suite\nhint: "),
        "{shown}"
    );
}

#[test]
fn choices_are_written_as_they_are_read() {
    let text = GOOD
        .replace("recipe: {epochs: 10}", "recipe: {base: common, epochs: 10}")
        .replace(
            "[shapes, colours]",
            "[{name: shapes, templates: imagenet-7}, {name: colours, templates: [\"a {}.\"]}]",
        );
    let suite = read(text.as_bytes()).unwrap();
    let written = serde_json::to_value(&suite).unwrap();
    assert_eq!(written["recipe"], json!({"base": "common", "epochs": 10}));
    assert_eq!(written["datasets"][0]["templates"], "imagenet-7");
    assert_eq!(written["datasets"][1]["templates"], json!(["a {}."]));
    assert_eq!(serde_json::from_value::<Suite>(written).unwrap(), suite);
}

#[test]
fn a_gate_is_read_and_held_to_its_range() {
    let suite = |gate: &str| read(format!("{GOOD}gate: {gate}\n").as_bytes());
    let gate = suite("{margin: 2}").unwrap().gate.unwrap();
    assert_eq!((gate.margin, gate.alpha), (2.0, 0.05));
    assert_eq!(read(GOOD.as_bytes()).unwrap().gate, None);
    for (text, message) in [
        ("{margin: 0}", "18:16: \"margin\": expected more than 0"),
        ("{margin: 1.5, alhpa: 0.1}", "18:21: unknown key \"alhpa\""),
        ("{alpha: 0.7}", "18:15: \"alpha\": expected at most 0.5"),
        ("{margin: 1pp}", "18:16: \"margin\": expected a number"),
        ("2", "18:7: \"gate\": expected a mapping"),
    ] {
        let error = suite(text).unwrap_err().to_string();
        assert!(error.contains(message), "{text}: {error}");
    }
}

#[test]
fn aliases_carry_a_value_to_a_second_place() {
    let text = GOOD
        .replace("{epochs: 20, lr: 1e-3}", "&short {epochs: 20}")
        .replace("recipe: {epochs: 10}", "recipe: *short");
    assert_eq!(
        read(text.as_bytes()).unwrap().recipe.changes.epochs,
        Some(20)
    );
}

#[test]
fn a_byte_order_mark_is_not_a_mistake() {
    let text = format!("\u{feff}{GOOD}");
    assert_eq!(read(text.as_bytes()).unwrap().name, "quick");
}

#[test]
fn every_mistake_is_reported_at_once() {
    let text = "\
name: 12
upgrades:
  - source: micro-clip
    targets: [micro-eva-clop, micro-eva-clip, micro-eva-clip]
    tragets: [a]
  - {source: micro-clip, targets: [micro-eva-clip]}
  - {source: micro-clip, targets: []}
method: [coop]
methods:
  - kgcop
  - coop
  - id: coop
  - {id: coop, lable: two}
  - {id: contcoop, config: {class_specifik: 1, context_length: 0, lambda: much, class_embedding: name-token, init: [x]}}
  - {config: {}}
  - [coop]
datasets: [shapes, shaeps, shapes, 7]
shots: [-16, 0, 16, 16, 1.5, many]
seeds: []
seeds: [1]
oracle: maybe
recipe: {epoch: 3, optimizer: {rate: 1}}
time_limit: .inf
";
    insta::assert_snapshot!(read(text.as_bytes()).unwrap_err());
}

#[test]
fn a_data_set_has_options_of_its_own() {
    let entries = "[shapes, {name: shapes, label: eighty, templates: imagenet-80}, \
        {name: colours, templates: [\"a {}.\", \"the {}.\"], allow_missing: true, \
        split: {seed: 3, test: 0.25}, shift_of: shapes}]\nsampler: clip-lora\ndata: ../data";
    let text = GOOD.replace("[shapes, colours]", entries);
    let suite = read(text.as_bytes()).unwrap();
    let labels: Vec<&str> = suite.datasets.iter().map(|d| d.label.as_str()).collect();
    assert_eq!(labels, ["shapes", "eighty", "colours"]);
    assert_eq!(suite.sampler, Sampler::ClipLora);
    assert_eq!(suite.data.as_deref(), Some("../data"));
    let opening = |at: usize| suite.datasets[at].opening();
    assert_eq!(opening(0), OpenOptions::default());
    let eighty = Templates::Ensemble("imagenet-80".to_owned());
    assert_eq!(opening(1).templates, Some(eighty));
    let third = opening(2);
    assert!(third.allow_missing);
    assert_eq!(
        third.random_split.map(|it| (it.seed, it.val, it.test)),
        Some((3, 0.0, 0.25))
    );
    assert_eq!(third.shift_of.as_deref(), Some("shapes"));
    assert!(matches!(third.templates, Some(Templates::Own(list)) if list.len() == 2));
}

#[test]
fn mistakes_in_the_options_of_a_data_set_have_their_place() {
    let entries = "\n\
  - {name: shaeps}\n\
  - {name: shapes, templates: imagenet-8}\n\
  - {name: shapes, label: b, templates: [\"no mark\"]}\n\
  - {name: colours, label: b}\n\
  - {name: colours, split: {seed: 1}}\n\
  - {label: colours}";
    let text = GOOD.replace(" [shapes, colours]", entries);
    let mistakes = read(text.as_bytes()).unwrap_err().to_string();
    for part in [
        ":14:10: unknown data set \"shaeps\"",
        "did you mean \"shapes\"?",
        ":15:29: \"templates\": unknown value \"imagenet-8\"",
        "did you mean \"imagenet-7\"?",
        ":16:40: expected exactly one {} for the class name in the template",
        ":17:26: duplicate label \"b\", first on line 16",
        ":18:26: \"split\": the key \"test\" is missing",
        ":19:3: \"datasets\": the key \"name\" is missing",
    ] {
        assert!(mistakes.contains(part), "{part} in\n{mistakes}");
    }
}

#[test]
fn text_that_is_no_suite_gives_one_line_of_what_is_wrong() {
    let deep = "[".repeat(100_000);
    let deep_block = "- ".repeat(50_000);
    let bomb: String = (0..30)
        .map(|i| match i {
            0 => "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned(),
            i => {
                let last = format!("*a{}, ", i - 1).repeat(9);
                format!("a{i}: &a{i} [{}]\n", last.trim_end_matches(", "))
            }
        })
        .collect();
    let large = format!("name: {}", "x".repeat(10_000_000));
    let keys: String = (0..8_000).map(|i| format!("k{i}: 1\n")).collect();
    let cases: [(&str, &[u8]); 16] = [
        ("empty", b""),
        ("only a comment", b"# nothing\n"),
        ("a list", b"- coop\n"),
        ("tabs", b"name: x\nupgrades:\n\t- source: a\n"),
        ("not UTF-8", b"name: x\nmethods: [\xff]\n"),
        ("UTF-16", b"\xff\xfen\0a\0m\0e\0"),
        ("unclosed", b"methods: [coop, {id: x\nname: y\n"),
        ("unclosed quote", b"name: \"x\n"),
        ("two documents", b"name: x\n---\nname: y\n"),
        ("a tag", b"name: !!binary aGk=\n"),
        ("itself", b"name: &a [*a]\n"),
        ("unknown alias", b"name: *nobody\n"),
        ("deep", deep.as_bytes()),
        ("deep block", deep_block.as_bytes()),
        ("alias bomb", bomb.as_bytes()),
        ("10 MB", large.as_bytes()),
    ];
    let mut out = String::new();
    for (name, text) in cases {
        let start = Instant::now();
        let error = read(text).unwrap_err();
        assert!(start.elapsed() < Duration::from_secs(5), "{name} is slow");
        let first = error.to_string();
        let first = first.lines().next().unwrap();
        out.push_str(&format!("{name}: {first}\n"));
    }
    let start = Instant::now();
    let shown = read(keys.as_bytes()).unwrap_err().to_string();
    assert!(shown.ends_with("more"), "{shown}");
    assert!(start.elapsed() < Duration::from_secs(5));
    insta::assert_snapshot!(out);
}

#[test]
fn a_suite_cannot_steer_the_terminal() {
    let shown = read(b"name: x\n\"\\e[31mkey\": 1\nb\xe2\x80\xaed: 2\n")
        .unwrap_err()
        .to_string();
    assert!(
        !shown.chars().any(|c| c.is_control() && c != '\n'),
        "{shown:?}"
    );
    assert!(!shown.contains('\u{202e}'), "{shown:?}");
}

#[test]
fn long_lines_are_shown_around_the_mistake() {
    let text = GOOD.replace("[1, 2, 3]", &format!("[{}x]", "11, ".repeat(100)));
    let shown = read(text.as_bytes()).unwrap_err().to_string();
    assert!(
        shown.lines().all(|line| line.chars().count() < 160),
        "{shown}"
    );
}

proptest::proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in "[a-z0-9:{}\\[\\]&*!|>%@`'\", \n\t#?~.-]{0,200}") {
        let _ = read(text.as_bytes());
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
        let _ = read(&bytes);
    }

    // Cutting or doubling a line of a good suite is how real mistakes look.
    #[test]
    fn a_damaged_suite_is_read_or_refused(line in 0..17usize, cut in 0..40usize) {
        let mut lines: Vec<String> = GOOD.lines().map(str::to_owned).collect();
        let short: String = lines[line].chars().take(cut).collect();
        lines[line] = short;
        let _ = read(lines.join("\n").as_bytes());
    }
}

#[test]
fn a_chain_is_read_and_its_mistakes_are_told_as_those_of_a_chain() {
    let old = "  - source: micro-clip\n    targets: [micro-eva-clip]";
    assert!(GOOD.contains(old));
    let with = |upgrade: &str| read(GOOD.replace(old, upgrade).as_bytes());
    let suite = with("  - {chain: [micro-clip, micro-eva-clip]}").unwrap();
    assert_eq!(suite.pairs().len(), 1);
    for (upgrade, expected) in [
        (
            "  - {chain: [micro-clip, micro-eva-clop]}",
            "unknown backbone \"micro-eva-clop\"",
        ),
        (
            "  - {chain: [micro-clip]}",
            "\"chain\": expected at least 2",
        ),
        (
            "  - {chain: [micro-clip, micro-clip]}",
            "duplicate entry \"micro-clip\"",
        ),
        (
            "  - {chain: [micro-clip, micro-eva-clip], source: micro-clip}",
            "unknown key \"source\"",
        ),
        ("  - {chian: [micro-clip]}", "the key \"source\" is missing"),
        (
            "  - [micro-clip, micro-eva-clip]",
            "or `- {chain: [A, B, C]}` for a chain",
        ),
        (
            "  - {source: micro-clip,\n     targets: [micro-eva-clip - micro-clip]}",
            "begin all entries in the same column",
        ),
    ] {
        let found = with(upgrade).unwrap_err().to_string();
        assert!(found.contains(expected), "{upgrade}: {found}");
    }
}
