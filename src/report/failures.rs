use std::collections::BTreeMap;
use std::fmt;

use super::advice::advice_on_failed;
use super::{Paint, counted};
use crate::apply::{ApiError, ReadBack};
use crate::iam::PrincipalName;

/// Failed items, grouped so that hundreds of equal failures read as one.
#[derive(Default)]
pub(super) struct Failures {
    groups: BTreeMap<Kind, Vec<(PrincipalName, ApiError)>>,
}

/// What is equal in a group. The advice tells a missing user from a missing policy where both are
/// `NoSuchEntity`.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Kind {
    code: String,
    advice: Option<String>,
}

impl Failures {
    pub(super) fn add(&mut self, user: &PrincipalName, error: &ApiError, read_back: &ReadBack) {
        let advice = advice_on_failed(error, read_back);
        let kind = Kind { code: error.code.clone(), advice };
        self.groups.entry(kind).or_default().push((user.clone(), error.clone()));
    }

    /// The groups, the largest first, each with one message in full and every user by name.
    pub(super) fn write(&self, to: &mut impl fmt::Write, paint: Paint) -> fmt::Result {
        let mut groups: Vec<_> = self.groups.iter().collect();
        groups.sort_by_key(|(_, items)| std::cmp::Reverse(items.len()));
        for (Kind { code, advice }, items) in groups {
            let title = format!("Failed with {code}: {}", counted(items.len(), "user"));
            writeln!(to, "\n{}", paint.bad(title))?;
            let mut users: Vec<&str> = items.iter().map(|(user, _)| user.as_str()).collect();
            users.sort_unstable();
            for line in wrapped(&users, 96) {
                writeln!(to, "  {line}")?;
            }
            if let Some((user, error)) = items.first() {
                writeln!(to, "  {user}: {}", error.message)?;
            }
            if let Some(advice) = advice {
                writeln!(to, "  {} {advice}", paint.strong("What to do:"))?;
            }
        }
        Ok(())
    }
}

/// Names with commas between them, in lines of about `width` columns.
pub(super) fn wrapped(names: &[&str], width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for (at, name) in names.iter().enumerate() {
        let comma = if at + 1 < names.len() { "," } else { "" };
        match lines.last_mut() {
            Some(line) if line.len() + 1 + name.len() < width => {
                line.push(' ');
                line.push_str(name);
                line.push_str(comma);
            }
            _ => lines.push(format!("{name}{comma}")),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_in_exactly_one_line() {
        let names: Vec<String> = (0..50).map(|n| format!("user-{n}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let lines = wrapped(&names, 40);
        assert!(lines.iter().all(|line| line.len() <= 40), "{lines:?}");
        assert_eq!(lines.join(" "), names.join(", "));
    }
}
