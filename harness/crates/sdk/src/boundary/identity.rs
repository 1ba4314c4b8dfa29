//! Name and version of a plugin.

/// Name and version of a plugin, from the manifest of its crate.
#[derive(Clone, Copy, Debug)]
pub struct PluginIdentity {
    /// Name of the crate.
    pub name: &'static str,
    /// Version of the crate.
    pub version: &'static str,
    /// SPDX expression.
    pub license: &'static str,
}
