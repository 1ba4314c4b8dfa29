//! Modules with one entry per class, on a data set with other classes.
//!
//! Classes are matched by id, never by name or index: ImageNet has two classes "missile",
//! and ImageNet-R renumbers its 200 classes.

use std::collections::HashMap;

use candle_core::{Device, Tensor};
use harness_abi::wire::{ModuleHeader, ParameterShape, TaskFacts};

use crate::{Error, Parameters, Result};

/// Most missing classes that a message lists.
const MAX_LISTED: usize = 5;

/// The module for the classes of `task`: entries per class are selected in their order,
/// everything else is unchanged.
///
/// # Errors
/// [`Error::NotInjectable`] if the module lacks a class of `task`.
pub(crate) fn select_classes(
    module: &Parameters,
    declared: &[ParameterShape],
    header: &ModuleHeader,
    task: &TaskFacts,
) -> Result<Parameters> {
    let same = header
        .classes
        .iter()
        .eq(task.classes.iter().map(|class| &class.id));
    let mut entries = vec![];
    for (name, tensor) in module.iter() {
        let axis = declared.iter().find(|parameter| parameter.name == name);
        let tensor = match axis.and_then(|parameter| parameter.class_axis) {
            Some(axis) if !same => select_axis(name, tensor, axis, header, task)?,
            _ => tensor.clone(),
        };
        entries.push((name.to_owned(), tensor));
    }
    Ok(Parameters::new(entries))
}

fn select_axis(
    name: &str,
    tensor: &Tensor,
    axis: usize,
    header: &ModuleHeader,
    task: &TaskFacts,
) -> Result<Tensor> {
    let held = header.classes.len();
    if tensor.dims().get(axis) != Some(&held) {
        return Err(Error::Module(format!(
            "tensor `{name}` is {:?}, but its header lists {held} classes for dimension {axis}",
            tensor.dims()
        )));
    }
    let position: HashMap<&str, u32> = header.classes.iter().map(String::as_str).zip(0..).collect();
    let mut rows = vec![];
    let mut missing = vec![];
    for class in &task.classes {
        match position.get(class.id.as_str()) {
            Some(&row) => rows.push(row),
            None => missing.push(format!("{} ({})", class.name, class.id)),
        }
    }
    if !missing.is_empty() {
        let more = match missing.len().saturating_sub(MAX_LISTED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        missing.truncate(MAX_LISTED);
        return Err(Error::NotInjectable(format!(
            "`{name}` has one entry for each of the {held} classes of {}; it lacks these of {}: {}{more}",
            header.dataset,
            task.dataset,
            missing.join(", ")
        )));
    }
    Ok(tensor.index_select(&Tensor::new(rows, &Device::Cpu)?, axis)?)
}

#[cfg(test)]
mod tests {
    use harness_abi::wire::Class;

    use super::*;

    fn header(classes: &[&str]) -> ModuleHeader {
        ModuleHeader {
            format: ModuleHeader::FORMAT.into(),
            plugin: "p".into(),
            plugin_version: "0.1.0".into(),
            method: "m".into(),
            config: serde_json::json!({}),
            source: "b".into(),
            dataset: "imagenet".into(),
            classes: classes.iter().map(|&id| id.into()).collect(),
            seed: 1,
            origin: None,
        }
    }

    fn task(classes: &[&str]) -> TaskFacts {
        let class = |&id: &&str| Class {
            id: id.into(),
            name: "missile".into(),
        };
        TaskFacts {
            dataset: "imagenet-r".into(),
            classes: classes.iter().map(class).collect(),
            templates: vec![],
            train_rows: 0,
            train_views: 1,
            val_rows: 0,
        }
    }

    fn parameters(rows: &[[f32; 2]]) -> (Parameters, Vec<ParameterShape>) {
        let by_row =
            Tensor::from_slice(rows.as_flattened(), (rows.len(), 2), &Device::Cpu).unwrap();
        let by_column = by_row.t().unwrap().contiguous().unwrap();
        let free = by_row.clone();
        let declared =
            [("row", Some(0)), ("column", Some(1)), ("free", None)].map(|(name, class_axis)| {
                ParameterShape {
                    name: name.into(),
                    shape: vec![],
                    class_axis,
                    optional: false,
                    fixed: false,
                }
            });
        let entries = vec![
            ("row".into(), by_row),
            ("column".into(), by_column),
            ("free".into(), free),
        ];
        (Parameters::new(entries), declared.to_vec())
    }

    #[test]
    fn entries_follow_the_ids_of_the_target() {
        let (module, declared) = parameters(&[[0., 1.], [2., 3.], [4., 5.]]);
        let header = header(&["n1", "n2", "n3"]);
        let selected = select_classes(&module, &declared, &header, &task(&["n3", "n1"])).unwrap();
        let values = |name: &str| selected.get(name).unwrap().to_vec2::<f32>().unwrap();
        assert_eq!(values("row"), [[4., 5.], [0., 1.]]);
        assert_eq!(values("column"), [[4., 0.], [5., 1.]]);
        assert_eq!(values("free"), [[0., 1.], [2., 3.], [4., 5.]]);
    }

    #[test]
    fn missing_classes_are_listed() {
        let (module, declared) = parameters(&[[0., 1.], [2., 3.]]);
        let header = header(&["n1", "n2"]);
        let ids = ["n1", "x1", "x2", "x3", "x4", "x5", "x6"];
        let error = select_classes(&module, &declared, &header, &task(&ids)).unwrap_err();
        assert!(matches!(error, Error::NotInjectable(_)));
        assert_eq!(
            error.to_string(),
            "`row` has one entry for each of the 2 classes of imagenet; it lacks these of imagenet-r: \
             missile (x1), missile (x2), missile (x3), missile (x4), missile (x5) and 1 more"
        );
        // A module without entries per class fits.
        assert!(select_classes(&module, &declared[2..], &header, &task(&ids)).is_ok());
    }

    #[test]
    fn header_and_tensors_must_agree() {
        let (module, declared) = parameters(&[[0., 1.], [2., 3.]]);
        let error =
            select_classes(&module, &declared, &header(&["n1"]), &task(&["n2"])).unwrap_err();
        assert!(matches!(error, Error::Module(_)), "{error}");
    }
}
