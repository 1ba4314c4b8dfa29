//! What holds for every method, in one table: how many numbers it trains, that it
//! begins where it should, and that a module is carried whole and unchanged.

use harness_abi::wire::{Class, Role, Split, TrainJob};
use harness_backbone::published;
use harness_host::{
    boundary::{backbone_facts, setting, task_facts},
    plugin::MethodHandle,
};
use safetensors::SafeTensors;
use serde_json::{Value, json};

use crate::{
    plugins::{plugin, recipe},
    reference::{MethodTask, assert_close, committed},
};

/// A method with a configuration.
struct Row {
    package: &'static str,
    id: &'static str,
    /// For the reference backbone, on top of the default.
    config: &'static str,
    /// Trained numbers of the configuration `counted` in ViT-B/16 and ViT-L/14, with
    /// 1000 classes of 16 images.
    counts: [u64; 2],
    counted: &'static str,
    /// A configuration whose untrained module is the zero-shot classifier on the source.
    neutral: Option<&'static str>,
    /// Whether it is that on a target too, since nothing of the source is carried.
    neutral_on_target: bool,
    /// Tensors of the module on the reference backbone; none: of many sites.
    carried: &'static [&'static str],
}

const PLAIN: Row = Row {
    package: "",
    id: "",
    config: "{}",
    counts: [0, 0],
    counted: "{}",
    neutral: None,
    neutral_on_target: false,
    carried: &[],
};

#[rustfmt::skip]
const METHODS: &[Row] = &[
    Row { package: "coop", id: "coop", counts: [2_048, 3_072], neutral: Some("{}"), carried: &["ctx"], ..PLAIN },
    Row { package: "coop", id: "coop", config: r#"{"class_specific": true}"#, counted: r#"{"class_specific": true}"#, counts: [2_048_000, 3_072_000], neutral: Some(r#"{"class_specific": true}"#), carried: &["ctx"], ..PLAIN },
    Row { package: "cocoop", id: "cocoop", counts: [35_360, 77_616], carried: &["b1", "b2", "ctx", "w1", "w2"], ..PLAIN },
    Row { package: "kgcoop", id: "kgcoop", counts: [2_048, 3_072], neutral: Some("{}"), carried: &["ctx"], ..PLAIN },
    Row { package: "prograd", id: "prograd", counts: [8_192, 12_288], neutral: Some(r#"{"context": {"length": 4}}"#), carried: &["ctx"], ..PLAIN },
    Row { package: "tcp", id: "tcp", counts: [331_904, 743_616], carried: &["b1", "b2", "ctx", "w1", "w2"], ..PLAIN },
    Row { package: "contcoop", id: "contcoop", config: r#"{"heads": 4}"#, counts: [1_052_672, 2_365_440], neutral: Some(r#"{"heads": 4}"#), carried: &["bk", "bo", "bq", "bv", "ctx", "wk", "wo", "wq", "wv"], ..PLAIN },
    Row { package: "contcoop", id: "contcoop", config: r#"{"ablation": "frozen"}"#, counted: r#"{"ablation": "frozen"}"#, counts: [1_052_672, 2_365_440], carried: &["bk", "bo", "bq", "bv", "class_mask", "class_rows", "ctx", "wk", "wo", "wq", "wv"], ..PLAIN },
    Row { package: "contcoop", id: "contcoop", config: r#"{"ablation": "permuted"}"#, counted: r#"{"ablation": "permuted"}"#, counts: [1_052_672, 2_365_440], carried: &["bk", "bo", "bq", "bv", "ctx", "wk", "wo", "wq", "wv"], ..PLAIN },
    Row { package: "contcoop", id: "contcoop", config: r#"{"ablation": "context-only"}"#, counted: r#"{"ablation": "context-only"}"#, counts: [2_048, 3_072], neutral: Some(r#"{"ablation": "context-only"}"#), carried: &["ctx"], ..PLAIN },
    Row { package: "contcoop", id: "contcoop", config: r#"{"heads": 4, "class_embedding": "text-feature"}"#, counts: [1_052_672, 2_365_440], neutral: Some(r#"{"heads": 4, "class_embedding": "text-feature"}"#), carried: &["bk", "bo", "bq", "bv", "ctx", "wk", "wo", "wq", "wv"], ..PLAIN },
    Row { package: "deep-language", id: "deep-language", counts: [24_576, 36_864], neutral: Some(r#"{"depth": 1}"#), carried: &["ctx", "layer1", "layer2"], ..PLAIN },
    Row { package: "clip-adapter", id: "clip-adapter", counts: [131_072, 294_912], neutral: Some(r#"{"ratio": 0.0}"#), neutral_on_target: true, carried: &["w1", "w2"], ..PLAIN },
    Row { package: "tip-adapter", id: "tip-adapter", counts: [8_192_000, 12_288_000], neutral: Some(r#"{"alpha": 0.0, "search": false, "scale": "backbone"}"#), neutral_on_target: true, carried: &["alpha", "beta", "keys", "values"], ..PLAIN },
    Row { package: "tip-adapter", id: "tip-adapter-f", counts: [8_192_000, 12_288_000], neutral: Some(r#"{"alpha": 0.0, "search": false, "scale": "backbone"}"#), neutral_on_target: true, carried: &["alpha", "beta", "keys", "values"], ..PLAIN },
    Row { package: "taskres", id: "taskres", counts: [512_000, 768_000], neutral: Some("{}"), neutral_on_target: true, carried: &["x"], ..PLAIN },
    Row { package: "linear-probe", id: "linear-probe", counts: [513_000, 769_000], carried: &["b", "w"], ..PLAIN },
    Row { package: "deep-prompts", id: "vpt", counts: [73_728, 98_304], carried: &["layer1", "layer2", "tokens"], ..PLAIN },
    Row { package: "deep-prompts", id: "ivlp", counts: [30_720, 43_008], carried: &["ctx", "image1", "image2", "text1", "text2", "tokens"], ..PLAIN },
    Row { package: "maple", id: "maple", counts: [3_555_072, 7_100_928], ..PLAIN },
    Row { package: "promptsrc", id: "promptsrc", config: r#"{"teacher_templates": ["a photo of a {}."]}"#, counts: [46_080, 64_512], carried: &["ctx", "image1", "image2", "text1", "text2", "tokens"], ..PLAIN },
    Row { package: "clip-lora", id: "clip-lora", counts: [184_320, 405_504], neutral: Some("{}"), neutral_on_target: true, ..PLAIN },
    Row { package: "bitfit", id: "bitfit", counts: [68_096, 102_144], neutral: Some("{}"), ..PLAIN },
    Row { package: "bitfit", id: "bitfit", config: r#"{"mode": "delta"}"#, counted: r#"{"towers": "both"}"#, counts: [171_008, 374_528], neutral: Some(r#"{"mode": "delta"}"#), neutral_on_target: true, ..PLAIN },
    Row { package: "bitfit", id: "clipfit", counts: [46_080, 111_616], neutral: Some("{}"), ..PLAIN },
];

impl Row {
    fn open(&self, config: &str) -> MethodHandle {
        let config: Value = serde_json::from_str(config).unwrap();
        let plugin = plugin(&format!("harness-plugin-{}", self.package));
        plugin.open(self.id, &config).unwrap()
    }

    fn name(&self) -> String {
        format!("{} {}", self.id, self.config)
    }
}

fn source() -> MethodTask {
    MethodTask::of(&committed(), "open-clip-quickgelu")
}

/// Another backbone of the same dimensions: other weights, another activation.
fn target() -> MethodTask {
    MethodTask::of(&committed(), "open-clip-gelu")
}

fn train(method: &MethodHandle, task: &MethodTask, epochs: usize) -> Vec<u8> {
    let job = TrainJob {
        seed: 3,
        recipe: recipe(json!({"epochs": epochs, "batch": 4})),
        check_gradients: false,
    };
    method.train(task.training().object(), &job).unwrap().module
}

/// Logits of the batch, and the module as the plugin gives it back.
fn inject(method: &MethodHandle, task: &MethodTask, module: &[u8]) -> (Vec<f32>, Vec<u8>) {
    let predictor = method.inject(task.evaluation().object(), module).unwrap();
    let rows: Vec<u32> = (0..task.batch() as u32).collect();
    let logits = predictor.logits(Split::Test, &rows, task.classes());
    (logits.unwrap(), predictor.module().unwrap())
}

fn zero_shot(task: &MethodTask) -> Vec<f32> {
    let bench = task.evaluation();
    let classes = bench.class_embeddings().unwrap();
    let logits = bench.zero_shot(task.features(), &classes).unwrap();
    logits.flatten_all().unwrap().to_vec1().unwrap()
}

#[test]
fn trained_numbers_are_the_published_methods() {
    const CLASSES: usize = 1000;
    let classes: Vec<Class> = (0..CLASSES)
        .map(|class| Class {
            id: format!("{class}"),
            name: format!("{class}"),
        })
        .collect();
    for row in METHODS {
        let method = row.open(row.counted);
        let counts = ["b16", "l14"].map(|name| {
            let facts = backbone_facts(name, &published(name).unwrap());
            let task = task_facts(
                "imagenet",
                classes.clone(),
                &["a photo of a {}.".to_owned()],
            );
            let survey = method.survey(&setting(facts, Role::Target, task)).unwrap();
            let trained = survey.parameters.iter().filter(|p| !p.fixed);
            // An open dimension is the number of training images.
            let numbers = trained.map(|p| {
                let dims = p.shape.iter();
                dims.map(|&d| if d == 0 { 16 * CLASSES } else { d })
                    .product::<usize>()
            });
            numbers.sum::<usize>() as u64
        });
        assert_eq!(counts, row.counts, "{} {}", row.id, row.counted);
    }
}

#[test]
fn neutral_modules_are_zero_shot() {
    let (source, target) = (source(), target());
    let expected = [zero_shot(&source), zero_shot(&target)];
    for row in METHODS {
        let Some(config) = row.neutral else { continue };
        let method = row.open(config);
        let module = train(&method, &source, 0);
        assert_close(
            &row.name(),
            &inject(&method, &source, &module).0,
            &expected[0],
        );
        if row.neutral_on_target {
            let what = format!("{} on the target", row.name());
            assert_close(&what, &inject(&method, &target, &module).0, &expected[1]);
        }
    }
}

#[test]
fn modules_are_carried_whole_and_unchanged_and_the_rest_is_recomputed() {
    let (source, target) = (source(), target());
    for row in METHODS {
        let (name, method) = (row.name(), row.open(row.config));
        let module = train(&method, &source, 1);
        let file = SafeTensors::deserialize(&module).unwrap();
        if !row.carried.is_empty() {
            let mut names = file.names();
            names.sort_unstable();
            assert_eq!(names, row.carried, "{name}");
        }
        // An upgrade to the source itself gives the same bits, as often as one likes.
        let (base, after) = inject(&method, &source, &module);
        assert_eq!(after, module, "{name}: changed on the source");
        assert_eq!(inject(&method, &source, &after).0, base, "{name}");
        let (new, after) = inject(&method, &target, &module);
        assert_eq!(after, module, "{name}: changed on the target");
        assert_ne!(new, base, "{name}: the target's weights change nothing");
    }
}

#[test]
fn cocoop_whose_meta_net_says_nothing_is_coop() {
    let source = source();
    let row = |id: &str| METHODS.iter().find(|row| row.id == id).unwrap().open("{}");
    let (coop, cocoop) = (row("coop"), row("cocoop"));
    let mut module = train(&cocoop, &source, 0);
    let last_layer: Vec<_> = {
        let file = SafeTensors::deserialize(&module).unwrap();
        let tensors = ["w2", "b2"].map(|name| file.tensor(name).unwrap().data().as_ptr_range());
        let begin = module.as_ptr() as usize;
        tensors
            .map(|range| range.start as usize - begin..range.end as usize - begin)
            .to_vec()
    };
    for range in last_layer {
        module[range].fill(0);
    }
    let expected = inject(&coop, &source, &train(&coop, &source, 0)).0;
    assert_close("cocoop", &inject(&cocoop, &source, &module).0, &expected);
}

/// The bytes of a tensor.
fn tensor<'m>(module: &'m [u8], name: &str) -> &'m [u8] {
    let file = SafeTensors::deserialize(module).unwrap();
    file.tensor(name).unwrap().data()
}

/// Overwrites a tensor with bytes of the same number.
fn overwrite(module: &mut [u8], name: &str, bytes: &[u8]) {
    let begin = tensor(module, name).as_ptr() as usize - module.as_ptr() as usize;
    assert_eq!(tensor(module, name).len(), bytes.len(), "{name}");
    module[begin..begin + bytes.len()].copy_from_slice(bytes);
}

const WEIGHTS: [&str; 9] = ["ctx", "wq", "wk", "wv", "wo", "bq", "bk", "bv", "bo"];

#[test]
fn carried_class_embeddings_are_what_other_backbones_would_recompute() {
    let (source, target) = (source(), target());
    let contcoop = |config: &str| {
        Row {
            package: "contcoop",
            id: "contcoop",
            ..PLAIN
        }
        .open(config)
    };
    for reading in ["name-tokens", "text-feature"] {
        let with = |ablation: &str| {
            contcoop(&format!(
                r#"{{"class_embedding": "{reading}", "output_init": "small-normal", "ablation": "{ablation}"}}"#
            ))
        };
        let (plain, frozen, permuted) = (with("none"), with("frozen"), with("permuted"));
        let (trained, mut carried) = (train(&plain, &source, 1), train(&frozen, &source, 1));
        for name in WEIGHTS {
            assert_eq!(tensor(&trained, name), tensor(&carried, name), "{name}");
        }
        let on = |task, method, module: &[u8]| inject(method, task, module).0;
        assert_eq!(
            on(&source, &frozen, &carried),
            on(&source, &plain, &trained)
        );
        let recomputed = on(&target, &plain, &trained);
        assert_ne!(on(&target, &frozen, &carried), recomputed);
        // With the target's class embeddings in their place, it is the method itself.
        let of_target = train(&frozen, &target, 0);
        overwrite(&mut carried, "class_rows", tensor(&of_target, "class_rows"));
        assert_eq!(on(&target, &frozen, &carried), recomputed, "{reading}");

        // Class embeddings in another order are those of the permutation.
        const ORDER: [usize; 6] = [4, 3, 0, 5, 1, 2];
        let shuffled = train(&permuted, &source, 1);
        let mut by_hand = train(&frozen, &source, 0);
        for name in WEIGHTS {
            overwrite(&mut by_hand, name, tensor(&shuffled, name));
        }
        for name in ["class_rows", "class_mask"] {
            let rows = tensor(&by_hand, name).to_vec();
            let length = rows.len() / ORDER.len();
            let row = |class: &usize| &rows[class * length..][..length];
            let rows: Vec<u8> = ORDER.iter().flat_map(row).copied().collect();
            overwrite(&mut by_hand, name, &rows);
        }
        let expected = on(&source, &frozen, &by_hand);
        assert_eq!(on(&source, &permuted, &shuffled), expected, "{reading}");
    }
}
