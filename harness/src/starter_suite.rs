//! The commented suite that `harness init` writes.

/// Names as the suite has them: paths count from its folder.
pub(crate) struct Starter {
    pub(crate) name: String,
    pub(crate) source: String,
    pub(crate) targets: Vec<String>,
    pub(crate) datasets: Vec<StarterDataset>,
}

/// A data set's entry.
pub(crate) struct StarterDataset {
    pub(crate) name: String,
    /// Whether it is a folder of classes, which has to be divided.
    pub(crate) is_undivided: bool,
}

impl Starter {
    pub(crate) fn render(&self) -> String {
        let targets: Vec<String> = self.targets.iter().map(|name| scalar(name)).collect();
        let datasets: String = self.datasets.iter().map(StarterDataset::render).collect();
        TEXT.replace("{name}", &scalar(&self.name))
            .replace("{source}", &scalar(&self.source))
            .replace("{targets}", &targets.join(", "))
            .replace("{datasets}\n", &datasets)
    }
}

impl StarterDataset {
    fn render(&self) -> String {
        let name = scalar(&self.name);
        match self.is_undivided {
            false => format!("  - {name}\n"),
            true => format!(
                "  - name: {name}\n    # Shares of each class; the rest is for training.\n    \
                 split: {{seed: 1, val: 0.1, test: 0.4}}\n"
            ),
        }
    }
}

/// A YAML string, quoted where it may be read as something else.
fn scalar(text: &str) -> String {
    let is_plain = text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '.')
        && text
            .chars()
            .all(|each| each.is_ascii_alphanumeric() || "_-./".contains(each))
        && text.chars().any(|each| each.is_ascii_alphabetic())
        && !["true", "false", "null", "yes", "no", "on", "off"]
            .contains(&text.to_lowercase().as_str());
    match is_plain {
        true => text.to_owned(),
        // A JSON string is a YAML string.
        false => serde_json::Value::from(text).to_string(),
    }
}

const TEXT: &str = "\
# What to run: methods x data sets x shots x seeds, for each upgrade.
#
#   harness plan FILE                     show what a run would do and what it costs
#   harness run FILE -o report.html       run it, or continue where it stopped
#   harness run FILE --only method=coop   run a part of it
#
# Paths are relative to this file. `harness schema suite` describes every key.

# Shown in the report.
name: {name}
# description: One sentence on what the suite is for

# The backbone that modules are trained on, and the ones they are moved to. Names from
# `harness list backbones`, folders, or hf:org/name@revision.
upgrades:
  - source: {source}
    targets: [{targets}]

# Names from `harness list methods`, or entries with options:
#   - id: coop
#     label: coop-csc                  # name in the report
#     config: {class_specific: true}   # the method's own options
#     recipe: {epochs: 100}            # on top of the suite's recipe
#     module: trained.safetensors      # use this module file; train nothing
#     python: ./mine.py                # the Python file that defines the method
methods:
  - coop
  - kgcoop
  - contcoop

# Modules that are already trained, each tested on its own data set:
# modules:
#   - prod/*.safetensors

# Names from `harness list datasets`, folders, tables of images, or entries with options:
#   - name: ./photos
#     label: photos-80                 # name in the report
#     templates: imagenet-80           # or a list such as ['a photo of a {}.']
#     split: {seed: 1, test: 0.2}      # for a folder of classes without train and test
#     shift_of: digits                 # test with the modules of another data set
#     allow_missing: true              # leave out missing and unreadable images
datasets:
{datasets}

# Folder in which data sets are looked for by name, after --data and HARNESS_DATA.
# data: ../data

# Order of few-shot draws: coop, or clip-lora.
# sampler: coop

# Training images per class, and seeds. Several seeds give intervals.
# {split: [1, 2, 3], training: [1, 2]} does each training on each few-shot split.
shots: [16]
seeds: [1, 2, 3]

# Also train each method on the targets, to see what retraining would bring.
oracle: true

# own: the recipe each method was published with. common: one recipe for all.
# A mapping changes single values, such as {base: common, epochs: 20}.
recipe: own

# How images vary in training, and how their features are stored.
# images: {augment: random-resized-crop, views: 10, precision: f16}

# Seconds after which a single training or evaluation is stopped.
time_limit: 86400

# What `harness gate` and `harness run --gate` accept: loss in points, and the family-wise
# error rate.
# gate: {margin: 1.0, alpha: 0.05}

# Where the towers run: auto, cpu, cuda, cuda:N or metal. auto takes a GPU if there is one.
# device: auto

# Arithmetic of the towers on a GPU: f32, tf32 or bf16.
# precision: f32

# How `harness submit` cuts the suite into jobs of a Slurm cluster.
# slurm: {sbatch: --partition=long, task-hours: 4}

# More plugins: shared libraries, folders of them, or Python files.
# plugins: [./plugins]

# Interpreter of Python files: a path, the folder of a virtual environment, or a name.
# python: ./venv
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_yaml_would_read_otherwise_are_quoted() {
        for plain in ["micro-clip", "./photos", "../my_data/x.csv"] {
            assert_eq!(scalar(plain), plain);
        }
        for (text, quoted) in [
            ("true", "\"true\""),
            ("1", "\"1\""),
            ("hf:org/name@main", "\"hf:org/name@main\""),
            ("a b: c", "\"a b: c\""),
            ("a\"b", "\"a\\\"b\""),
            ("..", "\"..\""),
            ("/data/x", "\"/data/x\""),
        ] {
            assert_eq!(scalar(text), quoted);
        }
    }
}
