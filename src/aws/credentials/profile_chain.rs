use std::fmt;

use aws_config::profile::{Profile, ProfileSet};
use aws_credential_types::Credentials;

use super::profile_check::check_role;
use super::role::Role;

/// How a profile with `role_arn` gets its credentials: the first source, and the roles that are assumed one after
/// another.
#[derive(Debug)]
pub(super) struct Chain {
    pub(super) base: Base,
    pub(super) roles: Vec<Role>,
}

/// The source of the credentials that assume the first role.
#[derive(Debug)]
pub(super) enum Base {
    /// The `credential_source` with this name, of this profile.
    Named { name: String, profile: String },
    /// The access key of a profile.
    Keys(Credentials),
    /// The credentials of another profile, without a role.
    Profile(String),
    /// The `credential_process` of this profile.
    Process { profile: String, command: String },
}

/// The name of the source in messages.
impl fmt::Display for Base {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Base::Named { name, .. } => f.write_str(name),
            Base::Keys(_) => f.write_str("the access key"),
            Base::Profile(name) | Base::Process { profile: name, .. } => {
                write!(f, "profile {name:?}")
            }
        }
    }
}

/// The chain of the profile `name`; `None` if it assumes no role with other credentials.
///
/// # Errors
/// What makes the profiles unusable.
pub(super) fn chain(profiles: &ProfileSet, name: &str) -> Result<Option<Chain>, String> {
    let mut roles = Vec::new();
    let mut visited = vec![name];
    let Some(mut profile) = profiles.get_profile(name) else { return Ok(None) };
    loop {
        if visited.len() > 1
            && let Some(keys) = keys(profile)
        {
            return Ok(Some(finished(Base::Keys(keys), roles)));
        }
        let Some(role) = role(profile)? else {
            return Ok(match roles.is_empty() {
                true => None,
                false => Some(finished(base(profile), roles)),
            });
        };
        roles.push(role);
        let shown = profile.name();
        let next = match (profile.get("source_profile"), profile.get("credential_source")) {
            (Some(_), Some(_)) => {
                return Err(format!(
                    "profile {shown:?} has both source_profile and credential_source; remove one of them"
                ));
            }
            (None, None) => {
                return Err(format!(
                    "profile {shown:?} has role_arn, and neither source_profile nor credential_source"
                ));
            }
            (None, Some(source)) => {
                let (name, profile) = (source.to_owned(), shown.to_owned());
                return Ok(Some(finished(Base::Named { name, profile }, roles)));
            }
            (Some(next), None) => next,
        };
        if next == shown {
            let Some(base) = own_base(profile) else {
                return Err(format!(
                    "profile {shown:?} is its own source_profile, and contains no access key or \
                     credential_process"
                ));
            };
            return Ok(Some(finished(base, roles)));
        }
        if visited.contains(&next) {
            return Err(format!("the source_profile of profile {shown:?} leads back to {next:?}"));
        }
        visited.push(next);
        profile = profiles.get_profile(next).ok_or_else(|| {
            format!("the profile {next:?}, source_profile of profile {shown:?}, does not exist")
        })?;
    }
}

/// The roles in the order in which they are assumed.
fn finished(base: Base, mut roles: Vec<Role>) -> Chain {
    roles.reverse();
    Chain { base, roles }
}

fn base(profile: &Profile) -> Base {
    Base::Profile(profile.name().to_owned())
}

/// The credentials of a profile that is its own `source_profile`.
fn own_base(profile: &Profile) -> Option<Base> {
    let process = || {
        let command = profile.get("credential_process")?.to_owned();
        Some(Base::Process { profile: profile.name().to_owned(), command })
    };
    keys(profile).map(Base::Keys).or_else(process)
}

/// The role of a profile, if it assumes one with other credentials than a web identity.
fn role(profile: &Profile) -> Result<Option<Role>, String> {
    if profile.get("web_identity_token_file").is_some() {
        return Ok(None);
    }
    let Some(arn) = profile.get("role_arn") else { return Ok(None) };
    check_role(&format!("role_arn of profile {:?}", profile.name()), arn)?;
    let text = |name| profile.get(name).filter(|text| !text.is_empty()).map(str::to_owned);
    let duration = text("duration_seconds").map(|text| text.parse::<i32>()).transpose();
    let duration = duration.map_err(|_| {
        format!("duration_seconds in profile {:?} is not a whole number", profile.name())
    })?;
    Ok(Some(Role {
        profile: profile.name().to_owned(),
        arn: arn.to_owned(),
        external_id: text("external_id"),
        session_name: text("role_session_name"),
        duration,
        mfa_serial: text("mfa_serial"),
    }))
}

/// The access key of a profile.
fn keys(profile: &Profile) -> Option<Credentials> {
    let (id, secret) = (profile.get("aws_access_key_id")?, profile.get("aws_secret_access_key")?);
    let token = profile.get("aws_session_token").map(str::to_owned);
    Some(Credentials::new(id, secret, token, None, "Profile"))
}
