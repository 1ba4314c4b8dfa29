//! `harness-fuzz`: mutated inputs to every reader.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use harness_fuzz::{READERS, Reader, drive, input};
use rustix::process::{Resource, Rlimit, setrlimit};

/// Bytes beyond which no small input may lead; the process ends there.
const MEMORY: u64 = 4 << 30;

/// Mutated inputs to every reader of files.
#[derive(Parser)]
struct Arguments {
    /// Inputs to each reader
    #[arg(long, default_value_t = 10_000)]
    cases: u64,
    /// Seed of the mutations
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Only this reader; repeatable
    #[arg(long)]
    reader: Vec<String>,
    /// Only this case, whose input is kept
    #[arg(long)]
    case: Option<u64>,
    /// Folder for inputs that a reader did not withstand
    #[arg(long, default_value = "target/fuzz")]
    output: PathBuf,
}

fn main() -> std::io::Result<ExitCode> {
    let arguments = Arguments::parse();
    let limit = Rlimit {
        current: Some(MEMORY),
        maximum: Some(MEMORY),
    };
    setrlimit(Resource::Data, limit)?;
    // Each panic is counted and told below.
    std::panic::set_hook(Box::new(|_| {}));
    // Some readers flush what they write; in memory that takes no time.
    let memory = Path::new("/dev/shm");
    let scratch = match memory.is_dir() {
        true => tempfile::tempdir_in(memory)?,
        false => tempfile::tempdir()?,
    };
    let wanted = |reader: &&Reader| {
        arguments.reader.is_empty() || arguments.reader.iter().any(|name| name == reader.name)
    };
    let mut failed = 0;
    for reader in READERS.iter().filter(wanted) {
        let cases = match arguments.case {
            Some(case) => case..case + 1,
            None => 0..arguments.cases,
        };
        let counts = drive(reader, cases.clone(), arguments.seed, scratch.path())?;
        println!(
            "{:14} {:8} accepted {:8} refused {:3} failed, slowest {:4} ms",
            reader.name,
            counts.accepted,
            counts.refused,
            counts.failures.len(),
            counts.slowest.as_millis()
        );
        let kept = counts.failures.iter().map(|failure| failure.case);
        for case in kept.chain(arguments.case) {
            std::fs::create_dir_all(&arguments.output)?;
            let path = arguments.output.join(format!("{}-{case}", reader.name));
            let samples = (reader.samples)();
            std::fs::write(path, input(reader, &samples, arguments.seed, case))?;
        }
        for failure in &counts.failures {
            println!("  case {}: {}", failure.case, failure.reason);
        }
        failed += counts.failures.len();
    }
    Ok(match failed {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    })
}
