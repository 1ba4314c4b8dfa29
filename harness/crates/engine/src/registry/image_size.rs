//! Backbones at another resolution: `NAME@384px`.

/// What separates a name from a size, and what ends it.
const AT: &str = "@";
const UNIT: &str = "px";

/// A name without the size that it asks for, and the size.
pub(crate) fn split(name: &str) -> (&str, Option<usize>) {
    let size = |digits: &str| -> Option<usize> { digits.strip_suffix(UNIT)?.parse().ok() };
    match name.rsplit_once(AT) {
        Some((base, end)) if size(end).is_some() => (base, size(end)),
        _ => (name, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_number_of_pixels_is_a_size() {
        assert_eq!(split("clip-vit-b16@384px"), ("clip-vit-b16", Some(384)));
        assert_eq!(split("hf:a/b@main@336px"), ("hf:a/b@main", Some(336)));
        for name in ["hf:a/b@main", "a@px", "a@384", "./x@y/z"] {
            assert_eq!(split(name), (name, None));
        }
    }
}
