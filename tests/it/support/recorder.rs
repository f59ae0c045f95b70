//! A server between the tool and the sandbox that records the calls as IAM evaluates them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};

use iam_boundaries::sandbox::{ACCOUNT, Sandbox};

use super::http::{Reply, Request, Server};
use super::policy::Call;

/// A call, and whether a session of a role made it.
type Recorded = (bool, Call);

pub struct Recorder {
    server: Server,
    calls: Arc<Mutex<BTreeSet<Recorded>>>,
}

impl Recorder {
    /// Records the calls to the sandbox. `paths` are the paths of users and roles, such as `user/alice`, that have one.
    pub fn start(sandbox: &Sandbox, paths: &[(&str, &str)]) -> Recorder {
        let paths: HashMap<String, String> =
            paths.iter().map(|(name, path)| ((*name).into(), (*path).into())).collect();
        let calls: Arc<Mutex<BTreeSet<Recorded>>> = Arc::default();
        let (address, seen) = (sandbox.address(), calls.clone());
        let sessions = Mutex::new(HashMap::new());
        let server = Server::start(move |request| {
            let account = account_of(request, &sessions);
            // Before the call changes what it is about.
            let call = call(request, &account, &paths, address);
            let (status, body) = forward(address, request, &request.body);
            if let Some(call) = call {
                let is_session = request.headers.contains_key("x-amz-security-token");
                seen.lock().unwrap().insert((is_session, call));
            }
            if request.action() == "AssumeRole" && status == 200 {
                let account = request.get("RoleArn").unwrap().split(':').nth(4).unwrap();
                sessions.lock().unwrap().insert(element(&body, "AccessKeyId"), account.to_owned());
            }
            Reply::Response(status, String::new(), body)
        });
        Recorder { server, calls }
    }

    pub fn url(&self) -> String {
        self.server.url()
    }

    /// The calls that sessions of a role made, or all others.
    pub fn take(&self, of_sessions: bool) -> Vec<Call> {
        let mut calls = self.calls.lock().unwrap();
        let taken = calls.extract_if(.., |(is_session, _)| *is_session == of_sessions);
        taken.map(|(_, call)| call).collect()
    }
}

/// The account of the credentials.
fn account_of(request: &Request, sessions: &Mutex<HashMap<String, String>>) -> String {
    let authorization = &request.headers["authorization"];
    let (_, key) = authorization.split_once("Credential=").unwrap();
    let key = key.split('/').next().unwrap();
    sessions.lock().unwrap().get(key).cloned().unwrap_or_else(|| ACCOUNT.to_owned())
}

/// The call, unless it needs no permission.
fn call(
    request: &Request,
    account: &str,
    paths: &HashMap<String, String>,
    sandbox: SocketAddr,
) -> Option<Call> {
    if let Some(target) = request.headers.get("x-amz-target") {
        let action = target.split('.').next_back().unwrap();
        if target.contains("CloudTrail") {
            return Some(Call::new(&format!("cloudtrail:{action}"), "*"));
        }
        let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
        let resource = match body["ParentId"].as_str() {
            Some(root) if root.starts_with("r-") => format!("root/o-sandbox/{root}"),
            Some(unit) => format!("ou/o-sandbox/{unit}"),
            None => return Some(Call::new(&format!("organizations:{action}"), "*")),
        };
        let arn = format!("arn:aws:organizations::{ACCOUNT}:{resource}");
        return Some(Call::new(&format!("organizations:{action}"), &arn));
    }
    let action = request.action();
    let arn = |kind: &str, name: &str| {
        let principal = format!("{kind}/{name}");
        let path = paths.get(&principal).map_or("/", String::as_str);
        format!("arn:aws:iam::{account}:{kind}{path}{name}")
    };
    let resource = match action {
        "GetCallerIdentity" => return None,
        "AssumeRole" => return Some(Call::new("sts:AssumeRole", request.get("RoleArn")?)),
        "GetPolicy" | "GetPolicyVersion" => request.get("PolicyArn")?.to_owned(),
        "GenerateServiceLastAccessedDetails" => request.get("Arn")?.to_owned(),
        _ => match (request.get("UserName"), request.get("RoleName")) {
            (Some(user), _) => arn("user", user),
            (None, Some(role)) => arn("role", role),
            (None, None) => "*".to_owned(),
        },
    };
    let call = Call::new(&format!("iam:{action}"), &resource);
    let boundary = match action.strip_prefix("Delete") {
        // The key has the boundary that the principal has.
        Some(_) => {
            let name = if action.contains("User") { "UserName" } else { "RoleName" };
            let get = if action.contains("User") { "GetUser" } else { "GetRole" };
            let form = format!("Action={get}&Version=2010-05-08&{name}={}", request.get(name)?);
            Some(element(&forward(sandbox, request, form.as_bytes()).1, "PermissionsBoundaryArn"))
        }
        None => request.get("PermissionsBoundary").map(str::to_owned),
    };
    Some(match boundary.filter(|it| !it.is_empty()) {
        Some(boundary) => call.with("iam:PermissionsBoundary", &boundary),
        None => call,
    })
}

/// The response of the sandbox to a request with this body.
pub fn forward(sandbox: SocketAddr, request: &Request, body: &[u8]) -> (u16, String) {
    let left_out = ["connection", "content-length", "host", "accept-encoding"];
    let headers: BTreeMap<_, _> =
        request.headers.iter().filter(|(name, _)| !left_out.contains(&name.as_str())).collect();
    let mut head = format!("{}\r\nhost: {sandbox}\r\nconnection: close\r\n", request.line);
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    head += &format!("content-length: {}\r\n\r\n", body.len());
    let mut stream = TcpStream::connect(sandbox).unwrap();
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body).unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    let (head, body) = response.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

/// The text of the first element with this name; empty if there is none.
fn element(xml: &str, name: &str) -> String {
    let start = format!("<{name}>");
    let rest = xml.split_once(&start).map_or("", |(_, rest)| rest);
    rest.split('<').next().unwrap().to_owned()
}
