//! Checks across the tables of a file, and across the files that are layered.

use std::collections::BTreeSet;
use std::ops::Range;

use super::{Checker, PrincipalKey, example};
use crate::config::diagnostic::quoted;
use crate::config::layer::Layer;
use crate::config::{Diagnostic, Located, Rule};
use crate::iam::{PrincipalKind, Printable};

/// The errors that concern several tables or files.
pub(super) fn check(checkers: &[Checker<'_>]) -> Vec<Diagnostic> {
    let mut diagnostics = accounts(checkers);
    for kind in PrincipalKind::ALL {
        diagnostics.extend(case_conflicts(kind, checkers));
    }
    if checkers.iter().all(|checker| !checker.has_syntax_errors) {
        diagnostics.extend(lists_no_one(checkers));
    }
    diagnostics
}

/// Reports files that are for another account than the first one.
fn accounts(checkers: &[Checker<'_>]) -> Vec<Diagnostic> {
    let mut accounts =
        checkers.iter().filter_map(|checker| Some((checker, checker.account.as_ref()?)));
    let Some((first, (_, expected))) = accounts.next() else { return Vec::new() };
    let others = accounts.filter(|(_, (_, id))| id != expected);
    others
        .map(|(checker, (span, id))| {
            let file = &first.source.file;
            let message = format!("this file is for account {id}, but {file} is for account {expected}");
            let help = "files that are layered are for the same account: correct the ID, or use the files separately";
            checker.at(span.clone(), message).help(help)
        })
        .collect()
}

/// Reports names that differ from an earlier name of the same kind only in case.
fn case_conflicts(kind: PrincipalKind, checkers: &[Checker<'_>]) -> Vec<Diagnostic> {
    let mut keys: Vec<(&Checker<'_>, &PrincipalKey)> = checkers
        .iter()
        .flat_map(|checker| checker.keys.iter().map(move |key| (checker, key)))
        .filter(|(_, key)| key.kind == kind)
        .collect();
    // The sort is stable: equal names stay in the order of the files and of their texts. The keys of a file are nearly
    // sorted: comparing them in place is faster than a lowercase copy of each.
    keys.sort_by(|(_, a), (_, b)| lowercase(&a.name).cmp(lowercase(&b.name)));
    let mut diagnostics = Vec::new();
    for same in keys.chunk_by(|(_, a), (_, b)| a.name.eq_ignore_ascii_case(&b.name)) {
        let mut same = same.to_vec();
        let order =
            |checker: &Checker<'_>| checkers.iter().position(|it| std::ptr::eq(it, checker));
        same.sort_by_key(|(checker, key)| (order(checker), key.span.start));
        let (first_file, first) = same[0];
        let (line, _) = first_file.source.position(first.span.start);
        // The same name in a later file replaces the entry of the earlier one.
        for (checker, key) in same[1..].iter().filter(|(_, key)| key.name != first.name) {
            let (name, first) = (quoted(&key.name), quoted(&first.name));
            let label = match std::ptr::eq(*checker, first_file) {
                true => format!("{first} is on line {line}"),
                false => format!("{first} is at {}:{line}", first_file.source.file),
            };
            let help = format!(
                "IAM {} names are case-insensitive: keep the name that has the same case as in IAM",
                kind.noun()
            );
            let message = format!("{name} and {first} differ only in case");
            diagnostics.push(checker.at(key.span.clone(), message).label(label).help(help));
        }
    }
    diagnostics
}

fn lowercase(name: &str) -> impl Iterator<Item = u8> {
    name.bytes().map(|byte| byte.to_ascii_lowercase())
}

/// Reports files without any entry and without anything that concerns principals without an entry.
fn lists_no_one(checkers: &[Checker<'_>]) -> Vec<Diagnostic> {
    // What cannot be read, or has a similar name, can list some.
    let can_list = |checker: &Checker<'_>| {
        checker.concerns_others || checker.has_similar_table || checker.has_syntax_errors
    };
    if checkers.iter().any(can_list) {
        return Vec::new();
    }
    let tables =
        || checkers.iter().flat_map(|checker| checker.tables.iter().map(move |it| (checker, it)));
    // A table without entries is harmless beside one with entries: `import` writes such files.
    if tables().any(|(_, (_, _, is_empty))| !is_empty) {
        return Vec::new();
    }
    if let Some(first) = checkers.first().filter(|_| tables().next().is_none()) {
        let message = match checkers {
            [only] if only.source.text.trim().is_empty() => "the file is empty",
            [_] => "the file has no [users] table and no [roles] table",
            _ => "no file has a [users] table, a [roles] table or [[rules]]",
        };
        let help = "add a [users] table with one line for each user: \
                    alice = \"arn:aws:iam::123456789012:policy/Developer\"";
        return vec![first.at(0..0, message.to_owned()).help(help)];
    }
    let report =
        |(checker, (kind, span, _)): (&Checker<'_>, &(PrincipalKind, Range<usize>, bool))| {
            let message = format!("the [{}] table is empty", kind.plural());
            let help = format!("list each {} on a line: {}", kind.noun(), example(*kind));
            checker.at(span.clone(), message).help(help)
        };
    tables().map(report).collect()
}

/// What is probably not intended. `layer` is the content of all files.
pub(super) fn warnings(checkers: &[Checker<'_>], layer: &Layer) -> Vec<Diagnostic> {
    let rules = layer.rules.iter().enumerate().filter_map(|(n, rule)| {
        let (message, help) = futile(rule, &layer.rules[..n])?;
        let checker = checkers.iter().find(|it| it.source.file == rule.position.file)?;
        let span = checker.source.span_of_line(rule.position.line);
        Some(checker.at(span, message).help(help))
    });
    rules.collect()
}

/// The short names that no entry and no rule uses, in the order of the files and of their texts.
pub(super) fn unused_names(checkers: &[Checker<'_>]) -> Vec<Located<Printable>> {
    let used: BTreeSet<&String> = checkers.iter().flat_map(|checker| &checker.used).collect();
    let of_file = |checker: &Checker<'_>| {
        let names = checker.definitions.iter().filter(|(_, name)| !used.contains(name));
        let mut names: Vec<_> = names.collect();
        names.sort_by_key(|(span, _)| span.start);
        let located = |(span, name): &(Range<usize>, String)| {
            let position = checker.position(span);
            Located { value: Printable::exact(name), position }
        };
        names.into_iter().map(located).collect::<Vec<_>>()
    };
    checkers.iter().flat_map(of_file).collect()
}

/// Why the rule can decide nothing, and what to do. `before` are the rules that are tried first.
fn futile(rule: &Rule, before: &[Rule]) -> Option<(String, String)> {
    if let Some(why) = rule.never_holds() {
        let message = format!("the conditions of this rule can never hold: {why}");
        return Some((message, "correct the conditions, or remove the rule".to_owned()));
    }
    let hiding = before.iter().find(|earlier| earlier.hides(rule))?;
    let place = match hiding.position.file == rule.position.file {
        true => format!("on line {}", hiding.position.line),
        false => format!("at {}:{}", hiding.position.file, hiding.position.line),
    };
    let message = format!("the rule {place} is tried first and matches all that this rule matches");
    Some((message, "move this rule before that one, or remove it".to_owned()))
}
