//! Texts of plugins, within bounds.

/// Characters that are kept of a message; reports and logs repeat it.
const LONGEST: usize = 4000;

/// The beginning of a message that is too long, with what it lacks.
pub(super) fn excerpt(text: String) -> String {
    match text.char_indices().nth(LONGEST) {
        None => text,
        Some((end, _)) => {
            let rest = text[end..].chars().count();
            format!("{}… ({rest} more characters)", &text[..end])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_cut_between_characters_and_says_by_how_much() {
        assert_eq!(excerpt("é".repeat(LONGEST)), "é".repeat(LONGEST));
        let cut = excerpt("é".repeat(LONGEST + 30_000_000));
        assert!(cut.ends_with("é… (30000000 more characters)"));
        assert!(cut.len() < 3 * LONGEST);
    }
}
