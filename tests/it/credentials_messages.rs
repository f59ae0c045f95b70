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
        ("unknown", &["credential_source in profile \"unknown\" is \"Clouds\""]),
        (
            "process",
            &["the credential_process of profile \"process\" failed: exit status: 7", "run its"],
        ),
        ("garbage", &["the credential_process of profile \"garbage\" returned unusable output"]),
        ("absent", &["the credential_process of profile \"absent\" failed: exit status: 127"]),
    ] {
        checked(&binary.run(&["--profile", profile, "plan"]), texts);
    }
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
