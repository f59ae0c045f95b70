use aws_config::SdkConfig;
use aws_config::ecs::EcsCredentialsProvider;
use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_config::meta::credentials::CredentialsProviderChain;
use aws_config::profile::{Profile, ProfileFileCredentialsProvider, ProfileSet};
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::RetryConfig;
use aws_config::web_identity_token::WebIdentityTokenCredentialsProvider;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{
    ProvideCredentials, SharedCredentialsProvider, future::ProvideCredentials as Provided,
};

use super::super::error::credentials_failure;
use super::super::http::{Client, Exchange};
use super::super::profile::{SelectedProfile, profile_files};
use super::super::redactor::{Redactor, redact_likely_secrets};
use super::super::waits::Waits;
use super::assume_role::AssumedRole;
use super::bounds::sts_timeouts;
use super::mfa::Mfa;
use super::process::{CredentialProcess, Secret};
use super::profile_chain::{Base, Chain, chain};
use super::profile_check::{check, check_role};
use super::source::Source;
use crate::inventory::ApiError;

/// What the sources of credentials are made from.
pub(in crate::aws) struct Sources<'a> {
    /// The settings of the calls that get credentials.
    pub(in crate::aws) config: &'a SdkConfig,
    pub(in crate::aws) http: &'a Client,
    pub(in crate::aws) profile: &'a SelectedProfile,
    /// The profiles of both files; `None` if they cannot be read.
    pub(in crate::aws) profiles: Option<&'a ProfileSet>,
    /// The profiles of the credentials file.
    pub(in crate::aws) credentials_file: Option<&'a ProfileSet>,
    pub(in crate::aws) mfa: &'a Mfa,
    pub(in crate::aws) redactor: &'a Redactor,
    pub(in crate::aws) waits: &'a Waits,
}

impl Sources<'_> {
    /// The credentials of the run, in the order of botocore:
    ///
    /// - `--profile`: the profile only. Environment variables, containers and instances provide credentials only
    ///   if its `credential_source` names them.
    /// - Otherwise, the first of: keys in environment variables, the role of the profile, the web identity in
    ///   environment variables, other credentials of the profile, the container, the instance.
    ///
    /// The SDK's own chain tries the environment first, whatever the profile, and continues after a profile whose
    /// `source_profile` is missing.
    pub(in crate::aws) fn provider(&self) -> SharedCredentialsProvider {
        let exchange = Exchange::default();
        let of_profile = ProfileCredentials {
            inner: self.of_profile(&exchange),
            is_exclusive: self.profile.is_exclusive(),
        };
        if self.profile.is_exclusive() {
            return SharedCredentialsProvider::new(of_profile);
        }
        let web_identity = self.web_identity(&exchange);
        let chain = CredentialsProviderChain::first_try(
            "Environment",
            EnvironmentVariableCredentialsProvider::new(),
        );
        let assumes_role =
            self.profiles.is_some_and(|profiles| assumes_role(profiles, self.profile.name()));
        let chain = if assumes_role {
            chain.or_else("Profile", of_profile).or_else("WebIdentityToken", web_identity)
        } else {
            chain.or_else("WebIdentityToken", web_identity).or_else("Profile", of_profile)
        };
        let chain = chain
            .or_else("EcsContainer", self.container(&exchange))
            .or_else("Ec2InstanceMetadata", self.instance(&exchange));
        SharedCredentialsProvider::new(chain)
    }

    /// The web identity of the environment. Without `AWS_ROLE_ARN`, the SDK continues with the next source, and with the
    /// credentials of another identity.
    fn web_identity(&self, exchange: &Exchange) -> SharedCredentialsProvider {
        const TOKEN_FILE: &str = "AWS_WEB_IDENTITY_TOKEN_FILE";
        let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        let Some(file) = variable(TOKEN_FILE) else {
            return SharedCredentialsProvider::new(Absent);
        };
        let role = variable("AWS_ROLE_ARN")
            .ok_or_else(|| format!("{TOKEN_FILE} is set, and AWS_ROLE_ARN is not"));
        if let Err(why) = role.and_then(|role| check_role("AWS_ROLE_ARN", &role)) {
            return SharedCredentialsProvider::new(Unusable(why));
        }
        let settings = self.settings(exchange);
        let inner = WebIdentityTokenCredentialsProvider::builder().configure(&settings).build();
        let source =
            Source::new(format!("the web identity of {TOKEN_FILE}"), inner, exchange, self.waits);
        SharedCredentialsProvider::new(source.with_missing_file(no_token_file(&file)))
    }

    /// The credentials of the selected profile.
    fn of_profile(&self, exchange: &Exchange) -> SharedCredentialsProvider {
        let name = self.profile.name();
        let chain = self.profiles.map(|profiles| chain(profiles, name)).transpose();
        match chain.map(Option::flatten) {
            Ok(Some(Chain { base, roles })) => {
                let source = base.to_string();
                let base = (self.base(base, exchange), source);
                let (mfa, redactor) = (self.mfa, self.redactor);
                let role = AssumedRole::new(base, roles, self.config, mfa, redactor, self.waits);
                SharedCredentialsProvider::new(role)
            }
            Ok(None) => self.of_profile_without_role(name, exchange),
            Err(why) => SharedCredentialsProvider::new(Unusable::in_files(&why)),
        }
    }

    fn base(&self, base: Base, exchange: &Exchange) -> SharedCredentialsProvider {
        match base {
            Base::Keys(keys) => SharedCredentialsProvider::new(keys),
            Base::Profile(name) => self.of_profile_without_role(&name, exchange),
            Base::Process { profile, command } => self.process(profile, command),
            Base::Named { name, profile } => match name.to_ascii_lowercase().as_str() {
                "environment" => {
                    SharedCredentialsProvider::new(EnvironmentVariableCredentialsProvider::new())
                }
                "ecscontainer" => SharedCredentialsProvider::new(self.container(exchange)),
                "ec2instancemetadata" => SharedCredentialsProvider::new(self.instance(exchange)),
                _ => SharedCredentialsProvider::new(Unusable::in_files(&format!(
                    "credential_source of profile {profile:?} is {name:?}; it must be Environment, EcsContainer \
                     or Ec2InstanceMetadata"
                ))),
            },
        }
    }

    /// The credentials of a profile that assumes no role with other credentials.
    fn of_profile_without_role(
        &self,
        name: &str,
        exchange: &Exchange,
    ) -> SharedCredentialsProvider {
        let found = self.profiles.and_then(|profiles| profiles.get_profile(name));
        if let Some(profile) = found {
            let keys = self.credentials_file.and_then(|file| preferred_keys(profile, file));
            if let Some(keys) = keys {
                return SharedCredentialsProvider::new(keys);
            }
            let is_set = |property: &&str| profile.get(property).is_some();
            if !EARLIER.iter().chain(&["login_session"]).any(is_set)
                && let Some(command) = profile.get("credential_process")
            {
                return self.process(name.to_owned(), command.to_owned());
            }
        }
        if let (Some(profiles), Some(profile)) = (self.profiles, found)
            && let Err(why) = check(profiles, profile)
        {
            return SharedCredentialsProvider::new(Unusable::in_files(&why));
        }
        let inner = ProfileFileCredentialsProvider::builder()
            .configure(&self.settings(exchange))
            .profile_name(name)
            .build();
        let source = Source::new(source_name(name, found), inner, exchange, self.waits);
        let missing_file = match found.and_then(|profile| profile.get("web_identity_token_file")) {
            Some(file) => no_token_file(file),
            None => "there is no session on this machine".to_owned(),
        };
        SharedCredentialsProvider::new(source.with_missing_file(missing_file))
    }

    fn process(&self, profile: String, command: String) -> SharedCredentialsProvider {
        let (command, waits) = (Secret(command), self.waits.clone());
        SharedCredentialsProvider::new(CredentialProcess { profile, command, waits })
    }

    fn container(&self, exchange: &Exchange) -> Source {
        let settings = self.direct_settings(exchange);
        let inner = EcsCredentialsProvider::builder().configure(&settings).build();
        Source::new("the container's source of credentials", inner, exchange, self.waits)
    }

    fn instance(&self, exchange: &Exchange) -> Source {
        let settings = self.direct_settings(exchange);
        let inner = ImdsCredentialsProvider::builder().configure(&settings).build();
        Source::new("the instance metadata service", inner, exchange, self.waits)
    }

    /// The settings of the calls to metadata services, which use no proxy.
    fn direct_settings(&self, exchange: &Exchange) -> ProviderConfig {
        self.settings(exchange).with_http_client(self.http.direct().remembering(exchange))
    }

    /// The settings of the calls by which the SDK's providers get credentials: those of the other calls. They have no
    /// retries of their own: [`RenewedCredentials`](super::RenewedCredentials) calls the source again.
    fn settings(&self, exchange: &Exchange) -> ProviderConfig {
        let config = self.config;
        ProviderConfig::without_region()
            .with_behavior_version(config.behavior_version())
            .with_region(config.region().cloned())
            .with_use_fips(config.use_fips())
            .with_use_dual_stack(config.use_dual_stack())
            .with_http_client(self.http.remembering(exchange))
            .with_timeout_config(sts_timeouts(config))
            .with_retry_config(RetryConfig::disabled())
    }
}

/// The name of a profile's source in messages.
fn source_name(name: &str, profile: Option<&Profile>) -> String {
    let has = |property| profile.is_some_and(|profile| profile.get(property).is_some());
    let kind = if has("sso_session") || has("sso_start_url") {
        "IAM Identity Center of "
    } else if has("web_identity_token_file") {
        "the web identity of "
    } else if has("login_session") {
        "the login session of "
    } else {
        ""
    };
    format!("{kind}profile {name:?}")
}

/// Says that the token of a web identity cannot be read.
fn no_token_file(path: &str) -> String {
    format!("the token file {path:?} does not exist")
}

/// A source that is not configured: the next one follows.
#[derive(Debug)]
struct Absent;

impl ProvideCredentials for Absent {
    fn provide_credentials<'a>(&'a self) -> Provided<'a>
    where
        Self: 'a,
    {
        Provided::ready(Err(CredentialsError::not_loaded_no_source()))
    }
}

/// Settings that cannot be used, and why.
#[derive(Debug)]
struct Unusable(String);

impl Unusable {
    /// Settings of a profile in the files of the AWS configuration.
    fn in_files(why: &str) -> Unusable {
        let [config, credentials] = profile_files();
        Unusable(format!("{why} ({config} or {credentials})"))
    }
}

impl ProvideCredentials for Unusable {
    fn provide_credentials<'a>(&'a self) -> Provided<'a>
    where
        Self: 'a,
    {
        let error = credentials_failure(self.0.clone());
        Provided::ready(Err(CredentialsError::provider_error(error)))
    }
}

/// The settings that come before the access key of a profile.
const EARLIER: [&str; 6] = [
    "role_arn",
    "web_identity_token_file",
    "sso_session",
    "sso_start_url",
    "sso_account_id",
    "sso_role_name",
];

/// The access key of `profile` in the credentials file. It comes before the profile's `credential_process` and
/// login session, and after a role, a web identity and an SSO session; the SDK tries it last.
fn preferred_keys(profile: &Profile, credentials_file: &ProfileSet) -> Option<Credentials> {
    if EARLIER.iter().any(|property| profile.get(property).is_some()) {
        return None;
    }
    let in_file = credentials_file.get_profile(profile.name())?;
    let (id, secret) = (in_file.get("aws_access_key_id")?, in_file.get("aws_secret_access_key")?);
    let token = in_file.get("aws_session_token").map(str::to_owned);
    Some(Credentials::new(id, secret, token, None, "SharedCredentialsFile"))
}

/// Whether the profile assumes a role with credentials of another source, and not with a web identity.
fn assumes_role(profiles: &ProfileSet, name: &str) -> bool {
    profiles.get_profile(name).is_some_and(|profile| {
        profile.get("role_arn").is_some() && profile.get("web_identity_token_file").is_none()
    })
}

/// Whether the environment has an access key ID without a secret access key. Such a key is a mistake: the SDK
/// would continue with other credentials.
pub(in crate::aws) fn has_partial_key() -> bool {
    let is_set = |name| std::env::var(name).is_ok_and(|value| !value.trim().is_empty());
    // The SDK also reads `SECRET_ACCESS_KEY`.
    is_set("AWS_ACCESS_KEY_ID")
        && !["AWS_SECRET_ACCESS_KEY", "SECRET_ACCESS_KEY"].into_iter().any(is_set)
}

/// The credentials of the selected profile. A profile that refers to something missing ends the chain.
#[derive(Debug)]
struct ProfileCredentials {
    inner: SharedCredentialsProvider,
    /// Whether no other source may follow.
    is_exclusive: bool,
}

impl ProvideCredentials for ProfileCredentials {
    fn provide_credentials<'a>(&'a self) -> Provided<'a>
    where
        Self: 'a,
    {
        Provided::new(async {
            self.inner.provide_credentials().await.map_err(|error| match error {
                CredentialsError::CredentialsNotLoaded(_) => self.not_loaded(error),
                other => other,
            })
        })
    }
}

impl ProfileCredentials {
    /// A profile without credentials has no source of the error; a profile that is not valid has one.
    fn not_loaded(&self, error: CredentialsError) -> CredentialsError {
        match std::error::Error::source(&error) {
            Some(source) => {
                let why = redact_likely_secrets(&source.to_string());
                CredentialsError::provider_error(credentials_failure(why))
            }
            None if self.is_exclusive => {
                CredentialsError::provider_error(ApiError::no_credentials(
                    "it contains no access key, role, SSO session, login session or credential_process",
                ))
            }
            None => error,
        }
    }
}
