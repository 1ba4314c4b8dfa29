//! A curve in one line.

/// Eighths of a line's height.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// Columns at most.
const WIDEST: usize = 60;

/// The values from lowest to highest as bars, neighbours averaged where there are many.
pub(super) fn bars(values: &[f32]) -> String {
    let columns = values.len().min(WIDEST);
    let means: Vec<f32> = (0..columns)
        .map(|column| {
            let stretch =
                &values[column * values.len() / columns..(column + 1) * values.len() / columns];
            stretch.iter().sum::<f32>() / stretch.len() as f32
        })
        .collect();
    let lowest = means.iter().copied().fold(f32::INFINITY, f32::min);
    let highest = means.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let top = (BARS.len() - 1) as f32;
    let bar = |value: &f32| {
        let share = (value - lowest) / (highest - lowest).max(f32::MIN_POSITIVE);
        BARS[(share * top).round() as usize % BARS.len()]
    };
    means.iter().map(bar).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_falling_loss_falls() {
        assert_eq!(bars(&[8.0, 4.0, 2.0, 1.0]), "█▄▂▁");
    }

    #[test]
    fn few_equal_or_many_values_have_a_line() {
        assert_eq!(bars(&[]), "");
        assert_eq!(bars(&[1.0, 1.0]), "▁▁");
        let many: Vec<f32> = (0..1000).map(|i| i as f32).collect();
        assert_eq!(bars(&many).chars().count(), WIDEST);
    }
}
