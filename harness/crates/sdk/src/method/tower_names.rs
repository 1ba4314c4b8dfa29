//! Names and shapes of what edits can change in a tower, the same for every checkpoint format.

use harness_abi::wire::{NamedParameter, Tower};

/// Sizes of a tower.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TowerSize {
    pub(crate) tower: Tower,
    pub(crate) layers: usize,
    pub(crate) width: usize,
    /// Width of the MLPs.
    pub(crate) hidden: usize,
}

/// Norms `norms` outside the blocks, then those of the blocks, then the linear layers.
pub(crate) fn tower_parameters(size: TowerSize, norms: &[&str]) -> Vec<NamedParameter> {
    let TowerSize {
        tower,
        layers,
        width,
        hidden,
    } = size;
    let mut all = vec![];
    let mut add = |name: String, shape: &[usize]| {
        all.push(NamedParameter {
            tower,
            name,
            shape: shape.to_vec(),
        });
    };
    let mut norm = |name: &str| {
        add(format!("{name}.weight"), &[width]);
        add(format!("{name}.bias"), &[width]);
    };
    norms.iter().for_each(|name| norm(name));
    for layer in 0..layers {
        norm(&format!("blocks.{layer}.ln_1"));
        norm(&format!("blocks.{layer}.ln_2"));
    }
    let linears = [
        ("attn.q", width, width),
        ("attn.k", width, width),
        ("attn.v", width, width),
        ("attn.out", width, width),
        ("mlp.fc", hidden, width),
        ("mlp.proj", width, hidden),
    ];
    for layer in 0..layers {
        for (name, outer, inner) in linears {
            let name = format!("blocks.{layer}.{name}");
            add(format!("{name}.weight"), &[outer, inner]);
            add(format!("{name}.bias"), &[outer]);
        }
    }
    all
}
