//! A minimal client of the IAM query protocol, for requests that an SDK does not send.

use std::fmt::Display;

use iam_boundaries::sandbox::Sandbox;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The header of a signed request to the sandbox's default account.
pub const SIGNED: &str =
    "Authorization: AWS4-HMAC-SHA256 Credential=any/20261124/us-east-1/iam/aws4_request\r\n";

/// Sends a form with these headers. Returns the status and body, or `None` if the connection is closed
/// without a response.
pub async fn try_post(sandbox: &Sandbox, headers: &str, form: &[u8]) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect(sandbox.address()).await.unwrap();
    let head = format!(
        "POST / HTTP/1.1\r\nHost: sandbox\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n",
        form.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(form).await.unwrap();
    let mut response = Vec::new();
    stream.read_to_end(&mut response).await.unwrap();
    if response.is_empty() {
        return None;
    }
    let response = String::from_utf8(response).unwrap();
    let status = response.split(' ').nth(1).unwrap().parse().unwrap();
    Some((status, response.split_once("\r\n\r\n").unwrap().1.to_owned()))
}

/// Sends a form with these headers. Returns the status and body.
pub async fn post(sandbox: &Sandbox, headers: &str, form: &[u8]) -> (u16, String) {
    try_post(sandbox, headers, form).await.expect("a response")
}

/// Sends a signed form. Returns the status and body.
pub async fn call(sandbox: &Sandbox, form: &str) -> (u16, String) {
    post(sandbox, SIGNED, form.as_bytes()).await
}

/// Sends a signed form. Returns the status and body, or `None` if the connection is closed without a
/// response.
pub async fn try_call(sandbox: &Sandbox, form: &str) -> Option<(u16, String)> {
    try_post(sandbox, SIGNED, form.as_bytes()).await
}

/// The form that sets the boundary of a user to an AWS managed policy.
pub fn put(user: impl Display) -> String {
    let boundary = "arn:aws:iam::aws:policy/ReadOnlyAccess";
    format!("Action=PutUserPermissionsBoundary&UserName={user}&PermissionsBoundary={boundary}")
}

/// Sends a request to AWS Organizations with this access key ID. Returns the status and body.
pub async fn organizations(
    sandbox: &Sandbox,
    key_id: &str,
    action: impl Display,
    body: &str,
) -> (u16, String) {
    let headers = format!(
        "{}X-Amz-Target: AWSOrganizationsV20161128.{action}\r\n",
        SIGNED.replace("any", key_id)
    );
    post(sandbox, &headers, body.as_bytes()).await
}
