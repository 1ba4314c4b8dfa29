//! The change of a text tower as rows of text.

use harness_report::drift::{Drift, FeatureChange};

/// Heads of the columns of [`rows`].
pub fn head(drift: &Drift) -> Vec<&'static str> {
    let mut head = vec!["LAYER", "MEAN |Δθ|", "‖Δθ‖", "‖Δθ‖/‖θ‖"];
    if !drift.datasets.is_empty() {
        head.extend(["‖Δh‖", "‖Δh‖/‖h‖", "COS(h, h')"]);
    }
    head
}

/// One row a layer: change of the parameters and, averaged over data sets, of the features.
pub fn rows(drift: &Drift) -> Vec<Vec<String>> {
    let layers = drift.layers.iter().enumerate();
    layers
        .map(|(index, layer)| {
            let change = layer.change;
            let mut row = vec![
                layer.name.clone(),
                number(change.mean_absolute),
                number(change.norm),
                change.relative.map_or_else(|| "n/a".to_owned(), number),
            ];
            if let Some(mean) = mean_feature(drift, index) {
                row.extend([mean.absolute, mean.relative, mean.cosine].map(number));
            }
            row
        })
        .collect()
}

/// Heads of the columns of [`dataset_rows`].
pub fn dataset_head(drift: &Drift) -> Vec<&str> {
    let names = drift.datasets.iter().map(|dataset| dataset.name.as_str());
    std::iter::once("LAYER").chain(names).collect()
}

/// One row a layer: relative change of the features, one column a data set.
pub fn dataset_rows(drift: &Drift) -> Vec<Vec<String>> {
    let layers = drift.layers.iter().enumerate();
    layers
        .map(|(index, layer)| {
            let changes = drift.datasets.iter().filter_map(|d| d.layers.get(index));
            let changes = changes.map(|change| number(change.relative));
            std::iter::once(layer.name.clone()).chain(changes).collect()
        })
        .collect()
}

/// Mean over data sets, each counting the same.
fn mean_feature(drift: &Drift, layer: usize) -> Option<FeatureChange> {
    let changes = drift.datasets.iter().filter_map(|d| d.layers.get(layer));
    let changes: Vec<&FeatureChange> = changes.collect();
    let count = changes.len() as f64;
    let mean = |of: fn(&FeatureChange) -> f64| {
        let values = changes.iter().map(|change| of(change));
        values.sum::<f64>() / count
    };
    (!changes.is_empty()).then(|| FeatureChange {
        absolute: mean(|c| c.absolute),
        relative: mean(|c| c.relative),
        cosine: mean(|c| c.cosine),
    })
}

/// Four significant digits, plain where that is short.
fn number(value: f64) -> String {
    let size = value.abs();
    if size == 0.0 {
        return "0".to_owned();
    }
    if !(1e-3..1e4).contains(&size) {
        return format!("{value:.3e}");
    }
    let before = size.log10().floor() as i32 + 1;
    let decimals = usize::try_from(4 - before).unwrap_or(0);
    format!("{value:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::{dataset_head, dataset_rows, head, number, rows};
    use harness_report::drift::{
        Backbone, Change, DatasetDrift, Drift, FeatureChange, LayerDrift, ParameterDrift,
    };

    #[test]
    fn numbers_keep_four_digits() {
        for (value, expected) in [
            (0.0, "0"),
            (0.001_512_3, "0.001512"),
            (0.123_456, "0.1235"),
            (-0.5, "-0.5000"),
            (1.0, "1.000"),
            (12.345_6, "12.35"),
            (1234.5, "1234"),
            (0.000_123_45, "1.234e-4"),
            (123_456.0, "1.235e5"),
        ] {
            assert_eq!(number(value), expected);
        }
    }

    fn drift(datasets: &[&str]) -> Drift {
        let backbone = |name: &str| Backbone {
            name: name.to_owned(),
            layout: "open-clip".to_owned(),
            sha256: "0".repeat(64),
            activation: "gelu".to_owned(),
        };
        let change = |relative| Change {
            mean_absolute: 0.1,
            norm: 2.0,
            relative,
        };
        let layer = |name: &str, relative| LayerDrift {
            name: name.to_owned(),
            change: change(relative),
            parameters: vec![ParameterDrift {
                name: "x".to_owned(),
                shape: vec![2, 3],
                change: change(relative),
            }],
        };
        let feature = |relative| FeatureChange {
            absolute: 1.0,
            relative,
            cosine: 0.5,
        };
        Drift {
            schema: Drift::FORMAT.to_owned(),
            source: backbone("old & <small>"),
            target: backbone("new"),
            layers: vec![
                layer("embeddings", Some(0.1)),
                layer("block 1", None),
                layer("projection", Some(0.4)),
            ],
            datasets: datasets
                .iter()
                .map(|name| DatasetDrift {
                    name: (*name).to_owned(),
                    prompts: 3,
                    layers: vec![feature(0.0), feature(0.2), feature(0.9)],
                })
                .collect(),
        }
    }

    #[test]
    fn a_table_has_a_row_a_layer_and_says_what_has_no_ratio() {
        let drift = drift(&["digits"]);
        let rows = rows(&drift);
        assert_eq!(rows.len(), 3);
        assert!(rows.iter().all(|row| row.len() == head(&drift).len()));
        assert_eq!(rows[1][3], "n/a");
        assert_eq!(rows[2][5], "0.9000");
        assert_eq!(dataset_head(&drift), ["LAYER", "digits"]);
        assert_eq!(dataset_rows(&drift)[1], ["block 1", "0.2000"]);
    }

    #[test]
    fn a_file_reads_back() {
        let drift = drift(&["digits"]);
        let text = serde_json::to_string(&drift).unwrap();
        assert_eq!(serde_json::from_str::<Drift>(&text).unwrap(), drift);
    }
}
