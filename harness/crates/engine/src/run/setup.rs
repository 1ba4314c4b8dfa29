//! From a suite's file to a plan: looks up names, hashes files, asks what fits.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::absence::or_absent;
use super::discovered::Discovered;
use super::error::RunError;
use super::execute::{ExecContext, execute};
use super::other_methods::OtherMethods;
use super::{machine, modules, prompts, reading, shots};
use crate::device::{DeviceChoice, DevicePlacement};
use crate::plan::{Engine, Fits, Inputs, MethodInput, Plan, cell_labels, suite_labels};
use crate::registry::{BackboneFacts, DatasetFacts, RegisteredPlugin, Registry};
use crate::schedule::{Observer, Pool, TaskResult, WorkerCommand};
use crate::suite::{DatasetEntry, Document, Suite};
use crate::worker::WorkerMemory;
use harness_backbone::Precision;
use harness_report::selection::Selection;
use harness_store::{Store, sha256_file};

/// Most bytes that a worker gets where nothing was said, though more may be available.
const MEMORY: u64 = 2 << 30;
/// Bytes of a GPU that its workers use where nothing was said.
const DEVICE_MEMORY: u64 = 16 << 30;

/// How a suite is to be run.
#[derive(Clone, Debug)]
pub struct Settings<'a> {
    pub suite: PathBuf,
    /// The suite's text, where it is not read from a file.
    pub text: Option<String>,
    /// Which cells; all of them by default.
    pub selection: Selection,
    /// What is run in place of the suite's methods.
    pub other_methods: OtherMethods,
    /// Root of the store, see [`Store::open`].
    pub store: Option<PathBuf>,
    /// Folder to look for data sets by name, before the suite's own.
    pub data: Option<PathBuf>,
    /// Worker processes at once; by default one for each core.
    pub jobs: Option<usize>,
    /// Bytes for all workers together; by default what is available.
    pub memory: Option<u64>,
    /// What the towers run on, before what the suite says.
    pub device: DeviceSettings,
    /// Bytes that the system lets no worker exceed; by default as many as there are.
    pub worker_memory: Option<u64>,
    /// Whether to load the plugins that the suite names.
    pub suite_plugins: bool,
    /// Whether to load only plugins that the lock beside the suite names.
    pub is_locked: bool,
    /// Interpreter of Python files, before what the suite says.
    pub python: Option<String>,
    /// Whether to ignore stored results.
    pub fresh: bool,
    /// Whether to hash image files again instead of believing remembered digests.
    pub rehash: bool,
    pub command: WorkerCommand,
    /// Set from outside when the run is to stop.
    pub cancel: &'a AtomicBool,
    /// The command line, for the report.
    pub command_line: Vec<String>,
}

impl<'a> Settings<'a> {
    /// All cells of a suite on the CPU, with nothing but what the suite says.
    pub fn new(suite: PathBuf, command: WorkerCommand, cancel: &'a AtomicBool) -> Self {
        Self {
            suite,
            text: None,
            selection: Selection::default(),
            other_methods: OtherMethods::default(),
            store: None,
            data: None,
            jobs: None,
            memory: None,
            device: DeviceSettings::default(),
            worker_memory: None,
            suite_plugins: true,
            is_locked: false,
            python: None,
            fresh: false,
            rehash: false,
            command,
            cancel,
            command_line: Vec::new(),
        }
    }
}

/// What is asked of the device.
#[derive(Clone, Copy, Debug, Default)]
pub struct DeviceSettings {
    pub choice: Option<DeviceChoice>,
    pub precision: Option<Precision>,
    /// Workers that share a GPU; 1 by default.
    pub jobs_each: Option<usize>,
    /// Whether the work is done on other machines, so that a GPU that this one lacks is taken on
    /// trust.
    pub elsewhere: bool,
}

/// Everything that is known before the first module is trained.
pub(crate) struct SetUp<'a> {
    pub(crate) document: Document,
    pub(crate) registry: Registry,
    pub(crate) inputs: Inputs,
    pub(crate) store: Store,
    pub(crate) pool: Pool<'a>,
    pub(crate) fits: Fits,
    pub(crate) plan: Plan,
    /// The devices of the workers; none for the CPU.
    pub(crate) placement: Option<DevicePlacement>,
    pub(crate) memory: WorkerMemory,
    /// What readers of a report should know of the inputs.
    pub(crate) notes: Vec<String>,
}

impl<'a> SetUp<'a> {
    pub(crate) fn new(
        settings: &Settings<'a>,
        observer: &mut dyn Observer,
    ) -> Result<Self, RunError> {
        Self::checked(settings, observer, &|_| Ok(()))
    }

    /// Like [`Self::new`], unless `check` refuses the inputs: then nothing is computed.
    pub(crate) fn checked(
        settings: &Settings<'a>,
        observer: &mut dyn Observer,
        check: &dyn Fn(&Inputs) -> Result<(), RunError>,
    ) -> Result<Self, RunError> {
        let Discovered {
            document,
            registry,
            store,
            mut pool,
        } = Discovered::new(settings, observer)?;
        interrupted(settings)?;
        let suite = document
            .check(&registry)
            .map_err(crate::suite::SuiteError::from)?;
        let suite = settings.other_methods.replace(suite, &registry)?;
        let unmatched = |unmatched| RunError::Unmatched {
            suite: settings.suite.clone(),
            unmatched,
        };
        let (placement, memory) = place(settings, &suite, &mut pool)?;
        if let Some(placement) = &placement {
            observer.warn(&placement.to_string());
        }
        // Before data sets are hashed, where that is possible.
        let is_checked = match suite_labels(&suite) {
            Some(cells) => {
                let checked = settings.selection.check(cells.iter().copied());
                checked.map_err(unmatched)?;
                true
            }
            None => false,
        };
        pool.time_limit = Duration::from_secs(suite.time_limit);
        let inputs = inputs(
            &settings.command,
            suite,
            &registry,
            placement.as_ref(),
            observer,
        )?;
        check(&inputs)?;
        prompts::check_tokenizers(&inputs)?;
        let cells = Plan::present(&inputs, &settings.selection);
        for line in shots::warnings(&inputs, &cells)? {
            observer.warn(&line);
        }
        for line in slow_plugins(&inputs, &registry) {
            observer.warn(&line);
        }
        let mut notes: Vec<String> = backbone_notes(&inputs)
            .map(|(name, note)| format!("backbone {name}: {note}"))
            .collect();
        notes.extend(prompts::warnings(&inputs));
        for note in &notes {
            observer.warn(note);
        }
        if !is_checked {
            let cells = cell_labels(&inputs);
            let checked = settings.selection.check(cells.iter().copied());
            checked.map_err(unmatched)?;
        }
        let (graph, surveys) = Plan::surveys(&inputs, &settings.selection);
        let context = ExecContext {
            store: &store,
            pool: &pool,
            is_fresh: settings.fresh,
            // Surveys read no weights and take about the same time.
            weight: &|_| 1.0,
        };
        let units = surveys.iter().map(|(_, unit)| *unit);
        let answers = execute(&graph, units, &context, &|_, _| (), observer)?;
        interrupted(settings)?;
        let mut fits = Fits::default();
        for (at, unit) in surveys {
            let answer = answers.get(unit);
            fits.add(at, answer.cloned().unwrap_or(TaskResult::NotRun));
        }
        let plan = Plan::new(&inputs, &settings.selection, &fits);
        Ok(Self {
            document,
            registry,
            inputs,
            store,
            pool,
            fits,
            plan,
            placement,
            memory,
            notes,
        })
    }
}

/// Chooses the devices, and gives the workers their number and their share of the memory.
fn place(
    settings: &Settings<'_>,
    suite: &Suite,
    pool: &mut Pool<'_>,
) -> Result<(Option<DevicePlacement>, WorkerMemory), RunError> {
    let device = settings.device;
    let placement = DevicePlacement::resolve(
        device.choice.or(suite.device).unwrap_or_default(),
        device.precision.or(suite.precision.map(Precision::from)),
        device.elsewhere,
    )?;
    let of_gpus = placement.as_ref().map(|placement| {
        pool.devices = placement.devices();
        pool.devices.len() * device.jobs_each.unwrap_or(1)
    });
    pool.jobs = settings.jobs.or(of_gpus).unwrap_or_else(machine::cores);
    let memory = worker_memory(settings, pool.jobs, placement.as_ref());
    pool.command.envs.extend(memory.envs());
    Ok((placement, memory))
}

/// What each of `jobs` workers may take: of the host's memory, or of the GPU's.
fn worker_memory(
    settings: &Settings<'_>,
    jobs: usize,
    placement: Option<&DevicePlacement>,
) -> WorkerMemory {
    let each = |memory: u64| memory / jobs.max(1) as u64;
    let available = || match placement {
        Some(placement) => Some(each(DEVICE_MEMORY * placement.numbers.len() as u64)),
        None => machine::memory().map(|memory| each(memory).min(MEMORY)),
    };
    let share = settings.memory.map(each).or_else(available);
    let limit = settings.worker_memory;
    // The limit is one of the host's memory.
    let most = if placement.is_some() {
        u64::MAX
    } else {
        limit.unwrap_or(u64::MAX)
    };
    WorkerMemory {
        share: share.map(|share| share.min(most)).or(limit),
        limit,
    }
}

/// What is read of the backbones otherwise than it is stored.
fn backbone_notes(inputs: &Inputs) -> impl Iterator<Item = (&str, &String)> {
    inputs.backbones.iter().flat_map(|backbone| {
        let notes = backbone.architecture.present().map(|found| &found.notes);
        let name = backbone.reference.name.as_str();
        notes.into_iter().flatten().map(move |note| (name, note))
    })
}

/// Plugins of the suite whose tensor operations were built without optimisation.
fn slow_plugins<'a>(
    inputs: &'a Inputs,
    registry: &'a Registry,
) -> impl Iterator<Item = String> + 'a {
    let is_used = |plugin: &&RegisteredPlugin| {
        let mut methods = inputs.methods.iter();
        methods.any(|input| input.method.plugin == plugin.reference)
    };
    let unoptimised = |plugin: &&RegisteredPlugin| plugin.descriptor.plugin.opt_level == Some('0');
    let slow = registry.plugins.iter().filter(unoptimised).filter(is_used);
    slow.map(|plugin| {
        format!(
            "the dependencies of the plugin {} were built at opt-level 0, which makes tensor operations tens of times slower; put `[profile.dev.package.\"*\"]` with `opt-level = 3` into its Cargo.toml, or build with --release",
            plugin.path.display()
        )
    })
}

fn interrupted(settings: &Settings<'_>) -> Result<(), RunError> {
    if settings.cancel.load(Ordering::Relaxed) {
        return Err(RunError::Interrupted);
    }
    Ok(())
}

/// Looks up every name of the suite.
fn inputs(
    command: &WorkerCommand,
    suite: Suite,
    registry: &Registry,
    placement: Option<&DevicePlacement>,
    observer: &mut dyn Observer,
) -> Result<Inputs, RunError> {
    let mut methods = Vec::new();
    for entry in &suite.methods {
        let Some((plugin, card)) = registry.method_of(entry) else {
            return Err(RunError::Method {
                label: entry.label.clone(),
                id: entry.id.clone(),
            });
        };
        let file = entry
            .module
            .as_deref()
            .map(|path| registry.module_file(path));
        let file = file.transpose()?;
        let entry = &registry.with_side_files(entry, card)?;
        methods.push(MethodInput::new(entry, &suite, (card, plugin), file));
    }
    let mut names: Vec<&str> = Vec::new();
    for pair in suite.pairs() {
        for name in [pair.source, pair.target] {
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    let found = reading::read(&registry.search_path, &names, &suite.datasets, observer);
    let mut absent = Vec::new();
    let mut backbones: Vec<BackboneFacts> = Vec::new();
    for (name, facts) in names.into_iter().zip(found.backbones) {
        let facts = or_absent(facts, &mut absent)?;
        backbones.push(facts.unwrap_or_else(|| BackboneFacts::absent(name)));
    }
    let mut datasets = Vec::new();
    for (entry, facts) in suite.datasets.iter().zip(found.datasets) {
        let facts = or_absent(facts, &mut absent)?;
        datasets.push(facts.unwrap_or_else(|| DatasetFacts::absent(entry)));
    }
    let rows = modules::rows(
        &suite,
        registry,
        modules::Known {
            rows: &methods,
            backbones: &backbones,
            datasets: &mut datasets,
            absent: &mut absent,
        },
    )?;
    methods.extend(rows);
    let brought = datasets.len() - suite.datasets.len();
    for index in 0..datasets.len() {
        let DatasetFacts {
            shift_of: Some(base),
            reference,
            ..
        } = &datasets[index]
        else {
            continue;
        };
        if datasets.iter().all(|known| !known.goes_by(base)) {
            let wanted_by = format!(", of which {} is a shifted version,", reference.name);
            let entry = DatasetEntry::named(base);
            let facts = DatasetFacts::read(&registry.search_path, &entry, &wanted_by);
            let facts = or_absent(facts, &mut absent)?;
            datasets.push(facts.unwrap_or_else(|| DatasetFacts::absent(&entry)));
        }
    }
    Ok(Inputs {
        engine: Engine {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            sha256: sha256_file(&command.program).map_err(RunError::Executable)?,
            arithmetic: placement.map(DevicePlacement::arithmetic),
        },
        suite,
        methods,
        backbones,
        datasets,
        brought,
        absent,
    })
}
