//! Data sets of a hub in CLIP_benchmark's WebDataset layout: which files their
//! repositories have.
//!
//! `classnames.txt` and optionally `zeroshot_classification_templates.txt` are beside the
//! splits; `test/nshards.txt` and optionally `train/nshards.txt` hold the number of shards
//! `0.tar`, `1.tar`, … of a split. So the small files are fetched first.

use std::path::Path;

use harness_hub::{
    FetchError, Fetched, Hub, Progress, Repo, RepoError, RepoFile, RepoKind, Request, RetryPolicy,
};

use super::absent::{Absent, InputKind};
use super::backbones::HUB;
use super::{DatasetPath, Location, LocationError};

const SPLITS: [&str; 2] = ["train", "test"];
/// Far beyond any published split.
const MOST_SHARDS: usize = 100_000;

/// The repository that `hf:org/name@revision` means; `None` for other names.
///
/// # Errors
/// The name is malformed.
pub(crate) fn repository(name: &str) -> Option<Result<Repo, RepoError>> {
    let text = name.strip_prefix(HUB)?;
    Some(Repo::parse(RepoKind::Dataset, text))
}

/// What a data set calls itself before it can be read: `wds_cars` of
/// `hf:clip-benchmark/wds_cars@main`, other names as they are.
pub(crate) fn own_name(name: &str) -> &str {
    let Some(text) = name.strip_prefix(HUB) else {
        return name;
    };
    let id = text.split_once('@').map_or(text, |(id, _)| id);
    id.rsplit('/').next().unwrap_or(id)
}

/// Where the data set of a repository is.
pub(crate) fn locate(
    hub: &Hub,
    name: &str,
    repo: &Repo,
) -> Result<Location<DatasetPath>, LocationError> {
    let request = request(hub, repo)?;
    let located = hub.locate(&request)?;
    if located.is_complete() {
        let folder = located.folder;
        return Ok(Location::Found(DatasetPath {
            path: fs_err::canonicalize(&folder).unwrap_or(folder),
            known: None,
        }));
    }
    let knows_shards = located.folder.join(count_file("test")).is_file();
    let mut absent = Absent::on_hub(InputKind::Dataset, name, request, located);
    if !knows_shards {
        absent
            .advice
            .push_str("; the number of shards is known once nshards.txt is fetched");
    }
    Ok(Location::Absent(Box::new(absent)))
}

/// Fetches the small files and then the shards that they list.
pub(crate) fn fetch(
    hub: &Hub,
    repo: &Repo,
    policy: RetryPolicy,
    progress: &mut dyn Progress,
) -> Result<Fetched, FetchError> {
    let small = Request::new(repo.clone(), small_files());
    let mut first = hub.fetch(&small, policy, progress)?;
    let whole = request(hub, repo).map_err(|error| FetchError::Broken {
        url: repo.to_string(),
        reason: error.to_string(),
    })?;
    let rest = hub.fetch(&whole, policy, progress)?;
    first.downloads.extend(rest.downloads);
    Ok(Fetched {
        located: rest.located,
        downloads: first.downloads,
    })
}

/// All files of a repository, as far as those on disk list them.
fn request(hub: &Hub, repo: &Repo) -> Result<Request, LocationError> {
    let mut request = Request::new(repo.clone(), small_files());
    let located = hub.locate(&request)?;
    for split in SPLITS {
        let path = located.folder.join(count_file(split));
        let numbers = 0..count(&path)?.unwrap_or(0);
        let shards = numbers.map(|number| RepoFile::file(format!("{split}/{number}.tar")));
        request.files.extend(shards);
    }
    Ok(request)
}

/// Optional files first: where the others are on disk, these have been asked for.
fn small_files() -> Vec<RepoFile> {
    vec![
        RepoFile::file("zeroshot_classification_templates.txt").optional(),
        // Some repositories have only a test split.
        RepoFile::file(count_file("train")).optional(),
        RepoFile::file("classnames.txt"),
        RepoFile::file(count_file("test")),
    ]
}

fn count_file(split: &str) -> String {
    format!("{split}/nshards.txt")
}

/// The number in a file; `None` if there is no such file.
fn count(path: &Path) -> Result<Option<usize>, LocationError> {
    if !path.is_file() {
        return Ok(None);
    }
    let bytes = fs_err::read(path)?;
    let text = String::from_utf8_lossy(&bytes);
    match text.trim().parse() {
        Ok(count @ 1..=MOST_SHARDS) => Ok(Some(count)),
        _ => Err(LocationError::ShardCount {
            path: path.to_owned(),
            most: MOST_SHARDS,
            found: text.trim().chars().take(40).collect(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use harness_hub::Settings;

    use super::*;

    const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

    /// A cache with one snapshot, and a hub that nobody asks.
    struct TestEnv {
        folder: tempfile::TempDir,
        hub: Hub,
    }

    impl TestEnv {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let hub = Hub::new(Settings {
                cache: folder.path().to_owned(),
                endpoint: "http://127.0.0.1:9".to_owned(),
                mirror: None,
                token: None,
                offline: true,
            });
            let env = Self { folder, hub };
            env.put("refs/main", COMMIT);
            env
        }

        fn put(&self, name: &str, text: &str) {
            let root = self.folder.path().join("datasets--clip-benchmark--wds_x");
            let path = root.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }

        fn put_file(&self, name: &str, text: &str) {
            self.put(&format!("snapshots/{COMMIT}/{name}"), text);
        }

        fn locate(&self) -> Result<Location<DatasetPath>, LocationError> {
            let name = "hf:clip-benchmark/wds_x";
            locate(&self.hub, name, &repository(name).unwrap().unwrap())
        }

        fn missing(&self) -> Vec<String> {
            match self.locate().unwrap() {
                Location::Absent(absent) => {
                    absent.files.into_iter().map(|file| file.name).collect()
                }
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn shards_are_known_once_their_number_is() {
        let env = TestEnv::new();
        assert_eq!(env.missing(), ["classnames.txt", "test/nshards.txt"]);
        env.put_file("classnames.txt", "cat\n");
        env.put_file("test/nshards.txt", "2\n");
        assert_eq!(env.missing(), ["test/0.tar", "test/1.tar"]);
        env.put_file("train/nshards.txt", "1");
        env.put_file("test/0.tar", "");
        assert_eq!(env.missing(), ["train/0.tar", "test/1.tar"]);
        env.put_file("test/1.tar", "");
        env.put_file("train/0.tar", "");
        let Location::Found(DatasetPath { path, known: None }) = env.locate().unwrap() else {
            panic!("all of it is on disk");
        };
        assert!(path.ends_with(COMMIT));
    }

    #[test]
    fn a_number_of_shards_that_is_none_is_named_with_its_file() {
        for text in ["", "0", "-1", "1.5", "99999999999999999999", "<html>"] {
            let env = TestEnv::new();
            env.put_file("test/nshards.txt", text);
            let reason = env.locate().unwrap_err().to_string();
            assert!(reason.contains("test/nshards.txt: expected"), "{reason}");
        }
    }

    #[test]
    fn names_are_taken_apart() {
        assert_eq!(own_name("hf:clip-benchmark/wds_cars@refs/pr/1"), "wds_cars");
        assert_eq!(own_name("./data/cars"), "./data/cars");
        assert!(repository("cars").is_none());
        assert!(repository("hf:cars").unwrap().is_err());
    }
}
