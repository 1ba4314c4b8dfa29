//! `harness submit`.

use std::collections::{BTreeSet, HashSet};
use std::fmt::Write;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::thread::sleep;
use std::time::Duration;

use harness_engine::device::DeviceChoice;
use harness_engine::distribute::{Proposal, ProposalOptions, Stage, Submission, propose};
use harness_engine::run::{Settings, free_bytes};
use harness_report::ExitCode;
use harness_report::shell::quote;
use harness_store::Store;

use super::fetch::fetch_missing;
use super::status::{Progress, progress};
use crate::cli::{SubmitArguments, SuiteArguments};
use crate::failure::Failure;
use crate::interrupt;
use crate::output;
use crate::progress::Reporter;
use crate::settings::settings;
use crate::slurm::{
    Client, Invocation, Queue, Scripts, SubmitLock, causes, choose, floors, live_units,
    write_scripts,
};
use crate::suite_options::suite_options;
use crate::writable::check_files;

/// Time between two looks at the queue.
const PAUSE: Duration = Duration::from_secs(15);
/// Most tasks of an array where there is no Slurm to ask.
const MOST_TASKS: usize = 1000;

pub(crate) fn submit(arguments: &SubmitArguments) -> Result<ExitCode, Failure> {
    let mut settings = settings(&arguments.suite)?;
    settings.device.elsewhere = true;
    let chosen = choose(arguments, &settings.suite)?;
    check_files(&arguments.output)?;
    let client = match arguments.print {
        true => None,
        false => Some(Client::find()?),
    };
    let store = Store::open(settings.store.clone())
        .map_err(|error| Failure::new(ExitCode::OutputNotWritten, error))?;
    let root = store.root();
    let suite = fs_err::canonicalize(&settings.suite).unwrap_or_else(|_| settings.suite.clone());
    fetch_missing(&settings)?;
    let lock = SubmitLock::take(root, &suite)?;
    let plans = Submission::of_suite(root, &suite);
    let queue = match (&client, plans.first()) {
        (Some(client), Some(oldest)) => client.queue(&oldest.created)?,
        _ => Queue::default(),
    };
    let ended = causes(root, &plans, &queue);
    let options = ProposalOptions {
        cut: chosen.cut,
        workers: chosen.workers,
        most_tasks: client.as_ref().map_or(MOST_TASKS, Client::most_tasks),
        time_factor: chosen.time_factor,
        gpus: chosen.gpus,
        live: live_units(&plans, &queue),
        floors: floors(root, &plans, &ended),
    };
    let mut reporter = Reporter::new();
    let proposal = propose(&settings, &options, &mut reporter);
    reporter.finish();
    let proposal = proposal?;
    let plan = &proposal.submission;
    if plan.stages.is_empty() {
        return nothing(arguments, &settings, &proposal);
    }
    check_space(root, &proposal)?;
    plan.write(root)
        .map_err(|error| Failure::new(ExitCode::OutputNotWritten, error))?;
    let invocation = invocation(arguments, &settings, proposal.device, chosen.sbatch)?;
    let scripts = write_scripts(root, plan, &invocation)?;
    output::print(&describe(&proposal, chosen.time_factor))?;
    let Some(client) = client else {
        output::print(&printed(root, plan, &scripts))?;
        return Ok(ExitCode::Ok);
    };
    let jobs = hand_in(&client, &scripts, &before(&plans, &queue))?;
    drop(lock);
    output::print(&format!(
        "Summary: plan {}: submitted jobs {}\n",
        plan.id,
        jobs.join(", ")
    ))?;
    say!(
        "watch them with: {}",
        watch_command(&arguments.suite, &settings)
    );
    match arguments.wait {
        true => wait(&arguments.suite, &settings, &client),
        false => Ok(ExitCode::Ok),
    }
}

/// What is said where no task is left to submit.
fn nothing(
    arguments: &SubmitArguments,
    settings: &Settings<'_>,
    proposal: &Proposal,
) -> Result<ExitCode, Failure> {
    let suite = quote(&settings.suite.to_string_lossy());
    let text = match proposal.live {
        0 => format!(
            "nothing to submit: every result is stored; `harness run {suite}` reports on them\n"
        ),
        live => format!(
            "nothing to submit: {live} units are waiting or running already; `{}` shows them\n",
            watch_command(&arguments.suite, settings)
        ),
    };
    output::print(&text)?;
    if arguments.wait && proposal.live > 0 {
        return wait(&arguments.suite, settings, &Client::find()?);
    }
    Ok(ExitCode::Ok)
}

/// Submits the scripts, each to start after those before it; returns the numbers of the jobs.
/// If one is refused, the others are cancelled.
fn hand_in(
    client: &Client,
    scripts: &Scripts,
    before: &[(Option<Stage>, String)],
) -> Result<Vec<String>, Failure> {
    let mut jobs: Vec<String> = Vec::new();
    let stages = scripts
        .stages
        .iter()
        .map(|(stage, path)| (Some(*stage), path));
    for (stage, path) in stages.chain([(None, &scripts.report)]) {
        // Of earlier submissions, what this stage may need.
        let earlier = before.iter().filter(|(other, _)| match (stage, other) {
            (Some(stage), Some(other)) => *other < stage,
            (None, other) => other.is_some(),
            (Some(_), None) => false,
        });
        let mut after: Vec<String> = earlier.map(|(_, job)| job.clone()).collect();
        after.extend(jobs.iter().cloned());
        match client.submit(path, &after) {
            Ok(job) => jobs.push(job),
            Err(failure) => {
                if let Err(also) = client.cancel(&jobs) {
                    also.report();
                }
                return Err(failure.hint("nothing was left in the queue"));
            }
        }
    }
    Ok(jobs)
}

/// Jobs of earlier submissions that wait or run, with their stages.
fn before(plans: &[Submission], queue: &Queue) -> Vec<(Option<Stage>, String)> {
    let live: BTreeSet<(Option<Stage>, String)> = plans
        .iter()
        .flat_map(|plan| queue.of_plan(&plan.id))
        .filter(|task| task.state.is_live())
        .map(|task| (task.stage, task.array().to_owned()))
        .collect();
    live.into_iter().collect()
}

/// Fails if the store has no room for what the tasks will write.
fn check_space(store: &Path, proposal: &Proposal) -> Result<(), Failure> {
    let Some(free) = free_bytes(store) else {
        return Ok(());
    };
    if free < proposal.disk_bytes {
        let message = format!(
            "{}: {} free, and the results need about {}",
            store.display(),
            gib(free),
            gib(proposal.disk_bytes)
        );
        return Err(Failure::new(ExitCode::OutputNotWritten, message)
            .hint("nothing was submitted; choose another folder with --store or HARNESS_STORE"));
    }
    let local = [std::env::temp_dir(), "/tmp".into(), "/dev/shm".into()];
    if local.iter().any(|folder| store.starts_with(folder)) {
        say!(
            "warning: {}: compute nodes seldom share this folder; choose one that they do with --store",
            store.display()
        );
    }
    Ok(())
}

fn gib(bytes: u64) -> String {
    format!("{:.1} GiB", bytes as f64 / (1u64 << 30) as f64)
}

/// The command line of a task, from that of the submission.
fn invocation(
    arguments: &SubmitArguments,
    settings: &Settings<'_>,
    device: DeviceChoice,
    sbatch: Vec<String>,
) -> Result<Invocation, Failure> {
    let folder = std::env::current_dir().map_err(|error| {
        Failure::new(
            ExitCode::SetUp,
            format!("cannot find the current folder: {error}"),
        )
    })?;
    let mut text = suite_options(&arguments.suite, &settings.suite, Some(device));
    text += &settings.selection.arguments();
    let outputs = arguments.output.iter();
    let outputs = outputs.map(|path| format!(" -o {}", quote(&path.to_string_lossy())));
    Ok(Invocation {
        program: settings.command.program.clone(),
        folder,
        arguments: text,
        outputs: outputs.collect(),
        sbatch,
    })
}

fn watch_command(arguments: &SuiteArguments, settings: &Settings<'_>) -> String {
    let options = suite_options(arguments, &settings.suite, None);
    format!("harness status {options}{}", settings.selection.arguments())
}

/// The tasks of each stage and what they ask for.
fn describe(proposal: &Proposal, time_factor: f64) -> String {
    let plan = &proposal.submission;
    let mut text = format!("plan {}\n", plan.id);
    for stage in &plan.stages {
        let units: HashSet<_> = stage
            .tasks
            .iter()
            .flat_map(|task| &task.units)
            .map(|unit| &unit.key)
            .collect();
        let seconds: f64 = stage.tasks.iter().map(|task| task.seconds).sum();
        let longest = stage.tasks.first().map_or(0.0, |task| task.seconds);
        let request = &stage.request;
        let gpus = match request.gpus {
            0 => String::new(),
            1 => ", 1 GPU".to_owned(),
            gpus => format!(", {gpus} GPUs"),
        };
        let _ = writeln!(
            text,
            "  {:<10} {} units in {} tasks, {:.1} h together, {:.1} h the longest; each asks for \
             {} CPUs{gpus}, {} MiB, {} min",
            stage.stage.name(),
            units.len(),
            stage.tasks.len(),
            seconds / 3600.0,
            longest / 3600.0,
            request.cpus,
            request.memory_mib,
            request.minutes,
        );
    }
    let _ = writeln!(
        text,
        "  time limits are {time_factor} times the estimate; results take {}",
        gib(proposal.disk_bytes)
    );
    if proposal.live > 0 {
        let _ = writeln!(
            text,
            "  {} more units are waiting or running already",
            proposal.live
        );
    }
    text
}

fn printed(root: &Path, plan: &Submission, scripts: &Scripts) -> String {
    let mut text = String::new();
    let all = scripts.stages.iter().map(|(_, path)| path);
    for path in all.chain([&scripts.report]) {
        let _ = writeln!(text, "  {}", path.display());
    }
    let _ = writeln!(
        text,
        "the plan of tasks is {}\nnothing was submitted; to submit it: bash {}",
        Submission::file(root, &plan.id).display(),
        quote(&scripts.all.to_string_lossy())
    );
    text
}

/// Waits until no job of the suite is left.
fn wait(
    arguments: &SuiteArguments,
    settings: &Settings<'_>,
    client: &Client,
) -> Result<ExitCode, Failure> {
    interrupt::scheduling();
    loop {
        let found = progress(settings, Some(client))?;
        if found.live_jobs == 0 {
            output::print(&found.summary())?;
            return Ok(outcome(&found));
        }
        say!("{}", found.line());
        let looks = PAUSE.as_millis() / 250;
        for _ in 0..looks {
            if settings.cancel.load(Ordering::Relaxed) {
                say!(
                    "the jobs go on; watch them with: {}",
                    watch_command(arguments, settings)
                );
                return Ok(ExitCode::Outstanding);
            }
            sleep(Duration::from_millis(250));
        }
    }
}

fn outcome(found: &Progress) -> ExitCode {
    match (found.failed.len(), found.missing) {
        (0, 0) => ExitCode::Ok,
        (0, _) => ExitCode::Outstanding,
        _ => ExitCode::CrashedCell,
    }
}
