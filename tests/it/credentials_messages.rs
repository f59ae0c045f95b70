//! Messages about sources of credentials that fail: true, and without debug text.

use crate::support::http::{Reply, Server, sts_error};
use crate::support::{Binary, Ran};

const FILE: &str = "[users]\nalice = \"arn:aws:iam::123456789012:policy/Developer\"\n";

const CONFIG: &str = "
[profile sso]
sso_session = company
sso_account_id = 123456789012
sso_role_name = Admin
[sso-session company]
sso_region = us-east-1
sso_start_url = https://company.awsapps.com/start
[profile process]
credential_process = echo MarkedSecret1234567890abcdef >&2; exit 7
[profile garbage]
credential_process = echo '{\"Version\": 1, \"AccessKeyId\": 5, \"SecretAccessKey\": \"MarkedSecret1234567890\"}'
[profile absent]
credential_process = /no/such/program
[profile loop-a]
role_arn = arn:aws:iam::123456789012:role/R
source_profile = loop-b
[profile loop-b]
role_arn = arn:aws:iam::123456789012:role/R
source_profile = loop-a
[profile both]
role_arn = arn:aws:iam::123456789012:role/R
source_profile = keys
credential_source = Environment
[profile neither]
role_arn = arn:aws:iam::123456789012:role/R
[profile unknown]
role_arn = arn:aws:iam::123456789012:role/R
credential_source = Clouds
[profile orphan]
role_arn = arn:aws:iam::123456789012:role/R
source_profile = no-such
[profile keys]
aws_access_key_id = AKIASOURCE
aws_secret_access_key = any
[profile itself]
role_arn = arn:aws:iam::123456789012:role/R
source_profile = itself
[profile not-a-role]
role_arn = MyRole
source_profile = keys
[profile web-not-a-role]
role_arn = arn:aws:iam::123456789012:user/U
web_identity_token_file = token
[profile web-without-role]
web_identity_token_file = token
[profile web-without-token]
role_arn = arn:aws:iam::123456789012:role/R
web_identity_token_file = no/such/token
[profile source-without-keys]
role_arn = arn:aws:iam::123456789012:role/R
source_profile = region
[profile region]
region = us-east-1
[profile AcmeProduction2-Admin]
aws_access_key_id = AKIASOURCE
[profile secret-only]
aws_secret_access_key = any
[profile no-session]
sso_session = no-such
sso_account_id = 123456789012
sso_role_name = Admin
[profile no-account]
sso_session = company
sso_role_name = Admin
[profile two-places]
sso_session = company
sso_region = us-east-1
sso_account_id = 123456789012
sso_role_name = Admin
[profile part]
sso_session = part
sso_account_id = 123456789012
sso_role_name = Admin
[sso-session part]
sso_region = us-east-1
[profile old-style]
sso_start_url = https://company.awsapps.com/start
[profile nothing-written]
credential_process = true
";

fn binary(server: &Server) -> Binary {
    let binary = Binary::with_file(FILE)
        .env("AWS_CONFIG_FILE", "config")
        .env("PATH", "/usr/bin:/bin")
        .env("AWS_ENDPOINT_URL", &server.url());
    std::fs::write(binary.folder().join("config"), CONFIG).unwrap();
    std::fs::write(binary.folder().join("token"), "token").unwrap();
    binary
}

/// Checks a message that ends the command, and returns it.
fn checked(ran: &Ran, texts: &[&str]) {
    assert_eq!((ran.code, &*ran.out), (1, ""), "{ran}");
    for text in texts {
        assert!(ran.err.contains(text), "{text}\n{ran}");
    }
    for wrong in ["Error {", "Some(", "panicked", "MarkedSecret", "no source of AWS credentials"] {
        assert!(!ran.err.contains(wrong), "{wrong}\n{ran}");
    }
    assert!(!ran.err.contains("specify --profile"), "{ran}");
}

#[cfg(unix)]
#[test]
fn each_profile_that_cannot_be_used_has_its_reason() {
    let server = Server::start(|_| sts_error(403, "AccessDenied", "no"));
    let binary = binary(&server);
    for (profile, texts) in [
        (
            "orphan",
            &["the profile \"no-such\", source_profile of profile \"orphan\", does not"][..],
        ),
        ("loop-a", &["the source_profile of profile \"loop-b\" leads back to \"loop-a\""]),
        ("both", &["profile \"both\" has both source_profile and credential_source"]),
        ("neither", &["has role_arn, and neither source_profile nor credential_source"]),
        (
            "unknown",
            &[
                "credential_source of profile \"unknown\" is \"Clouds\"",
                "or Ec2InstanceMetadata (config",
            ],
        ),
        (
            "process",
            &["the credential_process of profile \"process\" failed: exit status: 7", "run its"],
        ),
        ("garbage", &["the credential_process of profile \"garbage\" returned unusable output"]),
        ("absent", &["the credential_process of profile \"absent\" failed: exit status: 127"]),
        (
            "nothing-written",
            &["of profile \"nothing-written\" returned no output; it must be JSON"],
        ),
    ] {
        checked(&binary.run(&["--profile", profile, "plan"]), texts);
    }
    assert!(server.requests().is_empty());
}

/// Nothing is sent: STS and the SDK name neither the profile nor the setting.
#[test]
fn settings_that_are_incomplete_or_contradict_each_other_are_named_before_any_call() {
    let server = Server::start(|_| sts_error(403, "AccessDenied", "no"));
    let binary = binary(&server);
    for (profile, said) in [
        ("itself", "profile \"itself\" is its own source_profile, and contains no access key or"),
        (
            "not-a-role",
            "role_arn of profile \"not-a-role\" is \"MyRole\"; it must be the ARN of a role",
        ),
        (
            "web-not-a-role",
            "role_arn of profile \"web-not-a-role\" is \"arn:aws:iam::123456789012:user/U\"",
        ),
        ("web-without-role", "has web_identity_token_file, and not role_arn"),
        (
            "AcmeProduction2-Admin",
            "profile \"AcmeProduction2-Admin\" has aws_access_key_id, and not aws_secret",
        ),
        (
            "secret-only",
            "profile \"secret-only\" has aws_secret_access_key, and not aws_access_key_id",
        ),
        (
            "no-session",
            "[sso-session no-such], sso_session of profile \"no-session\", does not exist",
        ),
        ("no-account", "profile \"no-account\" has sso_session, and not sso_account_id"),
        ("two-places", "has sso_session and sso_region, which belongs into [sso-session company]"),
        ("part", "[sso-session part] has no sso_start_url"),
        ("old-style", "profile \"old-style\" has sso_start_url, and not sso_region"),
    ] {
        let ran = binary.run(&["--profile", profile, "plan"]);
        let help = "help: correct the setting that the message names";
        checked(&ran, &[said, "(config or ~/.aws/credentials)", help]);
    }
    let ran = binary.run(&["--profile", "source-without-keys", "plan"]);
    checked(
        &ran,
        &["profile \"region\", the source of profile \"source-without-keys\", has no credentials"],
    );
    let ran = binary.run(&["--profile", "web-without-token", "plan"]);
    checked(
        &ran,
        &["the token file \"no/such/token\" does not exist", "help: check the token file"],
    );
    assert!(server.requests().is_empty());
}

#[test]
fn a_web_identity_of_the_environment_is_checked_before_any_call() {
    const ROLE: &str = "arn:aws:iam::123456789012:role/R";
    let server = Server::start(|_| sts_error(403, "AccessDenied", "no"));
    for (token, role, said) in [
        ("token", Some("notarole"), "AWS_ROLE_ARN is \"notarole\"; it must be the ARN of a role"),
        ("token", Some(""), "AWS_WEB_IDENTITY_TOKEN_FILE is set, and AWS_ROLE_ARN is not"),
        ("token", None, "AWS_WEB_IDENTITY_TOKEN_FILE is set, and AWS_ROLE_ARN is not"),
        ("no/token", Some(ROLE), "the token file \"no/token\" does not exist"),
    ] {
        let mut binary = binary(&server).env("AWS_WEB_IDENTITY_TOKEN_FILE", token);
        if let Some(role) = role {
            binary = binary.env("AWS_ROLE_ARN", role);
        }
        checked(&binary.run(&["plan"]), &[said]);
    }
    assert!(server.requests().is_empty());
    // An empty variable is not set, and the next source is the profile.
    let binary = binary(&server).env("AWS_WEB_IDENTITY_TOKEN_FILE", "").env("AWS_PROFILE", "keys");
    assert_eq!(binary.run(&["plan"]).code, 1);
    assert_eq!(server.count("GetCallerIdentity"), 1);
}

/// As for the AWS CLI, also if a source has credentials that needs no profile: the files can name the region, endpoints and
/// certificate authorities.
#[test]
fn files_with_profiles_that_cannot_be_read_are_named_with_the_reason() {
    let server = Server::start(|_| sts_error(403, "AccessDenied", "no"));
    for (text, said) in [
        (&b"[profile a\n"[..], "error parsing own on line 1: Profile definition must end with ']'"),
        (b"[default]\nregion\n", "error parsing own on line 2: Expected an '=' sign"),
        (b"region = us-east-1\n", "error parsing own on line 1: Expected a profile definition"),
        (b"[default]\nregion = \xff\n", "own is not UTF-8"),
    ] {
        for variable in ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"] {
            let binary = binary(&server)
                .env("AWS_ACCESS_KEY_ID", "AKIAANY")
                .env("AWS_SECRET_ACCESS_KEY", "any")
                .env(variable, "own");
            std::fs::write(binary.folder().join("own"), text).unwrap();
            let help = "help: correct this file";
            checked(&binary.run(&["plan"]), &["cannot read the AWS profiles: ", said, help]);
        }
    }
    let directory = binary(&server).env("AWS_CONFIG_FILE", ".");
    checked(&directory.run(&["plan"]), &["cannot read the AWS profiles: .: it is a directory"]);
    assert!(server.requests().is_empty());
}

#[test]
fn a_region_that_cannot_be_part_of_a_host_is_named_with_its_source() {
    let server = Server::start(|_| sts_error(403, "AccessDenied", "no"));
    let keys = || binary(&server).env("AWS_ACCESS_KEY_ID", "A").env("AWS_SECRET_ACCESS_KEY", "s");
    for region in ["us east 1", "us-east-1.evil.example", "-x", "é", &"x".repeat(64)] {
        let ran = keys().env("AWS_REGION", region).run(&["plan"]);
        let said = format!("the Region {region:?} of AWS_REGION is not the name of a Region");
        checked(&ran, &[&said, "help: specify a Region such as us-east-1"]);
    }
    let binary = keys();
    std::fs::write(binary.folder().join("config"), "[default]\nregion = us east\n").unwrap();
    checked(&binary.run(&["plan"]), &["the Region \"us east\" of profile \"default\" is not"]);
    assert!(server.requests().is_empty());
}

#[test]
fn a_web_identity_that_sts_refuses_has_the_code_and_the_message_of_sts() {
    for (code, message) in [
        ("InvalidIdentityToken", "No OpenIDConnect provider found"),
        ("AccessDenied", "Not authorized"),
    ] {
        let server = Server::start(move |_| sts_error(400, code, message));
        let binary = binary(&server)
            .env("AWS_WEB_IDENTITY_TOKEN_FILE", "token")
            .env("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/R");
        let ran = binary.run(&["plan"]);
        checked(
            &ran,
            &[
                "the web identity of AWS_WEB_IDENTITY_TOKEN_FILE failed: ",
                code,
                message,
                "trust policy",
            ],
        );
    }
}

#[test]
fn a_web_identity_while_sts_is_unavailable_is_not_a_question_of_credentials() {
    let server = Server::start(|_| sts_error(503, "ServiceUnavailable", "try again"));
    let binary = binary(&server)
        .env("AWS_WEB_IDENTITY_TOKEN_FILE", "token")
        .env("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/R");
    let ran = binary.run(&["plan", "--timeout", "3s"]);
    checked(&ran, &["failed: ServiceUnavailable: try again", "help: no request was sent"]);
    assert!(server.count("AssumeRoleWithWebIdentity") > 3, "{ran}");
}

/// The file in which the AWS CLI caches the token of the session `company`: its name is the SHA-1 of the name.
const TOKEN_CACHE: &str = ".aws/sso/cache/71b21161ffa1e6516bcc072aaf5ef38cbe85b511.json";

#[test]
fn an_sso_session_without_a_token_says_how_to_sign_in() {
    let server = Server::start(|_| Reply::Close);
    let ran = binary(&server).run(&["--profile", "sso", "plan"]);
    checked(&ran, &["IAM Identity Center of profile \"sso\" failed: ", "aws sso login"]);
}

#[test]
fn an_sso_token_that_is_refused_has_the_code_and_the_message_of_the_service() {
    for (status, code) in [(401, "UnauthorizedException"), (403, "ForbiddenException")] {
        let server = Server::start(move |_| {
            let body = format!("{{\"__type\": \"{code}\", \"message\": \"No access\"}}");
            let headers = format!("Content-Type: application/json\r\nx-amzn-errortype: {code}\r\n");
            Reply::Response(status, headers, body)
        });
        let binary = binary(&server);
        let path = binary.folder().join(TOKEN_CACHE);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let token = r#"{"accessToken": "token", "expiresAt": "2099-01-01T00:00:00Z",
            "startUrl": "https://company.awsapps.com/start", "region": "us-east-1"}"#;
        std::fs::write(path, token).unwrap();
        let ran = binary.run(&["--profile", "sso", "plan"]);
        checked(
            &ran,
            &[
                "IAM Identity Center of profile \"sso\" failed: ",
                code,
                "No access",
                "aws sso login",
            ],
        );
        assert_eq!(server.requests().len(), 1);
    }
}
