//! Files of other formats in place of TOML: one error, and not one for each line.

use std::sync::Arc;

use serde::de::IgnoredAny;

use super::Diagnostic;
use super::source_text::{BYTE_ORDER_MARK, SourceText};

const CONVERT: &str = "specify a TOML file, or convert this one to TOML";

/// The error for a file that is JSON, YAML, XML or a spreadsheet. It is not valid TOML.
pub(super) fn other_format(source: &Arc<SourceText>) -> Option<Diagnostic> {
    let text = source.text.trim_start_matches(BYTE_ORDER_MARK);
    let is_content = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
    let first = text.lines().find(is_content)?.trim();
    let (format, help) = if is_json(text, first) {
        match text.contains("\"iam-boundaries/") {
            true => (
                "JSON that this tool wrote",
                "specify a boundaries file or a fleet file; use a saved plan with: apply PLAN",
            ),
            false => ("JSON", CONVERT),
        }
    } else if is_yaml(text, first) {
        ("YAML", CONVERT)
    } else if first.starts_with('<') && !first.starts_with("<<") {
        ("HTML or XML", "specify a TOML file; a failed download is often a page in HTML")
    } else if is_spreadsheet(first) {
        ("CSV", "convert it with: iam-boundaries import --from-csv FILE --out boundaries.toml")
    } else {
        return None;
    };
    let start = first.as_ptr().addr() - source.text.as_ptr().addr();
    let message = format!("the file is {format}, and not TOML");
    Some(Diagnostic::at(source, start..start + first.len(), message).help(help))
}

fn is_json(text: &str, first: &str) -> bool {
    first.starts_with('{') || serde_json::from_str::<IgnoredAny>(text).is_ok()
}

fn is_yaml(text: &str, first: &str) -> bool {
    let is_name = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
    let is_mapping = first.strip_suffix(':').is_some_and(|name| name.chars().all(is_name));
    let is_toml = |line: &str| line.starts_with('[') || line.contains(" = ");
    (first == "---" || first.starts_with("- ") || is_mapping) && !text.lines().any(is_toml)
}

/// Whether the line names the columns that `import --from-csv` requires.
fn is_spreadsheet(first: &str) -> bool {
    let columns: Vec<String> = first
        .split([',', ';', '\t'])
        .map(|column| column.trim().trim_matches('"').to_ascii_lowercase())
        .collect();
    ["name", "boundary"].iter().all(|name| columns.iter().any(|column| column == name))
}
