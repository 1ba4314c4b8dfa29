//! The scripts that are submitted.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use harness_engine::distribute::{Request, Stage, StagePlan, Submission};
use harness_report::ExitCode;
use harness_report::shell::quote;
use harness_store::write_atomically;

use super::history::log_file;
use super::queue::job_name;
use super::{LEAD_SECONDS, RESTARTS};
use crate::failure::Failure;

/// Variables that tell where inputs are, which a cluster need not pass on. No secrets.
const VARIABLES: [&str; 7] = [
    "HARNESS_BACKBONES",
    "HARNESS_DATA",
    "HARNESS_EMBEDDED",
    "HARNESS_PLUGIN_PATH",
    "HF_HOME",
    "HF_HUB_CACHE",
    "XDG_CACHE_HOME",
];
/// What the report asks for: it reads results and computes nothing.
const REPORT: Request = Request {
    cpus: 1,
    memory_mib: 4096,
    minutes: 60,
    gpus: 0,
};

/// How a task is run, the same in every script.
pub(crate) struct Invocation {
    pub(crate) program: PathBuf,
    /// The folder that relative paths are of.
    pub(crate) folder: PathBuf,
    /// The suite and its options, quoted.
    pub(crate) arguments: String,
    /// Options of the report alone, quoted.
    pub(crate) outputs: String,
    /// Options for sbatch.
    pub(crate) sbatch: Vec<String>,
}

/// The files of a plan.
pub(crate) struct Scripts {
    /// In the order of the stages.
    pub(crate) stages: Vec<(Stage, PathBuf)>,
    pub(crate) report: PathBuf,
    /// Submits them all, for use by hand.
    pub(crate) all: PathBuf,
}

/// Writes a script for each stage, one for the report, and one that submits them.
///
/// # Errors
/// A file cannot be written.
pub(crate) fn write_scripts(
    store: &Path,
    plan: &Submission,
    invocation: &Invocation,
) -> Result<Scripts, Failure> {
    let folder = Submission::folder(store, &plan.id);
    let fail = |error: std::io::Error| Failure::new(ExitCode::OutputNotWritten, error);
    fs_err::create_dir_all(folder.join("logs")).map_err(fail)?;
    let put = |name: &str, text: &str| -> Result<PathBuf, Failure> {
        let path = folder.join(name);
        write_atomically(&path, text.as_bytes()).map_err(fail)?;
        Ok(path)
    };
    let mut stages = Vec::new();
    let mut all = String::from(
        "#!/bin/bash\n# Submits the plan by hand, as `harness submit` does.\nset -e\nafter=\n",
    );
    for stage in &plan.stages {
        let text = stage_script(&folder, plan, stage, invocation);
        let path = put(&format!("{}.sbatch", stage.stage), &text)?;
        let _ = writeln!(
            all,
            "job=$(sbatch --parsable ${{after:+--dependency=afterany$after}} {})\nafter=$after:${{job%%;*}}",
            quote(&path.to_string_lossy())
        );
        stages.push((stage.stage, path));
    }
    let report = put("report.sbatch", &report_script(&folder, plan, invocation))?;
    let _ = writeln!(
        all,
        "sbatch ${{after:+--dependency=afterany$after}} {}",
        quote(&report.to_string_lossy())
    );
    let all = put("submit.sh", &all)?;
    Ok(Scripts {
        stages,
        report,
        all,
    })
}

fn stage_script(
    folder: &Path,
    plan: &Submission,
    stage: &StagePlan,
    invocation: &Invocation,
) -> String {
    let tasks = stage.tasks.len();
    let mut text = head(
        &job_name(&plan.id, Some(stage.stage)),
        &stage.request,
        &log_file(folder, stage.stage.name(), "%a"),
        &[
            format!("--array=1-{tasks}"),
            "--requeue".to_owned(),
            format!("--signal=TERM@{LEAD_SECONDS}"),
        ],
        invocation,
    );
    // 80 % for the workers: the rest is the program and what the system counts as used. With a GPU
    // the option is about the GPU's memory, of which a task has all.
    let memory = match stage.request.gpus {
        0 => format!(" --memory {}", stage.request.memory_mib * 4 / 5),
        _ => String::new(),
    };
    let _ = write!(
        text,
        "srun --ntasks=1 --cpus-per-task={} {} run {} --jobs {}{memory} \\\n  \
         --stage {} --shard \"$SLURM_ARRAY_TASK_ID/{tasks}\" --plan-id {}\n\
         code=$?\n\
         # Interrupted before the time limit or a preemption, or killed: again, where it left off.\n\
         case $code in\n\
         {}|125|137|143)\n  \
           if [ \"${{SLURM_RESTART_COUNT:-0}}\" -lt {RESTARTS} ]; then\n    \
             scontrol requeue \"$SLURM_JOB_ID\" && sleep 60\n  \
           fi\n  ;;\n\
         esac\n\
         exit $code\n",
        stage.request.cpus,
        quote(&invocation.program.to_string_lossy()),
        invocation.arguments,
        stage.request.cpus,
        stage.stage,
        plan.id,
        ExitCode::Outstanding.code(),
    );
    text
}

fn report_script(folder: &Path, plan: &Submission, invocation: &Invocation) -> String {
    let mut text = head(
        &job_name(&plan.id, None),
        &REPORT,
        &folder.join("logs/report.log"),
        &["--requeue".to_owned()],
        invocation,
    );
    let _ = writeln!(
        text,
        "exec {} run {} --stage report --plan-id {}{}",
        quote(&invocation.program.to_string_lossy()),
        invocation.arguments,
        plan.id,
        invocation.outputs,
    );
    text
}

/// What a script begins with.
fn head(
    name: &str,
    request: &Request,
    log: &Path,
    more: &[String],
    invocation: &Invocation,
) -> String {
    let mut options = vec![
        format!("--job-name={name}"),
        "--ntasks=1".to_owned(),
        format!("--cpus-per-task={}", request.cpus),
        format!("--mem={}M", request.memory_mib),
        format!("--time={}", request.minutes),
        "--open-mode=append".to_owned(),
        format!("--output={}", log.display()),
    ];
    options.extend(gpus(request));
    options.extend(more.iter().cloned());
    options.extend(invocation.sbatch.iter().cloned());
    let mut text = String::from("#!/bin/bash\n");
    for option in options {
        let _ = writeln!(text, "#SBATCH {option}");
    }
    let _ = write!(
        text,
        "\n# Node-local scratch for what no other task reads.\n\
         export TMPDIR=\"${{SLURM_TMPDIR:-${{TMPDIR:-/tmp}}}}\"\n\
         export HF_HUB_OFFLINE=1\n"
    );
    for variable in VARIABLES {
        if let Ok(value) = std::env::var(variable) {
            let _ = writeln!(text, "export {variable}={}", quote(&value));
        }
    }
    let _ = writeln!(
        text,
        "cd {} || exit",
        quote(&invocation.folder.to_string_lossy())
    );
    text
}

/// The one place that asks for GPUs.
fn gpus(request: &Request) -> Option<String> {
    (request.gpus > 0).then(|| format!("--gpus={}", request.gpus))
}
