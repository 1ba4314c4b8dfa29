//! CLIP-LoRA's `.pt`: low-rank updates by position in a list of layers, and what they are updates of.

use std::collections::BTreeMap;

use serde_json::json;

use super::module::Module;
use super::weights::{Weight, Weights};
use crate::settings::Setting;

/// A tower's name in parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Tower {
    Text,
    Image,
}

/// Projections, and their names in CLIP-LoRA.
const PROJECTIONS: [(&str, &str); 4] = [
    ("q", "q_proj"),
    ("k", "k_proj"),
    ("v", "v_proj"),
    ("out", "proj"),
];
const TEMPLATE: &str = "a photo of a {}.";

/// The matrices A and B of one projection of a block.
pub(super) type Updates = BTreeMap<(Tower, usize, &'static str), (Weight, Weight)>;

pub(super) fn convert(weights: &mut Weights) -> Result<Module, String> {
    let layers = layers(weights)?;
    let blocks = blocks(&layers, weights)?;
    let mut updates = Updates::new();
    for ((tower, block), layer) in blocks.into_iter().zip(layers) {
        for (projection, pair) in layer {
            updates.insert((tower, block, projection), pair);
        }
    }
    let rank = rank(&updates)?;
    let alpha = match weights.settings.get("alpha") {
        Some(Setting::Number(alpha)) => *alpha,
        _ => return Err("its metadata have no number `alpha`".to_owned()),
    };
    match weights.settings.get("r") {
        Some(Setting::Number(r)) if *r == rank as f64 => {}
        _ => {
            return Err(format!(
                "its metadata do not have the rank {rank} of its matrices as `r`"
            ));
        }
    }
    module(updates, rank, alpha)
}

type Layer = Vec<(&'static str, (Weight, Weight))>;

/// The layers in the order of the file.
fn layers(weights: &mut Weights) -> Result<Vec<Layer>, String> {
    let number = |name: &str| -> Option<usize> {
        name.strip_prefix("layer_")?.split('.').next()?.parse().ok()
    };
    let count = weights
        .names()
        .filter_map(number)
        .max()
        .map_or(0, |last| last + 1);
    let mut layers = Vec::new();
    for layer in 0..count {
        let mut found = Layer::new();
        for (projection, name) in PROJECTIONS {
            let name = format!("layer_{layer}.{name}.w_lora_");
            if weights.has(&format!("{name}A")) {
                let a = weights.take(&format!("{name}A"))?;
                found.push((projection, (a, weights.take(&format!("{name}B"))?)));
            }
        }
        if found.is_empty() {
            return Err(format!(
                "`layer_{layer}` has no updates of q_proj, k_proj, v_proj or proj"
            ));
        }
        layers.push(found);
    }
    match layers.is_empty() {
        true => Err("no tensor `layer_0.q_proj.w_lora_A` or the like".to_owned()),
        false => Ok(layers),
    }
}

/// The block of each layer: the text tower's come first.
fn blocks(layers: &[Layer], weights: &Weights) -> Result<Vec<(Tower, usize)>, String> {
    let text = |key: &str| match weights.settings.get(key) {
        Some(Setting::Text(text)) => Ok(text.as_str()),
        _ => Err(format!("its metadata have no text `{key}`")),
    };
    let (encoder, position) = (text("encoder")?, text("position")?);
    let width = |layer: &Layer| layer[0].1.0.shape.last().copied();
    let texts = match encoder {
        "text" => layers.len(),
        "vision" => 0,
        "both" => {
            let first = width(&layers[0]);
            let same = layers
                .iter()
                .take_while(|layer| width(layer) == first)
                .count();
            if same == layers.len() {
                return Err(
                    "both towers have the same width, so that it is not known which layers are \
                            the image tower's"
                        .to_owned(),
                );
            }
            same
        }
        other => {
            return Err(format!(
                "`encoder` is {other:?}, expected text, vision or both"
            ));
        }
    };
    let towers = [(Tower::Text, texts), (Tower::Image, layers.len() - texts)];
    let mut blocks = Vec::new();
    for (tower, count) in towers {
        let positions = positions(position, count)?;
        blocks.extend(positions.into_iter().map(|block| (tower, block)));
    }
    Ok(blocks)
}

/// The blocks that the reference means by a position, in a tower of 12 blocks except for `all`.
fn positions(position: &str, count: usize) -> Result<Vec<usize>, String> {
    let blocks: Vec<usize> = match position {
        _ if count == 0 => Vec::new(),
        "all" => (0..count).collect(),
        "top" | "top1" => vec![11],
        "top2" => (10..12).collect(),
        "top3" => (9..12).collect(),
        "bottom" => (0..4).collect(),
        "mid" => (4..8).collect(),
        "up" => (8..12).collect(),
        "half-up" => (6..12).collect(),
        "half-bottom" => (0..6).collect(),
        other => {
            return Err(format!(
                "`position` is {other:?}, which the reference does not have"
            ));
        }
    };
    match blocks.len() == count {
        true => Ok(blocks),
        false => Err(format!(
            "`position` is {position:?}, which is {} blocks, but a tower has {count}",
            blocks.len()
        )),
    }
}

/// The rank of all updates.
pub(super) fn rank(updates: &Updates) -> Result<usize, String> {
    let mut rank = None;
    for ((tower, block, projection), (a, b)) in updates {
        let name = format!("{}.{block}.{projection}", tower.name());
        let ([rows, _], [_, columns]) = (a.sides(&name)?, b.sides(&name)?);
        if rows != columns || *rank.get_or_insert(rows) != rows {
            return Err(format!(
                "{name}: A has rank {rows}, B {columns}; one rank is expected for all updates"
            ));
        }
    }
    rank.filter(|rank| *rank > 0)
        .ok_or_else(|| "it has no updates".to_owned())
}

/// The module of updates that are scaled by `alpha` over the root of the rank.
pub(super) fn module(updates: Updates, rank: usize, alpha: f64) -> Result<Module, String> {
    let blocks = |tower: Tower| {
        let mut blocks: Vec<usize> = updates
            .keys()
            .filter(|(of, ..)| *of == tower)
            .map(|(_, block, _)| *block)
            .collect();
        blocks.dedup();
        blocks
    };
    let (text, image) = (blocks(Tower::Text), blocks(Tower::Image));
    let projections: Vec<&str> = PROJECTIONS
        .iter()
        .map(|(projection, _)| *projection)
        .filter(|projection| updates.keys().any(|(_, _, of)| of == projection))
        .collect();
    for (tower, blocks) in [(Tower::Text, &text), (Tower::Image, &image)] {
        for (block, projection) in blocks
            .iter()
            .flat_map(|b| projections.iter().map(move |p| (b, p)))
        {
            if !updates.contains_key(&(tower, *block, projection)) {
                return Err(format!(
                    "{}.{block} has no update of {projection}, which other blocks have",
                    tower.name()
                ));
            }
        }
    }
    let encoder = match (text.is_empty(), image.is_empty()) {
        (false, false) => "both",
        (false, true) => "text",
        _ => "image",
    };
    let config = json!({
        "rank": rank, "alpha": alpha, "dropout": 0.25, "encoder": encoder, "projections": projections,
        "blocks": {"text": text, "image": image}, "template": TEMPLATE,
    });
    let tensors = updates
        .into_iter()
        .flat_map(|((tower, block, projection), (a, b))| {
            let site = format!("{}.{block}.{projection}", tower.name());
            [(format!("{site}.a"), a), (format!("{site}.b"), b)]
        });
    Ok(Module {
        tensors: tensors.collect(),
        config,
    })
}

impl Tower {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Image => "image",
        }
    }
}
