//! The checks of a fleet file. All errors are found in one pass, so that they can be shown together.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use toml::de::{DeTable, DeValue};

use super::accounts::{Account, accounts};
use super::content::{AccountSettings, Fleet, FleetAccount, OrganizationScope};
use super::credentials::AccountCredentials;
use super::guard::FleetGuard;
use super::organization::organization;
use super::settings::Settings;
use crate::config::FileErrors;
use crate::config::check::{BOUNDARIES_GUARD_KEYS, Checker, RoleKey, Value, find, type_name};
use crate::config::diagnostic::quoted;
use crate::config::file_kind::{FileKind, wrong_kind};
use crate::config::source_text::SourceText;
use crate::config::syntax::{self, Syntax};
use crate::iam::{AccountId, Digest, grouped};

const TOP_LEVEL: [&str; 8] = [
    "assume_role",
    "external_id",
    "session_name",
    "duration",
    "files",
    "accounts",
    "organization",
    "guard",
];
const GUARD_KEYS: [&str; 3] = ["max_changes", "max_accounts_changed", "max_accounts_failed"];
const ROLE_HELP: &str = "write role/NAME, which is the role of this name in each account, or set assume_role for each account";

/// Checks the text of a fleet file. Returns its content, or all of its errors.
pub(super) fn check(source: Arc<SourceText>) -> Result<Fleet, FileErrors> {
    let parsed = DeTable::parse(&source.text).ok();
    let syntax = match parsed {
        Some(_) => Syntax::default(),
        None => syntax::check(&source),
    };
    let document = parsed.unwrap_or_else(|| DeTable::parse_recoverable(&syntax.readable).0);
    let mut checker = Checker::new(&source, &syntax);
    let document = document.get_ref();
    if let Some(other) = wrong_kind(&source, document, FileKind::Fleet) {
        return Err(other);
    }
    let content = Content::read(&mut checker, document);
    if syntax.diagnostics.is_empty() {
        content.check_scope(&mut checker, document);
    }
    let (accounts, default) = content.resolve(&mut checker);
    let file_spans = content.file_spans();
    let fleet = Fleet {
        path: source.file.clone(),
        digest: Digest::of(&source.text),
        accounts,
        organization: content.organization,
        default,
        guard: content.guard,
        source: Arc::clone(&source),
        file_spans,
    };
    match FileErrors::of(checker.finished(&syntax)) {
        Some(errors) => Err(errors),
        None => Ok(fleet),
    }
}

/// The content of a file, as far as it is valid.
struct Content {
    defaults: Settings,
    accounts: Vec<Account>,
    organization: Option<OrganizationScope>,
    /// The position of the key `organization`.
    organization_key: Option<Range<usize>>,
    guard: FleetGuard,
}

impl Content {
    fn read<'a>(checker: &mut Checker<'a>, document: &DeTable<'a>) -> Content {
        let mut defaults = Settings::default();
        for (key, value) in document.iter() {
            if defaults.read(checker, key, value, false)
                || TOP_LEVEL.contains(&key.get_ref().as_ref())
                || checker.is_stray(key)
            {
                continue;
            }
            match is_account(value) {
                true => {
                    let message = format!("unknown key {}", quoted(key.get_ref()));
                    let help = "move the account below [accounts]";
                    checker.report(key.span(), message, help);
                }
                false => checker.unknown_key(key, value, &TOP_LEVEL),
            }
        }
        let accounts = match find(document, "accounts") {
            Some((key, value)) => checker
                .table(key, value, "payments-prod = \"111111111111\"")
                .map(|table| accounts(checker, table))
                .unwrap_or_default(),
            None => Vec::new(),
        };
        let (mut scope, mut organization_key) = (None, None);
        if let Some((key, value)) = find(document, "organization") {
            organization_key = Some(key.span());
            if let Some(table) = checker.table(key, value, "units = [\"ou-ab12-c3d4e5f6\"]") {
                scope = organization(checker, key, table, &accounts);
            }
        }
        let mut guard = FleetGuard::default();
        if let Some((key, value)) = find(document, "guard")
            && let Some(table) = checker.table(key, value, "max_changes = \"5%\"")
        {
            guard = read_guard(checker, table);
        }
        Content { defaults, accounts, organization: scope, organization_key, guard }
    }

    /// Reports a fleet without accounts, and what is missing for the accounts of the organization.
    fn check_scope(&self, checker: &mut Checker<'_>, document: &DeTable<'_>) {
        let accounts = find(document, "accounts");
        let is_empty = accounts.is_none_or(
            |(_, value)| matches!(value.get_ref(), DeValue::Table(table) if table.is_empty()),
        );
        let Some(organization) = self.organization_key.clone() else {
            if is_empty {
                let message = match accounts {
                    Some(_) => "the [accounts] table is empty",
                    None => "the file has no [accounts] table and no [organization] table",
                };
                let help = "add an [accounts] table with one line for each account: \
                            payments-prod = \"111111111111\"";
                let span = accounts.map_or(0..0, |(key, _)| key.span());
                checker.report(span, message.to_owned(), help);
            }
            return;
        };
        if self.defaults.files.is_none() {
            let message = "the accounts of the organization have no boundaries files".to_owned();
            let help = "add files = [\"baseline.toml\"] at the top of the file";
            checker.report(organization.clone(), message, help);
        }
        if self.defaults.role.span.is_none() {
            let message = "the accounts of the organization have no role to assume".to_owned();
            let help = "add assume_role = \"role/NAME\" at the top of the file";
            checker.report(organization, message, help);
        }
    }

    /// The accounts with their settings, and those of the accounts of the organization. Reports what is contradictory.
    fn resolve(&self, checker: &mut Checker<'_>) -> (Vec<FleetAccount>, AccountSettings) {
        self.check_default_role(checker);
        let mut first_base: Option<&Account> = None;
        let mut resolved = Vec::new();
        for account in &self.accounts {
            let credentials = self.credentials(checker, account);
            if credentials == Some(AccountCredentials::Base) && account.id.is_some() {
                match first_base {
                    None => first_base = Some(account),
                    Some(first) => report_second_base(checker, first, account),
                }
            }
            let files = account.settings.files.as_ref().or(self.defaults.files.as_ref());
            if files.is_none() {
                let help = "add files = [\"baseline.toml\"] to the account, or at the top of the file for all accounts";
                let message = "this account has no boundaries files".to_owned();
                checker.report(account.span.clone(), message, help);
            }
            if let (Some((id, _)), Some(credentials)) = (&account.id, credentials) {
                let settings = AccountSettings { files: paths(files), credentials };
                let position = checker.position(&account.span);
                resolved.push(FleetAccount {
                    name: account.name.clone(),
                    id: *id,
                    settings,
                    position,
                });
            }
        }
        let credentials = match self.defaults.role.assume_role() {
            Some(role) => AccountCredentials::Role(role),
            None => AccountCredentials::Base,
        };
        (resolved, AccountSettings { files: paths(self.defaults.files.as_ref()), credentials })
    }

    /// The credentials of an account; `None` if they are not valid. Reports keys without an effect, and a role of another
    /// account.
    fn credentials(
        &self,
        checker: &mut Checker<'_>,
        account: &Account,
    ) -> Option<AccountCredentials> {
        let settings = &account.settings;
        if let Some((_, profile)) = &settings.profile {
            return profile.clone().map(AccountCredentials::Profile);
        }
        let role = settings.role.or(&self.defaults.role);
        if role.span.is_none() {
            let help = "add assume_role = \"role/NAME\" to the account or at the top of the file, or remove the key";
            checker.needs_no_role(&role, "without assume_role", help);
            return Some(AccountCredentials::Base);
        }
        if let Some(RoleKey::None) = role.role {
            let help = "remove the key, or replace false by the role to assume";
            checker.needs_no_role(&role, "with assume_role = false", help);
            return Some(AccountCredentials::Base);
        }
        let assumed = role.assume_role()?;
        // The role at the top of the file is checked once.
        if let (Some(span), Some(arn), Some((id, _))) =
            (&settings.role.span, assumed.role.arn(), &account.id)
            && arn.account() != *id
        {
            let (name, of) = (quoted(account.name.as_str()), arn.account());
            let message = format!("this role belongs to account {of}, but {name} is account {id}");
            let help = "correct the account ID in the ARN or in id, or write role/NAME";
            checker.report(span.clone(), message, help);
        }
        Some(AccountCredentials::Role(assumed))
    }

    /// Reports a role at the top of the file that is not right for all accounts, and keys that need a role if there is none.
    fn check_default_role(&self, checker: &mut Checker<'_>) {
        let default = &self.defaults.role;
        let inherits = |account: &&Account| {
            account.settings.profile.is_none() && account.settings.role.span.is_none()
        };
        let has_role = |account: &Account| {
            account.settings.role.span.is_some()
                && !matches!(account.settings.role.role, Some(RoleKey::None))
        };
        if default.span.is_none() && !self.accounts.iter().any(has_role) {
            let help = "add assume_role = \"role/NAME\", or remove the key";
            checker.needs_no_role(default, "without assume_role", help);
        }
        let (Some(span), Some(RoleKey::Role(role))) = (&default.span, &default.role) else {
            return;
        };
        let Some(arn) = role.arn() else { return };
        let inheriting: Vec<&Account> = self.accounts.iter().filter(inherits).collect();
        let of = arn.account();
        let message = match (&*inheriting, &self.organization_key) {
            (_, Some(_)) => {
                format!(
                    "this role belongs to account {of}, but the accounts of the organization use it"
                )
            }
            ([], None) => return,
            ([only], None) => match &only.id {
                Some((id, _)) if *id != of => {
                    let name = quoted(only.name.as_str());
                    format!("this role belongs to account {of}, but {name} is account {id}")
                }
                _ => return,
            },
            (several, None) => {
                let count = grouped(several.len());
                format!("this role belongs to account {of}, but {count} accounts use it")
            }
        };
        checker.report(span.clone(), message, ROLE_HELP);
    }

    /// The first place that names each boundaries file.
    fn file_spans(&self) -> BTreeMap<PathBuf, Range<usize>> {
        let of_accounts = self.accounts.iter().map(|account| &account.settings);
        let settings = std::iter::once(&self.defaults).chain(of_accounts);
        let mut spans: BTreeMap<PathBuf, Range<usize>> = BTreeMap::new();
        for (path, span) in settings.filter_map(|it| it.files.as_ref()).flatten() {
            spans.entry(path.clone()).or_insert_with(|| span.clone());
        }
        spans
    }
}

fn paths(files: Option<&Vec<(PathBuf, Range<usize>)>>) -> Vec<PathBuf> {
    files.into_iter().flatten().map(|(path, _)| path.clone()).collect()
}

/// Whether a value can only be that of an account.
fn is_account(value: &Value<'_>) -> bool {
    match value.get_ref() {
        DeValue::String(text) => text.parse::<AccountId>().is_ok(),
        DeValue::Table(table) => find(table, "id").is_some(),
        _ => false,
    }
}

fn report_second_base(checker: &mut Checker<'_>, first: &Account, account: &Account) {
    let (line, _) = checker.source.position(first.span.start);
    let name = quoted(first.name.as_str());
    let message = format!("this account has no role to assume, like {name} (line {line})");
    let diagnostic = checker.at(account.span.clone(), message);
    let help = "add assume_role = \"role/NAME\" at the top of the file, or a role or a profile to the account: without one, \
                the base credentials are used, and they belong to one account";
    checker.diagnostics.push(diagnostic.help(help));
}

fn read_guard<'a>(checker: &mut Checker<'a>, table: &DeTable<'a>) -> FleetGuard {
    let mut guard = FleetGuard::default();
    for (key, value) in table.iter() {
        match key.get_ref().as_ref() {
            name @ "max_changes" => {
                let of = "the users and roles in the plans of all accounts";
                guard.max_changes = checker.threshold(name, value, of);
            }
            name @ "max_accounts_changed" => {
                guard.max_accounts_changed = checker.threshold(name, value, "the accounts");
            }
            "max_accounts_failed" => guard.max_accounts_failed = accounts_failed(checker, value),
            name if BOUNDARIES_GUARD_KEYS.contains(&name) => {
                let message = format!("{name} is not a guard rail of a fleet");
                let help = format!(
                    "move {name} to [guard] of a boundaries file, where it applies to each account"
                );
                checker.report(key.span(), message, help);
            }
            _ => checker.unknown_key(key, value, &GUARD_KEYS),
        }
    }
    guard
}

fn accounts_failed(checker: &mut Checker<'_>, value: &Value<'_>) -> Option<usize> {
    let found = match value.get_ref() {
        DeValue::Integer(number) => match usize::from_str_radix(number.as_str(), number.radix()) {
            Ok(count) if count > 0 => return Some(count),
            _ => number.as_str().to_owned(),
        },
        DeValue::String(text) => quoted(text),
        DeValue::Float(number) => number.as_str().to_owned(),
        other => type_name(other).to_owned(),
    };
    let message = format!("max_accounts_failed must be a whole number from 1, not {found}");
    let help = "write the number of failed accounts after which no further account is begun: max_accounts_failed = 3";
    checker.report(value.span(), message, help);
    None
}
