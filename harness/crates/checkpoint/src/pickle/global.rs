//! The names that a pickle may mention. Everything else is refused.

use crate::dtype::Dtype;

/// A class or function, by what is done when the pickle "calls" it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Global {
    /// Gives an empty dict.
    Dict,
    /// Gives its first argument, perhaps wrapped once.
    First,
    /// Makes a tensor of a storage, an offset, a shape and a stride.
    Tensor,
    /// Names a storage's type.
    Storage(Dtype),
    /// A storage type that safetensors has no place for.
    ForeignStorage(String),
    /// Gives an object that nothing is asked of: optimisers, schedulers, settings.
    Inert(String),
    /// A class of a TorchScript module.
    Module(String),
}

/// Classes whose instances may lie in a checkpoint beside the weights.
const INERT: [(&str, &[&str]); 12] = [
    ("collections", &["Counter", "defaultdict", "deque"]),
    ("builtins", &["dict", "list", "set", "object"]),
    ("__builtin__", &["dict", "list", "set", "object"]),
    ("argparse", &["Namespace"]),
    ("types", &["SimpleNamespace"]),
    ("numpy", &["dtype", "ndarray"]),
    ("numpy.core.multiarray", &["scalar", "_reconstruct"]),
    ("numpy._core.multiarray", &["scalar", "_reconstruct"]),
    ("_codecs", &["encode"]),
    ("torch", &["device", "dtype"]),
    ("torch.torch_version", &["TorchVersion"]),
    ("yacs.config", &["CfgNode"]),
];

/// Modules all of whose classes are such.
const INERT_MODULES: [&str; 2] = ["torch.optim", "dassl.optim"];

impl Global {
    /// What a name refers to; `None` if it is not allowed.
    pub(crate) fn find(module: &str, name: &str) -> Option<Self> {
        let full = || format!("{module}.{name}");
        Some(match (module, name) {
            ("collections", "OrderedDict") => Self::Dict,
            ("torch._utils", "_rebuild_tensor_v2" | "_rebuild_tensor") => Self::Tensor,
            ("torch._utils", "_rebuild_parameter" | "_rebuild_parameter_with_state")
            | ("torch", "Size")
            | (
                "torch.jit._pickle",
                "restore_type_tag" | "build_intlist" | "build_doublelist" | "build_boollist"
                | "build_tensorlist",
            ) => Self::First,
            ("torch", name) if name.ends_with("Storage") => match Dtype::of_storage(name) {
                Some(dtype) => Self::Storage(dtype),
                None => Self::ForeignStorage(name.to_owned()),
            },
            (
                "torch",
                "float64" | "float32" | "float16" | "bfloat16" | "int64" | "int32" | "bool",
            ) => Self::Inert(full()),
            (module, _) if module == "__torch__" || module.starts_with("__torch__.") => {
                Self::Module(full())
            }
            (module, _) if is_inert_module(module) => Self::Inert(full()),
            (module, name) => {
                let (_, names) = INERT.iter().find(|(known, _)| *known == module)?;
                names.contains(&name).then(|| Self::Inert(full()))?
            }
        })
    }

    pub(crate) fn name(&self) -> String {
        match self {
            Self::Dict => "collections.OrderedDict".to_owned(),
            Self::First | Self::Tensor => "a function that rebuilds tensors".to_owned(),
            Self::Storage(dtype) => format!("the storage type {}", dtype.name()),
            Self::ForeignStorage(name) | Self::Inert(name) | Self::Module(name) => name.clone(),
        }
    }
}

fn is_inert_module(module: &str) -> bool {
    INERT_MODULES.iter().any(|known| {
        let rest = module.strip_prefix(known);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_weights_are_made_of_may_be_mentioned() {
        assert_eq!(
            Global::find("torch", "HalfStorage"),
            Some(Global::Storage(Dtype::F16))
        );
        assert!(Global::find("torch.optim.lr_scheduler", "CosineAnnealingLR").is_some());
        assert!(Global::find("__torch__.clip.model", "CLIP").is_some());
        for (module, name) in [
            ("os", "system"),
            ("posix", "system"),
            ("builtins", "eval"),
            ("builtins", "getattr"),
            ("torch", "load"),
            ("torch.optimise", "X"),
            ("torch.hub", "load"),
            ("torch.storage", "_load_from_bytes"),
            ("__torch__x", "CLIP"),
            ("subprocess", "Popen"),
        ] {
            assert_eq!(Global::find(module, name), None, "{module}.{name}");
        }
    }
}
