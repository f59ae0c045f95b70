//! An STS and a container's source of credentials, for tests of which credentials are used.

use std::sync::{Arc, Mutex};

use crate::support::http::{Reply, Request, Server, sts_response};

/// An STS that tells by whose credentials it is called, and a container's source of credentials.
pub struct Sts {
    pub url: String,
    /// The account of each `GetCallerIdentity`, and the access key ID that assumed its role.
    identities: Arc<Mutex<Vec<String>>>,
}

impl Sts {
    pub fn start() -> Sts {
        let identities = Arc::new(Mutex::new(Vec::new()));
        let seen = identities.clone();
        let server = Server::start(move |request| respond(request, &seen).unwrap_or(Reply::Close));
        Sts { url: server.url(), identities }
    }

    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.identities.lock().unwrap())
    }
}

/// `None` for a request that is not expected.
fn respond(request: &Request, identities: &Mutex<Vec<String>>) -> Option<Reply> {
    let key = request
        .headers
        .get("authorization")
        .and_then(|header| header.split_once("Credential=")?.1.split('/').next())
        .unwrap_or("token");
    match request.action() {
        _ if request.line.starts_with("GET /container") => {
            let credentials = r#"{"AccessKeyId": "666666666666", "SecretAccessKey": "any", "Token": "",
                "Expiration": "2099-01-01T00:00:00Z"}"#;
            Some(Reply::Response(200, String::new(), credentials.to_owned()))
        }
        action @ "GetCallerIdentity" => {
            // The session token of an assumed role is the access key ID that assumed it.
            let token = request.headers.get("x-amz-security-token");
            let token = token.filter(|token| !token.is_empty());
            let identity = token.map_or_else(|| key.to_owned(), |token| format!("{key},{token}"));
            identities.lock().unwrap().push(identity.clone());
            let result = format!(
                "<Account>{key}</Account><UserId>U</UserId><Arn>arn:aws:iam::{key}:user/{identity}</Arn>"
            );
            Some(sts_response(action, &result))
        }
        action => {
            let account = request.get("RoleArn")?.split(':').nth(4)?;
            let result = format!(
                "<Credentials><AccessKeyId>{account}</AccessKeyId><SecretAccessKey>any</SecretAccessKey>\
                 <SessionToken>{key}</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>\
                 <AssumedRoleUser><AssumedRoleId>AROA:R</AssumedRoleId>\
                 <Arn>arn:aws:sts::{account}:assumed-role/R/R</Arn></AssumedRoleUser>"
            );
            Some(sts_response(action, &result))
        }
    }
}
