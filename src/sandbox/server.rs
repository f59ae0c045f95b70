use std::io;
use std::sync::Arc;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::iam::Manner;
use super::lot::Met;
use super::request::{ApiError, Request};
use super::{Fault, Shared, iam, state, sts, xml};

type Answer = Response<Full<Bytes>>;

/// What the server says, before it is HTTP.
struct Reply {
    status: u16,
    body: String,
}

/// What no XML parser takes.
const GARBAGE: &str = "\u{fffd}\u{1}<<&\0 out of order";

/// IAM's own limits on a request are far below this.
const LARGEST_BODY: usize = 1 << 20;

/// Answers until it is dropped, and its connections with it.
pub(super) async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                // An error is about that one connection (it is gone already, or there are too many).
                let Ok((stream, _)) = accepted else {
                    tokio::time::sleep(std::time::Duration::from_millis(10)).await;
                    continue;
                };
                let _ = stream.set_nodelay(true);
                let shared = shared.clone();
                connections.spawn(async move {
                    let answer = service_fn(|request| answer(&shared, request));
                    // Errors are the client's leaving, and the cuts that a fault asks for.
                    let _ = hyper::server::conn::http1::Builder::new()
                        .timer(TokioTimer::new())
                        .serve_connection(TokioIo::new(stream), answer)
                        .await;
                });
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// An error cuts the connection.
async fn answer(shared: &Shared, http: hyper::Request<Incoming>) -> Result<Answer, io::Error> {
    let request_id = request_id();
    let (head, body) = http.into_parts();
    let body = match Limited::new(body, LARGEST_BODY).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) => return Err(io::Error::other(error)),
    };
    let authorization = head.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    // Whether it comes too soon is a matter of when it comes, not of how long the answer takes.
    let request = Request::parse(authorization, &body).map(|request| {
        let is_throttled = shared.is_throttled(&request.account, &request.action);
        (request, is_throttled)
    });
    if !shared.options.latency.is_zero() {
        tokio::time::sleep(shared.options.latency).await;
    }
    let (request, is_throttled) = match request {
        Ok(request) => request,
        Err(error) => return Ok(response(failure(&error, &request_id), &request_id)),
    };
    let met = if is_throttled { throttled() } else { shared.met(&request) };
    let manner = Manner {
        page_size: shared.options.page_size,
        shift: if let Some(Fault::Shifted(users)) = met.fault { users } else { 0 },
        staleness: met.staleness.max(shared.options.staleness),
    };
    let done = || carry_out(shared, &request, manner, &request_id);
    let reply = match met.fault {
        None | Some(Fault::Shifted(_)) => done(),
        Some(Fault::UserDeleted) => {
            let name = request.get("UserName").unwrap_or_default();
            shared.accounts().account(&request.account).remove_user(name);
            done()
        }
        Some(Fault::Error { status, code, message }) => {
            Reply { status, body: xml::error(iam::NAMESPACE, status, &code, &message, &request_id) }
        }
        Some(Fault::CutBefore) => return Err(io::Error::other("cut before")),
        Some(Fault::CutAfter) => {
            done();
            return Err(io::Error::other("cut after"));
        }
        Some(Fault::Truncated) => {
            let mut reply = done();
            reply.body.truncate(reply.body.floor_char_boundary(reply.body.len() / 2));
            reply
        }
        Some(Fault::Garbage) => {
            done();
            Reply { status: 200, body: GARBAGE.to_owned() }
        }
        Some(Fault::Answer(body)) => Reply { status: 200, body },
        Some(Fault::Slow(time)) => {
            let reply = done();
            tokio::time::sleep(time).await;
            reply
        }
    };
    Ok(response(reply, &request_id))
}

fn throttled() -> Met {
    Met { fault: Some(Fault::throttling()), ..Met::default() }
}

fn carry_out(shared: &Shared, request: &Request, manner: Manner, request_id: &str) -> Reply {
    let answer = |namespace, result| Reply {
        status: 200,
        body: xml::answer(namespace, &request.action, result, request_id),
    };
    if request.action == "GetCallerIdentity" {
        return answer(sts::NAMESPACE, Some(sts::get_caller_identity(request)));
    }
    let mut accounts = shared.accounts();
    let account = accounts.account(&request.account);
    let (result, may_have_changed) = iam::call(account, request, manner);
    if may_have_changed
        && let Some(file) = &shared.options.state
        && let Err(error) = state::keep(file, &accounts)
    {
        // What would be forgotten must not look done.
        let message = format!("the sandbox cannot keep its state in {}: {error}", file.display());
        return failure(&ApiError::new(500, "ServiceFailure", message), request_id);
    }
    // Writing a long page down keeps no other call waiting.
    drop(accounts);
    match result {
        Ok(result) => answer(iam::NAMESPACE, result),
        Err(error) => failure(&error, request_id),
    }
}

fn failure(error: &ApiError, request_id: &str) -> Reply {
    let body = xml::error(iam::NAMESPACE, error.status, error.code, &error.message, request_id);
    Reply { status: error.status, body }
}

fn response(Reply { status, body }: Reply, request_id: &str) -> Answer {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/xml"));
    if let Ok(id) = HeaderValue::from_str(request_id) {
        headers.insert("x-amzn-requestid", id);
    }
    response
}

/// 128 random bits in the form of a UUID, as AWS's request ids are.
fn request_id() -> String {
    let bits = fastrand::u128(..);
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        (bits >> 96) as u32,
        (bits >> 80) as u16,
        (bits >> 64) as u16,
        (bits >> 48) as u16,
        bits & 0xffff_ffff_ffff
    )
}
