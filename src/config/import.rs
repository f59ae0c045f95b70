use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use heck::ToKebabCase;
use toml_writer::{ToTomlKey, ToTomlValue};

use crate::iam::{AccountId, PolicyArn, PrincipalName};

/// The longest invented name, before a number that tells it from another: a short name may have 128.
const LONGEST_NAME: usize = 100;

/// The text of a file that says what `users` of `account` have now, so that it is in sync with them.
///
/// Policies that several users have get short names. Users without a boundary stand in comments: the
/// file then says nothing of them, rather than that they must have none. The same input gives the same
/// text.
pub fn file_of(account: AccountId, users: &BTreeMap<PrincipalName, Option<PolicyArn>>) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write_file(&mut text, account, users);
    text
}

fn write_file(
    to: &mut impl fmt::Write,
    account: AccountId,
    users: &BTreeMap<PrincipalName, Option<PolicyArn>>,
) -> fmt::Result {
    let names = short_names(users.values().flatten());
    writeln!(to, "#:schema ./boundaries.schema.json")?;
    writeln!(
        to,
        "# The permissions boundaries of account {account}, as `iam-boundaries import` found them."
    )?;
    if users.values().any(Option::is_none) {
        writeln!(to, "#")?;
        writeln!(
            to,
            "# A user without a boundary stands behind a #, and is left as it is. Without the #, the line"
        )?;
        writeln!(
            to,
            "# says that the user must have none; or write a boundary in place of false."
        )?;
    }
    writeln!(to, "\n[account]\nid = {}", account.as_str().to_toml_value())?;
    if !names.is_empty() {
        writeln!(to, "\n[boundaries]")?;
        let by_name: BTreeMap<&str, &PolicyArn> =
            names.iter().map(|(arn, name)| (name.as_str(), *arn)).collect();
        for (name, arn) in by_name {
            writeln!(to, "{} = {}", name.to_toml_key(), arn.as_str().to_toml_value())?;
        }
    }
    writeln!(to, "\n[users]")?;
    for (user, boundary) in users {
        let key = user.as_str().to_toml_key();
        match boundary {
            None => writeln!(to, "# {key} = false")?,
            Some(arn) => {
                let value = names.get(arn).map_or(arn.as_str(), String::as_str);
                writeln!(to, "{key} = {}", value.to_toml_value())?;
            }
        }
    }
    Ok(())
}

/// A name for each policy that more than one user has, made of the policy's own name.
fn short_names<'a>(
    boundaries: impl Iterator<Item = &'a PolicyArn>,
) -> BTreeMap<&'a PolicyArn, String> {
    let mut users: BTreeMap<&PolicyArn, usize> = BTreeMap::new();
    for arn in boundaries {
        *users.entry(arn).or_default() += 1;
    }
    let mut taken = BTreeSet::new();
    users.retain(|_, users| *users > 1);
    users
        .into_keys()
        .map(|arn| {
            let name = unique(&own_name(arn), &taken);
            taken.insert(name.clone());
            (arn, name)
        })
        .collect()
}

/// `DataScientist` becomes `data-scientist`. Policies' names are ASCII, so bytes are characters.
fn own_name(arn: &PolicyArn) -> String {
    let mut name = arn.name().to_kebab_case();
    name.truncate(LONGEST_NAME);
    if name.is_empty() { "boundary".to_owned() } else { name }
}

/// The name itself, or with the first number behind it that makes it another than all that are taken.
fn unique(name: &str, taken: &BTreeSet<String>) -> String {
    if !taken.contains(name) {
        return name.to_owned();
    }
    (2..)
        .map(|n| format!("{name}-{n}"))
        .find(|numbered| !taken.contains(numbered))
        .expect("there are more numbers than names")
}
