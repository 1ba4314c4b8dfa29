//! The page of one method and data set.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use minijinja::value::Serde;
use minijinja::{Error, context};
use serde::Serialize;

use super::picture::Pictures;
use super::templates::Templates;
use super::words::{self, CONDITIONS};
use crate::text::{GOOD, MISSING, NOT_AVAILABLE, one_line, share};
use harness_report::Dataset;
use harness_report::samples::{CellPredictions, Kind};

/// Most columns of a name.
pub(super) const NAME: usize = 120;
/// Most pairs of classes in a page.
const CONFUSIONS: usize = 20;
/// Pictures below this many pixels are shown larger than they are.
const TINY: u32 = 96;

#[derive(Serialize)]
struct Group {
    id: &'static str,
    heading: &'static str,
    meaning: &'static str,
    count: usize,
    /// Which images are shown, where not all are.
    note: Option<String>,
    samples: Vec<Sample>,
}

#[derive(Serialize)]
struct Sample {
    /// The picture as a `data:` address; absent where it cannot be read.
    source: Option<String>,
    width: u32,
    height: u32,
    is_tiny: bool,
    label: String,
    path: String,
    lines: Vec<Line>,
}

#[derive(Serialize)]
struct Line {
    condition: &'static str,
    is_right: bool,
    mark: char,
    prediction: String,
    confidence: String,
}

#[derive(Serialize)]
struct Pair {
    label: String,
    prediction: String,
    counts: Vec<String>,
}

/// A page about `cell`, with at most `most` images of each kind.
///
/// # Errors
/// When a template does not render.
pub(super) fn page(
    templates: &Templates,
    cell: &CellPredictions<'_>,
    dataset: &Dataset,
    pictures: &dyn Pictures,
    most: usize,
) -> Result<String, Error> {
    let writer = Writer {
        cell,
        dataset,
        pictures,
    };
    let kinds = cell.kinds();
    let groups = kinds.iter().map(|(kind, images)| {
        let [id, heading, meaning] = words::of(*kind);
        let shown = images.len().min(most);
        let note =
            (shown < images.len()).then(|| format!("Shown: {shown}, those New is surest of."));
        Group {
            id,
            heading,
            meaning,
            count: images.len(),
            note,
            samples: images
                .iter()
                .take(most)
                .map(|at| writer.sample(*at))
                .collect(),
        }
    });
    let groups: Vec<Group> = groups.collect();
    let confusions = cell.confusions();
    let pairs = confusions.iter().take(CONFUSIONS).map(|pair| Pair {
        label: writer.class(pair.label),
        prediction: writer.class(pair.prediction),
        counts: pair
            .images
            .iter()
            .map(|count| count.map_or_else(|| NOT_AVAILABLE.to_owned(), |one| one.to_string()))
            .collect(),
    });
    let method = one_line(cell.method, NAME);
    let name = one_line(cell.dataset, NAME);
    let values = context! {
        method => &method,
        dataset => &name,
        lead => format!(
            "{} → {}, {} {}, seed {}, {} test images",
            one_line(&cell.upgrade.source, NAME),
            one_line(&cell.upgrade.target, NAME),
            cell.shots,
            if cell.shots == 1 { "shot" } else { "shots" },
            cell.seed,
            cell.labels.len()
        ),
        answer => answer(&kinds),
        groups => Serde(groups),
        conditions => CONDITIONS,
        confusions => Serde(pairs.collect::<Vec<_>>()),
        more_confusions => confusions.len().saturating_sub(CONFUSIONS),
    };
    templates.render("page.html", &format!("{method} on {name}"), values)
}

/// What changed, in a sentence.
fn answer(kinds: &[(Kind, Vec<usize>)]) -> String {
    let count = |wanted: &dyn Fn(Kind) -> bool| -> usize {
        let found = kinds.iter().filter(|(kind, _)| wanted(*kind));
        found.map(|(_, images)| images.len()).sum()
    };
    let lost = count(&Kind::is_negative_flip);
    format!(
        "{lost} {} right before and {} wrong now, {} of them because of the module; the module \
         fixes {} that the target's zero-shot gets wrong.",
        if lost == 1 {
            "image was"
        } else {
            "images were"
        },
        if lost == 1 { "is" } else { "are" },
        count(&|kind| kind == Kind::ByModule),
        count(&|kind| kind == Kind::Fixed),
    )
}

struct Writer<'w> {
    cell: &'w CellPredictions<'w>,
    dataset: &'w Dataset,
    pictures: &'w dyn Pictures,
}

impl Writer<'_> {
    fn class(&self, class: u32) -> String {
        let name = usize::try_from(class).ok();
        let name = name.and_then(|at| self.dataset.class_names.get(at));
        name.map_or_else(|| format!("class {class}"), |name| one_line(name, NAME))
    }

    fn sample(&self, image: usize) -> Sample {
        let picture = self.pictures.picture(self.cell.dataset, image);
        let (width, height) = picture
            .as_ref()
            .map_or((0, 0), |picture| (picture.width, picture.height));
        let label = self.cell.labels.get(image).copied().unwrap_or_default();
        let lines = CONDITIONS.iter().zip(&self.cell.conditions);
        let lines = lines.filter_map(|(condition, predictions)| {
            let predictions = predictions.as_ref()?;
            let prediction = *predictions.classes.get(image)?;
            let is_right = prediction == label;
            let confidence = f64::from(*predictions.confidences.get(image)?);
            Some(Line {
                condition,
                is_right,
                mark: if is_right { GOOD } else { MISSING },
                prediction: self.class(prediction),
                confidence: share(confidence),
            })
        });
        Sample {
            source: picture.map(|picture| {
                let bytes = STANDARD.encode(picture.bytes);
                format!("data:{};base64,{bytes}", picture.media_type)
            }),
            is_tiny: width.max(height) < TINY,
            width,
            height,
            label: self.class(label),
            path: one_line(&self.pictures.name(self.cell.dataset, image), NAME),
            lines: lines.collect(),
        }
    }
}
