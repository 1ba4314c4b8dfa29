//! Matrix products on slices.

use gemm::Parallelism;

/// A matrix in a slice, by the distance between its rows and between its columns.
#[derive(Clone, Copy)]
pub(crate) struct Matrix<'a> {
    values: &'a [f32],
    rows: usize,
    columns: usize,
    row_stride: usize,
    column_stride: usize,
}

impl<'a> Matrix<'a> {
    /// Rows of `columns` values that begin `stride` apart.
    pub(crate) fn strided(values: &'a [f32], rows: usize, columns: usize, stride: usize) -> Self {
        Self {
            values,
            rows,
            columns,
            row_stride: stride,
            column_stride: 1,
        }
    }

    /// Adjacent rows.
    pub(crate) fn new(values: &'a [f32], rows: usize, columns: usize) -> Self {
        Self::strided(values, rows, columns, columns)
    }

    pub(crate) fn t(self) -> Self {
        Self {
            values: self.values,
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
        }
    }
}

/// Where a product goes: rows of `columns` values that begin `stride` apart.
pub(crate) struct Target<'a> {
    pub(crate) values: &'a mut [f32],
    pub(crate) stride: usize,
}

impl<'a> Target<'a> {
    pub(crate) fn new(values: &'a mut [f32], stride: usize) -> Self {
        Self { values, stride }
    }
}

/// Number of values that a matrix spans in its slice.
fn span(rows: usize, columns: usize, row_stride: usize, column_stride: usize) -> usize {
    match rows == 0 || columns == 0 {
        true => 0,
        false => (rows - 1) * row_stride + (columns - 1) * column_stride + 1,
    }
}

/// `scale * a b`, added to the target.
pub(crate) fn add_product(target: Target<'_>, scale: f32, a: Matrix<'_>, b: Matrix<'_>) {
    product(target, true, scale, a, b);
}

/// `a b`, in place of what the target held.
pub(crate) fn set_product(target: Target<'_>, a: Matrix<'_>, b: Matrix<'_>) {
    product(target, false, 1.0, a, b);
}

/// `scale * a b`, in place of what the target held.
pub(crate) fn set_scaled_product(target: Target<'_>, scale: f32, a: Matrix<'_>, b: Matrix<'_>) {
    product(target, false, scale, a, b);
}

fn product(target: Target<'_>, add: bool, scale: f32, a: Matrix<'_>, b: Matrix<'_>) {
    let (m, n, k) = (a.rows, b.columns, a.columns);
    assert_eq!(k, b.rows, "inner dimensions of a product");
    if m == 0 || n == 0 || k == 0 {
        assert!(k > 0 || m == 0 || n == 0, "a product over nothing");
        return;
    }
    assert!(n <= target.stride || m == 1, "rows of a product overlap");
    assert!(span(m, n, target.stride, 1) <= target.values.len());
    for side in [&a, &b] {
        let span = span(side.rows, side.columns, side.row_stride, side.column_stride);
        assert!(span <= side.values.len(), "a factor reaches past its slice");
    }
    // SAFETY: the assertions above keep every access within the three slices, whose lengths fit
    // `isize`; the target is borrowed exclusively, so it overlaps neither factor.
    #[expect(unsafe_code, reason = "the matrix kernel takes pointers and strides")]
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            target.values.as_mut_ptr(),
            1,
            target.stride as isize,
            add,
            a.values.as_ptr(),
            a.column_stride as isize,
            a.row_stride as isize,
            b.values.as_ptr(),
            b.column_stride as isize,
            b.row_stride as isize,
            1.0f32,
            scale,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_follow_strides_and_add_or_replace() {
        let a = [1.0, 2.0, 9.0, 3.0, 4.0, 9.0];
        let b = [5.0, 6.0, 7.0, 8.0];
        let mut out = [1.0f32; 6];
        let left = Matrix::strided(&a, 2, 2, 3);
        add_product(
            Target::new(&mut out, 3),
            2.0,
            left,
            Matrix::new(&b, 2, 2).t(),
        );
        assert_eq!(out, [35.0, 47.0, 1.0, 79.0, 107.0, 1.0]);
        set_product(Target::new(&mut out, 3), left, Matrix::new(&b, 2, 2));
        assert_eq!(out, [19.0, 22.0, 1.0, 43.0, 50.0, 1.0]);
    }

    #[test]
    #[should_panic(expected = "past its slice")]
    fn a_factor_that_is_too_short_is_refused() {
        let mut out = [0.0; 4];
        let short = Matrix::new(&[1.0; 3], 2, 2);
        set_product(Target::new(&mut out, 2), short, short);
    }
}
