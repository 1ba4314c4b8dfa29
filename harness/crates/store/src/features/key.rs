//! What features depend on.

use super::Precision;
use crate::digest::FieldDigest;

/// Everything that decides a matrix of features; any difference is another entry.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FeatureKey {
    /// Hex SHA-256 of the backbone's bytes.
    pub backbone_sha256: String,
    /// The image transform with all its settings.
    pub transform: String,
    /// Hex SHA-256 of the data set's manifest.
    pub manifest_sha256: String,
    /// Name of the split.
    pub split: String,
    /// Which images of the split, in which order: `all`, or the digest of a draw.
    pub images: String,
    /// Which view of the images: plain, or an augmentation with its seed and number.
    pub view: String,
    pub precision: Precision,
}

impl FeatureKey {
    /// The name of the entry: hex SHA-256 over all fields.
    pub fn digest(&self) -> String {
        digest(self.fields())
    }

    /// The fields by name, as they stand in the header of a shard.
    pub(super) fn fields(&self) -> [(&'static str, &str); 7] {
        [
            ("backbone_sha256", &self.backbone_sha256),
            ("transform", &self.transform),
            ("manifest_sha256", &self.manifest_sha256),
            ("split", &self.split),
            ("images", &self.images),
            ("view", &self.view),
            ("precision", self.precision.as_str()),
        ]
    }
}

/// Names of the fields, in the order in which they are hashed.
pub(super) const FIELDS: [&str; 7] = [
    "backbone_sha256",
    "transform",
    "manifest_sha256",
    "split",
    "images",
    "view",
    "precision",
];

/// The digest over fields of a key.
pub(super) fn digest<'a>(fields: impl IntoIterator<Item = (&'static str, &'a str)>) -> String {
    let mut digest = FieldDigest::default();
    digest.text("harness-data features/2");
    for (name, value) in fields {
        digest.text(name).text(value);
    }
    digest.hex()
}
