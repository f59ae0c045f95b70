use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::content::Content;
use super::localizer::{Localizer, Positions, text_of};
use super::request::Request;

/// A response for [`ACCOUNT`](super::ACCOUNT), from which those of the accounts with the same content are made.
pub(super) struct Template {
    content: Content,
    positions: Positions,
    /// The position of the request ID.
    request_id: Option<usize>,
}

impl Template {
    fn new(content: &Content, request_id: &str) -> Self {
        let Content { status, protocol, body } = content;
        let content = Content { status: *status, protocol: *protocol, body: body.clone() };
        let positions = Positions::of(body);
        Template { content, positions, request_id: body.rfind(request_id) }
    }

    /// The response for an account. All request IDs have the same length.
    pub(super) fn content(&self, localizer: &Localizer<'_>, request_id: &str) -> Content {
        let Content { status, protocol, body } = &self.content;
        let mut bytes = body.as_bytes().to_vec();
        localizer.localize(&mut bytes, &self.positions);
        if let Some(at) = self.request_id {
            bytes[at..at + request_id.len()].copy_from_slice(request_id.as_bytes());
        }
        Content { status: *status, protocol: *protocol, body: text_of(bytes) }
    }
}

/// The templates of long responses from the content of the seed, which never changes.
#[derive(Default)]
pub(super) struct Templates(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    /// By [`key`].
    templates: HashMap<String, Arc<Template>>,
    /// The length of all bodies, in bytes.
    length: usize,
}

/// The length of a body from which a template is kept, in bytes.
const MIN_LENGTH: usize = 16 << 10;

/// The maximum length of all bodies, in bytes. An account with 5,000 users and 1,000 roles has pages of 6 MB.
const MAX_LENGTH: usize = 64 << 20;

impl Templates {
    pub(super) fn get(&self, request: &Request) -> Option<Arc<Template>> {
        self.kept().templates.get(&key(request)).cloned()
    }

    /// Keeps the template of a long response to the request.
    pub(super) fn keep(&self, request: &Request, content: &Content, request_id: &str) {
        let length = content.body.len();
        let mut kept = self.kept();
        if length >= MIN_LENGTH && kept.length + length <= MAX_LENGTH {
            let template = Arc::new(Template::new(content, request_id));
            let replaced = kept.templates.insert(key(request), template);
            kept.length += length - replaced.map_or(0, |it| it.content.body.len());
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// All that a response from the content of the seed depends on.
fn key(request: &Request) -> String {
    format!("{} {} {:?}", request.partition, request.action, request.parameters())
}
