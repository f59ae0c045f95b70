use std::io;
use std::sync::{Arc, Mutex};

use iam_boundaries::aws::{Access, Account, Connection, RetryPolicy};
use iam_boundaries::sandbox::{ACCESS_KEY_ID, ACCOUNT, SECRET_ACCESS_KEY};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

/// What the server says, whatever it is asked.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
}

/// An IAM in this process that says what it is told to, over a real socket.
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
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        let shared = Arc::new(Shared::default());
        runtime.spawn(serve(listener, shared.clone()));
        Loopback { runtime, url, shared }
    }

    /// An account that nothing is known of yet, and whose calls are tried once.
    pub async fn account(&self) -> Account {
        let access = Access::Sandbox {
            endpoint_url: self.url.clone(),
            access_key_id: ACCESS_KEY_ID,
            secret_access_key: SECRET_ACCESS_KEY,
        };
        let account = Connection::open(&access).await.identify().await.expect("it is told");
        account.reading_with(ONCE)
    }

    pub fn says(&self, answer: Answer) {
        *self.shared.answer.lock().expect("nobody panics with it") = answer;
    }

    /// Answers `action` with `AccessDenied`, until another is named or none.
    pub fn denies(&self, action: Option<&'static str>) {
        *self.shared.denied.lock().expect("nobody panics with it") = action;
    }
}

/// No call waits for another attempt.
pub const ONCE: RetryPolicy = RetryPolicy {
    attempts: 1,
    give_up_after: std::time::Duration::ZERO,
    first_wait: std::time::Duration::ZERO,
    longest_wait: std::time::Duration::ZERO,
};

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        // Each input has a connection of its own: thousands a second would use up the ports, if the system
        // kept each for a while after its end.
        let _ = stream.set_zero_linger();
        let shared = shared.clone();
        // An error is the client's leaving.
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

/// The length of the first request, if it has come whole, and the action that it asks for.
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
        if *self.denied.lock().expect("nobody panics with it") == Some(action) {
            let body = "<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>";
            return Answer { status: 403, body: body.into() };
        }
        self.answer.lock().expect("nobody panics with it").clone()
    }
}
