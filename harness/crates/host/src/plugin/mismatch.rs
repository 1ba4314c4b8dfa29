//! abi_stable's layout report, cut to what a reader needs.
//!
//! It repeats one finding in thousands of lines, once for every type around it.

/// The distinct findings of a report, in one line.
pub(super) fn distil(report: &str) -> String {
    let lines: Vec<&str> = report.lines().map(str::trim).collect();
    let mut findings: Vec<String> = vec![];
    for (i, line) in lines.iter().enumerate() {
        let Some(finding) = line.strip_prefix("Error:") else {
            continue;
        };
        let mut text = finding.trim().to_owned();
        for label in ["Expected:", "Found:"] {
            if let Some(value) = value_after(&lines[i + 1..], label) {
                let label = label.to_lowercase();
                text.push_str(&format!(", {label} {value}"));
            }
        }
        if !text.is_empty() && !findings.contains(&text) {
            findings.push(text);
        }
    }
    if findings.is_empty() {
        let first = lines.iter().find(|line| !line.is_empty());
        return first.map_or_else(|| "no reason given".to_owned(), ToString::to_string);
    }
    let more = findings.len().saturating_sub(3);
    findings.truncate(3);
    let mut text = findings.join("; ");
    if more > 0 {
        text.push_str(&format!("; and {more} more"));
    }
    text
}

/// The value beside or below a label, before the next finding.
fn value_after<'a>(lines: &[&'a str], label: &str) -> Option<&'a str> {
    let end = lines
        .iter()
        .position(|line| line.starts_with("Error:"))
        .unwrap_or(lines.len());
    let at = lines[..end].iter().position(|l| l.starts_with(label))?;
    let beside = lines[at].strip_prefix(label)?.trim();
    if beside.is_empty() {
        lines[..end].get(at + 1).copied()
    } else {
        Some(beside)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_that_is_repeated_is_said_once() {
        let block = "  0 error(s)inside:\nfield_name:x\nError:mismatched type\nExpected:\n  bool\nFound:\n  u8\n";
        let report = format!("Compared <this>:\n{}", block.repeat(300));
        assert_eq!(
            distil(&report),
            "mismatched type, expected: bool, found: u8"
        );
    }

    #[test]
    fn a_report_without_findings_gives_its_first_line() {
        assert_eq!(
            distil("\n library version mismatch\nmore"),
            "library version mismatch"
        );
        assert_eq!(distil(""), "no reason given");
    }
}
