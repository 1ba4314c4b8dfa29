//! The user's own aliases of backbones, and every mistake in them.

use harness_hub::registry::Aliases;
use harness_hub::{Repo, RepoKind};

use super::tree::{Key, Node};
use super::{Document, Mistake, Mistakes};

impl Document {
    /// The document as a file of aliases, if it has no mistakes.
    ///
    /// # Errors
    /// Every mistake at once.
    pub fn aliases(&self) -> Result<Aliases, Mistakes> {
        let schema = schemars::schema_for!(Aliases).to_value();
        let mut found = self.shape(&schema, "the file of backbones");
        for (alias, entry) in self.tree().entries() {
            found.extend(name(alias));
            found.extend(place(alias, entry));
        }
        if !found.is_empty() {
            return Err(self.mistakes(found));
        }
        self.values(Aliases::parse)
    }
}

/// An alias must not look like a path or a repository.
fn name(alias: &Key) -> Option<Mistake> {
    let text = &alias.text;
    let is_plain = !text.starts_with('.') && !text.contains(['/', ':', '@']) && !text.is_empty();
    (!is_plain).then(|| {
        let message = format!("invalid alias {text:?}: it would be read as a path or a repository");
        Mistake::new(alias.mark, message).hint("use letters, digits and dashes")
    })
}

/// An entry needs a repository or a folder.
fn place(alias: &Key, entry: &Node) -> Option<Mistake> {
    let repo = entry.get("repo");
    if repo.is_some() == entry.get("path").is_some() {
        let message = format!("{:?} needs either `repo` or `path`", alias.text);
        return Some(Mistake::new(alias.mark, message));
    }
    let node = repo?;
    let revision = entry.get("revision").and_then(Node::as_str);
    let text = format!("{}@{}", node.as_str()?, revision.unwrap_or("main"));
    let error = Repo::parse(RepoKind::Model, &text).err()?;
    Some(Mistake::new(node.mark, error.to_string()))
}
