//! Modules on features: CLIP-Adapter's bottleneck and TaskRes's residuals.

use serde_json::json;

use super::module::Module;
use super::record::TrainingRecord;
use super::weights::Weights;

/// The two matrices of CLIP-Adapter.
pub(super) fn convert_adapter(weights: &mut Weights) -> Result<Module, String> {
    let (first, second) = ("fc.0.weight", "fc.2.weight");
    let (w1, w2) = (weights.take(first)?, weights.take(second)?);
    let ([hidden, embed], back) = (w1.sides(first)?, w2.sides(second)?);
    if back != [embed, hidden] || hidden == 0 || !embed.is_multiple_of(hidden) {
        return Err(format!(
            "`{first}` is {hidden} x {embed} and `{second}` {} x {}: not a bottleneck",
            back[0], back[1]
        ));
    }
    Ok(Module {
        tensors: vec![("w1".to_owned(), w1), ("w2".to_owned(), w2)],
        config: json!({"ratio": 0.2, "reduction": embed / hidden}),
    })
}

/// The residuals of TaskRes. The text features that they are added to are the source's.
pub(super) fn convert_residuals(
    weights: &mut Weights,
    record: &TrainingRecord,
) -> Result<Module, String> {
    let name = "text_feature_residuals";
    let x = weights.take(name)?;
    let [classes, _] = x.sides(name)?;
    record.check_classes(name, classes)?;
    if let Some(base) = weights.leave_out("base_text_features")
        && base.shape != x.shape
    {
        let (base, x) = (base.shape, x.shape);
        return Err(format!("`base_text_features` is {base:?}, `{name}` {x:?}"));
    }
    if record.number("alpha").is_none() {
        weights.notes.push(
            "the file does not contain the weight of the residuals; taken as 0.5. The reference has 1.0 \
             for Oxford Flowers: --config '{\"alpha\": 1.0}'"
                .to_owned(),
        );
    }
    Ok(Module {
        tensors: vec![("x".to_owned(), x)],
        config: json!({"alpha": 0.5}),
    })
}
