//! `harness inspect`: what a checkpoint or a module file is.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use harness_engine::convert::{
    self, Form, Inspected, Limits, ModuleMethod, Options, TensorFacts, backbone_layout,
};
use harness_render::terminal::one_line;
use harness_report::ExitCode;

use super::convert::{input_file, reader};
use crate::cli::InspectArguments;
use crate::failure::Failure;
use crate::output;
use crate::thousands::thousands;

/// Characters of a value that are shown.
const WIDEST: usize = 200;
/// Tensors that are shown without --tensors.
const SHOWN: usize = 12;
/// A file that needs more than this is not described.
const LIMITS: Limits = Limits {
    memory: 4096,
    cpu: 120,
    time: 240,
};

pub(crate) fn inspect(arguments: &InspectArguments) -> Result<ExitCode, Failure> {
    let path = input_file(&arguments.file);
    let options = Options {
        key: arguments.key.clone(),
        ..Options::default()
    };
    let inspected = convert::inspect(&path, &options, LIMITS, &reader()?)?;
    if arguments.json {
        let text = serde_json::to_string_pretty(&inspected)
            .map_err(|error| Failure::new(ExitCode::SetUp, error))?;
        output::print(&format!("{text}\n"))?;
        return Ok(ExitCode::Ok);
    }
    let mut lines = vec![("file", path.display().to_string())];
    lines.push(("format", format(inspected.form).to_owned()));
    let (what, usage) = describe(&path, &inspected);
    lines.push(("contains", what));
    lines.push(("tensors", totals(&inspected.tensors)));
    let shown = if arguments.tensors { usize::MAX } else { SHOWN };
    for (name, tensor) in inspected.tensors.iter().take(shown) {
        lines.push(("", format!("{name} {:?} {}", tensor.shape, tensor.dtype)));
    }
    if let Some(more) = inspected
        .tensors
        .len()
        .checked_sub(shown)
        .filter(|more| *more > 0)
    {
        lines.push(("", format!("and {more} more; --tensors shows all")));
    }
    for (key, value) in &inspected.provenance {
        lines.push(("origin", format!("{key}: {value}")));
    }
    if !inspected.left_out.is_empty() {
        lines.push(("other entries", inspected.left_out.join(", ")));
    }
    lines.extend(inspected.notes.iter().map(|note| ("note", note.clone())));
    lines.extend(usage.into_iter().map(|line| ("use", line)));
    let text: String = lines
        .iter()
        .map(|(key, value)| format!("{key:<14} {}\n", one_line(value, WIDEST)))
        .collect();
    output::print(&text)?;
    Ok(ExitCode::Ok)
}

fn format(form: Form) -> &'static str {
    match form {
        Form::Safetensors => "safetensors",
        Form::PyTorch => "PyTorch checkpoint",
    }
}

/// Number of tensors and of numbers, and their types.
fn totals(tensors: &BTreeMap<String, TensorFacts>) -> String {
    let numbers: u64 = tensors
        .values()
        .map(|tensor| tensor.shape.iter().product::<u64>())
        .sum();
    let types: BTreeSet<&str> = tensors
        .values()
        .map(|tensor| tensor.dtype.as_str())
        .collect();
    let types: Vec<&str> = types.into_iter().collect();
    format!(
        "{} with {} numbers, {}",
        thousands(tensors.len() as u64),
        thousands(numbers),
        types.join(" and ")
    )
}

/// Options for what the file of a method does not contain.
fn asked(method: ModuleMethod, tensors: &BTreeMap<String, TensorFacts>) -> &'static str {
    let is_per_class = tensors.get("ctx").is_some_and(|ctx| ctx.shape.len() == 3);
    match method {
        ModuleMethod::TipAdapter | ModuleMethod::TipAdapterF => {
            " --classes FILE --config '{\"alpha\": A, \"beta\": B}'"
        }
        ModuleMethod::Taskres => " --classes FILE",
        _ if is_per_class => " --classes FILE",
        _ => "",
    }
}

/// What the file is, and the commands that make use of it.
fn describe(path: &Path, inspected: &Inspected) -> (String, Vec<String>) {
    let file = path.display();
    if let Some(header) = &inspected.module {
        let what = format!(
            "module of {}, trained on {} with {} (seed {})",
            header.method, header.source, header.dataset, header.seed
        );
        let usage = format!("harness check {file} --target BACKBONE");
        return (what, vec![usage]);
    }
    if !inspected.methods.is_empty() {
        let titles: Vec<&str> = inspected
            .methods
            .iter()
            .map(|method| method.title())
            .collect();
        let usage = inspected.methods.iter().map(|method| {
            let id = method.id();
            let more = asked(*method, &inspected.tensors);
            format!(
                "harness convert {file} -o {id}.safetensors --module {id} --source BACKBONE --dataset NAME --seed N{more}"
            )
        });
        return (titles.join(" or "), usage.collect());
    }
    match (backbone_layout(inspected), inspected.form) {
        (Ok(layout), Form::PyTorch) => {
            let usage = format!("harness convert {file} -o FOLDER/model.safetensors");
            (
                format!("weights of a backbone, layout {layout}"),
                vec![usage],
            )
        }
        (Ok(layout), Form::Safetensors) => {
            let folder = path
                .parent()
                .filter(|folder| !folder.as_os_str().is_empty());
            let folder = folder.unwrap_or(Path::new("."));
            let usage = format!(
                "harness verify {} --expected FILE.safetensors",
                folder.display()
            );
            (
                format!("weights of a backbone, layout {layout}"),
                vec![usage],
            )
        }
        (Err(reason), _) => (
            format!("no known module or backbone ({reason})"),
            Vec::new(),
        ),
    }
}
