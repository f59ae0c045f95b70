//! The AWS SDK as a client of the sandbox.

use std::fmt::Debug;

use aws_sdk_iam::Client;
use aws_sdk_iam::config::{BehaviorVersion, Credentials, Region, SharedHttpClient};
use aws_sdk_iam::error::ProvideErrorMetadata;
use iam_boundaries::sandbox::{ACCESS_KEY_ID, SECRET_ACCESS_KEY, Sandbox};

/// The client of an account of the sandbox.
pub fn client(sandbox: &Sandbox) -> Client {
    let credentials = Credentials::new(ACCESS_KEY_ID, SECRET_ACCESS_KEY, None, None, "test");
    let config = aws_sdk_iam::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(credentials)
        .http_client(http_client())
        .endpoint_url(sandbox.endpoint_url());
    Client::from_conf(config.build())
}

/// The HTTP client of clients of the sandbox. The tool does not enable the default client of the SDK.
pub fn http_client() -> SharedHttpClient {
    aws_smithy_http_client::Builder::new().build_http()
}

/// The error code of a call.
pub fn code<T: Debug, E: ProvideErrorMetadata>(result: Result<T, E>) -> String {
    result.expect_err("an error").code().unwrap_or_default().to_owned()
}
