//! How far two sets of embeddings of the same things differ.

/// Embeddings in rows: `items × width`, row by row.
#[derive(Clone, Copy, Debug)]
pub struct Embeddings<'a> {
    pub values: &'a [f32],
    pub width: usize,
}

/// Linear CKA (Kornblith et al. 2019), `‖YᵀX‖² / (‖XᵀX‖ ‖YᵀY‖)` of centred embeddings, in
/// [0, 1]: 1 for the same geometry up to rotation and scale. The widths may differ.
///
/// `None` unless both are of the same number of things, at least two, all finite and
/// not all alike.
pub fn linear_cka(x: Embeddings<'_>, y: Embeddings<'_>) -> Option<f64> {
    let (x, y) = (Rows::centred(x)?, Rows::centred(y)?);
    if x.rows != y.rows {
        return None;
    }
    let (kx, ky) = (x.gram(), y.gram());
    let inner = |a: &Rows, b: &Rows| -> f64 {
        let products = a.values.iter().zip(&b.values).map(|(a, b)| a * b);
        products.sum()
    };
    let scale = (inner(&kx, &kx) * inner(&ky, &ky)).sqrt();
    (scale > 0.0).then(|| inner(&kx, &ky) / scale)
}

/// The Procrustes disparity: what is left of the squared distances of centred
/// embeddings of unit size after the best rotation and scale, `1 - (Σσ)²` with the singular
/// values σ of XᵀY, in [0, 1]. `None` as for [`linear_cka`].
pub fn procrustes(x: Embeddings<'_>, y: Embeddings<'_>) -> Option<f64> {
    let (x, y) = (Rows::centred(x)?, Rows::centred(y)?);
    let size = |rows: &Rows| rows.values.iter().map(|v| v * v).sum::<f64>().sqrt();
    let scale = size(&x) * size(&y);
    if x.rows != y.rows || scale <= 0.0 {
        return None;
    }
    let overlap = x.narrowed().transposed_times(&y.narrowed());
    let nuclear = overlap.singular_values().iter().sum::<f64>() / scale;
    Some((1.0 - nuclear * nuclear).clamp(0.0, 1.0))
}

/// A matrix, row by row.
struct Rows {
    rows: usize,
    columns: usize,
    values: Vec<f64>,
}

impl Rows {
    /// The embeddings less their mean.
    fn centred(of: Embeddings<'_>) -> Option<Self> {
        let columns = of.width;
        let is_matrix = columns > 0 && of.values.len().is_multiple_of(columns);
        let rows = of.values.len().checked_div(columns)?;
        if !is_matrix || rows < 2 || of.values.iter().any(|value| !value.is_finite()) {
            return None;
        }
        let mut values: Vec<f64> = of.values.iter().map(|value| f64::from(*value)).collect();
        for column in 0..columns {
            let mean = values.iter().skip(column).step_by(columns).sum::<f64>() / rows as f64;
            for value in values.iter_mut().skip(column).step_by(columns) {
                *value -= mean;
            }
        }
        Some(Self {
            rows,
            columns,
            values,
        })
    }

    fn row(&self, row: usize) -> &[f64] {
        &self.values[row * self.columns..(row + 1) * self.columns]
    }

    /// All inner products of rows.
    fn gram(&self) -> Self {
        let pairs = (0..self.rows).flat_map(|a| (0..self.rows).map(move |b| (a, b)));
        Self {
            rows: self.rows,
            columns: self.rows,
            values: pairs.map(|(a, b)| dot(self.row(a), self.row(b))).collect(),
        }
    }

    /// Rows with the same inner products and no more columns than rows: the factor L of an
    /// LQ decomposition by the modified Gram-Schmidt process.
    fn narrowed(self) -> Self {
        if self.columns <= self.rows {
            return self;
        }
        let mut basis: Vec<Vec<f64>> = Vec::new();
        let mut values = vec![0.0; self.rows * self.rows];
        for at in 0..self.rows {
            let mut rest = self.row(at).to_vec();
            let before = dot(&rest, &rest).sqrt();
            for (column, direction) in basis.iter().enumerate() {
                let along = dot(&rest, direction);
                values[at * self.rows + column] = along;
                add(&mut rest, direction, -along);
            }
            let length = dot(&rest, &rest).sqrt();
            // What is left of a row that depends on the others is rounding.
            if length > before * 1e-12 {
                values[at * self.rows + basis.len()] = length;
                rest.iter_mut().for_each(|value| *value /= length);
                basis.push(rest);
            }
        }
        Self {
            rows: self.rows,
            columns: self.rows,
            values,
        }
    }

    /// `selfᵀ other`.
    fn transposed_times(&self, other: &Self) -> Self {
        let mut values = vec![0.0; self.columns * other.columns];
        for row in 0..self.rows {
            for (at, left) in self.row(row).iter().enumerate() {
                let target = &mut values[at * other.columns..(at + 1) * other.columns];
                add(target, other.row(row), *left);
            }
        }
        Self {
            rows: self.columns,
            columns: other.columns,
            values,
        }
    }

    /// Lengths of the rows after they were made orthogonal by Jacobi rotations
    /// (Hestenes 1958).
    fn singular_values(self) -> Vec<f64> {
        let width = self.columns.max(1);
        let mut rows: Vec<Vec<f64>> = self.values.chunks(width).map(<[f64]>::to_vec).collect();
        for _ in 0..60 {
            let mut turned = false;
            for a in 0..rows.len() {
                let (front, back) = rows.split_at_mut(a + 1);
                let Some(first) = front.last_mut() else { break };
                for second in back {
                    turned |= rotate(first, second);
                }
            }
            if !turned {
                break;
            }
        }
        rows.iter().map(|row| dot(row, row).sqrt()).collect()
    }
}

/// Makes two rows orthogonal; whether they were not.
fn rotate(first: &mut [f64], second: &mut [f64]) -> bool {
    let (a, b, c) = (dot(first, first), dot(second, second), dot(first, second));
    if c.abs() <= 1e-15 * (a * b).sqrt() || c == 0.0 {
        return false;
    }
    let zeta = (b - a) / (2.0 * c);
    let tangent = zeta.signum() / (zeta.abs() + (1.0 + zeta * zeta).sqrt());
    let cosine = 1.0 / (1.0 + tangent * tangent).sqrt();
    let sine = cosine * tangent;
    for (x, y) in first.iter_mut().zip(second) {
        (*x, *y) = (cosine * *x - sine * *y, sine * *x + cosine * *y);
    }
    true
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn add(to: &mut [f64], what: &[f64], times: f64) {
    for (to, what) in to.iter_mut().zip(what) {
        *to += times * what;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Golden {
        embeddings: Pair,
    }

    #[derive(Deserialize)]
    struct Pair {
        x: Vec<Vec<f32>>,
        y: Vec<Vec<f32>>,
        cka: f64,
        procrustes: f64,
    }

    fn of(values: &[f32], width: usize) -> Embeddings<'_> {
        Embeddings { values, width }
    }

    #[test]
    fn both_are_scipys() {
        let text = include_str!("../../../../fixtures/golden/statistics/values.json");
        let pair = serde_json::from_str::<Golden>(text).unwrap().embeddings;
        let (x, y) = (pair.x.concat(), pair.y.concat());
        let (x, y) = (of(&x, 5), of(&y, 5));
        assert!((linear_cka(x, y).unwrap() - pair.cka).abs() < 1e-6);
        assert!((procrustes(x, y).unwrap() - pair.procrustes).abs() < 1e-6);
    }

    #[test]
    fn what_cannot_be_compared_has_no_distance() {
        let some = [1.0, 2.0, 3.0, 5.0, 7.0, 11.0];
        for bad in [
            of(&[], 2),
            of(&some[..2], 2),
            of(&some[..5], 2),
            of(&some, 0),
            of(&[1.0, f32::NAN, 2.0, 1.0, 2.0, 3.0], 2),
            of(&[1.0; 6], 2),
        ] {
            assert_eq!(linear_cka(of(&some, 2), bad), None, "{bad:?}");
            assert_eq!(procrustes(of(&some, 2), bad), None, "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn rotation_shift_and_scale_change_nothing(
            values in prop::collection::vec(-1.0..1.0f32, 24),
            wide in any::<bool>(),
            angle in 0.0..6.0f32,
            shift in -2.0..2.0f32,
            scale in 0.1..3.0f32,
        ) {
            // Twelve items of two numbers, or three items of eight.
            let width = if wide { 8 } else { 2 };
            let turned: Vec<f32> = values
                .chunks(2)
                .flat_map(|pair| {
                    let (sin, cos) = angle.sin_cos();
                    let turned = [
                        pair[0] * cos - pair[1] * sin,
                        pair[0] * sin + pair[1] * cos,
                    ];
                    turned.map(|value| value * scale + shift)
                })
                .collect();
            let (x, y) = (of(&values, width), of(&turned, width));
            prop_assume!(linear_cka(x, x).is_some());
            prop_assert!((linear_cka(x, y).unwrap() - 1.0).abs() < 1e-4);
            prop_assert!(procrustes(x, y).unwrap() < 1e-4);
        }

        #[test]
        fn both_lie_between_0_and_1_and_are_symmetric(
            a in prop::collection::vec(-1.0..1.0f32, 20),
            b in prop::collection::vec(-1.0..1.0f32, 30),
        ) {
            let (x, y) = (of(&a, 2), of(&b, 3));
            prop_assume!(linear_cka(x, y).is_some());
            for measure in [linear_cka, procrustes] {
                let found = measure(x, y).unwrap();
                prop_assert!((-1e-9..=1.0 + 1e-9).contains(&found));
                prop_assert!((found - measure(y, x).unwrap()).abs() < 1e-9);
            }
        }
    }
}
