//! Checks a module's tensors against a method's declaration.

use harness_abi::wire::ParameterShape;

use crate::{Error, Parameter, Parameters, Result};

/// A module's tensors in declared order, or why it does not fit.
///
/// If some parameters are optional, those that only one side has are left out, but at
/// least one must remain.
pub(crate) fn fit(
    module: &Parameters,
    declared: &[ParameterShape],
    backbone: &str,
) -> Result<Parameters> {
    let mut entries = vec![];
    for ParameterShape {
        name,
        shape,
        optional,
        ..
    } in declared
    {
        let tensor = match module.iter().find(|(n, _)| n == name) {
            Some((_, tensor)) => tensor,
            None if *optional => continue,
            None => return Err(Error::Module(format!("tensor `{name}` is missing"))),
        };
        if !matches(tensor.dims(), shape) {
            return Err(Error::NotInjectable(format!(
                "`{name}` is {:?} in the module, {backbone} needs {shape:?}",
                tensor.dims()
            )));
        }
        entries.push((name.clone(), tensor.clone()));
    }
    if declared.iter().any(|d| d.optional) {
        return match entries.is_empty() {
            true => Err(Error::NotInjectable(format!(
                "no tensor of the module has a counterpart in {backbone}"
            ))),
            false => Ok(Parameters::new(entries)),
        };
    }
    let extra = module
        .iter()
        .find(|(name, _)| declared.iter().all(|d| d.name != *name));
    match extra {
        Some((name, _)) => Err(Error::Module(format!(
            "the method has no tensor `{name}` with this configuration"
        ))),
        None => Ok(Parameters::new(entries)),
    }
}

/// Whether a tensor has a declared shape, up to dynamic dimensions.
fn matches(dims: &[usize], shape: &[usize]) -> bool {
    let mut pairs = dims.iter().zip(shape);
    let fits = |(&dim, &expected)| expected == Parameter::DYNAMIC || dim == expected;
    dims.len() == shape.len() && pairs.all(fits)
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Tensor};

    use super::*;

    fn example() -> Parameters {
        let ctx = Tensor::new(&[[1f32, -0.0, 3.5]], &Device::Cpu).unwrap();
        let w = Tensor::new(&[2f32], &Device::Cpu).unwrap();
        Parameters::new(vec![("ctx".into(), ctx), ("a".into(), w)])
    }

    fn declared(shape: &[usize]) -> Vec<ParameterShape> {
        [("ctx", shape), ("a", &[1][..])]
            .map(|(name, shape)| ParameterShape {
                name: name.into(),
                shape: shape.to_vec(),
                class_axis: None,
                optional: false,
                fixed: false,
            })
            .to_vec()
    }

    #[test]
    fn tensors_come_in_declared_order() {
        let fitted = fit(&example(), &declared(&[1, 3]), "b").unwrap();
        let names: Vec<_> = fitted.iter().map(|(n, _)| n).collect();
        assert_eq!(names, ["ctx", "a"]);
    }

    #[test]
    fn other_shapes_and_names_are_reported() {
        let parameters = example();
        let error = fit(&parameters, &declared(&[1, 4]), "big").unwrap_err();
        assert!(matches!(error, Error::NotInjectable(_)));
        assert_eq!(
            error.to_string(),
            "`ctx` is [1, 3] in the module, big needs [1, 4]"
        );
        let error = fit(&parameters, &declared(&[1, 3])[..1], "b").unwrap_err();
        assert!(error.to_string().contains("the method has no tensor `a`"));
    }

    #[test]
    fn optional_tensors_may_lack_a_counterpart_on_either_side() {
        let parameters = example();
        let mut here = declared(&[1, 3]);
        here.iter_mut().for_each(|d| d.optional = true);
        here[1].name = "only here".into();
        let fitted = fit(&parameters, &here, "b").unwrap();
        let names: Vec<_> = fitted.iter().map(|(n, _)| n).collect();
        assert_eq!(names, ["ctx"]);
        let error = fit(&parameters, &here[1..], "b").unwrap_err();
        assert!(matches!(error, Error::NotInjectable(_)));
    }
}
