//! The table that the docs show.

use std::path::Path;

use harness_backbone::Backbone;
use harness_data::{Dataset, Split};

use super::features::features;
use super::linear::linear_probe;
use super::zero_shot::zero_shot;
use crate::error::EmbeddedError;

/// Prints zero-shot accuracy of every backbone on every data set and a linear probe on the first
/// backbone's features, as Markdown on stdout.
pub(crate) fn measure(
    backbone_names: &[&str],
    dataset_names: &[&str],
    backbones: &Path,
    datasets: &Path,
) -> Result<(), EmbeddedError> {
    let loaded = backbone_names
        .iter()
        .map(|name| Ok(Backbone::load(&backbones.join(name))?))
        .collect::<Result<Vec<_>, EmbeddedError>>()?;
    println!(
        "| data set | classes | test | {} | linear probe |",
        backbone_names.join(" | ")
    );
    println!("|---|--:|--:|{}--:|", "--:|".repeat(loaded.len()));
    let mut sums = vec![0.0; loaded.len() + 1];
    let mut probed = 0;
    let mut first_of_probed = 0.0;
    for name in dataset_names {
        let dataset = Dataset::open(&datasets.join(name))?;
        let classes = dataset.classes().len();
        let mut cells = Vec::new();
        let mut probe = None;
        for (at, backbone) in loaded.iter().enumerate() {
            let (images, labels) = features(backbone, &dataset, Split::Test)?;
            let zero = zero_shot(backbone, &dataset, &images, &labels)?;
            sums[at] += zero;
            cells.push(format!("{zero:.1}"));
            if at == 0 && dataset.len(Split::Train) > 0 {
                let (train, train_labels) = features(backbone, &dataset, Split::Train)?;
                let test = (&images, labels.as_slice());
                let found = linear_probe((&train, &train_labels), test, classes)?;
                sums[loaded.len()] += found;
                first_of_probed += zero;
                probed += 1;
                probe = Some(found);
            }
        }
        cells.push(probe.map_or("–".to_owned(), |found| format!("{found:.1}")));
        let test = dataset.len(Split::Test);
        println!("| {name} | {classes} | {test} | {} |", cells.join(" | "));
    }
    let count = dataset_names.len() as f64;
    let means: Vec<String> = sums[..loaded.len()]
        .iter()
        .map(|sum| format!("{:.1}", sum / count))
        .collect();
    let probe = sums[loaded.len()] / f64::from(probed.max(1));
    println!("| mean | | | {} | {probe:.1} |", means.join(" | "));
    let zero = first_of_probed / f64::from(probed.max(1));
    println!();
    println!(
        "Over the {probed} data sets with a training split: zero-shot of {} {zero:.1}, linear probe \
         {probe:.1}, {:.1} points above.",
        backbone_names.first().copied().unwrap_or("nothing"),
        probe - zero
    );
    Ok(())
}
