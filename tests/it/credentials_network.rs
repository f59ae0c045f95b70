//! Certificate authorities and proxies.

use std::process::Command;

use crate::support::fixture::{Fixture, run};
use crate::support::http::{Authority, Proxy, Server, sts_error, sts_success};
use crate::support::{Binary, Ran};

const FILE: &str = "[users]\nalice = \"arn:aws:iam::aws:policy/ReadOnlyAccess\"\n";
const SECRET: &str = "Proxy@Secret#Word";
const ENCODED: &str = "Proxy%40Secret%23Word";

/// A binary whose STS is `https://localhost:port`. IAM rejects every call: the identity is all that a test needs.
fn binary(sts: &Server) -> Binary {
    let iam = Server::start(|_| sts_error(400, "ValidationError", "no"));
    Binary::with_file(FILE)
        .env("AWS_ACCESS_KEY_ID", "any")
        .env("AWS_SECRET_ACCESS_KEY", "any")
        .env("AWS_CONFIG_FILE", "config")
        .env("AWS_ENDPOINT_URL_IAM", &iam.url())
        .env("AWS_ENDPOINT_URL_STS", &format!("https://localhost:{}", sts.port))
}

/// Runs `plan` with `variables`.
fn plan(binary: &Binary, variables: &[(&str, &str)]) -> Ran {
    let mut command: Command = binary.command(&["plan"]);
    Ran::of(command.envs(variables.iter().copied()).output().unwrap())
}

/// Whether the call to STS succeeded: the next one, to IAM, failed.
fn is_identified(ran: &Ran) -> bool {
    assert!([1, 3].contains(&ran.code), "{ran}");
    ran.out.contains("iam:GetUser failed")
}

#[test]
fn the_bundle_of_the_variable_comes_before_that_of_the_profile_and_replaces_the_system() {
    let (own, other) = (Authority::new(), Authority::new());
    let sts = Server::start_tls(&own, |request| sts_success(request, 0));
    let binary = binary(&sts);
    let write = |name: &str, text: &str| std::fs::write(binary.folder().join(name), text).unwrap();
    write("own.pem", &format!("# ours\n{}{}", other.pem(), own.pem()));
    write("other.pem", &other.pem());
    write("empty.pem", "no certificate");
    write(
        "broken.pem",
        "-----BEGIN CERTIFICATE-----\nbm90IGEgY2VydGlmaWNhdGU=\n-----END CERTIFICATE-----\n",
    );
    write("config", "[default]\nca_bundle = own.pem\n[profile other]\nca_bundle = other.pem\n");

    let ran = plan(&binary, &[]);
    assert!(is_identified(&ran), "ca_bundle {ran}");
    let ran = plan(&binary, &[("AWS_PROFILE", "other"), ("AWS_CA_BUNDLE", "own.pem")]);
    assert!(is_identified(&ran), "the variable first {ran}");

    let untrusted = |variables: &[(&str, &str)], used: &str| {
        let ran = plan(&binary, variables);
        assert!(!is_identified(&ran), "{ran}");
        assert!(ran.err.contains("UntrustedCertificate"), "{ran}");
        assert!(ran.err.contains(used), "{ran}");
        assert!(ran.err.contains("AWS_CA_BUNDLE"), "{ran}");
        assert!(!ran.err.contains("--profile"), "{ran}");
    };
    untrusted(&[("AWS_CA_BUNDLE", "other.pem")], "other.pem (AWS_CA_BUNDLE)");
    untrusted(&[("AWS_PROFILE", "other")], "other.pem (ca_bundle in profile \"other\")");
    write("config", "");
    untrusted(&[], "the certificate authorities of this system");

    for (bundle, why) in [
        ("missing.pem", "file not found"),
        (".", "it is a directory"),
        #[cfg(unix)]
        ("/dev/zero", "it is larger than 64 MiB"),
        ("empty.pem", "contains no certificate"),
        ("broken.pem", "contains no certificate"),
    ] {
        let ran = plan(&binary, &[("AWS_CA_BUNDLE", bundle)]);
        assert!(!is_identified(&ran), "{ran}");
        let message = format!("cannot use the CA bundle {bundle} of AWS_CA_BUNDLE: ");
        assert!(ran.err.contains(&message) && ran.err.contains(why), "{ran}");
        assert!(!ran.err.contains("panicked"), "{ran}");
    }
}

#[test]
fn https_goes_through_the_proxy_with_its_credentials_unless_no_proxy_names_the_host() {
    let authority = Authority::new();
    let sts = Server::start_tls(&authority, |request| sts_success(request, 0));
    let binary = binary(&sts);
    std::fs::write(binary.folder().join("ca.pem"), authority.pem()).unwrap();
    let proxy = Proxy::start(false);
    let url = format!("http://user:{ENCODED}@127.0.0.1:{}", proxy.port);
    let bundle = ("AWS_CA_BUNDLE", "ca.pem");

    // user:Proxy@Secret#Word
    let authorization = Some("Basic dXNlcjpQcm94eUBTZWNyZXQjV29yZA==".to_owned());
    let line = format!("CONNECT localhost:{} HTTP/1.1", sts.port);
    for name in ["HTTPS_PROXY", "https_proxy"] {
        let before = proxy.requests().len();
        let ran = plan(&binary, &[bundle, (name, &url)]);
        assert!(is_identified(&ran), "{ran}");
        let requests = &proxy.requests()[before..];
        assert_eq!(requests, [(line.clone(), authorization.clone())], "{name}");
    }
    let before = proxy.requests().len();
    for no_proxy in ["localhost", "*", "example.com,.localhost", "LOCALHOST"] {
        let ran = plan(&binary, &[bundle, ("HTTPS_PROXY", &url), ("NO_PROXY", no_proxy)]);
        assert!(is_identified(&ran), "{no_proxy} {ran}");
    }
    // The variable in lower case comes first, and an empty one means no proxy. ALL_PROXY is not read.
    for variables in [
        &[bundle, ("HTTPS_PROXY", &*url), ("https_proxy", "")][..],
        &[bundle, ("HTTPS_PROXY", &url), ("NO_PROXY", "example.com"), ("no_proxy", "localhost")],
        &[bundle, ("ALL_PROXY", &url)],
    ] {
        let ran = plan(&binary, variables);
        assert!(is_identified(&ran), "{variables:?} {ran}");
    }
    assert_eq!(proxy.requests().len(), before);
}

#[test]
fn a_proxy_that_fails_is_named_and_its_password_is_in_no_output() {
    let authority = Authority::new();
    let sts = Server::start_tls(&authority, |request| sts_success(request, 0));
    let binary = binary(&sts);
    let refusing = Proxy::start(true);
    let url = |port: u16| format!("http://user:{ENCODED}@127.0.0.1:{port}");
    let named = format!("http://127.0.0.1:{} of HTTPS_PROXY", refusing.port);
    for (value, message) in [
        (url(refusing.port), named),
        (url(refusing.port), "ProxyAuthenticationRequired".to_owned()),
        (url(1), "http://127.0.0.1:1 of HTTPS_PROXY".to_owned()),
        (format!("http://user:{SECRET}@127.0.0.1:1"), "cannot use the proxy of HTTPS_PROXY".into()),
        (format!("socks5://user:{ENCODED}@127.0.0.1:1"), "only http:// and https://".into()),
    ] {
        let mut command = binary.command(&["-vv", "plan", "--timeout", "3s"]);
        let ran = Ran::of(command.env("HTTPS_PROXY", value).output().unwrap());
        assert!(!is_identified(&ran), "{ran}");
        assert!(ran.err.contains(&message), "{message} {ran}");
        for secret in [SECRET, ENCODED, "Secret"] {
            assert!(!ran.err.contains(secret) && !ran.out.contains(secret), "{ran}");
        }
    }
    let sources = [
        ("AWS_WEB_IDENTITY_TOKEN_FILE", "boundaries.toml"),
        ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/R"),
    ];
    let mut command = binary.command(&["plan", "--timeout", "3s"]);
    command.env_remove("AWS_ACCESS_KEY_ID").env("HTTPS_PROXY", url(refusing.port)).envs(sources);
    let ran = Ran::of(command.output().unwrap());
    assert!(ran.err.contains("the web identity of AWS_WEB_IDENTITY_TOKEN_FILE failed"), "{ran}");
    assert!(ran.err.contains("ProxyAuthenticationRequired"), "{ran}");
    assert!(ran.err.contains("help: set the user name and the password of the proxy"), "{ran}");
    // Each attempt with a wrong password could lock its owner out.
    assert_eq!(refusing.requests().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn plain_http_goes_through_http_proxy_and_a_containers_source_does_not() {
    let fixture = Fixture::users(2).listed_with("Developer").start().await;
    let source = Server::start(|_| {
        let body = "{\"AccessKeyId\": \"ASIA\", \"SecretAccessKey\": \"any\", \"Token\": \"t\", \
                    \"Expiration\": \"2099-01-01T00:00:00Z\"}";
        let json = "Content-Type: application/json\r\n";
        crate::support::http::Reply::Response(200, json.to_owned(), body.to_owned())
    });
    let proxy = Proxy::start(false);
    let mut command = fixture.command(&["plan", "--format", "json"]);
    command
        .env("AWS_ACCESS_KEY_ID", "")
        .env("AWS_SECRET_ACCESS_KEY", "")
        .env("AWS_CONTAINER_CREDENTIALS_FULL_URI", format!("{}/container", source.url()))
        .env("HTTP_PROXY", format!("127.0.0.1:{}", proxy.port));
    let ran = run(command).await;
    assert_eq!(ran.code, 0, "{ran}");
    let requests = proxy.requests();
    assert!(!requests.is_empty(), "{ran}");
    assert!(
        requests.iter().all(|(line, _)| line.starts_with("POST http://127.0.0.1")),
        "{requests:?}"
    );
    assert_eq!(source.requests().len(), 1);
}
