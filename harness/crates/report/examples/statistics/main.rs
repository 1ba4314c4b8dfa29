//! Simulates the error rates of the statistics page:
//! `cargo run --release -p harness-report --example statistics -- gate`.

mod gate;

fn main() {
    match std::env::args().nth(1).as_deref() {
        Some("gate") => gate::print(),
        _ => {
            eprintln!("expected: gate");
            std::process::exit(2);
        }
    }
}
