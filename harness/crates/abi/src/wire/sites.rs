//! Where requests change a tower, and what a card says of it.

use super::{Edit, ImageRequest, Segment, Site, TextRequest, Tower};

impl Edit {
    /// Where it acts.
    pub fn site(&self) -> Site {
        match self {
            Self::ReplaceTokens {
                tower: Tower::Text,
                layer,
                ..
            } => match layer {
                0 => Site::TextInput,
                _ => Site::TextBlock,
            },
            Self::ReplaceTokens {
                tower: Tower::Image,
                layer,
                ..
            } => match layer {
                0 => Site::ImageInput,
                _ => Site::ImageBlock,
            },
            Self::AppendTokens { .. } => Site::ImageInput,
            Self::LowRank { .. } => Site::Weight,
            Self::Bias { .. } => Site::Bias,
        }
    }
}

impl TextRequest {
    /// Where it changes the text tower; a site may come more than once.
    pub fn sites(&self) -> impl Iterator<Item = Site> {
        let is_context = |segment: &&Segment| matches!(segment, Segment::Context { .. });
        let inputs = self.segments.iter().filter(is_context);
        let inputs = inputs.map(|_| Site::TextInput);
        inputs.chain(self.edits.iter().map(Edit::site))
    }
}

impl ImageRequest {
    /// Where it changes the image tower; a site may come more than once.
    pub fn sites(&self) -> impl Iterator<Item = Site> {
        self.edits.iter().map(Edit::site)
    }
}

impl Site {
    /// Whether a host sees what happens there. A method changes features and logits itself.
    pub fn is_in_a_tower(self) -> bool {
        !matches!(self, Self::ImageFeature | Self::TextFeature | Self::Logits)
    }
}

/// What a card's sites say otherwise than the sites that a method edited, if anything. A weight may
/// be declared without being edited: the projection of a tower, which a method can apply itself.
pub fn differing_sites(declared: &[Site], edited: &[Site]) -> Option<String> {
    let word = |site: &Site| {
        let word = serde_json::to_value(site).ok();
        let word = word.as_ref().and_then(|value| value.as_str());
        word.unwrap_or_default().to_owned()
    };
    let list = |sites: Vec<&Site>| sites.into_iter().map(word).collect::<Vec<_>>().join(", ");
    let missing: Vec<&Site> = edited
        .iter()
        .filter(|site| !declared.contains(site))
        .collect();
    if !missing.is_empty() {
        let missing = list(missing);
        return Some(format!(
            "the method edits {missing}, which the card's `sites` do not name"
        ));
    }
    let unused: Vec<&Site> = declared
        .iter()
        .filter(|site| site.is_in_a_tower() && **site != Site::Weight)
        .filter(|site| !edited.contains(site))
        .collect();
    (!unused.is_empty()).then(|| {
        let unused = list(unused);
        format!("the card's `sites` name {unused}, which the method does not edit")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_names_what_is_edited_and_nothing_else_in_the_towers() {
        let differs = differing_sites;
        assert_eq!(
            differs(&[Site::TextInput, Site::Logits], &[Site::TextInput]),
            None
        );
        assert_eq!(differs(&[Site::Weight], &[]), None);
        assert_eq!(
            differs(&[Site::TextInput], &[Site::TextInput, Site::Bias]).as_deref(),
            Some("the method edits bias, which the card's `sites` do not name")
        );
        assert_eq!(
            differs(&[Site::TextInput, Site::ImageBlock], &[Site::TextInput]).as_deref(),
            Some("the card's `sites` name image-block, which the method does not edit")
        );
    }

    #[test]
    fn requests_say_where_they_change_a_tower() {
        let request = TextRequest {
            groups: 1,
            classes: 1,
            segments: vec![Segment::Context { tensor: 0 }],
            edits: vec![
                Edit::ReplaceTokens {
                    tower: Tower::Text,
                    layer: 3,
                    start: 1,
                    tensor: 1,
                },
                Edit::AppendTokens { tensor: 2 },
            ],
            tape: false,
        };
        let sites: Vec<Site> = request.sites().collect();
        assert_eq!(sites, [Site::TextInput, Site::TextBlock, Site::ImageInput]);
    }
}
