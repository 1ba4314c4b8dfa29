//! What the boundary, the optimiser and the bookkeeping add to a training: CoOp through its plugin
//! against the same steps on the text tower alone, and what it adds to write CoOp in Python. They
//! take turns, so that other work on the machine slows all alike.
//!
//! `cargo run -p harness-host --example boundary -- BACKBONE CLASSES STEPS TURNS PYTHON`, after
//! `cargo build --workspace`. BACKBONE is a folder with a backbone,
//! or a listing of `fixtures/checkpoints`, with random weights. PYTHON is an interpreter with
//! PyTorch; without one Python is left out.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use candle_core::{Device, Tensor, Var};
use harness_abi::wire::{Class, RecipeChanges, Script, TaskFacts, TrainJob};
use harness_backbone::{Backbone, PromptBatch, Segment, TextTower, TokenRows, Tokenizer};
use harness_host::boundary::{ClassFeatures, HostBench, TaskData, Vocabulary, backbone_facts};
use harness_host::plugin::{LoadedPlugin, MethodHandle};
use serde_json::json;

#[path = "../../backbone/examples/common/mod.rs"]
mod common;

use common::{Result, median, random, seconds};

/// Vectors of the trained context.
const VECTORS: usize = 16;
/// Training images, a batch.
const IMAGES: usize = 32;
/// Words of the class names.
const WORDS: [&str; 10] = [
    "red", "old", "small", "wild", "common", "apple", "sparrow", "sedan", "daisy", "terrier",
];

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, default: usize| match args.get(at) {
        Some(text) => text.parse::<usize>(),
        None => Ok(default),
    };
    let model = args.first().map_or("clip-vit-b16", String::as_str);
    let (classes, steps, turns) = (number(1, 100)?, number(2, 4)?, number(3, 5)?);
    let backbone = Arc::new(match Path::new(model).is_dir() {
        true => Backbone::load(Path::new(model))?,
        false => random(model)?,
    });
    let start = Instant::now();
    let plugin = LoadedPlugin::load(&library("coop")?)?;
    let loading = start.elapsed();
    let config = json!({"context": {"length": VECTORS}});
    let method = plugin.open("coop", &config)?;
    let python = match args.get(4) {
        Some(interpreter) => {
            let bridge = library("python")?;
            let plugin = LoadedPlugin::load_script(&bridge, &script(interpreter)?)?;
            Some(plugin.open("coop-py", &config)?)
        }
        None => None,
    };
    let words = match backbone.tokenizer() {
        Some(own) => own.clone(),
        None => Tokenizer::clip()?,
    };
    let words = Arc::new(words);
    let names: Vec<String> = (0..classes).map(name).collect();

    let task = TaskFacts {
        dataset: "random".to_owned(),
        classes: names.iter().map(|name| class(name)).collect(),
        templates: vec!["a photo of a {}.".to_owned()],
        train_rows: IMAGES,
        train_views: 1,
        val_rows: 0,
    };
    let width = backbone.dims().embed_dim;
    let images = Tensor::randn(0f32, 1.0, (IMAGES, width), &Device::Cpu)?;
    let labels = (0..IMAGES).map(|row| (row % classes) as u32).collect();
    let none = (images.narrow(0, 0, 0)?, Vec::new());
    let bench = HostBench::new(
        backbone_facts(model, backbone.dims()),
        Arc::clone(&backbone),
        Arc::<ClassFeatures>::default(),
        Arc::clone(&words) as Arc<dyn Vocabulary>,
        TaskData::training(task, vec![images], labels, none),
        Box::new(|_, _| Ok(())),
    );
    let recipe: RecipeChanges = serde_json::from_value(json!({"epochs": steps, "batch": IMAGES}))?;
    let context = Var::randn(
        0f32,
        0.02,
        (1, 1, VECTORS, backbone.dims().text.width),
        &Device::Cpu,
    )?;
    let batch = prompts(&context, words.as_ref(), &names)?;

    let (mut of_training, mut of_tower) = (Vec::new(), Vec::new());
    let (mut of_python, mut python_ratios) = (Vec::new(), Vec::new());
    for turn in 0..=turns {
        let trained = seconds(|| train(&method, &bench, &recipe))?;
        let alone = seconds(|| step(backbone.text(), &batch, &context, steps))?;
        if let Some(method) = &python {
            let in_python = seconds(|| train(method, &bench, &recipe))?;
            if turn > 0 {
                of_python.push(in_python);
                python_ratios.push((in_python.0 / trained.0, 1.0));
            }
        }
        // The first turn warms up.
        if turn > 0 {
            of_training.push(trained);
            of_tower.push(alone);
        }
    }
    let ratios = of_training.iter().zip(&of_tower);
    let ratios = ratios.map(|(a, b)| (a.0 / b.0, a.1 / b.1)).collect();
    let (training, tower, (_, ratio)) = (median(of_training), median(of_tower), median(ratios));
    println!("{model}, {classes} classes, CoOp with {VECTORS} vectors, {steps} steps a training");
    println!("plugin loaded in {:.1} ms", 1e3 * loading.as_secs_f64());
    println!("                        CPU s    wall s");
    println!(
        "training by the plugin {:6.3} {:9.3}",
        training.1, training.0
    );
    println!("text tower alone       {:6.3} {:9.3}", tower.1, tower.0);
    println!(
        "added to the tower's CPU time: {:.1} %",
        100.0 * (ratio - 1.0)
    );
    if python.is_some() {
        let (wall, _) = median(of_python);
        let (ratio, _) = median(python_ratios);
        println!("training in Python            {wall:9.3}");
        println!(
            "added to the wall time of the plugin: {:.1} %, {:.2} ms a step",
            100.0 * (ratio - 1.0),
            1e3 * (wall - training.0) / steps as f64
        );
    }
    Ok(())
}

/// CoOp in Python.
fn script(interpreter: &str) -> Result<Script> {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../python/examples/coop.py");
    let path = examples.canonicalize()?;
    Ok(Script {
        path: path.to_str().ok_or("the path is not UTF-8")?.to_owned(),
        interpreter: interpreter.to_owned(),
    })
}

/// The library of a plugin, where cargo puts it.
fn library(plugin: &str) -> Result<PathBuf> {
    let examples = std::env::current_exe()?;
    let folder = examples.parent().and_then(|folder| folder.parent());
    let name = format!(
        "{}harness_plugin_{plugin}{}",
        std::env::consts::DLL_PREFIX,
        std::env::consts::DLL_SUFFIX
    );
    Ok(folder.ok_or("the example is in no folder")?.join(name))
}

/// Names of one to three words.
fn name(class: usize) -> String {
    let word = |place: u32| WORDS[class / 10usize.pow(place) % 10];
    let words = (0..=(class % 3) as u32).map(word);
    words
        .chain([WORDS[class % 7]])
        .collect::<Vec<_>>()
        .join(" ")
}

fn class(name: &str) -> Class {
    Class {
        id: String::new(),
        name: name.to_owned(),
    }
}

/// `[start] ctx name . [end]` for all classes.
fn prompts(context: &Var, words: &dyn Vocabulary, names: &[String]) -> Result<PromptBatch> {
    let rows = names.iter().map(|name| {
        let mut ids = words.ids(&format!("{name}."))?;
        ids.push(words.end_of_text());
        Ok(ids)
    });
    Ok(PromptBatch {
        groups: 1,
        classes: names.len(),
        segments: vec![
            Segment::Tokens(TokenRows::Shared(vec![words.start_of_text()])),
            Segment::Context(context.as_tensor().clone()),
            Segment::Tokens(TokenRows::PerClass(rows.collect::<Result<_>>()?)),
        ],
        edits: Vec::new(),
    })
}

fn train(method: &MethodHandle, bench: &HostBench, recipe: &RecipeChanges) -> Result<()> {
    let job = TrainJob {
        seed: 1,
        recipe: recipe.clone(),
        check_gradients: false,
    };
    method.train(bench.object(), &job)?;
    Ok(())
}

/// Features and the gradient of the context, so many times.
fn step(tower: &TextTower, batch: &PromptBatch, context: &Var, steps: usize) -> Result<()> {
    for _ in 0..steps {
        let features = tower.encode(batch)?;
        let grads = features.sqr()?.sum_all()?.backward()?;
        if grads.get(context).is_none() {
            return Err("no gradient for the context".into());
        }
    }
    Ok(())
}
