//! Boundaries files and credentials: of an account, or for all accounts.

use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::de::DeValue;

use crate::config::check::{ASSUME_ROLE, Checker, Key, RoleKeys, Value, type_name};
use crate::config::diagnostic::quoted;
use crate::files::is_standard_input;
use crate::iam::Printable;

const FILES_HELP: &str = "write an array of paths in quotes, relative to the fleet file, such as files = [\"baseline.toml\"]";
const PROFILE_HELP: &str =
    "write the name of a profile of the AWS configuration files, such as profile = \"legacy\"";

/// The settings that the top of the file or an account has, as far as they are valid.
#[derive(Debug, Default)]
pub(super) struct Settings {
    /// The boundaries files, with their positions; `None` without the key.
    pub(super) files: Option<Vec<(PathBuf, Range<usize>)>>,
    pub(super) role: RoleKeys,
    /// The position of the key, and its value if it is valid.
    pub(super) profile: Option<(Range<usize>, Option<Printable>)>,
}

impl Settings {
    /// Reads a key. Returns whether it is one of the settings. Only an account can have a profile or no role.
    pub(super) fn read<'a>(
        &mut self,
        checker: &mut Checker<'a>,
        key: &Key<'_>,
        value: &Value<'a>,
        of_account: bool,
    ) -> bool {
        match key.get_ref().as_ref() {
            "files" => self.files = Some(files(checker, value)),
            "profile" if of_account => {
                self.profile = Some((key.span(), profile(checker, value)));
            }
            _ => return checker.role_key(&mut self.role, key, value, of_account),
        }
        true
    }

    /// Reports the role keys of an account that also has a profile.
    pub(super) fn check_profile(&self, checker: &mut Checker<'_>) {
        let Some((span, _)) = &self.profile else { return };
        let role = self.role.span.as_ref().map(|_| ASSUME_ROLE);
        if let Some(other) = role.or(self.role.others.first().map(|(name, _)| *name)) {
            let message = format!("an account cannot have both profile and {other}");
            let help =
                "remove one of the two keys: a profile can assume a role itself, with role_arn";
            checker.report(span.clone(), message, help);
        }
    }
}

fn files<'a>(checker: &mut Checker<'a>, value: &Value<'a>) -> Vec<(PathBuf, Range<usize>)> {
    let texts = strings(checker, "files", "a boundaries file", value, FILES_HELP);
    if matches!(value.get_ref(), DeValue::Array(items) if items.is_empty()) {
        let help = "add a boundaries file, or remove the key";
        checker.report(value.span(), "files must not be an empty array".to_owned(), help);
    }
    let directory = checker.source.directory.clone().unwrap_or_default();
    let mut files: Vec<(PathBuf, Range<usize>)> = Vec::new();
    for (text, span) in texts {
        let file = Path::new(text);
        if text.trim().is_empty() || is_standard_input(file) {
            let message = format!("{} is not the path of a boundaries file", quoted(text));
            checker.report(span, message, FILES_HELP);
            continue;
        }
        let file = directory.join(file);
        if files.iter().any(|(other, _)| *other == file) {
            let message = format!("{} is listed twice", quoted(text));
            checker.report(
                span,
                message,
                "list each file once: later files are layered over earlier ones",
            );
            continue;
        }
        files.push((file, span));
    }
    files
}

fn profile<'a>(checker: &mut Checker<'a>, value: &Value<'a>) -> Option<Printable> {
    let problem = match value.get_ref() {
        DeValue::String(text) if text.trim().is_empty() => "must not be empty".to_owned(),
        DeValue::String(text) => {
            let profile = Printable::exact(text);
            if profile == *text.as_ref() {
                return Some(profile);
            }
            format!("must be printable text, not {}", quoted(text))
        }
        other => format!("must be a string, not {}", type_name(other)),
    };
    checker.report(value.span(), format!("profile {problem}"), PROFILE_HELP);
    None
}

/// The strings of an array, with their positions. `item` names one of them in messages.
pub(super) fn strings<'v, 'a>(
    checker: &mut Checker<'a>,
    name: &str,
    item: &str,
    value: &'v Value<'a>,
    help: &str,
) -> Vec<(&'v str, Range<usize>)> {
    let DeValue::Array(items) = value.get_ref() else {
        let message = format!("{name} must be an array, not {}", type_name(value.get_ref()));
        checker.report(value.span(), message, help);
        return Vec::new();
    };
    let mut texts = Vec::new();
    for entry in items.iter() {
        match entry.get_ref() {
            DeValue::String(text) => texts.push((text.as_ref(), entry.span())),
            other => {
                let message = format!("{item} must be a string, not {}", type_name(other));
                checker.report(entry.span(), message, help);
            }
        }
    }
    texts
}
