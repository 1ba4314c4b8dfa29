//! The number of threads changes no bit of a feature or gradient.

use std::process::Command;

use candle_core::Var;
use harness_backbone::Backbone;
use harness_store::Sha256;

use crate::common::{backbones, noise, values, vjp};

/// Set in the child process that computes and prints.
const CHILD: &str = "HARNESS_TEST_THREADS_CHILD";
const MARK: &str = "bits of features and gradients: ";

fn fingerprint() -> String {
    let mut hash = Sha256::default();
    for folder in backbones() {
        let loaded = Backbone::load(&folder).unwrap();
        let (text, side) = (&loaded.dims().text, loaded.dims().image.image_size);
        let prompts = noise(1, &[24, text.context_length, text.width]);
        let prompts = Var::from_tensor(&prompts).unwrap();
        let ends = vec![text.context_length - 1; 24];
        let features = loaded.text().encode_embeddings(&prompts, &ends).unwrap();
        let grads = vjp(&features, &noise(2, features.dims()));
        let images = loaded
            .image()
            .encode(&noise(3, &[24, 3, side, side]))
            .unwrap();
        for tensor in [&features, grads.get(&prompts).unwrap(), &images] {
            for value in values(tensor) {
                hash.update(&value.to_le_bytes());
            }
        }
    }
    hash.hex()
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    if std::env::var_os(CHILD).is_some() {
        println!("{MARK}{}", fingerprint());
        return;
    }
    // The thread pool is made once per process, so every count needs a process of its own.
    let prints: Vec<String> = ["1", "2", "3"]
        .into_iter()
        .map(|threads| {
            let output = Command::new(std::env::current_exe().unwrap())
                .args([
                    "--exact",
                    "threads::the_number_of_threads_changes_no_bit",
                    "--nocapture",
                ])
                .env(CHILD, "1")
                .env("RAYON_NUM_THREADS", threads)
                .output()
                .unwrap();
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            let line = text.lines().find_map(|l| l.split_once(MARK));
            line.unwrap_or_else(|| panic!("no result in {text}"))
                .1
                .to_owned()
        })
        .collect();
    assert_eq!(prints[0], prints[1]);
    assert_eq!(prints[0], prints[2]);
}
