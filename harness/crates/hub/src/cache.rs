//! The folder layout that Hugging Face's tools share: for each repository `refs`
//! (revision → commit), `blobs` (bytes, named by their hash) and `snapshots`
//! (for each commit links to blobs, under the names of its files).

use std::io;
use std::path::{Path, PathBuf};

use crate::repo::{Repo, is_commit};

/// A folder of repositories.
#[derive(Clone, Debug)]
pub(crate) struct Cache {
    root: PathBuf,
}

impl Cache {
    pub(crate) fn new(root: PathBuf) -> Self {
        Self { root }
    }

    fn repo(&self, repo: &Repo) -> PathBuf {
        self.root.join(repo.folder())
    }

    /// The commit that a revision last pointed to, if known.
    pub(crate) fn commit(&self, repo: &Repo) -> Option<String> {
        let text = fs_err::read_to_string(self.reference(repo)).ok()?;
        let commit = text.trim();
        // The commit becomes part of a path, so it must not lead outside the cache.
        repo.at(commit).ok().map(|repo| repo.revision().to_owned())
    }

    fn reference(&self, repo: &Repo) -> PathBuf {
        self.repo(repo).join("refs").join(repo.revision())
    }

    /// The folder of the files of a revision, which may not exist. A revision that was never looked
    /// up has a folder of its own name, where users can put files by hand.
    pub(crate) fn snapshot(&self, repo: &Repo) -> PathBuf {
        let commit = self.commit(repo);
        let name = commit.as_deref().unwrap_or(repo.revision());
        self.repo(repo).join("snapshots").join(name)
    }

    /// The commits whose files are there, sorted.
    pub(crate) fn snapshots(&self, repo: &Repo) -> Vec<String> {
        let folders = fs_err::read_dir(self.repo(repo).join("snapshots"));
        let folders = folders.into_iter().flatten().flatten();
        let names = folders.filter_map(|entry| entry.file_name().into_string().ok());
        let mut commits: Vec<String> = names.filter(|name| is_commit(name)).collect();
        commits.sort();
        commits
    }

    /// The only commit whose files are there, where nothing says what a revision points to: `refs`
    /// was not copied, or the files were asked for by commit. A short commit has to be its beginning.
    pub(crate) fn sole_commit(&self, repo: &Repo) -> Option<String> {
        if self.commit(repo).is_some() || self.snapshot(repo).is_dir() {
            return None;
        }
        let mut commits = self.snapshots(repo);
        let only = commits.pop().filter(|_| commits.is_empty())?;
        let is_meant = repo.revision() == "main" || only.starts_with(repo.revision());
        is_meant.then_some(only)
    }

    /// Where a blob of this hash is, or will be.
    pub(crate) fn blob(&self, repo: &Repo, hash: &str) -> PathBuf {
        self.repo(repo).join("blobs").join(hash)
    }

    /// The downloaded part of a blob.
    pub(crate) fn incomplete(&self, repo: &Repo, hash: &str) -> PathBuf {
        self.blob(repo, &format!("{hash}.incomplete"))
    }

    /// The file that a process locks while it downloads a blob.
    pub(crate) fn lock(&self, repo: &Repo, hash: &str) -> PathBuf {
        let folder = self.root.join(".locks").join(repo.folder());
        folder.join(format!("{hash}.lock"))
    }

    /// Links a blob under its file name at a commit, and points the revision to the commit.
    pub(crate) fn link(&self, repo: &Repo, commit: &str, file: &str, hash: &str) -> io::Result<()> {
        let snapshot = self.repo(repo).join("snapshots").join(commit);
        let path = snapshot.join(file);
        let folder = path.parent().unwrap_or(&snapshot);
        fs_err::create_dir_all(folder)?;
        // Up from the depth of the file, then out of `snapshots`.
        let depth = Path::new(file).components().count() + 1;
        let target = Path::new(&"../".repeat(depth)).join("blobs").join(hash);
        harness_store::replace_link(&path, &target)?;
        if commit != repo.revision() {
            let reference = self.reference(repo);
            if let Some(folder) = reference.parent() {
                fs_err::create_dir_all(folder)?;
            }
            harness_store::write_atomically(&reference, commit.as_bytes())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

    #[test]
    fn links_lead_to_blobs_from_any_depth() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(folder.path().to_owned());
        let repo = Repo::dataset("org/wds", "refs/pr/1").unwrap();
        let blob = cache.blob(&repo, "aa");
        std::fs::create_dir_all(blob.parent().unwrap()).unwrap();
        std::fs::write(&blob, "bytes").unwrap();
        assert!(cache.snapshot(&repo).ends_with("snapshots/refs/pr/1"));
        for file in ["classnames.txt", "test/deep/0.tar"] {
            cache.link(&repo, COMMIT, file, "aa").unwrap();
            cache.link(&repo, COMMIT, file, "aa").unwrap();
            let path = cache.snapshot(&repo).join(file);
            assert_eq!(std::fs::read(&path).unwrap(), b"bytes");
            assert!(std::fs::read_link(&path).unwrap().is_relative());
        }
        assert_eq!(cache.commit(&repo).as_deref(), Some(COMMIT));
        let root = folder.path().join("datasets--org--wds");
        assert!(cache.snapshot(&repo).starts_with(root));
    }

    #[test]
    fn a_reference_that_leads_out_of_the_cache_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(folder.path().to_owned());
        let repo = Repo::model("org/name", "main").unwrap();
        let refs = folder.path().join("models--org--name/refs");
        std::fs::create_dir_all(&refs).unwrap();
        std::fs::write(refs.join("main"), "../../../etc").unwrap();
        assert_eq!(cache.commit(&repo), None);
    }
}
