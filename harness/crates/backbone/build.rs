//! Compiles the kernels of the towers, where CUDA is asked for.

use std::path::PathBuf;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=src/device/fused/kernels.cu");
    println!("cargo::rerun-if-env-changed=NVCC");
    println!("cargo::rerun-if-env-changed=CUDA_COMPUTE_CAP");
    if std::env::var_os("CARGO_FEATURE_CUDA").is_none() {
        return;
    }
    let folder = std::env::var_os("OUT_DIR").expect("cargo names the folder");
    let out = PathBuf::from(folder).join("kernels.ptx");
    let nvcc = std::env::var("NVCC").unwrap_or_else(|_| "nvcc".into());
    // PTX runs on every later GPU as well.
    let oldest = std::env::var("CUDA_COMPUTE_CAP").unwrap_or_else(|_| "80".into());
    let status = Command::new(&nvcc)
        .args([
            "-ptx",
            "-O3",
            "-std=c++17",
            "--default-stream",
            "per-thread",
        ])
        .arg(format!("-arch=compute_{oldest}"))
        .arg("-o")
        .arg(&out)
        .arg("src/device/fused/kernels.cu")
        .status();
    match status {
        Ok(status) if status.success() => {}
        Ok(status) => panic!("{nvcc}: {status}"),
        Err(error) => panic!("cannot run {nvcc}, which --features cuda needs: {error}"),
    }
}
