//! The options of a suite for images.

use harness_store::Precision;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

/// How images are shown to methods in training, and how precisely their features are kept.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ImageOptions {
    /// How a training image differs from view to view; of several views the default is
    /// random-resized-crop. Test and validation images are never changed.
    pub augment: Augment,
    /// Least and largest part of an image's area that random-resized-crop shows.
    pub scale: [f64; 2],
    /// Views of each training image: epoch e reads view e modulo this number. As many
    /// as epochs is what training without cached features does.
    #[schemars(range(min = 1))]
    pub views: u32,
    /// Number format of the features in the store.
    pub precision: FeaturePrecision,
}

/// The options as they are written.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Written {
    augment: Option<Augment>,
    scale: [f64; 2],
    views: u32,
    precision: FeaturePrecision,
}

impl Default for Written {
    fn default() -> Self {
        let ImageOptions {
            augment: _,
            scale,
            views,
            precision,
        } = ImageOptions::default();
        Self {
            augment: None,
            scale,
            views,
            precision,
        }
    }
}

impl<'de> Deserialize<'de> for ImageOptions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Written {
            augment,
            scale,
            views,
            precision,
        } = Written::deserialize(deserializer)?;
        Ok(Self {
            augment: augment.unwrap_or(match views {
                0 | 1 => Augment::None,
                _ => Augment::RandomResizedCrop,
            }),
            scale,
            views,
            precision,
        })
    }
}

/// Why options contradict each other.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ImageOptionsError {
    #[error("expected two numbers in (0, 1], the smaller first, found {0:?}")]
    Scale([f64; 2]),
    #[error("{0} views without augmentation are all the same")]
    EqualViews(u32),
}

impl ImageOptionsError {
    /// The option to change.
    pub fn key(&self) -> &'static str {
        match self {
            Self::Scale(_) => "scale",
            Self::EqualViews(_) => "views",
        }
    }
}

impl Default for ImageOptions {
    fn default() -> Self {
        Self {
            augment: Augment::None,
            scale: [0.08, 1.0],
            views: 1,
            precision: FeaturePrecision::F32,
        }
    }
}

/// Random changes of training images.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Augment {
    /// The evaluation transform.
    #[default]
    None,
    /// The evaluation transform, half of the images flipped.
    Flip,
    /// A random part of the image, half of the images flipped: the CoOp family's.
    RandomResizedCrop,
}

/// Number format of stored features.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum FeaturePrecision {
    #[default]
    F32,
    /// Half the size on disk; features are rounded to 11 significant bits.
    F16,
}

impl Augment {
    /// As a suite spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Flip => "flip",
            Self::RandomResizedCrop => "random-resized-crop",
        }
    }
}

impl From<FeaturePrecision> for Precision {
    fn from(precision: FeaturePrecision) -> Self {
        match precision {
            FeaturePrecision::F32 => Self::F32,
            FeaturePrecision::F16 => Self::F16,
        }
    }
}

impl ImageOptions {
    /// Checks what no schema can express.
    ///
    /// # Errors
    /// Two options contradict each other.
    pub fn check(&self) -> Result<(), ImageOptionsError> {
        let [least, largest] = self.scale;
        if !(0.0 < least && least <= largest && largest <= 1.0) {
            return Err(ImageOptionsError::Scale(self.scale));
        }
        if self.augment == Augment::None && self.views > 1 {
            return Err(ImageOptionsError::EqualViews(self.views));
        }
        Ok(())
    }

    /// The options as written in a report.
    pub(crate) fn report(&self) -> harness_report::Images {
        harness_report::Images {
            augment: self.augment.as_str().to_owned(),
            scale: (self.augment == Augment::RandomResizedCrop).then_some(self.scale),
            views: self.views,
            precision: Precision::from(self.precision).as_str().to_owned(),
        }
    }

    /// The name of a view in the feature store.
    pub(crate) fn view_name(&self, seed: u64, view: u32) -> String {
        match self.augment {
            Augment::None => "plain".to_owned(),
            Augment::Flip => format!("flip, seed {seed}, view {view}"),
            Augment::RandomResizedCrop => {
                let [least, largest] = self.scale;
                format!("random-resized-crop {least}-{largest}, seed {seed}, view {view}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contradictions_are_named() {
        let options = ImageOptions::default();
        assert_eq!(options.check(), Ok(()));
        let views = ImageOptions {
            views: 3,
            ..options
        };
        assert_eq!(views.check(), Err(ImageOptionsError::EqualViews(3)));
        let flipped = ImageOptions {
            augment: Augment::Flip,
            ..views
        };
        assert_eq!(flipped.check(), Ok(()));
        for scale in [[0.0, 1.0], [0.5, 0.4], [0.5, 1.1], [f64::NAN, 1.0]] {
            let wrong = ImageOptions { scale, ..options };
            assert_eq!(wrong.check().unwrap_err().key(), "scale", "{scale:?}");
        }
    }

    #[test]
    fn several_views_are_random_crops_unless_told() {
        let of = |json: &str| serde_json::from_str::<ImageOptions>(json).unwrap().augment;
        assert_eq!(of("{}"), Augment::None);
        assert_eq!(of(r#"{"views": 1}"#), Augment::None);
        assert_eq!(of(r#"{"views": 10}"#), Augment::RandomResizedCrop);
        assert_eq!(of(r#"{"views": 10, "augment": "flip"}"#), Augment::Flip);
    }
}
