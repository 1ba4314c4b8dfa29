//! The folder layout that Hugging Face's tools share: for each repository `refs`
//! (revision → commit), `blobs` (bytes, named by their hash) and `snapshots`
//! (for each commit links to blobs, under the names of its files).

use std::io;
use std::path::{Path, PathBuf};

use crate::repo::Repo;

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

    /// The commit that a revision was seen at, if it was seen.
    pub(crate) fn commit(&self, repo: &Repo) -> Option<String> {
        let text = fs_err::read_to_string(self.reference(repo)).ok()?;
        let commit = text.trim();
        // What names a folder below must not lead out of it.
        repo.at(commit).ok().map(|repo| repo.revision().to_owned())
    }

    fn reference(&self, repo: &Repo) -> PathBuf {
        self.repo(repo).join("refs").join(repo.revision())
    }

    /// Folder of the files of a revision. It need not exist. A revision that was
    /// never looked up has a folder of its own name, as a person would put it there.
    pub(crate) fn snapshot(&self, repo: &Repo) -> PathBuf {
        let commit = self.commit(repo);
        let name = commit.as_deref().unwrap_or(repo.revision());
        self.repo(repo).join("snapshots").join(name)
    }

    /// Where a blob of this hash is, or will be.
    pub(crate) fn blob(&self, repo: &Repo, hash: &str) -> PathBuf {
        self.repo(repo).join("blobs").join(hash)
    }

    /// What has arrived of a blob.
    pub(crate) fn incomplete(&self, repo: &Repo, hash: &str) -> PathBuf {
        self.blob(repo, &format!("{hash}.incomplete"))
    }

    /// The file that one process locks while it fetches a blob.
    pub(crate) fn lock(&self, repo: &Repo, hash: &str) -> PathBuf {
        let folder = self.root.join(".locks").join(repo.folder());
        folder.join(format!("{hash}.lock"))
    }

    /// Makes a blob appear under its name at a commit, and the revision lead there.
    pub(crate) fn link(&self, repo: &Repo, commit: &str, file: &str, hash: &str) -> io::Result<()> {
        let snapshot = self.repo(repo).join("snapshots").join(commit);
        let place = snapshot.join(file);
        let folder = place.parent().unwrap_or(&snapshot);
        fs_err::create_dir_all(folder)?;
        // As many steps up as the file lies deep, then out of `snapshots`.
        let depth = Path::new(file).components().count() + 1;
        let target = Path::new(&"../".repeat(depth)).join("blobs").join(hash);
        harness_store::replace_link(&place, &target)?;
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
            let place = cache.snapshot(&repo).join(file);
            assert_eq!(std::fs::read(&place).unwrap(), b"bytes");
            assert!(std::fs::read_link(&place).unwrap().is_relative());
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
