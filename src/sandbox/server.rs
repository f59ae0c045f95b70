use crate::iam::Printable;
use std::convert::Infallible;
use std::io;
use std::sync::Arc;

use futures::{StreamExt, stream};
use http_body_util::{BodyExt, Either, Full, Limited, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::fault::Fault;
use super::injector::Injection;
use super::page::Behavior;
use super::request::{ErrorResponse, Request};
use super::shared::Shared;
use super::{iam, state, sts, xml};

type HttpResponse = Response<ResponseBody>;
type ResponseBody = Either<Full<Bytes>, StreamBody<EndlessParts>>;
type EndlessParts = stream::Map<stream::Repeat<Bytes>, fn(Bytes) -> EndlessPart>;
type EndlessPart = Result<Frame<Bytes>, Infallible>;

/// The content of a response.
struct Content {
    status: u16,
    body: String,
}

/// Text that no XML parser accepts.
const GARBAGE: &str = "\u{fffd}\u{1}<<&\0 out of order";

/// In bytes. IAM's own limits on a request are much lower.
const MAX_BODY_SIZE: usize = 1 << 20;

/// Serves connections until the future is dropped.
pub(super) async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                // An error concerns one connection: the client has closed it, or there are too many.
                let Ok((stream, _)) = accepted else {
                    tokio::time::sleep(std::time::Duration::from_millis(10)).await;
                    continue;
                };
                let _ = stream.set_nodelay(true);
                let shared = shared.clone();
                connections.spawn(async move {
                    let service = service_fn(|request| handle(&shared, request));
                    // An error means that the client or an injected fault has closed the connection.
                    let _ = hyper::server::conn::http1::Builder::new()
                        .timer(TokioTimer::new())
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Handles a request. An error closes the connection.
async fn handle(
    shared: &Shared,
    http: hyper::Request<Incoming>,
) -> Result<HttpResponse, io::Error> {
    let request_id = request_id();
    let (head, body) = http.into_parts();
    let body = match Limited::new(body, MAX_BODY_SIZE).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) => return Err(io::Error::other(error)),
    };
    let authorization = head.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    // The time of arrival determines throttling, so the latency comes afterward.
    let request = Request::parse(authorization, &body).map(|request| {
        let is_admitted = shared.admit(&request.account, &request.action);
        (request, is_admitted)
    });
    if !shared.options.latency.is_zero() {
        tokio::time::sleep(shared.latency()).await;
    }
    let (request, is_admitted) = match request {
        Ok(request) => request,
        Err(error) => return Ok(http_response(failure(&error, &request_id), &request_id)),
    };
    let injection = if is_admitted { shared.inject(&request) } else { throttling() };
    let behavior = Behavior {
        page_size: shared.options.page_size,
        shift: if let Some(Fault::Shifted(users)) = injection.fault { users } else { 0 },
        staleness: injection.staleness.max(shared.options.staleness),
        lists_boundary_policies: shared.options.lists_boundary_policies,
        job_time: shared.options.job_time,
        job_fails: injection.fault == Some(Fault::JobFailed),
        started: shared.started,
        omits_boundaries: injection.fault == Some(Fault::WithoutBoundaries),
    };
    let execute = || execute(shared, &request, behavior, &request_id);
    let content = match injection.fault {
        None | Some(Fault::Shifted(_) | Fault::WithoutBoundaries | Fault::JobFailed) => execute(),
        Some(Fault::UserDeleted) => {
            if let Some((kind, name)) = request.principal() {
                shared.accounts().account(&request.account).remove(kind, name);
            }
            execute()
        }
        Some(Fault::Error { status, code, message }) => Content {
            status,
            body: xml::error(iam::NAMESPACE, status, &code, &message, &request_id),
        },
        Some(Fault::CutBefore) => return Err(io::Error::other("cut before")),
        Some(Fault::CutAfter) => {
            execute();
            return Err(io::Error::other("cut after"));
        }
        Some(Fault::Truncated) => {
            let mut content = execute();
            content.body.truncate(content.body.floor_char_boundary(content.body.len() / 2));
            content
        }
        Some(Fault::Garbage) => {
            execute();
            Content { status: 200, body: GARBAGE.to_owned() }
        }
        Some(Fault::Endless) => return Ok(endless(&request_id)),
        Some(Fault::EndlessPages) => {
            Content { status: 200, body: empty_page(&request.action, &request_id) }
        }
        Some(Fault::Response(body)) => Content { status: 200, body },
        Some(Fault::Slow(time)) => {
            let content = execute();
            tokio::time::sleep(time).await;
            content
        }
    };
    Ok(http_response(content, &request_id))
}

fn throttling() -> Injection {
    Injection { fault: Some(Fault::throttling()), ..Injection::default() }
}

fn execute(shared: &Shared, request: &Request, behavior: Behavior, request_id: &str) -> Content {
    let success = |namespace, result| Content {
        status: 200,
        body: xml::response(namespace, &request.action, result, request_id),
    };
    if request.action == "GetCallerIdentity" {
        let role = shared.assumed_role().clone();
        let identity = sts::get_caller_identity(request, role.as_deref());
        return success(sts::NAMESPACE, Some(identity));
    }
    let mut accounts = shared.accounts();
    let account = accounts.account(&request.account);
    let (result, may_have_changed) = iam::call(account, request, behavior);
    if may_have_changed
        && let Some(file) = &shared.options.state
        && let Err(error) = state::save(file, &accounts)
    {
        // The next run would not have a write that is not in the state file.
        let message =
            format!("cannot write the sandbox state file {}: {error}", Printable::path(file));
        return failure(&ErrorResponse::new(500, "ServiceFailure", message), request_id);
    }
    // Release the lock before formatting a long page.
    drop(accounts);
    match result {
        Ok(result) => success(iam::NAMESPACE, result),
        Err(error) => failure(&error, request_id),
    }
}

fn failure(error: &ErrorResponse, request_id: &str) -> Content {
    let body = xml::error(iam::NAMESPACE, error.status, error.code, &error.message, request_id);
    Content { status: error.status, body }
}

/// A page without users and roles. Its marker is new: the ID of the request.
fn empty_page(action: &str, request_id: &str) -> String {
    let page = vec![xml::text("IsTruncated", true), xml::text("Marker", request_id)];
    xml::response(iam::NAMESPACE, action, Some(page), request_id)
}

fn endless(request_id: &str) -> HttpResponse {
    let part = Bytes::from(vec![b' '; 64 << 10]);
    let as_frame: fn(Bytes) -> EndlessPart = |part| Ok(Frame::data(part));
    let body = StreamBody::new(stream::repeat(part).map(as_frame));
    respond(200, Either::Right(body), request_id)
}

fn http_response(Content { status, body }: Content, request_id: &str) -> HttpResponse {
    respond(status, Either::Left(Full::new(Bytes::from(body))), request_id)
}

fn respond(status: u16, body: ResponseBody, request_id: &str) -> HttpResponse {
    let mut response = Response::new(body);
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/xml"));
    if let Ok(id) = HeaderValue::from_str(request_id) {
        headers.insert("x-amzn-requestid", id);
    }
    response
}

/// A random request ID in the form that AWS uses.
fn request_id() -> String {
    uuid::Builder::from_random_bytes(fastrand::u128(..).to_be_bytes()).into_uuid().to_string()
}
