//! The readers, each as a function over bytes.

use std::error::Error;
use std::fs;
use std::path::Path;

use harness_abi::PluginRecord;
use harness_backbone::{Architecture, Backbone, Tokenizer};
use harness_checkpoint::{Options, convert};
use harness_data::{Dataset, OpenOptions, RandomSplit, Split, read_image};
use harness_engine::registry::ModuleFile;
use harness_engine::suite::Document;
use harness_host::module_file::read_header;
use harness_report::Report;

use crate::names::AnyName;
use crate::samples;

/// Refused, with the reason.
type Refusal = Box<dyn Error>;

/// How the bytes are mutated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Lines of text: YAML, CSV.
    Text,
    Json,
    /// A JSON header behind its length, then numbers.
    Safetensors,
    Binary,
}

/// One kind of file.
pub struct Reader {
    pub name: &'static str,
    pub shape: Shape,
    /// Reads bytes; may use a folder that is empty or holds what it left there before.
    pub read: fn(&[u8], &Path) -> Result<(), Refusal>,
    /// Inputs that it accepts.
    pub samples: fn() -> Vec<Vec<u8>>,
}

/// All of them.
pub const READERS: [Reader; 15] = [
    Reader {
        name: "suite",
        shape: Shape::Text,
        read: suite,
        samples: samples::suites,
    },
    Reader {
        name: "aliases",
        shape: Shape::Text,
        read: aliases,
        samples: samples::aliases,
    },
    Reader {
        name: "report",
        shape: Shape::Json,
        read: report,
        samples: samples::reports,
    },
    Reader {
        name: "weights",
        shape: Shape::Safetensors,
        read: weights,
        samples: samples::weights,
    },
    Reader {
        name: "config",
        shape: Shape::Json,
        read: config,
        samples: samples::configs,
    },
    Reader {
        name: "tokenizer",
        shape: Shape::Json,
        read: tokenizer,
        samples: samples::tokenizers,
    },
    Reader {
        name: "pickle",
        shape: Shape::Binary,
        read: pickle,
        samples: samples::pickles,
    },
    Reader {
        name: "archive",
        shape: Shape::Binary,
        read: archive,
        samples: samples::archives,
    },
    Reader {
        name: "split-file",
        shape: Shape::Json,
        read: split_file,
        samples: samples::split_files,
    },
    Reader {
        name: "table",
        shape: Shape::Text,
        read: table,
        samples: samples::tables,
    },
    Reader {
        name: "tar-shard",
        shape: Shape::Binary,
        read: shard,
        samples: samples::shards,
    },
    Reader {
        name: "image",
        shape: Shape::Binary,
        read: image,
        samples: samples::images,
    },
    Reader {
        name: "module",
        shape: Shape::Safetensors,
        read: module,
        samples: samples::modules,
    },
    Reader {
        name: "plugin-record",
        shape: Shape::Binary,
        read: plugin_record,
        samples: samples::plugin_records,
    },
    Reader {
        name: "descriptor",
        shape: Shape::Json,
        read: descriptor,
        samples: samples::descriptors,
    },
];

impl Reader {
    /// The reader of a name.
    pub fn find(name: &str) -> Option<&'static Reader> {
        READERS.iter().find(|reader| reader.name == name)
    }
}

/// Puts a file into a folder.
fn put(folder: &Path, name: &str, bytes: &[u8]) -> std::io::Result<std::path::PathBuf> {
    let path = folder.join(name);
    if let Some(above) = path.parent() {
        fs::create_dir_all(above)?;
    }
    fs::write(&path, bytes)?;
    Ok(path)
}

fn suite(bytes: &[u8], folder: &Path) -> Result<(), Refusal> {
    let document = Document::read(&put(folder, "suite.yaml", bytes)?)?;
    let known = AnyName::new();
    document.plugins();
    document.backbones(&known)?;
    document.datasets()?;
    document.check(&known)?;
    Ok(())
}

fn aliases(bytes: &[u8], folder: &Path) -> Result<(), Refusal> {
    let found = Document::read(&put(folder, "backbones.yaml", bytes)?)?.aliases()?;
    let of_hub = |entry: &&harness_hub::registry::BackboneEntry| entry.repo.is_some();
    for entry in found.0.values().filter(of_hub) {
        entry.request()?;
    }
    Ok(())
}

fn report(bytes: &[u8], folder: &Path) -> Result<(), Refusal> {
    let path = put(folder, "report.json", bytes)?;
    let (report, _) = Report::read_edited(&path)?;
    report.warnings();
    harness_report::analysis::analyse(&report);
    Ok(())
}

fn weights(bytes: &[u8], folder: &Path) -> Result<(), Refusal> {
    put(folder, "config.json", &samples::configs()[0])?;
    put(folder, "model.safetensors", bytes)?;
    Backbone::load(folder)?;
    Ok(())
}

fn config(bytes: &[u8], folder: &Path) -> Result<(), Refusal> {
    put(folder, "config.json", bytes)?;
    put(folder, "model.safetensors", &samples::weights()[0])?;
    Architecture::at(folder, None)?;
    Backbone::load(folder)?;
    Ok(())
}

fn tokenizer(bytes: &[u8], folder: &Path) -> Result<(), Refusal> {
    let tokenizer = Tokenizer::load(&put(folder, "tokenizer.json", bytes)?)?;
    tokenizer.prompt("ab a b", 16)?;
    // Not in every vocabulary.
    let _ = tokenizer.encode("a\u{e9} \u{202e}\u{0}");
    Ok(())
}

fn pickle(bytes: &[u8], folder: &Path) -> Result<(), Refusal> {
    archive(&samples::checkpoint(bytes)?, folder)
}

fn archive(bytes: &[u8], folder: &Path) -> Result<(), Refusal> {
    let path = put(folder, "model.pt", bytes)?;
    let options = Options {
        widen: true,
        ..Options::default()
    };
    convert(&path, &folder.join("out.safetensors"), &options)?;
    Ok(())
}

/// Reads a data set and decodes its first images.
fn open(path: &Path, options: &OpenOptions) -> Result<(), Refusal> {
    let dataset = Dataset::open_with(path, options)?;
    for split in Split::ALL {
        for index in 0..dataset.len(split).min(2) {
            dataset.image(split, index)?;
        }
    }
    Ok(())
}

fn split_file(bytes: &[u8], folder: &Path) -> Result<(), Refusal> {
    put(folder, "images/a.png", &samples::png())?;
    put(folder, "images/b.png", &samples::png())?;
    put(folder, "split_zhou_Toy.json", bytes)?;
    open(folder, &OpenOptions::default())
}

fn table(bytes: &[u8], folder: &Path) -> Result<(), Refusal> {
    put(folder, "a.png", &samples::png())?;
    put(folder, "b.png", &samples::png())?;
    let path = put(folder, "images.csv", bytes)?;
    let random = RandomSplit {
        seed: 1,
        val: 0.2,
        test: 0.4,
    };
    let plain = open(&path, &OpenOptions::default());
    plain.or_else(|_| {
        let options = OpenOptions {
            random_split: Some(random),
            ..OpenOptions::default()
        };
        open(&path, &options)
    })
}

fn shard(bytes: &[u8], folder: &Path) -> Result<(), Refusal> {
    put(folder, "classnames.txt", b"cat\ndog\n")?;
    put(
        folder,
        "zeroshot_classification_templates.txt",
        b"a photo of a {c}.\n",
    )?;
    for split in ["train", "test"] {
        put(folder, &format!("{split}/nshards.txt"), b"1\n")?;
        put(folder, &format!("{split}/0.tar"), &samples::shards()[0])?;
    }
    put(folder, "test/0.tar", bytes)?;
    open(folder, &OpenOptions::default())
}

fn image(bytes: &[u8], folder: &Path) -> Result<(), Refusal> {
    read_image(&put(folder, "image.png", bytes)?)?;
    Ok(())
}

fn module(bytes: &[u8], folder: &Path) -> Result<(), Refusal> {
    read_header(bytes)?;
    ModuleFile::read(&put(folder, "module.safetensors", bytes)?)?;
    Ok(())
}

fn plugin_record(bytes: &[u8], _: &Path) -> Result<(), Refusal> {
    let record = PluginRecord::parse(bytes)?;
    record.abi();
    record.unwinds();
    record.sdk();
    record.rustc();
    Ok(())
}

fn descriptor(bytes: &[u8], _: &Path) -> Result<(), Refusal> {
    serde_json::from_slice::<harness_abi::wire::Descriptor>(bytes)?;
    Ok(())
}
