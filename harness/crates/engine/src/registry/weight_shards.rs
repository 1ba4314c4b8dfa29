//! Backbones whose weights are sharded: an index on disk lists the files that hold them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use harness_hub::{FetchError, Fetched, Hub, Progress, RepoFile, Request, RetryPolicy};
use serde::Deserialize;

use super::LocationError;

/// End of the name of an index.
const INDEX: &str = ".safetensors.index.json";
/// Far beyond any published model.
const MOST_SHARDS: usize = 1000;

/// The part of an index that matters.
#[derive(Deserialize)]
struct Index {
    /// File of each tensor.
    weight_map: BTreeMap<String, String>,
}

/// The request with the files that an index on disk lists.
pub(super) fn with_shards(hub: &Hub, request: Request) -> Result<Request, LocationError> {
    let located = hub.locate(&request)?;
    let index = located.found.iter().find(|path| {
        let name = path.file_name().and_then(|name| name.to_str());
        name.is_some_and(|name| name.ends_with(INDEX))
    });
    let Some(index) = index else {
        return Ok(request);
    };
    let mut request = request;
    let shards = shards(index)?.into_iter().map(RepoFile::file);
    request.files.extend(shards);
    Ok(request)
}

fn shards(path: &Path) -> Result<BTreeSet<String>, LocationError> {
    let broken = |reason: String| LocationError::Index {
        path: path.to_owned(),
        reason,
    };
    let text = fs_err::read(path)?;
    let index: Index = serde_json::from_slice(&text).map_err(|error| broken(error.to_string()))?;
    let shards: BTreeSet<String> = index.weight_map.into_values().collect();
    match shards.len() {
        1..=MOST_SHARDS => Ok(shards),
        count => Err(broken(format!(
            "expected 1 to {MOST_SHARDS} files, found {count}"
        ))),
    }
}

/// Fetches the files of a backbone, and then those that an index among them lists.
pub(crate) fn fetch(
    hub: &Hub,
    request: &Request,
    policy: RetryPolicy,
    progress: &mut dyn Progress,
) -> Result<Fetched, FetchError> {
    let mut first = hub.fetch(request, policy, progress)?;
    let whole = with_shards(hub, request.clone()).map_err(|error| FetchError::Broken {
        url: request.repo.to_string(),
        reason: error.to_string(),
    })?;
    if whole.files.len() == request.files.len() {
        return Ok(first);
    }
    let rest = hub.fetch(&whole, policy, progress)?;
    first.downloads.extend(rest.downloads);
    Ok(Fetched {
        located: rest.located,
        downloads: first.downloads,
    })
}

#[cfg(test)]
mod tests {
    use harness_hub::registry::backbone_files;
    use harness_hub::{Repo, Settings};

    use super::*;

    /// The files that are missing beside a configuration and an index with this text.
    fn missing(index: &str) -> Result<Vec<String>, String> {
        let folder = tempfile::tempdir().unwrap();
        let commit = "0123456789abcdef0123456789abcdef01234567";
        let snapshot = folder
            .path()
            .join(format!("models--a--b/snapshots/{commit}"));
        std::fs::create_dir_all(&snapshot).unwrap();
        std::fs::write(snapshot.join("config.json"), "{}").unwrap();
        std::fs::write(snapshot.join("model.safetensors.index.json"), index).unwrap();
        let hub = Hub::new(Settings {
            cache: folder.path().to_owned(),
            endpoint: "http://127.0.0.1:9".to_owned(),
            mirror: None,
            token: None,
            offline: true,
        });
        let request = Request::new(Repo::model("a/b", commit).unwrap(), backbone_files());
        let whole = with_shards(&hub, request).map_err(|error| error.to_string())?;
        let located = hub.locate(&whole).map_err(|error| error.to_string())?;
        Ok(located.missing.into_iter().map(|file| file.name).collect())
    }

    #[test]
    fn files_that_an_index_lists_are_needed() {
        let index = r#"{"metadata": {}, "weight_map": {"a": "1.safetensors", "b": "2.safetensors", "c": "1.safetensors"}}"#;
        assert_eq!(missing(index).unwrap(), ["1.safetensors", "2.safetensors"]);
    }

    #[test]
    fn an_index_that_is_none_is_named() {
        for (index, part) in [
            ("<html>", "model.safetensors.index.json: expected value"),
            ("{}", "missing field `weight_map`"),
            (r#"{"weight_map": {}}"#, "expected 1 to 1000 files, found 0"),
            (
                r#"{"weight_map": {"a": "../../x"}}"#,
                "invalid file name \"../../x\"",
            ),
        ] {
            let message = missing(index).unwrap_err();
            assert!(message.contains(part), "{message}");
        }
    }
}
