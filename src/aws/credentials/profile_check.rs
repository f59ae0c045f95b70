//! Checks of the settings of profiles before they are used. The errors of the SDK name neither the file nor the setting.

use aws_config::profile::{Profile, ProfileSet};

use crate::iam::RoleArn;

/// Checks the settings of a profile that assumes no role with other credentials, in the order in which the SDK reads them.
///
/// # Errors
/// Which setting is missing or wrong.
pub(super) fn check(profiles: &ProfileSet, profile: &Profile) -> Result<(), String> {
    let name = profile.name();
    let is_set = |property: &&str| profile.get(property).is_some();
    if is_set(&"web_identity_token_file") {
        return match profile.get("role_arn") {
            Some(role) => check_role(&format!("role_arn of profile {name:?}"), role),
            None => Err(format!("profile {name:?} has web_identity_token_file, and not role_arn")),
        };
    }
    if let Some(first) = SSO.iter().find(|property| is_set(property)) {
        return match profile.get("sso_session") {
            Some(session) => check_sso_session(profiles, profile, session),
            None => match SSO[1..].iter().find(|property| !is_set(property)) {
                Some(missing) => Err(format!("profile {name:?} has {first}, and not {missing}")),
                None => Ok(()),
            },
        };
    }
    if ["login_session", "credential_process"].iter().any(is_set) {
        return Ok(());
    }
    match [is_set(&"aws_access_key_id"), is_set(&"aws_secret_access_key")] {
        [true, false] => {
            Err(format!("profile {name:?} has aws_access_key_id, and not aws_secret_access_key"))
        }
        [false, true] => {
            Err(format!("profile {name:?} has aws_secret_access_key, and not aws_access_key_id"))
        }
        _ => Ok(()),
    }
}

/// The settings of IAM Identity Center. Without `sso_session`, a profile needs all others
/// ([settings](https://docs.aws.amazon.com/sdkref/latest/guide/feature-sso-credentials.html)).
const SSO: [&str; 5] =
    ["sso_session", "sso_start_url", "sso_region", "sso_account_id", "sso_role_name"];

fn check_sso_session(
    profiles: &ProfileSet,
    profile: &Profile,
    session: &str,
) -> Result<(), String> {
    let (name, of_session) = (profile.name(), &SSO[1..3]);
    let Some(section) = profiles.sso_session(session) else {
        return Err(format!(
            "[sso-session {session}], sso_session of profile {name:?}, does not exist"
        ));
    };
    if let Some(misplaced) = of_session.iter().find(|it| profile.get(it).is_some()) {
        return Err(format!(
            "profile {name:?} has sso_session and {misplaced}, which belongs into [sso-session {session}]"
        ));
    }
    if let Some(missing) = of_session.iter().find(|it| section.get(it).is_none()) {
        return Err(format!("[sso-session {session}] has no {missing}"));
    }
    match SSO[3..].iter().find(|it| profile.get(it).is_none()) {
        Some(missing) => Err(format!("profile {name:?} has sso_session, and not {missing}")),
        None => Ok(()),
    }
}

/// Checks that `arn` is the ARN of a role: STS rejects any other text without saying where it comes from.
///
/// # Errors
/// If it is not. `setting` names it.
pub(super) fn check_role(setting: &str, arn: &str) -> Result<(), String> {
    match arn.parse::<RoleArn>() {
        Ok(_) => Ok(()),
        Err(_) => Err(format!(
            "{setting} is {arn:?}; it must be the ARN of a role: arn:aws:iam::ACCOUNT:role/NAME"
        )),
    }
}
