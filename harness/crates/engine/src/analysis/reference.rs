//! Compares the towers with candle-transformers' CLIP, where that is correct.

use candle_core::{Device, Tensor};
use harness_reference::ReferenceClip;

use super::AnalysisError;
use super::subject::Subject;
use super::verify::{Comparison, Verification};
use crate::registry::SearchPath;

/// Prompts and images of the comparison.
const PROMPTS: u32 = 4;
const IMAGES: usize = 2;

/// Compares text and image features on made-up token ids and pixels. Forward only:
/// candle-transformers' gradients are wrong.
///
/// # Errors
/// The backbone cannot be used, or is not the CLIP that candle-transformers computes.
pub fn verify_reference(
    search_path: &SearchPath,
    name: &str,
) -> Result<Verification, AnalysisError> {
    let subject = Subject::load(search_path, name)?;
    let failed = |error| subject.error(error);
    let reference = ReferenceClip::load(&subject.files.path).map_err(failed)?;
    let backbone = &subject.backbone;
    let end = backbone.text().end_token();
    let rows = rows(end).ok_or_else(|| AnalysisError::Input {
        path: subject.files.path.clone(),
        reason: format!(
            "the end token is {end}; the comparison needs one above 1, with the start token before it"
        ),
    })?;
    let found = backbone.text().encode_ids(&rows).map_err(failed)?;
    let expected = reference.encode_ids(&rows).map_err(failed)?;
    let texts = Comparison::of("text features", &found, &expected)?;
    let pixels = pixels(backbone.dims().image.image_size)?;
    let found = backbone.image().encode(&pixels).map_err(failed)?;
    let expected = reference.encode_pixels(&pixels).map_err(failed)?;
    let images = Comparison::of("image features", &found, &expected)?;
    Ok(Verification {
        framework: Some("candle-transformers".to_owned()),
        comparisons: vec![texts, images],
        backbone: subject.name,
        sha256: subject.files.sha256,
        layout: subject.architecture.layout,
        notes: subject.architecture.notes,
    })
}

/// Prompts of rising length over the whole vocabulary. CLIP's start token stands
/// right before its end token, which is the last; none if there is no room for both.
fn rows(end: u32) -> Option<Vec<Vec<u32>>> {
    let start = end.checked_sub(1).filter(|start| *start > 0)?;
    let row = |prompt: u32| {
        let words = (0..4 + 3 * prompt).map(|word| (prompt * 7919 + word * 104_729) % start);
        std::iter::once(start).chain(words).chain([end]).collect()
    };
    Some((0..PROMPTS).map(row).collect())
}

/// Waves of another frequency in each image and channel, within [-2, 2].
fn pixels(side: usize) -> Result<Tensor, AnalysisError> {
    let count = IMAGES * 3 * side * side;
    let values = (0..count).map(|index| {
        let (plane, at) = (index / (side * side), index % (side * side));
        let (x, y) = ((at % side) as f32, (at / side) as f32);
        let pace = (plane + 1) as f32 / side as f32;
        2.0 * (pace * (5.0 * x + 3.0 * y)).sin()
    });
    let values: Vec<f32> = values.collect();
    Ok(Tensor::from_vec(
        values,
        (IMAGES, 3, side, side),
        &Device::Cpu,
    )?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_token_without_words_before_it_has_no_prompts() {
        assert_eq!(rows(0), None);
        assert_eq!(rows(1), None);
        let rows = rows(2).unwrap();
        assert!(rows.iter().flatten().all(|id| *id <= 2));
        assert!(
            rows.iter()
                .all(|row| row.ends_with(&[2]) && row.starts_with(&[1]))
        );
    }
}
