//! An STS and a container's source of credentials, for tests of which credentials are used.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// An STS that tells by whose credentials it is called, and a container's source of credentials.
pub struct Sts {
    pub url: String,
    /// The account of each `GetCallerIdentity`, and the access key ID that assumed its role.
    identities: Arc<Mutex<Vec<String>>>,
}

impl Sts {
    pub fn start() -> Sts {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let identities = Arc::new(Mutex::new(Vec::new()));
        let seen = identities.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let seen = seen.clone();
                std::thread::spawn(move || respond(stream, &seen));
            }
        });
        Sts { url, identities }
    }

    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.identities.lock().unwrap())
    }
}

/// Responds to one request.
fn respond(stream: TcpStream, identities: &Mutex<Vec<String>>) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut lines = reader.by_ref().lines().map_while(Result::ok);
    let request = lines.next()?;
    let headers: BTreeMap<String, String> = lines
        .take_while(|line| !line.is_empty())
        .filter_map(|line| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_ascii_lowercase(), value.trim().to_owned()))
        })
        .collect();
    let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let form = String::from_utf8(body).unwrap();
    let parameter = |name: &str| {
        form.split('&')
            .find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
            .map(str::to_owned)
    };
    let key = headers
        .get("authorization")
        .and_then(|header| header.split_once("Credential=")?.1.split('/').next())
        .unwrap_or("token")
        .to_owned();
    let action = parameter("Action").unwrap_or_default();
    let result = match &*action {
        _ if request.starts_with("GET /container") => r#"{"AccessKeyId": "666666666666",
            "SecretAccessKey": "any", "Token": "", "Expiration": "2099-01-01T00:00:00Z"}"#
            .to_owned(),
        "GetCallerIdentity" => {
            // The session token of an assumed role is the access key ID that assumed it.
            let token = headers.get("x-amz-security-token").filter(|token| !token.is_empty());
            let identity = token.map_or_else(|| key.clone(), |token| format!("{key},{token}"));
            identities.lock().unwrap().push(identity.clone());
            format!(
                "<Account>{key}</Account><UserId>U</UserId><Arn>arn:aws:iam::{key}:user/{identity}</Arn>"
            )
        }
        _ => {
            let role = parameter("RoleArn")?;
            let account = role.split("%3A").nth(4)?.to_owned();
            format!(
                "<Credentials><AccessKeyId>{account}</AccessKeyId><SecretAccessKey>any</SecretAccessKey>\
                 <SessionToken>{key}</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>\
                 <AssumedRoleUser><AssumedRoleId>AROA:R</AssumedRoleId>\
                 <Arn>arn:aws:sts::{account}:assumed-role/R/R</Arn></AssumedRoleUser>"
            )
        }
    };
    let body = match &*action {
        "" => result,
        action => format!(
            "<{action}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><{action}Result>{result}\
             </{action}Result></{action}Response>"
        ),
    };
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\nx-amzn-requestid: id\r\n\r\n",
        body.len()
    );
    reader.into_inner().write_all(format!("{head}{body}").as_bytes()).ok()
}
