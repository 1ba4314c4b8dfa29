//! What a suite costs, cold and warm: seconds, and memory of the workers.
//!
//! `cargo run --example cost -- suites/quickstart.yaml`. Uses the `harness` binary
//! that was built last, a store of its own, and one job a core.

use std::{
    error::Error,
    path::PathBuf,
    process::{Command, Stdio},
    time::Instant,
};

use harness_report::Report;

fn main() -> Result<(), Box<dyn Error>> {
    let suite = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "suites/quickstart.yaml".to_owned());
    let folder = tempfile::tempdir()?;
    let output = folder.path().join("report.json");
    let (cold, warm) = (
        measure(&suite, &folder, &output)?,
        measure(&suite, &folder, &output)?,
    );
    let report = Report::read(&output)?;
    let usages = report.cells.iter().filter_map(|cell| cell.usage);
    let peak = usages.map(|usage| usage.peak_mib).fold(0.0, f64::max);
    let provenance = &report.provenance;
    println!(
        "suite  {suite}, {} cells, {} jobs",
        report.cells.len(),
        provenance.jobs
    );
    println!("cold   {cold:.1} s");
    println!("warm   {warm:.2} s, {:.0} times faster", cold / warm);
    println!(
        "memory {peak:.0} MiB at most in a worker, {:.0} MiB for all",
        peak * f64::from(provenance.jobs)
    );
    Ok(())
}

/// Runs the suite; wall-clock seconds.
fn measure(
    suite: &str,
    folder: &tempfile::TempDir,
    output: &PathBuf,
) -> Result<f64, Box<dyn Error>> {
    let example = std::env::current_exe()?;
    let built = example.ancestors().nth(2).ok_or("no target folder")?;
    let start = Instant::now();
    let status = Command::new(built.join("harness"))
        .args(["run", suite, "--store"])
        .arg(folder.path().join("store"))
        .arg("--output")
        .arg(output)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()?;
    let seconds = start.elapsed().as_secs_f64();
    if status.success() {
        Ok(seconds)
    } else {
        Err(format!("the suite ended with {status}").into())
    }
}
