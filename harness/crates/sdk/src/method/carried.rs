//! What a module holds, for its card: names and shapes of the declared parameters, in terms of the
//! backbone's dimensions.

use harness_abi::wire::Setting;

use super::{
    Method,
    nominal::{nominal_setting, other_setting},
};
use crate::{Parameter, Result};

/// From how many parameters on that differ in a number alone they are named together.
const TOGETHER: usize = 3;
/// Largest factor between a dimension of a parameter and one of the backbone.
const FACTOR: usize = 64;

/// What a module of a method holds with the default configuration.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Carried {
    /// `textN` stands for `text1`, `text2` and others.
    pub(crate) names: Vec<String>,
    /// `textN [4, text.width] × 11`
    pub(crate) shapes: Vec<String>,
}

/// Nothing for a method that declares no parameters at ViT-B/16.
pub(crate) fn carried<M: Method>() -> Carried {
    let declared = |setting: &Setting| M::parameters(&M::Config::default(), setting);
    let (nominal, other) = (nominal_setting(), other_setting());
    match declared(&nominal) {
        Ok(parameters) => describe(&parameters, declared(&other), [&nominal, &other]),
        Err(_) => Carried::default(),
    }
}

fn describe(
    parameters: &[Parameter],
    other: Result<Vec<Parameter>>,
    settings: [&Setting; 2],
) -> Carried {
    let other = other.unwrap_or_default();
    let described = parameters.iter().map(|parameter| {
        let (name, shape) = (parameter.name(), parameter.shape().shape);
        let same = other.iter().find(|one| one.name() == name);
        let same = same.map(|one| one.shape().shape);
        let same = same.filter(|found| found.len() == shape.len());
        let dimensions = shape.iter().enumerate().map(|(axis, &size)| {
            let elsewhere = same.as_ref().map_or(size, |shape| shape[axis]);
            dimension([size, elsewhere], settings)
        });
        let shape = dimensions.collect::<Vec<_>>().join(", ");
        (name.to_owned(), format!("[{shape}]"))
    });
    let described: Vec<(String, String)> = described.collect();
    let mut carried = Carried::default();
    for (name, shape) in &described {
        let pattern = pattern(name);
        let alike = described
            .iter()
            .filter(|(other, at)| self::pattern(other) == pattern && at == shape);
        let (name, count) = match alike.count() {
            count if count >= TOGETHER => (pattern, count),
            _ => (name.clone(), 1),
        };
        let line = match count {
            1 => format!("{name} {shape}"),
            count => format!("{name} {shape} × {count}"),
        };
        if !carried.shapes.contains(&line) {
            carried.shapes.push(line);
        }
        if !carried.names.contains(&name) {
            carried.names.push(name);
        }
    }
    carried
}

/// A name with `N` for each number.
fn pattern(name: &str) -> String {
    let mut pattern = String::new();
    for c in name.chars() {
        match c.is_ascii_digit() {
            false => pattern.push(c),
            true if pattern.ends_with('N') => {}
            true => pattern.push('N'),
        }
    }
    pattern
}

/// A size at both settings, as a multiple or a part of a dimension where it is one at both.
fn dimension(sizes: [usize; 2], settings: [&Setting; 2]) -> String {
    if sizes[0] == Parameter::DYNAMIC {
        return "n".to_owned();
    }
    let of = |setting: &Setting| {
        let backbone = &setting.backbone;
        [
            ("text.width", backbone.text.width),
            ("embed_dim", backbone.embed_dim),
            ("image.width", backbone.image.width),
            ("C", setting.task.classes.len()),
            ("image.patches", backbone.image.patches),
        ]
    };
    let dimensions = of(settings[0]).into_iter().zip(of(settings[1]));
    for ((name, here), (_, there)) in dimensions {
        for factor in 1..=FACTOR {
            if sizes == [here * factor, there * factor] {
                return match factor {
                    1 => name.to_owned(),
                    factor => format!("{factor} · {name}"),
                };
            }
            if [sizes[0] * factor, sizes[1] * factor] == [here, there] {
                return format!("{name} / {factor}");
            }
        }
    }
    sizes[0].to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Init;

    /// Parameters `shapes(setting)` by name.
    fn of(shapes: impl Fn(&Setting) -> Vec<(&'static str, Vec<usize>)>) -> Carried {
        let settings = [&nominal_setting(), &other_setting()];
        let declared = settings.map(|setting| {
            let shapes = shapes(setting).into_iter();
            let shapes = shapes.map(|(name, shape)| Parameter::new(name, &shape, Init::Zeros));
            shapes.collect::<Vec<_>>()
        });
        let [here, there] = declared;
        describe(&here, Ok(there), settings)
    }

    #[test]
    fn shapes_are_in_terms_of_the_dimensions() {
        let carried = of(|setting| {
            let backbone = &setting.backbone;
            let (embed, width) = (backbone.embed_dim, backbone.text.width);
            vec![
                ("ctx", vec![4, width]),
                ("w1", vec![embed / 4, embed]),
                ("w2", vec![4 * width, embed / 4]),
                ("keys", vec![Parameter::DYNAMIC, embed]),
                ("x", vec![setting.task.classes.len(), backbone.image.width]),
            ]
        });
        assert_eq!(carried.names, ["ctx", "w1", "w2", "keys", "x"]);
        assert_eq!(
            carried.shapes,
            [
                "ctx [4, text.width]",
                "w1 [embed_dim / 4, embed_dim]",
                "w2 [4 · text.width, embed_dim / 4]",
                "keys [n, embed_dim]",
                "x [C, image.width]",
            ]
        );
    }

    #[test]
    fn many_that_differ_in_a_number_are_named_together() {
        let carried = of(|setting| {
            let width = setting.backbone.text.width;
            let deeper = ["text1", "text2", "text10"].map(|name| (name, vec![2, width]));
            let pair = [("b1", vec![width]), ("b2", vec![width])];
            pair.into_iter().chain(deeper).collect()
        });
        assert_eq!(carried.names, ["b1", "b2", "textN"]);
        assert_eq!(
            carried.shapes,
            [
                "b1 [text.width]",
                "b2 [text.width]",
                "textN [2, text.width] × 3"
            ]
        );
    }
}
