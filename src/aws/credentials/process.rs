use std::process::{Command, Stdio};
use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future::ProvideCredentials as Provided};
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use serde::Deserialize;

use super::super::error::credentials_failure;
use super::super::waits::Waits;
use super::bounds::SOURCE_TIMEOUT;
use crate::inventory::ApiError;

/// The `credential_process` of a profile
/// ([format](https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html)).
///
/// The SDK's provider waits for the process without end, leaves it running, and repeats what it wrote to its
/// standard error, which can contain credentials.
#[derive(Debug)]
pub(super) struct CredentialProcess {
    pub(super) profile: String,
    /// The command line, which can contain a secret.
    pub(super) command: Secret,
    pub(super) waits: Waits,
}

/// A text that is not shown.
pub(super) struct Secret(pub(super) String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Output {
    version: u32,
    access_key_id: String,
    secret_access_key: String,
    session_token: Option<String>,
    expiration: Option<String>,
}

impl ProvideCredentials for CredentialProcess {
    fn provide_credentials<'a>(&'a self) -> Provided<'a>
    where
        Self: 'a,
    {
        Provided::new(async { self.run().await.map_err(CredentialsError::provider_error) })
    }
}

impl CredentialProcess {
    async fn run(&self) -> Result<Credentials, ApiError> {
        let what = format!("the credential_process of profile {:?}", self.profile);
        let failed = |why: &str| credentials_failure(format!("{what} {why}"));
        self.waits.asks_source(&what, "process");
        let mut command = tokio::process::Command::from(self.command());
        let output = command.stdin(Stdio::null()).kill_on_drop(true).output();
        let output = match tokio::time::timeout(SOURCE_TIMEOUT, output).await {
            Ok(Ok(output)) => output,
            Ok(Err(error)) => return Err(failed(&format!("cannot be started: {error}"))),
            Err(_) => {
                let limit = SOURCE_TIMEOUT.as_secs();
                return Err(ApiError::source_timed_out(format!(
                    "{what} did not end within {limit} seconds, and was stopped"
                )));
            }
        };
        if !output.status.success() {
            return Err(failed(&format!(
                "failed: {}; its messages are not shown, because they can contain credentials",
                output.status
            )));
        }
        if output.stdout.trim_ascii().is_empty() {
            return Err(failed(
                "returned no output; it must be JSON with Version, AccessKeyId and SecretAccessKey",
            ));
        }
        // An error of the parser is not shown: it can repeat a part of the output.
        let parsed = serde_json::from_slice::<Output>(&output.stdout);
        let Output { version, access_key_id, secret_access_key, session_token, expiration } =
            parsed.map_err(|error| {
                failed(&format!(
                    "returned unusable output (line {}, column {}); it must be JSON with Version, AccessKeyId \
                     and SecretAccessKey",
                    error.line(),
                    error.column()
                ))
            })?;
        if version != 1 {
            return Err(failed(&format!("returned Version {version}; only Version 1 is known")));
        }
        let expiry = match expiration.as_deref().map(parse_time) {
            Some(None) => return Err(failed("returned an invalid Expiration")),
            Some(Some(time)) => Some(time),
            None => None,
        };
        let token = session_token.filter(|token| !token.is_empty());
        Ok(Credentials::new(access_key_id, secret_access_key, token, expiry, "CredentialProcess"))
    }

    #[cfg(not(windows))]
    fn command(&self) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", &self.command.0]);
        command
    }

    // cmd.exe parses the command line itself, and removes one pair of quotes around it.
    #[cfg(windows)]
    fn command(&self) -> Command {
        use std::os::windows::process::CommandExt;
        let mut command = Command::new("cmd.exe");
        command.arg("/C").raw_arg(format!("\"{}\"", self.command.0));
        command
    }
}

fn parse_time(text: &str) -> Option<SystemTime> {
    let time = DateTime::from_str(text, Format::DateTimeWithOffset).ok()?;
    SystemTime::try_from(time).ok()
}

#[cfg(all(test, unix))]
mod tests {
    use std::time::Duration;

    use super::*;

    fn process(command: &str) -> CredentialProcess {
        let (profile, command) = ("p".to_owned(), Secret(command.to_owned()));
        CredentialProcess { profile, command, waits: Waits::default() }
    }

    #[tokio::test(start_paused = true)]
    async fn a_process_that_does_not_end_is_stopped_after_a_minute() {
        let began = tokio::time::Instant::now();
        let error = process("exec sleep 600").run().await.unwrap_err();
        assert_eq!(error.code, ApiError::SOURCE_TIMED_OUT);
        assert_eq!(began.elapsed().as_secs(), SOURCE_TIMEOUT.as_secs());
    }

    #[tokio::test]
    async fn the_output_of_a_process_is_parsed() {
        let output = r#"echo '{"Version": 1, "AccessKeyId": "id", "SecretAccessKey": "key",
            "SessionToken": "", "Expiration": "2030-01-01T01:00:00+01:00", "More": 1}'"#;
        let credentials = process(output).run().await.unwrap();
        assert_eq!(credentials.access_key_id(), "id");
        assert_eq!(credentials.session_token(), None);
        let expiry = SystemTime::UNIX_EPOCH + Duration::from_secs(1_893_456_000);
        assert_eq!(credentials.expiry(), Some(expiry));
        let error = process("echo").run().await.unwrap_err();
        assert!(error.message.contains("returned no output"), "{error}");
        for invalid in [
            "echo []",
            r#"echo '{"Version": 2, "AccessKeyId": "id", "SecretAccessKey": "key"}'"#,
            r#"echo '{"Version": 1, "AccessKeyId": "id"}'"#,
            r#"echo '{"Version": 1, "AccessKeyId": "i", "SecretAccessKey": "k", "Expiration": "now"}'"#,
        ] {
            let error = process(invalid).run().await.unwrap_err();
            assert_eq!(error.code, ApiError::SOURCE_FAILED, "{invalid}");
        }
    }
}
