//! Tip-Adapter's cache: `keys_Nshots.pt` or `best_F_Nshots.pt`, and `values_Nshots.pt`.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::method::ModuleMethod;
use super::module::Module;
use super::record::TrainingRecord;
use super::weights::{ROOT, Weight, Weights};
use crate::options::Options;

/// Beginnings of the names of the files with keys.
const KEYS: [&str; 2] = ["keys_", "best_F_"];

/// Keys and values. The reference stores the keys of Tip-Adapter by columns, those of
/// Tip-Adapter-F by rows.
pub(super) fn convert(
    weights: &mut Weights,
    record: &TrainingRecord,
    input: &Path,
) -> Result<Module, String> {
    let stored = weights.take(ROOT)?;
    let keys = match record.method {
        ModuleMethod::TipAdapter => stored.transposed("keys")?,
        _ => stored,
    };
    let path = record.values.clone().or_else(|| beside(input));
    let Some(path) = path else {
        return Err(
            "the values of the cache are in another file; name it with --values".to_owned(),
        );
    };
    let values = Weights::read(&path, &Options::default()).and_then(|mut values| {
        let taken = values.take(ROOT);
        taken.map_err(|reason| crate::ConvertError::Archive {
            path: path.clone(),
            reason,
        })
    });
    let values = values.map_err(|error| error.to_string())?;
    let [images, _] = keys.sides("keys")?;
    let [labels, classes] = values.sides("values")?;
    if images != labels {
        return Err(format!(
            "{images} keys, but {} has {labels} values{}",
            path.display(),
            match record.method {
                ModuleMethod::TipAdapter =>
                    "; the keys of best_F files need --module tip-adapter-f",
                _ => "; the keys of keys files need --module tip-adapter",
            }
        ));
    }
    record.check_classes("values", classes)?;
    let number = |key: &str| {
        record.number(key).map(Weight::number).ok_or_else(|| {
            format!(
                "the reference prints {key} at the end of its search and stores it nowhere; say both with \
                 --config '{{\"alpha\": A, \"beta\": B}}'"
            )
        })
    };
    let (alpha, beta) = (number("alpha")?, number("beta")?);
    let tensors = [
        ("keys", keys),
        ("values", values),
        ("alpha", alpha),
        ("beta", beta),
    ];
    Ok(Module {
        tensors: tensors
            .map(|(name, weight)| (name.to_owned(), weight))
            .into(),
        config: json!({
            "alpha": 0.0, "beta": 0.0, "search": false, "search_scale": [7.0, 3.0],
            "scale": "hundred",
        }),
    })
}

/// The file with the values that the reference writes beside the keys.
fn beside(input: &Path) -> Option<PathBuf> {
    let name = input.file_name()?.to_str()?;
    let rest = KEYS.iter().find_map(|start| name.strip_prefix(start))?;
    let path = input.with_file_name(format!("values_{rest}"));
    path.is_file().then_some(path)
}
