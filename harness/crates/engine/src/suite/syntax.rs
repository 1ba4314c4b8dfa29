//! YAML's own complaints, in words.

/// What is wrong with YAML's syntax, in words, and what to do.
pub(super) fn explain(info: &str) -> (String, Option<&'static str>) {
    let info_or = |hint| (format!("not valid YAML: {info}"), Some(hint));
    if info.contains("tab") {
        return (
            "a tab in the indentation".to_owned(),
            Some("indent with spaces: YAML does not allow tabs"),
        );
    }
    if info.contains("quoted scalar") {
        return info_or("close the quotation mark");
    }
    if info.contains("flow mapping") {
        return info_or("separate entries with commas and close the brace with `}`");
    }
    if info.contains("flow sequence") {
        return info_or("separate entries with commas and close the bracket with `]`");
    }
    if info.contains("anchor") || info.contains("alias") {
        return info_or("to use `*` or `&` as text, write the value in quotes");
    }
    if info.contains("unexpected character") {
        return info_or("write a value that begins with `@`, `%` or a backtick in quotes");
    }
    if info.contains("mapping values are not allowed") {
        return info_or("write a value that contains `: ` in quotes, and check the indentation");
    }
    if info.contains("simple key") {
        return info_or("write a key as `key: value`, with a space after the colon");
    }
    (format!("not valid YAML: {info}"), None)
}
