use std::convert::Infallible;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::SystemTime;

use futures::{StreamExt, stream};
use http_body_util::{BodyExt, Either, Full, Limited, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::account_ids::ACCOUNT;
use super::action::is_write;
use super::checks::ActionResult;
use super::content::Content;
use super::fault::Fault;
use super::localizer::Localizer;
use super::page::Behavior;
use super::request::{ErrorResponse, Headers, Protocol, Request};
use super::shared::Shared;
use super::{cloudtrail, iam, organizations, state, sts, trail};
use crate::iam::{AccountId, Printable};

type HttpResponse = Response<ResponseBody>;
type ResponseBody = Either<Full<Bytes>, StreamBody<EndlessParts>>;
type EndlessParts = stream::Map<stream::Repeat<Bytes>, fn(Bytes) -> EndlessPart>;
type EndlessPart = Result<Frame<Bytes>, Infallible>;

/// Text that no XML or JSON parser accepts.
const GARBAGE: &str = "\u{fffd}\u{1}<<&\0 out of order";

const PROXY_PAGE: &str = "<html><body>The proxy cannot show this page.</body></html>";

/// In bytes. IAM's own limits on a request are much lower.
const MAX_BODY_SIZE: usize = 1 << 20;

/// Serves connections until the future is dropped.
pub(super) async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                // An error concerns one connection: the client has closed it, or there are too many.
                let Ok((stream, client)) = accepted else {
                    tokio::time::sleep(std::time::Duration::from_millis(10)).await;
                    continue;
                };
                let _ = stream.set_nodelay(true);
                let shared = shared.clone();
                connections.spawn(async move {
                    let service = service_fn(|request| handle(&shared, request, client.ip()));
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
    client: IpAddr,
) -> Result<HttpResponse, io::Error> {
    let request_id = request_id();
    let (head, body) = http.into_parts();
    let body = match Limited::new(body, MAX_BODY_SIZE).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) => return Err(io::Error::other(error)),
    };
    let header = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
    let headers = Headers {
        authorization: header("authorization"),
        session_token: header("x-amz-security-token"),
        target: header("x-amz-target"),
        user_agent: header("user-agent"),
        address: Some(client),
    };
    let protocol = headers.protocol();
    // The time of arrival determines throttling, so the latency comes afterward.
    let request = Request::parse(&headers, &body).map(|request| {
        let admitted = shared.admit(&request);
        (request, admitted)
    });
    if !shared.options.latency.is_zero() {
        tokio::time::sleep(shared.latency()).await;
    }
    let failure = |action: &str, error: &ErrorResponse| {
        http_response(Content::failure(protocol, action, error, &request_id), &request_id)
    };
    let request = match request {
        Ok((request, Ok(()))) => request,
        Ok((request, Err(error))) => return Ok(failure(&request.action, &error)),
        Err(error) => return Ok(failure("", &error)),
    };
    let injection = shared.inject(&request);
    let behavior = Behavior {
        page_size: shared.options.page_size,
        shift: if let Some(Fault::Shifted(users)) = injection.fault { users } else { 0 },
        staleness: injection.staleness.max(shared.options.staleness),
        lists_boundary_policies: shared.options.lists_boundary_policies,
        job_time: shared.options.job_time,
        job_fails: injection.fault == Some(Fault::JobFailed),
        started: shared.started,
        omits_boundaries: injection.fault == Some(Fault::WithoutBoundaries),
        identity: match injection.fault {
            Some(Fault::OtherIdentity(account)) => Some(account),
            _ => None,
        },
        session_time: match injection.fault {
            Some(Fault::SessionTime(time)) => Some(time),
            _ => shared.options.session_time,
        },
        is_empty_page: injection.fault == Some(Fault::EmptyPage),
    };
    let execute = || execute(shared, &request, behavior, &request_id);
    let content = match injection.fault {
        None
        | Some(
            Fault::Shifted(_)
            | Fault::WithoutBoundaries
            | Fault::JobFailed
            | Fault::OtherIdentity(_)
            | Fault::SessionTime(_)
            | Fault::EmptyPage,
        ) => execute(),
        Some(Fault::UserDeleted) => {
            if let Some((kind, name)) = request.principal() {
                shared.accounts().account(&request.account).remove(kind, name);
            }
            execute()
        }
        Some(Fault::Error { status, code, message }) => {
            let error = (status, code.as_str(), message.as_str());
            Content::error(protocol, &request.action, error, &request_id)
        }
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
            Content::of_body(protocol, GARBAGE.to_owned())
        }
        Some(Fault::Replaced(status)) => {
            execute();
            Content { status, ..Content::of_body(protocol, PROXY_PAGE.to_owned()) }
        }
        Some(Fault::Endless) => return Ok(endless(&request_id)),
        Some(Fault::EndlessPages) => Content::empty_page(protocol, &request.action, &request_id),
        Some(Fault::Response(body)) => Content::of_body(protocol, body),
        Some(Fault::Slow(time)) => {
            let content = execute();
            tokio::time::sleep(time).await;
            content
        }
    };
    Ok(http_response(content, &request_id))
}

fn execute(shared: &Shared, request: &Request, behavior: Behavior, request_id: &str) -> Content {
    let action = request.action.as_str();
    let failure =
        |error: &ErrorResponse| Content::failure(request.protocol, action, error, request_id);
    if request.protocol == Protocol::Json {
        let result = match action {
            trail::LOOKUP => {
                cloudtrail::lookup(shared.accounts().read(&request.account), request, behavior)
            }
            _ => organizations::call(shared.organization().as_ref(), request, behavior),
        };
        return result.map_or_else(|error| failure(&error), |result| Content::json(&result));
    }
    let role = || shared.assumed_role().clone();
    let result = match action {
        "GetCallerIdentity" => Ok(Some(sts::get_caller_identity(
            request,
            role().as_deref(),
            behavior.identity.as_ref().map_or(&request.account, AccountId::as_str),
        ))),
        "AssumeRole" => sts::assume_role(
            request,
            role().as_deref(),
            |account| shared.is_usable(account),
            behavior.session_time,
            SystemTime::now(),
        ),
        _ => return call_iam(shared, request, behavior, request_id),
    };
    match result {
        Ok(result) => Content::xml(action, result, request_id),
        Err(error) => failure(&error),
    }
}

/// Executes an action of IAM in [`ACCOUNT`](super::ACCOUNT)'s terms, and translates the response.
fn call_iam(shared: &Shared, request: &Request, behavior: Behavior, request_id: &str) -> Content {
    let localizer = Localizer::new(&request.account);
    let local = request.localized(ACCOUNT, |value| localizer.swap(value.to_owned()));
    let format = |result: ActionResult| match result {
        Ok(result) => Content::xml(&local.action, result, request_id),
        Err(error) => Content::failure(local.protocol, &local.action, &error, request_id),
    };
    let content = if iam::needs_own_content(&request.action) {
        format(write(shared, request, &local, behavior, request_id))
    } else {
        let accounts = shared.accounts();
        match accounts.shared(&request.account).cloned() {
            None => {
                let result = iam::read(accounts.read(&request.account), &local, behavior);
                // Release the lock before formatting a long page.
                drop(accounts);
                format(result)
            }
            Some(common) => {
                let has_template = accounts.exists(&request.account) && behavior.is_regular();
                drop(accounts);
                let templates = has_template.then_some(&shared.templates);
                if let Some(template) = templates.and_then(|it| it.get(&local)) {
                    return template.content(&localizer, request_id);
                }
                let content = format(iam::read(&common, &local, behavior));
                if let Some(templates) = templates {
                    templates.keep(&local, &content, request_id);
                }
                content
            }
        }
    };
    Content { body: localizer.swap(content.body), ..content }
}

/// The caller formats the result, after the accounts are unlocked.
///
/// `local` is the request in the terms of [`ACCOUNT`](super::ACCOUNT).
fn write(
    shared: &Shared,
    request: &Request,
    local: &Request,
    behavior: Behavior,
    request_id: &str,
) -> ActionResult {
    let role = shared.assumed_role().clone();
    let mut accounts = shared.accounts();
    let account = accounts.account(&request.account);
    let result = iam::write(account, local, behavior);
    if cloudtrail::is_recorded(&request.action) {
        cloudtrail::record(account, request, role.as_deref(), &result, request_id);
    }
    if is_write(&request.action)
        && let Some(file) = &shared.options.state
        && let Err(error) = state::save(file, &accounts)
    {
        // The next run would not have a write that is not in the state file.
        let message =
            format!("cannot write the sandbox state file {}: {error}", Printable::path(file));
        return Err(ErrorResponse::new(500, "ServiceFailure", message));
    }
    result
}

fn endless(request_id: &str) -> HttpResponse {
    let part = Bytes::from(vec![b' '; 64 << 10]);
    let as_frame: fn(Bytes) -> EndlessPart = |part| Ok(Frame::data(part));
    let body = StreamBody::new(stream::repeat(part).map(as_frame));
    respond(200, Protocol::Query, Either::Right(body), request_id)
}

fn http_response(Content { status, protocol, body }: Content, request_id: &str) -> HttpResponse {
    respond(status, protocol, Either::Left(Full::new(Bytes::from(body))), request_id)
}

fn respond(status: u16, protocol: Protocol, body: ResponseBody, request_id: &str) -> HttpResponse {
    let mut response = Response::new(body);
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    let content_type = match protocol {
        Protocol::Query => "text/xml",
        Protocol::Json => "application/x-amz-json-1.1",
    };
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    if let Ok(id) = HeaderValue::from_str(request_id) {
        headers.insert("x-amzn-requestid", id);
    }
    response
}

/// A random request ID in the form that AWS uses.
fn request_id() -> String {
    uuid::Builder::from_random_bytes(fastrand::u128(..).to_be_bytes()).into_uuid().to_string()
}
