//! Time and memory of one prompt-learning step in the text tower: features and the gradient of the
//! context. The variants take turns, so that other work on the machine slows all of them alike; the
//! speed of plain matrix products stands beside them.
//!
//! `cargo run -p harness-backbone --example text_step -- WIDTH LAYERS CLASSES STEPS VARIANTS SAVE`
//!
//! VARIANTS limits the run to the first few; with one, the peak memory is that of the engine. SAVE is
//! a file for the weights, the context, the features and the gradient of the first variant, which
//! `harness/scripts/text_step.py` compares with PyTorch. `RAYON_NUM_THREADS` sets the threads; the
//! defaults are the text tower of ViT-B/16, 100 classes.

use std::collections::HashMap;
use std::time::Instant;

use candle_core::{Device, Result as CandleResult, Tensor, Var};
use harness_backbone::{Backbone, PromptBatch, Segment, TextEdit, TextTower, TokenRows};
use rustix::time::{ClockId, clock_gettime};

const CONTEXT: usize = 77;
const VOCABULARY: usize = 512;
/// Vectors of the trained context.
const VECTORS: usize = 16;
/// Most tokens of a name, its full stop and the end.
const NAME: usize = 7;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;
type Encode = fn(&TextTower, &PromptBatch) -> harness_backbone::Result<Tensor>;

/// One way of doing the step.
struct Variant {
    name: &'static str,
    batch: PromptBatch,
    context: Var,
    encode: Encode,
    /// Multiply-adds of matrix products, features and gradient together.
    products: f64,
    seconds: Vec<(f64, f64)>,
    peak: Option<u64>,
}

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, default: usize| match args.get(at) {
        Some(text) => text.parse::<usize>(),
        None => Ok(default),
    };
    let (width, layers, classes) = (number(0, 512)?, number(1, 12)?, number(2, 100)?);
    let (steps, most) = (number(3, 5)?, number(4, usize::MAX)?);
    let heads = (width / 64).max(2);
    let config = serde_json::json!({
        "embed_dim": width,
        "quick_gelu": true,
        "text_cfg": {"heads": heads},
        "vision_cfg": {"head_width": width / heads},
    });
    let state = state_dict(width, layers)?;
    let backbone = Backbone::from_tensors(state.clone(), &config, None)?;
    let tower = backbone.text();
    let length = 1 + VECTORS + NAME;
    let variant = |name, shared: bool, padding, encode: Encode, rows: usize| {
        let rows_of_context = if shared { 1 } else { classes };
        let shape = (1, rows_of_context, VECTORS, width);
        let context = Var::randn(0f32, 0.02, shape, &Device::Cpu)?;
        let per_row = ((layers - 1) * 12 + 2) * width * width;
        let per_end = 10 * width * width;
        Ok::<_, candle_core::Error>(Variant {
            name,
            batch: batch(&context, classes, padding),
            context,
            encode,
            products: 2.0 * (rows * per_row + classes * per_end) as f64,
            seconds: Vec::new(),
            peak: None,
        })
    };
    let engine: Encode = TextTower::encode;
    let candle: Encode = TextTower::encode_reference;
    let keeps_nothing: Encode = |tower, batch| {
        let tower = tower.clone().with_activation_limit(0);
        tower.encode(batch)
    };
    let padding = CONTEXT - length;
    let rests: usize = (0..classes).map(rest).sum();
    let shared = 1 + VECTORS + rests;
    let by_class = 1 + classes * VECTORS + rests;
    let mut variants = vec![
        variant("engine, context shared", true, 0, engine, shared)?,
        variant("engine, context by class", false, 0, engine, by_class)?,
        variant("engine, nothing kept", true, 0, keeps_nothing, shared)?,
        variant(
            "engine, 77 tokens",
            true,
            padding,
            engine,
            shared + classes * padding,
        )?,
        variant("candle's operations", true, 0, candle, classes * length)?,
        variant(
            "candle's, 77 tokens",
            true,
            padding,
            candle,
            classes * CONTEXT,
        )?,
    ];
    let middle = layers / 2;
    let mut deep = variant("engine, vectors at the middle", true, 0, engine, shared)?;
    deep.batch = replaced(&deep.context, middle, classes);
    deep.products *= (layers - middle) as f64 / layers as f64;
    variants.push(deep);
    variants.truncate(most);
    if let Some(file) = args.get(5) {
        variants[0].save(tower, state, file)?;
    }
    let mut peak: f64 = 0.0;
    for turn in 0..=steps {
        peak = peak.max(product_speed());
        for variant in &mut variants {
            variant.step(tower, turn > 0)?;
        }
    }
    println!(
        "width {width}, {layers} blocks, {classes} prompts of up to {length} tokens, {VECTORS} of them \
         trained; {} threads",
        rayon::current_num_threads()
    );
    println!("matrix products alone: {:.1} GFLOP/s a core", peak / 1e9);
    println!("                              CPU s    wall s   x first  of peak  peak MiB");
    let first = variants[0].median().0;
    for variant in &variants {
        let (cpu, wall) = variant.median();
        println!(
            "{:28} {cpu:8.3} {wall:9.3} {:9.2} {:7.0}% {:>9}",
            variant.name,
            cpu / first,
            200.0 * variant.products / cpu / peak,
            variant
                .peak
                .map_or("-".to_owned(), |kib| (kib / 1024).to_string()),
        );
    }
    Ok(())
}

impl Variant {
    fn step(&mut self, tower: &TextTower, counts: bool) -> Result<()> {
        // Linux: the peak of the resident memory from here on.
        let resets = std::fs::write("/proc/self/clear_refs", "5").is_ok();
        let (cpu, wall) = (cpu_seconds(), Instant::now());
        let features = (self.encode)(tower, &self.batch)?;
        let grads = features.sqr()?.sum_all()?.backward()?;
        if grads.get(&self.context).is_none() {
            return Err("no gradient for the context".into());
        }
        if counts {
            let seconds = (cpu_seconds() - cpu, wall.elapsed().as_secs_f64());
            self.seconds.push(seconds);
            self.peak = if resets { peak_memory() } else { None };
        }
        Ok(())
    }

    /// Writes the weights, the context, the features and the gradient of the context.
    fn save(&self, tower: &TextTower, state: HashMap<String, Tensor>, file: &str) -> Result<()> {
        let features = (self.encode)(tower, &self.batch)?;
        let grads = features.sqr()?.sum_all()?.backward()?;
        let mut tensors = state;
        tensors.insert("context".into(), self.context.as_tensor().clone());
        tensors.insert("features".into(), features.squeeze(0)?);
        if let Some(gradient) = grads.get(&self.context) {
            tensors.insert("gradient".into(), gradient.clone());
        }
        Ok(candle_core::safetensors::save(&tensors, file)?)
    }

    /// Medians of the CPU time and the time that passed.
    fn median(&self) -> (f64, f64) {
        let middle = |mut times: Vec<f64>| {
            times.sort_by(f64::total_cmp);
            times[times.len() / 2]
        };
        (
            middle(self.seconds.iter().map(|s| s.0).collect()),
            middle(self.seconds.iter().map(|s| s.1).collect()),
        )
    }
}

fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// CPU time of this process; other processes on the machine do not count.
fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}

/// Floating-point operations per CPU second of one thread in large matrix products.
fn product_speed() -> f64 {
    const SIZE: usize = 1024;
    let a = vec![0.5f32; SIZE * SIZE];
    let b = vec![0.25f32; SIZE * SIZE];
    let mut c = vec![0f32; SIZE * SIZE];
    let mut best = 0f64;
    for _ in 0..4 {
        let start = cpu_seconds();
        // SAFETY: three square matrices of SIZE rows, each in a vector of its own.
        #[expect(unsafe_code, reason = "the matrix kernel takes pointers and strides")]
        unsafe {
            gemm::gemm(
                SIZE,
                SIZE,
                SIZE,
                c.as_mut_ptr(),
                1,
                SIZE as isize,
                false,
                a.as_ptr(),
                1,
                SIZE as isize,
                b.as_ptr(),
                1,
                SIZE as isize,
                0.0f32,
                1.0f32,
                false,
                false,
                false,
                gemm::Parallelism::None,
            );
        }
        let operations = 2.0 * (SIZE * SIZE * SIZE) as f64;
        best = best.max(operations / (cpu_seconds() - start).max(f64::MIN_POSITIVE));
    }
    best
}

/// Tokens of a name of one to five, a full stop and the end.
fn rest(class: usize) -> usize {
    3 + class % (NAME - 2)
}

/// `[start] ctx name [end]` for all classes, names `padding` tokens longer.
fn batch(context: &Var, classes: usize, padding: usize) -> PromptBatch {
    let end = (VOCABULARY - 1) as u32;
    let name = |class: usize| {
        // Distinct: 509 is a prime, and neighbours are of different lengths.
        let token = |i: usize| match i {
            0 => class % 509,
            _ => class.checked_shr(7 * i as u32).unwrap_or(0) % 128,
        };
        let tokens = (0..rest(class) - 1 + padding).map(|i| token(i) as u32);
        let mut row: Vec<u32> = tokens.collect();
        row.push(end);
        row
    };
    PromptBatch {
        groups: 1,
        classes,
        segments: vec![
            Segment::Tokens(TokenRows::Shared(vec![end - 1])),
            Segment::Context(context.as_tensor().clone()),
            Segment::Tokens(TokenRows::PerClass((0..classes).map(name).collect())),
        ],
        edits: Vec::new(),
    }
}

/// The same prompts of words, with the context in place of some of them before a block.
fn replaced(context: &Var, layer: usize, classes: usize) -> PromptBatch {
    let mut batch = batch(context, classes, 0);
    let words = (0..VECTORS as u32).collect();
    batch.segments[1] = Segment::Tokens(TokenRows::Shared(words));
    batch.edits = vec![TextEdit::ReplaceTokens {
        layer,
        start: 1,
        tokens: context.as_tensor().clone(),
    }];
    batch
}

/// Random weights in open_clip's layout, with an image tower of one small block.
fn state_dict(width: usize, layers: usize) -> CandleResult<HashMap<String, Tensor>> {
    let mut state = HashMap::new();
    let mut put = |name: String, shape: &[usize]| -> CandleResult<()> {
        let fan = *shape.last().unwrap_or(&1) as f32;
        let tensor = if name.contains("ln_") && name.ends_with("weight") {
            Tensor::ones(shape, candle_core::DType::F32, &Device::Cpu)?
        } else {
            Tensor::randn(0f32, fan.sqrt().recip(), shape, &Device::Cpu)?
        };
        state.insert(name, tensor);
        Ok(())
    };
    for (tower, blocks) in [("", layers), ("visual.", 1)] {
        for block in 0..blocks {
            let at = format!("{tower}transformer.resblocks.{block}.");
            for (name, shape) in [
                ("ln_1.weight", vec![width]),
                ("ln_1.bias", vec![width]),
                ("attn.in_proj_weight", vec![3 * width, width]),
                ("attn.in_proj_bias", vec![3 * width]),
                ("attn.out_proj.weight", vec![width, width]),
                ("attn.out_proj.bias", vec![width]),
                ("ln_2.weight", vec![width]),
                ("ln_2.bias", vec![width]),
                ("mlp.c_fc.weight", vec![4 * width, width]),
                ("mlp.c_fc.bias", vec![4 * width]),
                ("mlp.c_proj.weight", vec![width, 4 * width]),
                ("mlp.c_proj.bias", vec![width]),
            ] {
                put(format!("{at}{name}"), &shape)?;
            }
        }
    }
    for (name, shape) in [
        ("token_embedding.weight", vec![VOCABULARY, width]),
        ("positional_embedding", vec![CONTEXT, width]),
        ("ln_final.weight", vec![width]),
        ("ln_final.bias", vec![width]),
        ("text_projection", vec![width, width]),
        ("logit_scale", vec![]),
        ("visual.class_embedding", vec![width]),
        ("visual.positional_embedding", vec![5, width]),
        ("visual.conv1.weight", vec![width, 3, 8, 8]),
        ("visual.ln_pre.weight", vec![width]),
        ("visual.ln_pre.bias", vec![width]),
        ("visual.ln_post.weight", vec![width]),
        ("visual.ln_post.bias", vec![width]),
        ("visual.proj", vec![width, width]),
    ] {
        put(name.to_owned(), &shape)?;
    }
    Ok(state)
}
