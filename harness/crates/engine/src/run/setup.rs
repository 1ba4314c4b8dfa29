//! From a suite's file to a plan: looks up names, hashes files, asks what fits.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::absence::or_absent;
use super::error::RunError;
use super::execute::{ExecContext, execute};
use super::{machine, modules, prompts};
use crate::plan::{Engine, Fits, Inputs, MethodInput, Plan, cell_labels, suite_labels};
use crate::registry::{BackboneFacts, DatasetFacts, Registry, SearchPath};
use crate::schedule::{Observer, Pool, TaskResult, WorkerCommand};
use crate::suite::{DatasetEntry, Document, Suite};
use crate::worker;
use harness_report::selection::Selection;
use harness_store::{Store, sha256_file};

/// Time a plugin may take to return its descriptor.
const INSPECTION: Duration = Duration::from_secs(60);
/// Most bytes that a worker gets where nothing was said, though more may be available.
const MEMORY: u64 = 2 << 30;

/// How a suite is to be run.
#[derive(Clone, Debug)]
pub struct Settings<'a> {
    pub suite: PathBuf,
    /// The suite's text, where it is not read from a file.
    pub text: Option<String>,
    /// Which cells; all of them by default.
    pub selection: Selection,
    /// Root of the store, see [`Store::open`].
    pub store: Option<PathBuf>,
    /// Folder to look for data sets by name, before the suite's own.
    pub data: Option<PathBuf>,
    /// Worker processes at once; by default one for each core.
    pub jobs: Option<usize>,
    /// Bytes for all workers together; by default what is available.
    pub memory: Option<u64>,
    /// Whether to ignore stored results.
    pub fresh: bool,
    pub command: WorkerCommand,
    /// Set from outside when the run is to stop.
    pub cancel: &'a AtomicBool,
    /// The command line, for the report.
    pub command_line: Vec<String>,
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
        let document = match &settings.text {
            Some(text) => Document::parse(&settings.suite, text.clone().into_bytes())
                .map_err(crate::suite::SuiteError::from)?,
            None => Document::read(&settings.suite)?,
        };
        let store = Store::open(settings.store.clone())?;
        let suite = std::path::absolute(&settings.suite).unwrap_or_default();
        for path in [store.root(), &suite, &settings.command.program] {
            if path.to_str().is_none() {
                return Err(RunError::NotUtf8(path.to_owned()));
            }
        }
        let jobs = settings.jobs.unwrap_or_else(machine::cores);
        let mut command = settings.command.clone();
        let share = |memory: u64| memory / jobs.max(1) as u64;
        let available = || machine::memory().map(|memory| share(memory).min(MEMORY));
        if let Some(share) = settings.memory.map(share).or_else(available) {
            command.envs.push(worker::memory_limit(share));
        }
        let mut pool = Pool {
            command,
            jobs,
            time_limit: INSPECTION,
            store: store.root().to_owned(),
            cancel: settings.cancel,
        };
        let search_path = SearchPath::of_suite(&settings.suite)
            .with_data(settings.data.as_deref(), document.data())
            .with_digests(store.root().join("digests"))
            .with_aliases()?;
        let named = document.plugins();
        let registry = Registry::discover(search_path, &named, &pool, Some(&store), observer)?;
        for broken in &registry.broken {
            observer.warn(&format!(
                "cannot use the plugin {}: {}",
                broken.path.display(),
                broken.reason
            ));
        }
        if registry.plugins.is_empty() && registry.broken.is_empty() {
            observer.warn(
                "no plugin was found beside the executable, in HARNESS_PLUGIN_PATH or in the suite; `cargo build` makes the ones that come with the harness",
            );
        }
        interrupted(settings)?;
        let suite = document
            .check(&registry)
            .map_err(crate::suite::SuiteError::from)?;
        let unmatched = |unmatched| RunError::Unmatched {
            suite: settings.suite.clone(),
            unmatched,
        };
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
        let inputs = inputs(&settings.command, suite, &registry)?;
        check(&inputs)?;
        for (name, note) in backbone_notes(&inputs) {
            observer.warn(&format!("backbone {name}: {note}"));
        }
        for line in prompts::warnings(&inputs) {
            observer.warn(&line);
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
        let answers = execute(&graph, units, &context, observer)?;
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
        })
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

fn interrupted(settings: &Settings<'_>) -> Result<(), RunError> {
    if settings.cancel.load(Ordering::Relaxed) {
        return Err(RunError::Interrupted);
    }
    Ok(())
}

/// Looks up every name of the suite.
fn inputs(command: &WorkerCommand, suite: Suite, registry: &Registry) -> Result<Inputs, RunError> {
    let mut methods = Vec::new();
    for entry in &suite.methods {
        let Some((plugin, card)) = registry.method(&entry.id) else {
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
        methods.push(MethodInput::new(entry, &suite, (card, plugin), file));
    }
    let mut absent = Vec::new();
    let mut backbones: Vec<BackboneFacts> = Vec::new();
    for upgrade in &suite.upgrades {
        for name in std::iter::once(&upgrade.source).chain(&upgrade.targets) {
            if backbones.iter().all(|known| known.reference.name != *name) {
                let facts = BackboneFacts::read(&registry.search_path, name);
                let facts = or_absent(facts, &mut absent)?;
                backbones.push(facts.unwrap_or_else(|| BackboneFacts::absent(name)));
            }
        }
    }
    let mut datasets = Vec::new();
    for entry in &suite.datasets {
        let facts = DatasetFacts::read(&registry.search_path, entry, "");
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
        },
        suite,
        methods,
        backbones,
        datasets,
        brought,
        absent,
    })
}
