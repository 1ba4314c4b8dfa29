//! What the matrix can show, and the colours of each: every colour stands beside a
//! number, a word or a glyph that says the same.

use serde::Serialize;

use harness_report::analysis::Verdict;

/// One of the things that the switch of the matrix offers.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct View {
    /// Class in the style sheet, and value of the switch.
    pub(super) key: &'static str,
    pub(super) label: &'static str,
    /// One sentence or two.
    pub(super) meaning: &'static str,
    pub(super) swatches: &'static [Swatch],
}

/// A colour of the legend.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Swatch {
    pub(super) class: &'static str,
    pub(super) text: &'static str,
}

const fn swatch(class: &'static str, text: &'static str) -> Swatch {
    Swatch { class, text }
}

const ACCURACY: [Swatch; 8] = [
    swatch("s0", "0"),
    swatch("s1", "12.5"),
    swatch("s2", "25"),
    swatch("s3", "37.5"),
    swatch("s4", "50"),
    swatch("s5", "62.5"),
    swatch("s6", "75"),
    swatch("s7", "87.5 to 100"),
];

/// The views in the order of the switch; the first is shown first.
pub(super) const VIEWS: [View; 6] = [
    View {
        key: "verdict",
        label: "Verdict",
        meaning: "The verdict on each module, and below it the recommendation.",
        swatches: &[
            swatch("p2", "✓ compatible: no loss against Base beyond the margin"),
            swatch(
                "m2",
                "↘ degraded: a loss, but not below the target's zero-shot",
            ),
            swatch("m4", "▼ incompatible: below the target's zero-shot"),
            swatch("m1", "✗ not injectable"),
            swatch("", "? inconclusive: more data needed"),
        ],
    },
    View {
        key: "new",
        label: "New",
        meaning: "Accuracy of the module moved to the target, in percent; below it the \
                  difference to the target's zero-shot. Colour from:",
        swatches: &ACCURACY,
    },
    View {
        key: "delta",
        label: "New over zero-shot",
        meaning: "What the moved module adds to the target's own zero-shot, in points; in \
                  brackets the 95 % interval. Below 0, drop it.",
        swatches: &[
            swatch("m4", "▼ 10 or more"),
            swatch("m3", "▼ 5"),
            swatch("m2", "▼ 2"),
            swatch("m1", "▼ 0.5"),
            swatch("", "less than 0.5"),
            swatch("p1", "▲ 0.5"),
            swatch("p2", "▲ 2"),
            swatch("p3", "▲ 5"),
            swatch("p4", "▲ 10 or more"),
        ],
    },
    View {
        key: "h",
        label: "H",
        meaning: "Harmonic mean of Base and New, in percent; below it Base. Colour from:",
        swatches: &ACCURACY,
    },
    View {
        key: "kept",
        label: "Recovery",
        meaning: "(New − zero-shot on the target) / (Base − zero-shot on the source). n/a \
                  where the gain on the source is not significant.",
        swatches: &[
            swatch("m3", "▼ below 0 %"),
            swatch("s0", "○ 0 %"),
            swatch("s2", "◔ 25 %"),
            swatch("s4", "◑ 50 %"),
            swatch("s5", "◕ 75 %"),
            swatch("s7", "● all"),
        ],
    },
    View {
        key: "flips",
        label: "Flips",
        meaning: "Test images that were right on the source and are wrong on the target, in \
                  percent; below it the parts: m caused by the module, r fixed by \
                  retraining, b caused by the backbone, u not attributed. Colour from:",
        swatches: &[
            swatch("", "0"),
            swatch("m1", "2"),
            swatch("m2", "5"),
            swatch("m3", "10"),
            swatch("m4", "20 and more"),
        ],
    },
];

/// The colour of an accuracy.
pub(super) fn of_accuracy(fraction: f64) -> &'static str {
    let step = (fraction * 8.0).floor().clamp(0.0, 7.0) as usize;
    ACCURACY[step].class
}

/// The colour of a difference to zero-shot.
pub(super) fn of_difference(fraction: f64) -> &'static str {
    let step = step(fraction.abs(), [0.005, 0.02, 0.05, 0.1]);
    let classes = match fraction < 0.0 {
        true => ["", "m1", "m2", "m3", "m4"],
        false => ["", "p1", "p2", "p3", "p4"],
    };
    classes[step]
}

/// The colour of a negative-flip rate.
pub(super) fn of_flips(rate: f64) -> &'static str {
    ["", "m1", "m2", "m3", "m4"][step(rate, [0.02, 0.05, 0.1, 0.2])]
}

/// Glyph and colour of the share of retraining's gain that New has.
pub(super) fn of_kept(share: f64) -> (char, &'static str) {
    // What is printed as 0 % is not less than nothing.
    if share <= -0.005 {
        return ('▼', "m3");
    }
    let marks = [
        ('○', "s0"),
        ('◔', "s2"),
        ('◑', "s4"),
        ('◕', "s5"),
        ('●', "s7"),
    ];
    marks[step(share, [0.25, 0.5, 0.75, 0.995])]
}

/// The colour of a verdict.
pub(super) fn of_verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Compatible => "p2",
        Verdict::Degraded => "m2",
        Verdict::Incompatible => "m4",
        Verdict::NotInjectable => "m1",
        Verdict::Inconclusive | Verdict::NoGain => "",
    }
}

/// How many of the rising `bounds` a value reaches, up to the rounding of what is printed.
fn step(value: f64, bounds: [f64; 4]) -> usize {
    bounds
        .iter()
        .filter(|bound| value >= **bound - 1e-9)
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_follow_the_legend() {
        assert_eq!(of_accuracy(0.0), "s0");
        assert_eq!(of_accuracy(0.875), "s7");
        assert_eq!(of_accuracy(1.0), "s7");
        assert_eq!(of_difference(-0.0049), "");
        assert_eq!(of_difference(-0.02), "m2");
        assert_eq!(of_difference(0.5), "p4");
        assert_eq!(of_flips(0.2), "m4");
        assert_eq!(of_flips(0.0), "");
        assert_eq!(of_kept(-0.001), ('○', "s0"));
        assert_eq!(of_kept(-0.2), ('▼', "m3"));
        assert_eq!(of_kept(0.5), ('◑', "s4"));
        assert_eq!(of_kept(1.2), ('●', "s7"));
    }

    #[test]
    fn every_colour_of_a_verdict_is_in_its_legend() {
        for verdict in [
            Verdict::NotInjectable,
            Verdict::Incompatible,
            Verdict::Compatible,
            Verdict::Degraded,
            Verdict::Inconclusive,
        ] {
            let class = of_verdict(verdict);
            let start = format!("{} {}", verdict.glyph(), verdict.word());
            let mut swatches = VIEWS[0].swatches.iter();
            assert!(
                swatches.any(|s| s.class == class && s.text.starts_with(&start)),
                "{start}"
            );
        }
    }
}
