//! Options, environment variables and settings of profiles that are not valid: one message in the words of this tool, or no
//! effect, and never a panic or a secret.

use crate::support::Binary;
use crate::support::fixture::Fixture;

const FILE: &str = "[users]\ndana = \"arn:aws:iam::123456789012:policy/Developer\"\n";

#[test]
fn an_invalid_number_of_an_option_is_rejected_with_the_numbers_that_are_allowed() {
    let binary = Binary::with_file(FILE);
    let bad = ["", "-1", "1.5", "1e3", "many", "99999999999999999999"];
    for (command, option, range) in [
        (&["--sandbox", "apply", "-y"][..], "--concurrency", "from 1 to 1000000"),
        (&["--fleet", "fleet.toml", "plan"], "--accounts-at-once", "from 1 to 1000000"),
        (&["--sandbox", "plan"], "--last-used", "from 1 to 400"),
        (&["sandbox", "serve"], "--port", "from 0 to 65535"),
        (&["sandbox", "serve"], "--accounts", "from 1 to 5000"),
        (&["sandbox", "serve"], "--users", "from 0 to 1000000"),
        (&["sandbox", "serve"], "--latency", "from 0 to 600000"),
        (&["sandbox", "serve"], "--page-size", "from 1 to 1000"),
        (&["sandbox", "serve"], "--session-time", "from 1 to 43200"),
        (&["sandbox", "serve"], "--chaos", "from 0 to 18446744073709551615"),
    ] {
        for value in bad {
            let argument = format!("{option}={value}");
            let ran = binary.run(&[command, &[&argument]].concat());
            assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{ran}");
            let message = format!("error: invalid value '{value}' for '{option} <");
            assert!(ran.err.starts_with(&message), "{ran}");
            assert!(ran.err.contains(&format!(": write a whole number {range}\n")), "{ran}");
        }
    }
}

#[test]
fn an_invalid_duration_or_rate_is_rejected_with_the_form_that_is_allowed() {
    let binary = Binary::with_file(FILE);
    for (option, values, form) in [
        ("--timeout", ["1e99h", "nan", "-5s", "5", ""], "a duration is a number with a unit"),
        ("--read-back", ["1e99h", "nan", "-5s", "5", ""], "a duration is a number with a unit"),
        ("--max-rate", ["nan", "inf", "-1", "1,5", ""], "a rate is a number of calls per second"),
        ("--max-changes", ["nan", "-1", "101%", "1e3", "5 %"], "a threshold is a whole number"),
    ] {
        for value in values {
            let argument = format!("{option}={value}");
            let ran = binary.run(&["--sandbox", "apply", "-y", &argument]);
            assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{ran}");
            assert!(ran.err.contains(form), "{ran}");
        }
    }
}

/// clap takes a value that begins with a minus sign for an option.
#[test]
fn a_negative_value_is_called_one() {
    let binary = Binary::with_file(FILE);
    for arguments in [
        &["--sandbox", "apply", "-y", "--concurrency", "-1"][..],
        &["--sandbox", "apply", "-y", "--timeout", "-5s"],
        &["--sandbox", "apply", "-y", "--max-rate", "-0.5"],
        &["sandbox", "serve", "--port", "-1"],
    ] {
        let ran = binary.run(arguments);
        assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{ran}");
        assert!(ran.err.contains("tip: no option has a negative value"), "{ran}");
    }
}

/// The SDK panics if its own settings of retries are invalid.
#[tokio::test(flavor = "multi_thread")]
async fn settings_of_the_retries_of_the_sdk_have_no_effect() {
    for (variable, value) in [
        ("AWS_MAX_ATTEMPTS", "abc"),
        ("AWS_MAX_ATTEMPTS", "0"),
        ("AWS_MAX_ATTEMPTS", "-1"),
        ("AWS_RETRY_MODE", "adaptive"),
        ("AWS_RETRY_MODE", "foo"),
    ] {
        let fixture = Fixture::users(1).listed_with("Developer").start().await;
        let ran = fixture.env(variable, value).run(&["plan"]).await;
        assert_eq!(ran.code, 0, "{variable}={value}\n{ran}");
    }
    for setting in ["max_attempts = abc", "max_attempts = 0", "retry_mode = foo"] {
        let fixture = Fixture::users(1).listed_with("Developer").start().await;
        let config = fixture.folder().join("config");
        std::fs::write(&config, format!("[default]\n{setting}\n")).unwrap();
        let fixture = fixture.env("AWS_CONFIG_FILE", config.to_str().unwrap());
        let ran = fixture.run(&["plan"]).await;
        assert_eq!(ran.code, 0, "{setting}\n{ran}");
    }
}

#[test]
fn an_endpoint_that_is_not_a_url_is_an_error_at_once_that_shows_no_password() {
    let endpoints = [
        "notaurl",
        "localhost:4566",
        "http://",
        "http://localhost:99999",
        "http://[::1",
        "http://user:MarkedSecret@localhost:9",
        "https://localhost/?token=MarkedSecret",
    ];
    let run = |binary: Binary, origin: &str| {
        let ran = binary
            .env("AWS_ACCESS_KEY_ID", "AKIAANY")
            .env("AWS_SECRET_ACCESS_KEY", "any")
            .run(&["plan", "--allow-http"]);
        assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{ran}");
        let message = format!("error: the endpoint of {origin} is not a URL such as https://HOST");
        assert!(ran.err.starts_with(&message), "{ran}");
        assert!(!ran.err.contains("MarkedSecret"), "{ran}");
    };
    for endpoint in endpoints {
        for variable in ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_IAM", "AWS_ENDPOINT_URL_STS"] {
            run(Binary::with_file(FILE).env(variable, endpoint), variable);
        }
        let binary = Binary::with_file(FILE).env("AWS_CONFIG_FILE", "config");
        let config = format!("[default]\nendpoint_url = {endpoint}\n");
        std::fs::write(binary.folder().join("config"), config).unwrap();
        run(binary, "profile \"default\"");
    }
    let binary = Binary::with_file(FILE);
    for endpoint in ["http://user:MarkedSecret@localhost:9", "http://localhost/?token=MarkedSecret"]
    {
        let ran = binary.run(&["plan", "--endpoint-url", endpoint]);
        assert_eq!(ran.code, 1, "{ran}");
        assert!(ran.err.contains("the endpoint of --endpoint-url"), "{ran}");
        assert!(!ran.err.contains("MarkedSecret"), "{ran}");
    }
}
