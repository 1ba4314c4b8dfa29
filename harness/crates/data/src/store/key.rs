//! What features depend on.

use crate::digest::FieldDigest;
use crate::summary::Split;

/// Everything that decides the features of a split; any difference is another entry.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FeatureKey {
    /// Hex SHA-256 of the backbone's bytes.
    pub backbone_sha256: String,
    /// The image transform with all its settings.
    pub transform: String,
    /// [`crate::Dataset::manifest_sha256`].
    pub manifest_sha256: String,
    pub split: Split,
    /// Which view of the images: plain, or an augmentation with its seed and number.
    pub view: String,
}

impl FeatureKey {
    /// The name of the entry: hex SHA-256 over all fields.
    pub fn digest(&self) -> String {
        let mut digest = FieldDigest::default();
        digest.text("harness-data features/1");
        for (name, value) in self.fields() {
            digest.text(name).text(value);
        }
        digest.hex()
    }

    /// The fields by name, as they stand in the header of an entry.
    pub(super) fn fields(&self) -> [(&'static str, &str); 5] {
        [
            ("backbone_sha256", &self.backbone_sha256),
            ("transform", &self.transform),
            ("manifest_sha256", &self.manifest_sha256),
            ("split", self.split.as_str()),
            ("view", &self.view),
        ]
    }
}
