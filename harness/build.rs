//! Tells the program its own target, for the names of archives.

fn main() {
    let target = std::env::var("TARGET").expect("cargo sets TARGET for build scripts");
    println!("cargo::rustc-env=HARNESS_TARGET={target}");
    println!("cargo::rerun-if-changed=build.rs");
}
