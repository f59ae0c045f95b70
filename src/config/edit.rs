//! Changes to the text of a file. The values that change and the lines that are added are spliced into the text, so
//! that every other byte stays as it is: comments, spaces, line ends and the order of the lines.

use std::ops::Range;

use toml_edit::{Document, Item, Value};

use super::comment::EntryComment;
use super::toml_text;
use crate::iam::{Principal, PrincipalKind};

/// A boundary to write into a file.
pub(super) struct Edit<'e> {
    pub(super) principal: &'e Principal,
    /// The value, as TOML.
    pub(super) value: String,
    /// The comment of a new entry.
    pub(super) comment: Option<&'e EntryComment>,
}

/// Where new entries go.
enum Place {
    /// On lines of their own, after the line with this offset. A dotted table begins each line with its name.
    Lines { after: usize, is_dotted: bool },
    /// Into an inline table, at this offset. The first entry of an empty one needs no comma before it.
    Inline { at: usize, is_empty: bool },
    /// Below a new header at the end of the file.
    NewTable,
}

/// The text with the changed values and the new entries. A changed entry that is a table gets another `boundary`, and
/// its other keys stay. `None` if the text does not have the entries to change: it is not the text they come from.
pub(super) fn edited(text: &str, changed: &[Edit<'_>], added: &[Edit<'_>]) -> Option<String> {
    let mut text = with_values(text, changed)?;
    for kind in PrincipalKind::ALL {
        let of_kind: Vec<_> = added.iter().filter(|edit| edit.principal.kind == kind).collect();
        if !of_kind.is_empty() {
            text = with_entries(text, kind, &of_kind)?;
        }
    }
    Some(text)
}

fn with_values(text: &str, changed: &[Edit<'_>]) -> Option<String> {
    let document = Document::parse(text).ok()?;
    let mut splices = Vec::new();
    for Edit { principal, value, .. } in changed {
        let table = document.get(principal.kind.plural())?.as_table_like()?;
        let entry = table.get(principal.name.as_str())?;
        let boundary = match entry.as_table_like() {
            Some(table) => table.get("boundary")?,
            None => entry,
        };
        splices.push((boundary.as_value()?.span()?, value));
    }
    splices.sort_by_key(|(span, _)| span.start);
    let mut edited = String::with_capacity(text.len());
    let mut at = 0;
    for (span, value) in splices {
        edited.push_str(text.get(at..span.start)?);
        edited.push_str(value);
        at = span.end;
    }
    edited.push_str(text.get(at..)?);
    Some(edited)
}

fn with_entries(mut text: String, kind: PrincipalKind, added: &[&Edit<'_>]) -> Option<String> {
    let place = {
        let document = Document::parse(text.as_str()).ok()?;
        place(document.get(kind.plural()))?
    };
    let entry = |edit: &Edit<'_>| {
        format!("{} = {}", toml_text::key(edit.principal.name.as_str()), edit.value)
    };
    let (after, is_dotted) = match place {
        Place::Lines { after, is_dotted } => (after, is_dotted),
        Place::Inline { at, is_empty } => {
            let entries: Vec<String> = added.iter().map(|edit| entry(edit)).collect();
            let entries = entries.join(", ");
            let before = if is_empty { " " } else { ", " };
            text.insert_str(at, &format!("{before}{entries}"));
            return Some(text);
        }
        Place::NewTable => {
            let end = line_end(&text, text.len());
            if !text.ends_with('\n') {
                text.push_str(end);
            }
            text.push_str(&format!("{end}[{}]{end}", kind.plural()));
            (text.len() - 1, false)
        }
    };
    let end = line_end(&text, after);
    let at = match text[after..].find('\n') {
        Some(newline) => after + newline + 1,
        None => {
            text.push_str(end);
            text.len()
        }
    };
    let mut lines = String::new();
    for edit in added {
        if is_dotted {
            lines.push_str(&format!("{}.", kind.plural()));
        }
        lines.push_str(&entry(edit));
        if let Some(comment) = edit.comment {
            lines.push_str(&format!("  # {comment}"));
        }
        lines.push_str(end);
    }
    text.insert_str(at, &lines);
    Some(text)
}

/// The place for new entries of the table `item`: after its last entry.
fn place(item: Option<&Item>) -> Option<Place> {
    Some(match item {
        None => Place::NewTable,
        Some(Item::Value(Value::InlineTable(table))) => {
            let last = table.iter().filter_map(|(_, value)| end_of_value(value)).max();
            let open = table.span()?.start + 1;
            Place::Inline { at: last.unwrap_or(open), is_empty: last.is_none() }
        }
        Some(Item::Table(table)) => {
            let last = table.iter().filter_map(|(_, item)| end_of(item)).max();
            let header = || table.span().map(|span| span.start);
            match last {
                Some(after) => Place::Lines { after, is_dotted: table.is_dotted() },
                // Only the headers of its entries name the table.
                None if table.is_implicit() => Place::NewTable,
                None => Place::Lines { after: header()?, is_dotted: false },
            }
        }
        Some(_) => return None,
    })
}

/// The end of an entry, if it is on lines of the table itself and not below a header of its own.
fn end_of(item: &Item) -> Option<usize> {
    match item {
        Item::Value(value) => end_of_value(value),
        Item::Table(table) if table.is_dotted() => {
            table.iter().filter_map(|(_, item)| end_of(item)).max()
        }
        _ => None,
    }
}

/// The end of a value. A dotted key of an inline table has no span, and its values do.
fn end_of_value(value: &Value) -> Option<usize> {
    let span = match value {
        Value::InlineTable(table) if table.is_dotted() => {
            return table.iter().filter_map(|(_, value)| end_of_value(value)).max();
        }
        value => value.span(),
    };
    span.map(|Range { end, .. }| end)
}

/// The line end of the line with this offset; of the first line of the file if that one has none.
fn line_end(text: &str, offset: usize) -> &'static str {
    let newline = text[offset..].find('\n').map(|at| offset + at).or_else(|| text.find('\n'));
    match newline {
        Some(newline) if text[..newline].ends_with('\r') => "\r\n",
        _ => "\n",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text after `alice` or `role/ci` becomes `to`, and `zoe` and `role/new` are added.
    fn edit(text: &str, changed: &[&str], added: &[&str]) -> String {
        let principal = |label: &&str| match label.strip_prefix("role/") {
            Some(role) => Principal::role(role.parse().unwrap()),
            None => Principal::user(label.parse().unwrap()),
        };
        let changed: Vec<Principal> = changed.iter().map(principal).collect();
        let added: Vec<Principal> = added.iter().map(principal).collect();
        let comment = EntryComment::of_text("/team/").unwrap();
        let edit = |principal, comment| Edit { principal, value: "\"to\"".to_owned(), comment };
        let changed: Vec<_> = changed.iter().map(|principal| edit(principal, None)).collect();
        let added: Vec<_> = added.iter().map(|principal| edit(principal, Some(&comment))).collect();
        let edited = edited(text, &changed, &added).unwrap();
        toml::de::DeTable::parse(&edited).unwrap_or_else(|error| panic!("{error}\n{edited}"));
        edited
    }

    #[test]
    fn only_the_value_changes_whatever_is_around_it() {
        let text = "\u{feff}# top \u{e9}\r\n[users] # all\r\n\t'alice'   =  'from'\t# why\r\n\n\n\
                    \"b.c\" = false#x\n[[rules]]\n path=\"/a/*\"\n\n";
        let expected = text.replace("'from'", "\"to\"").replace("false", "\"to\"");
        assert_eq!(edit(text, &["b.c", "alice"], &[]), expected);
        let odd = "users.alice = \"\"\"\\\n  from\"\"\"\nroles = { ci = 'from' , x = 1 }";
        let expected = "users.alice = \"to\"\nroles = { ci = \"to\" , x = 1 }";
        assert_eq!(edit(odd, &["alice", "role/ci"], &[]), expected);
    }

    #[test]
    fn of_an_entry_that_is_a_table_only_the_boundary_changes() {
        let inline = "[users]\nalice = { reason = \"r\", boundary = \"from\", until = 2027-01-31, then = \"b\" } # c\n";
        assert_eq!(edit(inline, &["alice"], &[]), inline.replace("from", "to"));
        let header = "[users.alice]\nboundary = 'from' # c\nreason = 'r'\n";
        assert_eq!(edit(header, &["alice"], &[]), header.replace("'from'", "\"to\""));
        let dotted = "[users]\nalice.reason = 'r'\nalice.boundary = false\n";
        assert_eq!(edit(dotted, &["alice"], &[]), dotted.replace("false", "\"to\""));
    }

    #[test]
    fn new_entries_follow_the_last_entry_of_their_table_in_its_form() {
        let added = |text: &str| edit(text, &[], &["a.b", "zoe"]);
        let lines = "\"a.b\" = \"to\"  # /team/\nzoe = \"to\"  # /team/\n";
        for (before, after) in [
            ("[users]\nm = 'x' # c\n", "# end\n\n[guard]\nmax_changes = 1\n[[rules]]\n"),
            ("[users]\nm = 'x'\nd.boundary = 'x'\n", "\n[users.e]\nboundary = 'x'\n"),
            ("[users] # none\n", "# m = false\n"),
            ("[users.e]\nboundary = 'x'\n\n[users]\n", ""),
        ] {
            let text = format!("{before}{after}");
            let without_header = text == "[users.e]\nboundary = 'x'\n\n[users]\n";
            let expected = format!("{before}{lines}{after}");
            assert_eq!(added(&text), expected, "{without_header}");
        }
        let windows = "[users]\r\nm = 'x'\r\n\r\n";
        let expected = format!("[users]\r\nm = 'x'\r\n{}\r\n", lines.replace('\n', "\r\n"));
        assert_eq!(added(windows), expected);
        assert_eq!(added("[users]\nm = 'x'"), format!("[users]\nm = 'x'\n{lines}"));
        let dotted = added("users.m = 'x'\n[guard]\n");
        assert!(
            dotted.starts_with("users.m = 'x'\nusers.\"a.b\" = \"to\"  # /team/\nusers.zoe = ")
        );
        assert!(dotted.ends_with("\n[guard]\n"), "{dotted}");
    }

    #[test]
    fn new_entries_of_an_inline_table_stay_inline() {
        for (before, after) in [
            ("users = { m = 'x' } # c\n", "users = { m = 'x', zoe = \"to\" } # c\n"),
            ("users = {}\n", "users = { zoe = \"to\"}\n"),
            ("users = {m.boundary = 'x'}\n", "users = {m.boundary = 'x', zoe = \"to\"}\n"),
        ] {
            assert_eq!(edit(before, &[], &["zoe"]), after);
        }
    }

    #[test]
    fn a_missing_table_is_added_at_the_end() {
        let entry = |name: &str| format!("{name} = \"to\"  # /team/\n");
        let (zoe, new) = (entry("zoe"), entry("new"));
        let text = "[users.e]\nboundary = 'x'\n[[rules]]\nboundary = 'x'";
        let expected = format!("{text}\n\n[users]\n{zoe}\n[roles]\n{new}");
        assert_eq!(edit(text, &[], &["zoe", "role/new"]), expected);
        let windows = "[users]\r\nm = 'x'\r\n";
        let expected = format!("{windows}\r\n[roles]\r\n{}", new.replace('\n', "\r\n"));
        assert_eq!(edit(windows, &[], &["role/new"]), expected);
    }
}
