use std::io;
use std::sync::{Arc, Mutex};

use iam_boundaries::aws::{Access, Account, Connection, RetryPolicy};
use iam_boundaries::sandbox::{ACCESS_KEY_ID, ACCOUNT, SECRET_ACCESS_KEY};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

/// The response of the server to every request.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
}

/// An IAM server in this process that returns a given response over a real socket.
pub struct Loopback {
    pub runtime: Runtime,
    url: String,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    answer: Mutex<Answer>,
    denied: Mutex<Option<&'static str>>,
}

impl Loopback {
    pub fn start() -> Loopback {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("a runtime");
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("the listener is bound"));
        let shared = Arc::new(Shared::default());
        runtime.spawn(serve(listener, shared.clone()));
        Loopback { runtime, url, shared }
    }

    /// An account with an empty cache and without retries.
    pub async fn account(&self) -> Account {
        let access = Access::Sandbox {
            endpoint_url: self.url.clone(),
            access_key_id: ACCESS_KEY_ID,
            secret_access_key: SECRET_ACCESS_KEY,
        };
        let account =
            Connection::open(&access).await.identify().await.expect("the response is valid");
        account.reading_with(ONCE)
    }

    pub fn says(&self, answer: Answer) {
        *self.shared.answer.lock().expect("the lock is not poisoned") = answer;
    }

    /// Denies `action` with `AccessDenied`, until the next call of this function.
    pub fn denies(&self, action: Option<&'static str>) {
        *self.shared.denied.lock().expect("the lock is not poisoned") = action;
    }
}

/// No call is retried.
pub const ONCE: RetryPolicy = RetryPolicy {
    attempts: 1,
    retry_for: std::time::Duration::ZERO,
    give_up_after: std::time::Duration::ZERO,
    first_wait: std::time::Duration::ZERO,
    longest_wait: std::time::Duration::ZERO,
};

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        // Each input has its own connection. At thousands of connections per second, ports in TIME_WAIT would
        // exhaust the range.
        let _ = stream.set_zero_linger();
        let shared = shared.clone();
        // An error means that the client closed the connection.
        tokio::spawn(async move { answer_all(stream, &shared).await });
    }
}

async fn answer_all(mut stream: TcpStream, shared: &Shared) -> io::Result<()> {
    let mut received = Vec::new();
    loop {
        let (length, action) = loop {
            if let Some(request) = request(&received) {
                break request;
            }
            if stream.read_buf(&mut received).await? == 0 {
                return Ok(());
            }
        };
        received.drain(..length);
        let Answer { status, body } = shared.to(&action);
        let mut answer = format!(
            "HTTP/1.1 {status} \r\nContent-Type: text/xml\r\nContent-Length: {}\r\n\r\n",
            body.len()
        )
        .into_bytes();
        answer.extend(body);
        stream.write_all(&answer).await?;
    }
}

/// The length and the action of the first request. `None` if the request is incomplete.
fn request(received: &[u8]) -> Option<(usize, String)> {
    let head = received.windows(4).position(|bytes| bytes == b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(&received[..head]).ok()?.to_ascii_lowercase();
    let body = text.lines().find_map(|line| line.strip_prefix("content-length:"))?;
    let end = head + body.trim().parse::<usize>().ok()?;
    let form = std::str::from_utf8(received.get(head..end)?).ok()?;
    let action = form.split('&').find_map(|field| field.strip_prefix("Action="))?;
    Some((end, action.to_owned()))
}

impl Shared {
    fn to(&self, action: &str) -> Answer {
        if action == "GetCallerIdentity" {
            let body = format!(
                "<GetCallerIdentityResponse><GetCallerIdentityResult>\
                 <Arn>arn:aws:iam::{ACCOUNT}:user/ops</Arn><Account>{ACCOUNT}</Account>\
                 </GetCallerIdentityResult></GetCallerIdentityResponse>"
            );
            return Answer { status: 200, body: body.into() };
        }
        if *self.denied.lock().expect("the lock is not poisoned") == Some(action) {
            let body = "<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>";
            return Answer { status: 403, body: body.into() };
        }
        self.answer.lock().expect("the lock is not poisoned").clone()
    }
}
