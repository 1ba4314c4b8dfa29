//! Embedded data sets written in every format and read back: the same classes, labels,
//! pixels and manifest, whatever holds them.
//!
//! The first images of each split are enough here; whole ones are run in the harness's tests.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::support::{options, put, put_tar};
use harness_data::{Dataset, OpenOptions, Split, Templates};
use image::ImageFormat;

/// Images of each split that are exported.
const MOST: usize = 150;

/// The beginning of an embedded data set, with the bytes of each of its images.
struct Original {
    data: Dataset,
    images: [Vec<Vec<u8>>; 3],
}

impl Original {
    fn read(name: &str) -> Original {
        let embedded = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../suites/embedded");
        let data = Dataset::open(&embedded.join("datasets").join(name)).unwrap();
        let encode = |split, index| {
            let mut bytes = std::io::Cursor::new(Vec::new());
            let image = data.image(split, index).unwrap();
            image.write_to(&mut bytes, ImageFormat::Png).unwrap();
            bytes.into_inner()
        };
        let images = Split::ALL.map(|split| {
            let all = 0..data.len(split).min(MOST);
            all.map(|index| encode(split, index)).collect()
        });
        Original { data, images }
    }

    /// Split, index, class and bytes of every image.
    fn items(&self) -> impl Iterator<Item = (Split, usize, usize, &[u8])> {
        Split::ALL.into_iter().flat_map(move |split| {
            let labels = &self.data.split(split).labels;
            let images = &self.images[split as usize];
            let pairs = labels.iter().zip(images).enumerate();
            pairs.map(move |(index, (&label, bytes))| (split, index, label as usize, &bytes[..]))
        })
    }

    /// One folder of images with three kinds of annotations: the paths to open.
    fn as_files(&self, root: &Path) -> [PathBuf; 3] {
        let path = |split: Split, index: usize| format!("{split}/{index}.png");
        let mut lists = serde_json::json!({"train": [], "val": [], "test": []});
        let mut csv = "path,split,class,label\n".to_owned();
        let mut lines = String::new();
        for (split, index, label, bytes) in self.items() {
            let (path, id) = (path(split, index), &self.data.class_ids()[label]);
            put(&root.join("images"), &path, bytes);
            let list = lists[split.as_str()].as_array_mut().unwrap();
            list.push(serde_json::json!([path, label, id]));
            let path = format!("images/{path}");
            writeln!(csv, "{path},{split},{id},{label}").unwrap();
            let row =
                serde_json::json!({"path": path, "split": split, "class": id, "label": label});
            writeln!(lines, "{row}").unwrap();
        }
        put(root, "split_zhou_Exported.json", lists.to_string());
        put(root, "table.csv", csv);
        put(root, "table.jsonl", lines);
        [
            root.to_owned(),
            root.join("table.csv"),
            root.join("table.jsonl"),
        ]
    }

    fn as_webdataset(&self, root: &Path) -> PathBuf {
        put(root, "classnames.txt", self.data.class_ids().join("\n"));
        let items: Vec<_> = self.items().collect();
        for split in Split::ALL {
            let of_split: Vec<_> = items.iter().filter(|item| item.0 == split).collect();
            for (shard, items) in of_split.chunks(250).enumerate() {
                let entries: Vec<(String, Vec<u8>)> = items
                    .iter()
                    .flat_map(|(_, index, label, bytes)| {
                        [
                            (format!("s{index:07}.png"), bytes.to_vec()),
                            (format!("s{index:07}.cls"), label.to_string().into_bytes()),
                        ]
                    })
                    .collect();
                let entries: Vec<(&str, &[u8])> = entries
                    .iter()
                    .map(|(name, bytes)| (name.as_str(), bytes.as_slice()))
                    .collect();
                put_tar(root, &format!("{split}/{shard}.tar"), &entries);
            }
        }
        root.to_owned()
    }

    /// Class by class, as a folder holds them.
    fn as_folder(&self, root: &Path) {
        for (split, index, label, bytes) in self.items() {
            let id = &self.data.class_ids()[label];
            put(root, &format!("{split}/{id}/{index:05}.png"), bytes);
        }
    }

    fn templates(&self) -> OpenOptions {
        let templates = Templates::Own(self.data.templates().to_vec());
        options(|it| it.templates = Some(templates))
    }
}

#[test]
fn formats_that_keep_the_order_read_back_the_same() {
    for name in ["digits", "shapes"] {
        let original = Original::read(name);
        let root = tempfile::tempdir().unwrap();
        let [split_file, csv, lines] = original.as_files(&root.path().join("files"));
        let shards = original.as_webdataset(&root.path().join("wds"));
        let mut manifests = Vec::new();
        for place in [&split_file, &csv, &lines, &shards] {
            let data = Dataset::open_with(place, &original.templates()).unwrap();
            assert_eq!(data.class_ids(), original.data.class_ids());
            assert_eq!(data.class_names(), original.data.class_names());
            assert_eq!(data.templates(), original.data.templates());
            for split in Split::ALL {
                let labels = &data.split(split).labels;
                let expected = &original.data.split(split).labels[..labels.len()];
                assert_eq!(labels, expected, "{place:?}");
                for index in 0..data.len(split) {
                    let found = data.image(split, index).unwrap();
                    assert!(found == original.data.image(split, index).unwrap());
                }
            }
            manifests.push(data.manifest_sha256().to_owned());
        }
        manifests.dedup();
        assert_eq!(manifests.len(), 1, "{name}: one manifest in every format");
    }
}

#[test]
fn a_folder_reads_back_as_a_table_of_its_files() {
    let original = Original::read("digits");
    let root = tempfile::tempdir().unwrap();
    original.as_folder(root.path());
    let data = Dataset::open_with(root.path(), &original.templates()).unwrap();
    let mut rows = "path,split,class\n".to_owned();
    for split in Split::ALL {
        for id in data.class_ids() {
            for (_, index, label, _) in original.items().filter(|item| item.0 == split) {
                if original.data.class_ids()[label] == *id {
                    writeln!(rows, "{split}/{id}/{index:05}.png,{split},{id}").unwrap();
                }
            }
        }
    }
    put(root.path(), "table.csv", rows);
    let table = root.path().join("table.csv");
    let table = Dataset::open_with(&table, &original.templates()).unwrap();
    assert_eq!(table.manifest_sha256(), data.manifest_sha256());
}
