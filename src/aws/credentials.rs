use aws_config::SdkConfig;
use aws_config::ecs::EcsCredentialsProvider;
use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_config::meta::credentials::CredentialsProviderChain;
use aws_config::profile::{Profile, ProfileFileCredentialsProvider, ProfileSet};
use aws_config::provider_config::ProviderConfig;
use aws_config::web_identity_token::WebIdentityTokenCredentialsProvider;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{
    ProvideCredentials, SharedCredentialsProvider, future::ProvideCredentials as Provided,
};

use super::profile::SelectedProfile;

/// The credentials of the run, in the order of botocore:
///
/// - `--profile`: the profile only. Environment variables, containers and instances provide credentials only if
///   its `credential_source` names them.
/// - Otherwise, the first of: keys in environment variables, the role of the profile, the web identity in
///   environment variables, other credentials of the profile, the container, the instance.
///
/// The SDK's own chain tries the environment first, whatever the profile, and continues after a profile whose
/// `source_profile` is missing.
pub(super) fn credentials_provider(
    config: &SdkConfig,
    profile: &SelectedProfile,
    profiles: Option<&ProfileSet>,
    credentials_file: Option<&ProfileSet>,
) -> SharedCredentialsProvider {
    let settings = provider_config(config);
    let keys = profiles
        .zip(credentials_file)
        .and_then(|(all, file)| preferred_keys(all.get_profile(profile.name())?, file));
    let of_profile = ProfileCredentials {
        keys,
        inner: ProfileFileCredentialsProvider::builder()
            .configure(&settings)
            .profile_name(profile.name())
            .build(),
        is_exclusive: profile.is_exclusive(),
    };
    if profile.is_exclusive() {
        return SharedCredentialsProvider::new(of_profile);
    }
    let web_identity = WebIdentityTokenCredentialsProvider::builder().configure(&settings).build();
    let chain = CredentialsProviderChain::first_try(
        "Environment",
        EnvironmentVariableCredentialsProvider::new(),
    );
    let chain = if profiles.is_some_and(|profiles| assumes_role(profiles, profile.name())) {
        chain.or_else("Profile", of_profile).or_else("WebIdentityToken", web_identity)
    } else {
        chain.or_else("WebIdentityToken", web_identity).or_else("Profile", of_profile)
    };
    let chain = chain
        .or_else("EcsContainer", EcsCredentialsProvider::builder().configure(&settings).build())
        .or_else(
            "Ec2InstanceMetadata",
            ImdsCredentialsProvider::builder().configure(&settings).build(),
        );
    SharedCredentialsProvider::new(chain)
}

/// The access key of `profile` in the credentials file. It comes before the profile's `credential_process` and
/// login session, and after a role, a web identity and an SSO session; the SDK tries it last.
fn preferred_keys(profile: &Profile, credentials_file: &ProfileSet) -> Option<Credentials> {
    const EARLIER: [&str; 6] = [
        "role_arn",
        "web_identity_token_file",
        "sso_session",
        "sso_start_url",
        "sso_account_id",
        "sso_role_name",
    ];
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

/// The settings of the calls by which providers get credentials: those of the other calls.
fn provider_config(config: &SdkConfig) -> ProviderConfig {
    let mut settings = ProviderConfig::without_region()
        .with_behavior_version(config.behavior_version())
        .with_region(config.region().cloned())
        .with_use_fips(config.use_fips())
        .with_use_dual_stack(config.use_dual_stack());
    if let Some(timeouts) = config.timeout_config() {
        settings = settings.with_timeout_config(timeouts.clone());
    }
    if let Some(retries) = config.retry_config() {
        settings = settings.with_retry_config(retries.clone());
    }
    settings
}

/// Whether the environment has an access key ID without a secret access key. Such a key is a mistake: the SDK
/// would continue with other credentials.
pub(super) fn has_partial_key() -> bool {
    let is_set = |name| std::env::var(name).is_ok_and(|value| !value.trim().is_empty());
    // The SDK also reads `SECRET_ACCESS_KEY`.
    is_set("AWS_ACCESS_KEY_ID")
        && !["AWS_SECRET_ACCESS_KEY", "SECRET_ACCESS_KEY"].into_iter().any(is_set)
}

/// The credentials of a profile. A profile that refers to something missing ends the chain.
#[derive(Debug)]
struct ProfileCredentials {
    /// The access key that comes before the other credentials of the profile.
    keys: Option<Credentials>,
    inner: ProfileFileCredentialsProvider,
    /// Whether no other source may follow.
    is_exclusive: bool,
}

impl ProvideCredentials for ProfileCredentials {
    fn provide_credentials<'a>(&'a self) -> Provided<'a>
    where
        Self: 'a,
    {
        if let Some(keys) = &self.keys {
            return Provided::ready(Ok(keys.clone()));
        }
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
            Some(source) => CredentialsError::invalid_configuration(source.to_string()),
            None if self.is_exclusive => CredentialsError::invalid_configuration(
                "it contains no access key, role, SSO session, login session or credential_process",
            ),
            None => error,
        }
    }
}
