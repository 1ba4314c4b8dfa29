//! Simulates what the decisions and the gate get right and wrong, and prints the tables that
//! `harness/docs/statistics.md` quotes:
//!
//! ```text
//! cargo run -p harness-report --example statistics -- decisions [repetitions]
//! cargo run --release -p harness-report --example statistics -- gate
//! ```

mod decisions;
#[path = "../../src/fixture.rs"]
#[expect(
    dead_code,
    reason = "shared with the tests of the crate, which use more of it"
)]
mod fixture;
mod gate;
mod simulate;

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let table = arguments.next();
    let repetitions = arguments.next().map_or(Ok(400), |text| text.parse());
    match (table.as_deref(), repetitions) {
        (Some("decisions"), Ok(repetitions)) => decisions::print(repetitions),
        (Some("gate"), _) => gate::print(),
        _ => {
            eprintln!("usage: statistics decisions [repetitions] | gate");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
