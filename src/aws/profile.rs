use std::error::Error;
use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use aws_config::profile::{ProfileFileLoadError, ProfileSet, load};

use crate::iam::Printable;

/// The profile whose settings apply.
///
/// The order is botocore's: `--profile`, `AWS_DEFAULT_PROFILE`, `AWS_PROFILE`, `default`
/// ([configuration](https://docs.aws.amazon.com/boto3/latest/guide/configuration.html)). The SDK for Rust does
/// not read `AWS_DEFAULT_PROFILE`.
#[derive(Debug, Clone)]
pub(super) struct SelectedProfile {
    name: String,
    origin: ProfileOrigin,
}

/// What selects a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProfileOrigin {
    /// The option `--profile`.
    Flag,
    /// An account of a fleet.
    FleetAccount,
    /// An environment variable, by its name.
    Variable(&'static str),
    /// Nothing: the profile `default`, which may be missing.
    Default,
}

const VARIABLES: [&str; 2] = ["AWS_DEFAULT_PROFILE", "AWS_PROFILE"];
const DEFAULT: &str = "default";

impl SelectedProfile {
    /// The profile `flag`, or the one that the environment selects. An empty name is a name, as in botocore.
    pub(super) fn new(flag: Option<&str>) -> SelectedProfile {
        SelectedProfile::of(flag, |name| {
            std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
        })
    }

    fn of(flag: Option<&str>, variable: impl Fn(&str) -> Option<String>) -> SelectedProfile {
        if let Some(name) = flag {
            return SelectedProfile { name: name.to_owned(), origin: ProfileOrigin::Flag };
        }
        VARIABLES
            .into_iter()
            .find_map(|origin| Some((variable(origin)?, ProfileOrigin::Variable(origin))))
            .map_or_else(
                || SelectedProfile { name: DEFAULT.to_owned(), origin: ProfileOrigin::Default },
                |(name, origin)| SelectedProfile { name, origin },
            )
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn origin(&self) -> ProfileOrigin {
        self.origin
    }

    /// Whether `--profile` selects it: its credentials are then the only ones.
    pub(super) fn is_exclusive(&self) -> bool {
        self.origin == ProfileOrigin::Flag
    }

    /// Whether it must exist: the flag or a variable names it.
    pub(super) fn is_named(&self) -> bool {
        self.origin != ProfileOrigin::Default
    }
}

impl fmt::Display for ProfileOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ProfileOrigin::Flag => "--profile",
            ProfileOrigin::FleetAccount => "the account",
            ProfileOrigin::Variable(name) => name,
            ProfileOrigin::Default => "the default profile",
        })
    }
}

/// The profiles in the configuration file and the credentials file. A missing file has no profiles.
///
/// # Errors
/// If a file cannot be read or parsed: which one, and why.
pub(super) async fn load_profiles() -> Result<ProfileSet, String> {
    for (variable, default) in FILES {
        check_file(std::env::var_os(variable).map(PathBuf::from), default)?;
    }
    let profiles = load(&Default::default(), &Default::default(), &Default::default(), None).await;
    profiles.map_err(|error| {
        // The message of the parser has two lines, and nothing of the file but its path.
        let why = error.source().map_or_else(|| error.to_string(), ToString::to_string);
        why.split_whitespace().collect::<Vec<_>>().join(" ")
    })
}

/// Checks what the SDK does not: a file that it cannot read has no profiles, as if it did not exist. `named` is the path in
/// the variable. A default file that cannot be read does not count, because a container can run as a user without a home
/// directory of its own.
fn check_file(named: Option<PathBuf>, default: &str) -> Result<(), String> {
    let is_named = named.is_some();
    let path = named.unwrap_or_else(|| PathBuf::from(default));
    let path = match (path.strip_prefix("~"), std::env::home_dir()) {
        (Ok(below), Some(home)) => home.join(below),
        _ => path,
    };
    let why = match std::fs::metadata(&path) {
        Ok(file) if file.is_dir() => "it is a directory".to_owned(),
        Ok(file) if !file.is_file() => return Ok(()),
        _ => match std::fs::read(&path) {
            Ok(bytes) if std::str::from_utf8(&bytes).is_err() => {
                return Err(format!("{} is not UTF-8", Printable::path(&path)));
            }
            Err(error) if error.kind() != ErrorKind::NotFound => error.to_string(),
            _ => return Ok(()),
        },
    };
    match is_named {
        true => Err(format!("{}: {why}", Printable::path(&path))),
        false => Ok(()),
    }
}

/// The profiles in the credentials file only. A missing file has no profiles.
///
/// # Errors
/// If the file cannot be read or parsed.
pub(super) async fn load_credentials_file() -> Result<ProfileSet, ProfileFileLoadError> {
    #[expect(deprecated, reason = "its replacement is in a crate that is no direct dependency")]
    let files = aws_config::profile::profile_file::ProfileFiles::builder()
        .include_default_credentials_file(true)
        .build();
    load(&Default::default(), &Default::default(), &files, None).await
}

/// The variables with the paths of the configuration file and of the credentials file, and the default paths
/// ([location of the files](https://docs.aws.amazon.com/sdkref/latest/guide/file-location.html)).
const FILES: [(&str, &str); 2] =
    [("AWS_CONFIG_FILE", "~/.aws/config"), ("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials")];

/// The paths of the configuration file and the credentials file.
pub(super) fn profile_files() -> [Printable; 2] {
    FILES.map(|(variable, default)| {
        std::env::var_os(variable)
            .map_or_else(|| Printable::new(default), |path| Printable::path(Path::new(&path)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flag_comes_before_the_variables_and_aws_default_profile_before_aws_profile() {
        let of = |flag: Option<&str>, set: &[(&str, &str)]| {
            let variable = |name: &str| {
                set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
            };
            let SelectedProfile { name, origin } = SelectedProfile::of(flag, variable);
            (name, origin.to_string())
        };
        let both = [("AWS_PROFILE", "a"), ("AWS_DEFAULT_PROFILE", "b")];
        for (flag, set, name, origin) in [
            (Some("c"), &both[..], "c", "--profile"),
            (None, &both, "b", "AWS_DEFAULT_PROFILE"),
            (None, &both[..1], "a", "AWS_PROFILE"),
            (None, &[("AWS_PROFILE", "")], "", "AWS_PROFILE"),
            (None, &[], "default", "the default profile"),
        ] {
            assert_eq!(of(flag, set), (name.to_owned(), origin.to_owned()));
        }
    }
}
