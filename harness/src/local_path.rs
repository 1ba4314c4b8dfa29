//! A name that is also the name of a file or folder here.

use std::path::Path;

/// What to say of a name that was not found although something is called so in the current folder:
/// only what has a slash is a path.
pub(crate) fn hint(name: &str) -> Option<String> {
    let is_name = !name.is_empty() && !name.contains(['/', '\\', ':']);
    let is_here = is_name && Path::new(name).exists();
    is_here.then(|| format!("for the file or folder of this name here, write ./{name}"))
}
