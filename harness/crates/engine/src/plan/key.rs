//! Content keys: everything that can change the result of a unit, and nothing else.
//!
//! Each type is taken apart without `..`, so a new field does not compile until somebody
//! decides whether it is part of the key.

use std::borrow::Cow;

use harness_abi::wire::RecipeChanges;
use harness_store::Key;
use serde::Serialize;
use serde_json::Value;

use super::Engine;
use crate::device::Arithmetic;
use crate::images::{Augment, FeaturePrecision, ImageOptions};
use crate::job::{
    BackboneFiles, BackboneRef, DatasetFiles, DatasetRef, Draw, MethodRef, ModuleSource, Portion,
    Presence, UnitWork,
};

#[derive(Serialize)]
struct UnitInputs<'a> {
    engine: EngineInputs<'a>,
    work: WorkInputs<'a>,
}

#[derive(Serialize)]
struct EngineInputs<'a> {
    version: &'a str,
    sha256: &'a str,
    /// Absent on the CPU.
    #[serde(skip_serializing_if = "Option::is_none")]
    arithmetic: Option<Arithmetic>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
enum WorkInputs<'a> {
    Survey {
        method: MethodInputs<'a>,
        backbone: FileInputs<'a>,
        dataset: FileInputs<'a>,
    },
    Features {
        backbone: FileInputs<'a>,
        dataset: FileInputs<'a>,
        portion: Portion,
        images: ImageInputs,
    },
    ZeroShot {
        backbone: FileInputs<'a>,
        dataset: FileInputs<'a>,
        images: ImageInputs,
    },
    Train {
        method: MethodInputs<'a>,
        backbone: FileInputs<'a>,
        dataset: FileInputs<'a>,
        draw: Draw,
        images: ImageInputs,
        recipe: &'a RecipeChanges,
    },
    Inject {
        method: MethodInputs<'a>,
        backbone: FileInputs<'a>,
        dataset: FileInputs<'a>,
        images: ImageInputs,
        module: ModuleInputs<'a>,
    },
}

/// The digest of an input's files, which stands for them whatever the suite calls the input.
#[derive(Serialize)]
#[serde(transparent)]
struct FileInputs<'a>(Cow<'a, str>);

impl FileInputs<'_> {
    /// Units on absent inputs are only counted; the name keeps them apart.
    fn absent(name: &str) -> Self {
        Self(Cow::Owned(format!("absent: {name}")))
    }
}

#[derive(Serialize)]
struct MethodInputs<'a> {
    plugin_sha256: &'a str,
    id: &'a str,
    config: &'a Value,
}

#[derive(Serialize)]
struct ImageInputs {
    precision: FeaturePrecision,
    /// Of training images alone; the others are never augmented.
    views: Option<ViewInputs>,
}

#[derive(Serialize)]
struct ViewInputs {
    augment: Augment,
    scale: [f64; 2],
    views: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
enum ModuleInputs<'a> {
    Training(&'a Key),
    File(&'a str),
}

/// The key of a unit's result.
pub(super) fn key(engine: &Engine, work: &UnitWork) -> Key {
    let Engine {
        version,
        sha256,
        arithmetic,
    } = engine;
    let inputs = UnitInputs {
        engine: EngineInputs {
            version,
            sha256,
            arithmetic: *arithmetic,
        },
        work: work_inputs(work),
    };
    let inputs = serde_json::to_value(inputs)
        .expect("structs, strings and numbers are always representable as JSON");
    Key::of(&inputs)
}

fn work_inputs(work: &UnitWork) -> WorkInputs<'_> {
    match work {
        UnitWork::Survey {
            method,
            backbone,
            dataset,
        } => WorkInputs::Survey {
            method: method_inputs(method),
            backbone: backbone_inputs(backbone),
            dataset: dataset_inputs(dataset),
        },
        UnitWork::Features {
            backbone,
            dataset,
            portion,
            images,
        } => WorkInputs::Features {
            backbone: backbone_inputs(backbone),
            dataset: dataset_inputs(dataset),
            portion: *portion,
            images: match portion.draw {
                Some(_) => training_images(images),
                None => test_images(images),
            },
        },
        UnitWork::ZeroShot {
            backbone,
            dataset,
            images,
        } => WorkInputs::ZeroShot {
            backbone: backbone_inputs(backbone),
            dataset: dataset_inputs(dataset),
            images: test_images(images),
        },
        UnitWork::Train {
            method,
            backbone,
            dataset,
            draw,
            images,
            recipe,
        } => WorkInputs::Train {
            method: method_inputs(method),
            backbone: backbone_inputs(backbone),
            dataset: dataset_inputs(dataset),
            draw: *draw,
            images: training_images(images),
            recipe,
        },
        UnitWork::Inject {
            method,
            backbone,
            dataset,
            images,
            module,
        } => WorkInputs::Inject {
            method: method_inputs(method),
            backbone: backbone_inputs(backbone),
            dataset: dataset_inputs(dataset),
            images: test_images(images),
            module: match module {
                ModuleSource::Training { key } => ModuleInputs::Training(key),
                // The digest stands for the file.
                ModuleSource::File { path: _, sha256 } => ModuleInputs::File(sha256),
            },
        },
    }
}

fn method_inputs(method: &MethodRef) -> MethodInputs<'_> {
    // The digest stands for the library.
    let MethodRef {
        plugin: _,
        plugin_sha256,
        id,
        config,
    } = method;
    MethodInputs {
        plugin_sha256,
        id,
        config,
    }
}

fn backbone_inputs(backbone: &BackboneRef) -> FileInputs<'_> {
    let BackboneRef { name, files } = backbone;
    // The digest stands for the files and the image size.
    let Presence::Present(BackboneFiles {
        path: _,
        sha256,
        image_size: _,
    }) = files
    else {
        return FileInputs::absent(name);
    };
    FileInputs(Cow::Borrowed(sha256))
}

fn dataset_inputs(dataset: &DatasetRef) -> FileInputs<'_> {
    let DatasetRef { name, files } = dataset;
    // The manifest says what was opened: items, labels, class names, templates, pixels.
    let Presence::Present(DatasetFiles {
        path: _,
        opening: _,
        manifest_sha256,
    }) = files
    else {
        return FileInputs::absent(name);
    };
    FileInputs(Cow::Borrowed(manifest_sha256))
}

fn training_images(images: &ImageOptions) -> ImageInputs {
    let ImageOptions {
        augment,
        scale,
        views,
        precision,
    } = *images;
    ImageInputs {
        precision,
        views: Some(ViewInputs {
            augment,
            scale,
            views,
        }),
    }
}

fn test_images(images: &ImageOptions) -> ImageInputs {
    // Test images are never augmented.
    let ImageOptions {
        augment: _,
        scale: _,
        views: _,
        precision,
    } = *images;
    ImageInputs {
        precision,
        views: None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use harness_abi::wire::{OptimizerKind, Schedule};
    use harness_report::Seeds;
    use serde_json::json;

    use super::*;
    use crate::plan::fixture;

    fn engine() -> Engine {
        fixture::inputs(&["t"]).engine
    }

    /// Changes of every field.
    fn recipe() -> RecipeChanges {
        RecipeChanges {
            optimizer: Some(OptimizerKind::Sgd),
            lr: Some(0.5),
            momentum: Some(0.5),
            weight_decay: Some(0.5),
            betas: Some([0.5, 0.5]),
            eps: Some(0.5),
            schedule: Some(Schedule::StepCosine),
            warmup_epochs: Some(1),
            warmup_lr: Some(0.5),
            min_lr: Some(0.5),
            epochs: Some(1),
            steps_per_shot: Some(Some(1)),
            batch: Some(1),
        }
    }

    /// Work of each kind; both kinds of images and of modules.
    fn works() -> Vec<UnitWork> {
        let inputs = fixture::inputs(&["t"]);
        let method = || inputs.methods[0].method.clone();
        let backbone = || inputs.backbones[0].reference.clone();
        let dataset = || inputs.datasets[0].reference.clone();
        let images = inputs.suite.images;
        let draw = Draw {
            shots: 16,
            seeds: Seeds {
                split: 1,
                training: 2,
            },
            sampler: Default::default(),
        };
        let features = |draw| UnitWork::Features {
            backbone: backbone(),
            dataset: dataset(),
            portion: Portion {
                draw,
                view: 0,
                number: 0,
            },
            images,
        };
        let inject = |module| UnitWork::Inject {
            method: method(),
            backbone: backbone(),
            dataset: dataset(),
            images,
            module,
        };
        vec![
            UnitWork::Survey {
                method: method(),
                backbone: backbone(),
                dataset: dataset(),
            },
            features(None),
            features(Some(draw)),
            UnitWork::ZeroShot {
                backbone: backbone(),
                dataset: dataset(),
                images,
            },
            UnitWork::Train {
                method: method(),
                backbone: backbone(),
                dataset: dataset(),
                draw,
                images,
                recipe: recipe(),
            },
            inject(ModuleSource::Training {
                key: Key::of(&json!(1)),
            }),
            inject(ModuleSource::File {
                path: "module".into(),
                sha256: "a".to_owned(),
            }),
        ]
    }

    /// JSON pointers of every value that holds no other.
    fn leaves(value: &Value, at: String, found: &mut Vec<String>) {
        match value {
            Value::Object(map) if !map.is_empty() => {
                for (name, value) in map {
                    leaves(value, format!("{at}/{name}"), found);
                }
            }
            Value::Array(items) if !items.is_empty() => {
                for (index, value) in items.iter().enumerate() {
                    leaves(value, format!("{at}/{index}"), found);
                }
            }
            _ => found.push(at),
        }
    }

    /// Other values for a leaf, of which one fits its type.
    fn others(value: &Value) -> Vec<Value> {
        match value {
            Value::Null => vec![
                json!("other"),
                json!({"shots": 1, "seeds": 1}),
                json!({"seed": 1, "val": 0.1, "test": 0.1}),
                json!({"own": ["a {}."]}),
            ],
            Value::Bool(is_set) => vec![json!(!is_set)],
            Value::Number(number) if number.is_u64() => {
                vec![json!(number.as_u64().unwrap() + 1)]
            }
            Value::Number(number) => vec![json!(number.as_f64().unwrap() / 2.0)],
            Value::String(text) => {
                let mut others = vec![json!(format!("{text} other"))];
                others.extend(
                    ["flip", "f16", "clip-lora", "adam", "constant"].map(|name| json!(name)),
                );
                others
            }
            Value::Object(_) => vec![json!({"more": 1})],
            Value::Array(_) => vec![json!([1])],
        }
    }

    /// What may change without changing a result: names, places on disk, and in
    /// evaluations how training images are shown.
    fn is_free(work: &UnitWork, leaf: &str) -> bool {
        let field = leaf.split('/').skip(2).collect::<Vec<_>>();
        match field[..] {
            ["method", "plugin", ..]
            | ["backbone" | "dataset", "name"]
            | ["backbone" | "dataset", "files", "present", "path"]
            | ["dataset", "files", "present", "opening", ..]
            | ["module", "file", "path"] => true,
            ["images", "augment" | "scale" | "views", ..] => match work {
                UnitWork::Train { .. } => false,
                UnitWork::Features { portion, .. } => portion.draw.is_none(),
                _ => true,
            },
            _ => false,
        }
    }

    #[test]
    fn a_change_of_any_field_changes_the_key_unless_no_result_depends_on_it() {
        for work in works() {
            let original = key(&engine(), &work);
            let whole = serde_json::to_value(&work).unwrap();
            let mut fields = Vec::new();
            leaves(&whole, String::new(), &mut fields);
            assert!(fields.len() > 8, "{fields:?}");
            for leaf in fields {
                let value = whole.pointer(&leaf).unwrap();
                let changed = others(value).into_iter().find_map(|other| {
                    let mut changed = whole.clone();
                    *changed.pointer_mut(&leaf).unwrap() = other;
                    let changed: UnitWork = serde_json::from_value(changed).ok()?;
                    (changed != work).then_some(changed)
                });
                let changed = changed.unwrap_or_else(|| panic!("no other value for {leaf}"));
                let is_same = key(&engine(), &changed) == original;
                assert_eq!(is_same, is_free(&work, &leaf), "{leaf}: {changed:?}");
            }
        }
    }

    #[test]
    fn each_kind_of_work_and_each_build_has_keys_of_its_own() {
        let mut engines = [engine(), engine(), engine()];
        engines[1].version.push('x');
        engines[2].sha256.push('x');
        let all = engines.iter().flat_map(|engine| {
            let works = works().into_iter();
            works.map(move |work| key(engine, &work))
        });
        assert_eq!(all.collect::<BTreeSet<_>>().len(), 3 * works().len());
    }
}
