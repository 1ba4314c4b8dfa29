//! Every method against an independent writing of its formula: logits, loss,
//! gradients, and the parameters after three plain SGD steps, through the real
//! plugin and the real boundary.

use std::{collections::BTreeMap, path::Path};

use crate::{
    plugins::{plugin, recipe},
    reference::{MethodTask, assert_close, committed, folder, listing, tensors, values},
};
use harness_abi::wire::{Probe, Split, TrainJob};
use harness_host::plugin::{LoadedPlugin, MethodHandle};
use safetensors::{Dtype, SafeTensors, serialize, tensor::TensorView};
use serde_json::{Value, json};

pub(crate) type Tensors = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

/// The method and configuration that a case is of.
pub(crate) struct Case {
    package: &'static str,
    pub(crate) id: &'static str,
    pub(crate) config: Value,
    /// Carried tensors that are not trained, which a case only describes.
    fixed: Tensors,
}

impl Case {
    fn new(package: &'static str, id: &'static str, config: Value) -> Self {
        Self {
            package,
            id,
            config,
            fixed: Tensors::new(),
        }
    }

    /// By its file's name and what its description says.
    pub(crate) fn find(name: &str, about: &Value, parameters: &Tensors) -> Option<Self> {
        let length = |axis: usize| parameters.get("ctx").map(|(shape, _)| shape[axis]);
        let context = |axis: usize| json!({"context": {"length": length(axis)}});
        let contcoop = |reading: &str| {
            let config = json!({
                "context": {"length": length(0)}, "class_embedding": reading, "bias": false,
                "heads": about["heads"],
            });
            Self::new("harness-plugin-contcoop", "contcoop", config)
        };
        let rows = |name: &str| parameters.get(name).map(|(shape, _)| shape[0]);
        let deeper = parameters.keys();
        let deeper = deeper.filter(|name| name.starts_with("text")).count();
        let both_towers = json!({
            "text_tokens": rows("ctx"), "image_tokens": rows("tokens"), "depth": 1 + deeper,
        });
        Some(match name {
            "coop" => Self::new("harness-plugin-coop", "coop", context(0)),
            "coop-csc" => {
                let context = json!({"length": length(1)});
                let config = json!({"context": context, "class_specific": true});
                Self::new("harness-plugin-coop", "coop", config)
            }
            "kgcoop" => Self::new("harness-plugin-kgcoop", "kgcoop", context(0)),
            "contcoop-name-tokens" => contcoop("name-tokens"),
            "contcoop-text-feature" => contcoop("text-feature"),
            "cocoop" => Self::new("harness-plugin-cocoop", "cocoop", context(0)),
            "prograd" => Self::new("harness-plugin-prograd", "prograd", context(0)),
            "tcp" => Self::new("harness-plugin-tcp", "tcp", context(0)),
            "deep-language" => {
                Self::new("harness-plugin-deep-language", "deep-language", context(0))
            }
            "clip-adapter" => {
                let config = json!({"ratio": about["ratio"]});
                Self::new("harness-plugin-clip-adapter", "clip-adapter", config)
            }
            "taskres" => {
                let config = json!({"alpha": about["alpha"]});
                Self::new("harness-plugin-taskres", "taskres", config)
            }
            "linear-probe" => Self::new("harness-plugin-linear-probe", "linear-probe", json!({})),
            "tip-adapter" => Self::new(
                "harness-plugin-tip-adapter",
                "tip-adapter",
                json!({"scale": "backbone"}),
            ),
            "tip-adapter-f" => Self {
                fixed: cache_constants(about, parameters),
                ..Self::new(
                    "harness-plugin-tip-adapter",
                    "tip-adapter-f",
                    json!({"scale": "backbone"}),
                )
            },
            "vpt-deep" => {
                let config = json!({"tokens": rows("tokens"), "depth": parameters.len()});
                Self::new("harness-plugin-deep-prompts", "vpt", config)
            }
            "ivlp" => Self::new("harness-plugin-deep-prompts", "ivlp", both_towers),
            "maple" => {
                let config = json!({"tokens": rows("ctx"), "depth": 1 + deeper});
                Self::new("harness-plugin-maple", "maple", config)
            }
            "promptsrc" => {
                let mut config = both_towers;
                config["average"] = Value::Null;
                config["teacher_templates"] = json!(["a photo of a {}."]);
                Self::new("harness-plugin-promptsrc", "promptsrc", config)
            }
            "clip-lora" => Self::new("harness-plugin-clip-lora", "clip-lora", json!({})),
            "bitfit-text" => Self::new("harness-plugin-bitfit", "bitfit", json!({})),
            "bitfit-both" => {
                let config = json!({"towers": "both"});
                Self::new("harness-plugin-bitfit", "bitfit", config)
            }
            "clipfit" => Self::new("harness-plugin-bitfit", "clipfit", json!({})),
            "prolip" => Self::new("harness-plugin-prolip", "prolip", json!({})),
            "clap" => Self::new("harness-plugin-clap", "clap", json!({})),
            "cupl" => {
                let text = about["descriptions"].to_string();
                let file = json!({"name": "descriptions.json", "text": text});
                let config = json!({"descriptions": file});
                Self::new("harness-plugin-cupl", "cupl", config)
            }
            "plot" => {
                let config = json!({"prompts": about["prompts"], "length": about["length"]});
                Self::new("harness-plugin-plot", "plot", config)
            }
            "proda" => {
                let prompts = parameters.get("ctx").map(|(shape, _)| shape[0]);
                let config = json!({
                    "prompts": prompts, "prompts_a_step": prompts, "length": length(1),
                });
                Self::new("harness-plugin-proda", "proda", config)
            }
            "lasp" => {
                let templates = json!(["a photo of a {}.", "of a {}."]);
                let mut config = context(0);
                config["noise"] = 0.0.into();
                config["templates"] = templates;
                Self::new("harness-plugin-lasp", "lasp", config)
            }
            _ => return None,
        })
    }
}

/// Values, alpha and beta of a cache whose key i belongs to class i mod 6.
fn cache_constants(about: &Value, parameters: &Tensors) -> Tensors {
    const CLASSES: usize = 6;
    let keys = parameters["keys"].0[0];
    let value = |at: usize| f32::from(u8::from((at / CLASSES) % CLASSES == at % CLASSES));
    let values = (0..keys * CLASSES).map(value).collect();
    let number = |name: &str| (vec![1], vec![about[name].as_f64().unwrap() as f32]);
    Tensors::from([
        ("values".to_owned(), (vec![keys, CLASSES], values)),
        ("alpha".to_owned(), number("alpha")),
        ("beta".to_owned(), number("beta")),
    ])
}

/// The tensors of a part of a case, under the names of the method's parameters.
pub(crate) fn group(all: &Tensors, prefix: &str) -> Tensors {
    let named = all
        .iter()
        .filter_map(|(name, tensor)| Some((name.strip_prefix(prefix)?, tensor)));
    named
        .flat_map(|(name, tensor)| canonical(name, tensor))
        .collect()
}

/// Biases that a case names as open_clip does have canonical names in modules, and
/// the packed ones of an attention are three.
fn canonical(name: &str, (shape, values): &(Vec<usize>, Vec<f32>)) -> Tensors {
    let (tower, inside) = match name.strip_prefix("visual.") {
        Some(inside) => ("image", inside),
        None => ("text", name),
    };
    let outside = ["ln_final.", "ln_pre.", "ln_post."];
    let inside = match inside.strip_prefix("transformer.resblocks.") {
        Some(block) => format!("blocks.{block}"),
        None if outside.iter().any(|norm| inside.starts_with(norm)) => inside.to_owned(),
        None => return Tensors::from([(name.to_owned(), (shape.clone(), values.clone()))]),
    };
    let named = format!("{tower}.{inside}")
        .replace("attn.out_proj.", "attn.out.")
        .replace("mlp.c_fc.", "mlp.fc.")
        .replace("mlp.c_proj.", "mlp.proj.");
    match named.strip_suffix("in_proj_bias") {
        None => Tensors::from([(named, (shape.clone(), values.clone()))]),
        Some(attention) => {
            let width = values.len() / 3;
            let thirds = ["q", "k", "v"].iter().zip(values.chunks_exact(width));
            thirds
                .map(|(part, third)| {
                    let name = format!("{attention}{part}.bias");
                    (name, (vec![width], third.to_vec()))
                })
                .collect()
        }
    }
}

/// A module with the case's parameters under the header that the method writes.
struct ModuleWriter {
    template: Vec<u8>,
}

impl ModuleWriter {
    fn new(method: &MethodHandle, task: &MethodTask) -> Self {
        let job = TrainJob {
            seed: 1,
            recipe: recipe(json!({"epochs": 0})),
            check_gradients: false,
        };
        let trained = method.train(task.training().object(), &job).unwrap();
        Self {
            template: trained.module,
        }
    }

    /// Tensors of the module that the method makes.
    fn tensors(&self, names: &[&str]) -> Tensors {
        let module = SafeTensors::deserialize(&self.template).unwrap();
        let tensors = names.iter().map(|name| {
            let tensor = module.tensor(name).unwrap();
            let (chunks, _) = tensor.data().as_chunks::<4>();
            let values = chunks.iter().map(|bytes| f32::from_le_bytes(*bytes));
            let tensor = (tensor.shape().to_vec(), values.collect());
            ((*name).to_owned(), tensor)
        });
        tensors.collect()
    }

    fn write(&self, parameters: &Tensors) -> Vec<u8> {
        let (_, metadata) = SafeTensors::read_metadata(&self.template).unwrap();
        let buffers: Vec<_> = parameters
            .iter()
            .map(|(name, (shape, values))| {
                let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
                (name, shape.clone(), bytes)
            })
            .collect();
        let views = buffers.iter().map(|(name, shape, bytes)| {
            (
                *name,
                TensorView::new(Dtype::F32, shape.clone(), bytes).unwrap(),
            )
        });
        serialize(views, metadata.metadata().clone()).unwrap()
    }
}

fn check(case: &str, path: &Path, task: &MethodTask) -> bool {
    let (about, all) = read(path);
    let Some(found) = Case::find(case, &about, &group(&all, "param.")) else {
        return false;
    };
    agrees(case, &found, &all, task);
    true
}

/// The description and the tensors of a case.
pub(crate) fn read(path: &Path) -> (Value, Tensors) {
    let about = std::fs::read_to_string(path.with_extension("json")).unwrap_or("{}".into());
    let tensors = tensors(path).into_iter();
    let all = tensors.map(|(name, t)| (name, (t.dims().to_vec(), values(&t))));
    (serde_json::from_str(&about).unwrap(), all.collect())
}

fn agrees(case: &str, found: &Case, all: &Tensors, task: &MethodTask) {
    agrees_in(&plugin(found.package), case, found, all, task);
}

/// Asserts that a method of a plugin agrees with a case.
pub(crate) fn agrees_in(
    plugin: &LoadedPlugin,
    case: &str,
    found: &Case,
    all: &Tensors,
    task: &MethodTask,
) {
    let mut parameters = group(all, "param.");
    parameters.extend(found.fixed.clone());
    let method = plugin.open(found.id, &found.config).unwrap();
    let writer = ModuleWriter::new(&method, task);
    if found.config["ablation"] == "frozen" {
        parameters.extend(writer.tensors(&["class_rows", "class_mask"]));
    }
    let probe = Probe {
        split: Split::Train,
        rows: (0..task.batch() as u32).collect(),
    };
    let gradients = group(all, "grad.");
    for step in 0..3 {
        let bench = task.training();
        let module = writer.write(&parameters);
        let (reply, answer) = method.probe(bench.object(), &module, &probe).unwrap();
        let named = reply.gradients.iter().zip(&answer[1..]);
        if step == 0 {
            assert_close(
                &format!("{case} logits"),
                &answer[0].values,
                &all["logits"].1,
            );
            assert_close(
                &format!("{case} loss"),
                &[reply.loss as f32],
                &all["loss"].1,
            );
            assert_eq!(reply.gradients.len(), gradients.len(), "{case}");
        }
        for (name, gradient) in named {
            if step == 0 {
                let expected = &gradients[name].1;
                if name.ends_with("attn.k.bias") {
                    // It moves all scores of a query alike: the gradient is rounding.
                    assert!(gradient.values.iter().all(|g| g.abs() < 1e-6), "{name}");
                } else {
                    assert_close(&format!("{case} grad.{name}"), &gradient.values, expected);
                }
            }
            let parameter = parameters.get_mut(name).unwrap();
            for (p, g) in parameter.1.iter_mut().zip(&gradient.values) {
                *p -= 0.1 * g;
            }
        }
    }
    for (name, (_, expected)) in group(all, "after3.") {
        assert_close(
            &format!("{case} after3.{name}"),
            &parameters[&name].1,
            &expected,
        );
    }
    let built = group(all, "build.");
    if !built.is_empty() {
        let module = SafeTensors::deserialize(&writer.template).unwrap();
        assert_eq!(module.len(), built.len(), "{case}");
        for (name, (_, expected)) in built {
            let (chunks, _) = module.tensor(&name).unwrap().data().as_chunks::<4>();
            let found: Vec<f32> = chunks.iter().map(|b| f32::from_le_bytes(*b)).collect();
            assert_close(&format!("{case} build.{name}"), &found, &expected);
        }
    }
}

/// On its source, ContCoOp with carried class embeddings is ContCoOp; without attention and
/// distillation it is CoOp.
#[test]
fn ablations_of_contcoop_agree_with_the_formulas_they_reduce_to() {
    let task = MethodTask::of(&committed(), "open-clip-quickgelu");
    let contcoop = |case: &str, change: &dyn Fn(&mut Value)| {
        let (about, all) = read(&committed().join(format!("methods/{case}.safetensors")));
        let parameters = group(&all, "param.");
        let mut config = Case::find(case, &about, &parameters).unwrap().config;
        change(&mut config);
        let found = Case::new("harness-plugin-contcoop", "contcoop", config);
        agrees(case, &found, &all, &task);
    };
    for case in ["contcoop-name-tokens", "contcoop-text-feature"] {
        contcoop(case, &|config| config["ablation"] = "frozen".into());
    }
    contcoop("coop", &|config| {
        config["ablation"] = "context-only".into();
        config["lambda"] = 0.0.into();
    });
}

/// Cases of the same form that a plugin brings along, on the committed inputs.
#[test]
fn golden_cases_of_the_plugins_agree_with_independent_formulas() {
    let task = MethodTask::of(&committed(), "open-clip-quickgelu");
    let plugins = committed().join("../../../plugins");
    let mut checked = 0;
    for plugin in std::fs::read_dir(plugins).unwrap() {
        let Ok(cases) = std::fs::read_dir(plugin.unwrap().path().join("tests/golden")) else {
            continue;
        };
        let paths = cases.map(|case| case.unwrap().path());
        for path in paths.filter(|path| path.extension().is_some_and(|e| e == "safetensors")) {
            let case = path.file_stem().unwrap().to_string_lossy().into_owned();
            assert!(check(&case, &path, &task), "no method for {case}");
            checked += 1;
        }
    }
    assert!(checked >= 2);
}

#[test]
fn golden_methods_agree_with_independent_formulas() {
    if !folder().join("methods").exists() {
        eprintln!("no methods/ among the reference vectors");
        return;
    }
    let task = MethodTask::load();
    let mut checked = vec![];
    let mut without_plugin = vec![];
    for path in listing("methods") {
        let case = path.file_stem().unwrap().to_string_lossy().into_owned();
        if path.extension().is_none_or(|e| e != "safetensors") || case == "inputs" {
            continue;
        }
        if check(&case, &path, &task) {
            checked.push(case);
        } else {
            without_plugin.push(case);
        }
    }
    eprintln!("checked {checked:?}; no plugin for {without_plugin:?}");
    assert!(!checked.is_empty());
}
