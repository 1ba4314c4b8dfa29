//! Names of unfinished files, and the process that each belongs to.

const PREFIX: &str = ".tmp-";

/// Prefix of the names of files that this process has not finished.
pub(crate) fn temporary_prefix() -> String {
    format!("{PREFIX}{}-", std::process::id())
}

/// The process that a file of such a name belongs to.
pub(crate) fn temporary_owner(name: &str) -> Option<u32> {
    let (owner, _) = name.strip_prefix(PREFIX)?.split_once('-')?;
    owner.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_owner_of_a_name_is_read_back() {
        let name = format!("{}x-y", temporary_prefix());
        assert_eq!(temporary_owner(&name), Some(std::process::id()));
        for other in [".tmp-12", ".tmpAbc", ".tmp--x", "tmp-1-x", ".tmp-1x-y"] {
            assert_eq!(temporary_owner(other), None, "{other}");
        }
    }
}
