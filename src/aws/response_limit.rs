use std::pin::Pin;
use std::task::{Context, Poll, ready};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_types::body::SdkBody;
use hyper::body::{Body, Bytes, Frame, SizeHint};

use super::bad_response::BadResponse;

/// The maximum size of the response to an action. The SDK reads a whole response into memory before it parses
/// it, and it sets no maximum itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct ResponseLimit {
    bytes: usize,
    size: &'static str,
    /// Start tags and end tags. A parsed element can take more memory than its text: `<member/>` is a user.
    tags: usize,
    elements: &'static str,
}

/// A page of 1,000 roles, each with all that the
/// [quotas](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html) allow: 10,240 characters
/// of inline policies and 4,096 of the trust policy, which its instance profile repeats (all percent-encoded), 50 tags
/// of 384 characters, and 20 managed policies with path and name (640 characters each). That is less than 96 KiB and
/// 700 tags for a role. A user has less.
const PAGE: ResponseLimit = ResponseLimit {
    bytes: 96 << 20,
    size: "96 MiB",
    tags: 1_000_000,
    elements: "500,000 elements",
};

/// A page of 50 events. The request parameters and the response elements of an event have at most 100 KB each
/// ([record contents](https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html)),
/// and the response has the event as a JSON text, in which each quotation mark takes two bytes.
const EVENTS: ResponseLimit = ResponseLimit {
    bytes: 32 << 20,
    size: "32 MiB",
    tags: 1_000_000,
    elements: "500,000 elements",
};

/// One user, role or policy (less than 96 KiB by the quotas of [`PAGE`]), the summary of an account, an identity,
/// or an error.
const SINGLE: ResponseLimit =
    ResponseLimit { bytes: 1 << 20, size: "1 MiB", tags: 20_000, elements: "10,000 elements" };

impl ResponseLimit {
    /// The limit for an action, by its name without the service.
    pub(super) fn of(action: &str) -> ResponseLimit {
        match action {
            "GetAccountAuthorizationDetails" | "ListUsers" | "ListRoles" => PAGE,
            "LookupEvents" => EVENTS,
            _ => SINGLE,
        }
    }

    /// The body, which ends with [`BadResponse::TooLarge`] where it exceeds the limit.
    pub(super) fn applied_to(self, body: SdkBody) -> SdkBody {
        SdkBody::from_body_1_x(Limited { body, left: self })
    }

    /// Takes a part of a body.
    fn take(&mut self, part: &[u8]) -> Result<(), BadResponse> {
        let tags = part.iter().filter(|&&byte| byte == b'<').count();
        self.bytes = self.bytes.checked_sub(part.len()).ok_or(BadResponse::TooLarge(self.size))?;
        self.tags = self.tags.checked_sub(tags).ok_or(BadResponse::TooLarge(self.elements))?;
        Ok(())
    }
}

struct Limited {
    body: SdkBody,
    /// What the rest of the body may have.
    left: ResponseLimit,
}

impl Body for Limited {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = match ready!(Pin::new(&mut self.body).poll_frame(context)) {
            Some(Ok(frame)) => frame,
            other => return Poll::Ready(other),
        };
        if let Some(data) = frame.data_ref()
            && let Err(error) = self.left.take(data)
        {
            return Poll::Ready(Some(Err(error.into())));
        }
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        Body::size_hint(&self.body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_of_the_maximum_size_is_accepted_and_one_more_byte_or_tag_is_not() {
        let mut left = SINGLE;
        let half = vec![b'x'; SINGLE.bytes / 2];
        assert_eq!((left.take(&half), left.take(&half)), (Ok(()), Ok(())));
        assert_eq!(left.take(b"x"), Err(BadResponse::TooLarge("1 MiB")));
        let mut left = SINGLE;
        assert_eq!(left.take("<a>".repeat(SINGLE.tags).as_bytes()), Ok(()));
        assert_eq!(left.take(b"<"), Err(BadResponse::TooLarge("10,000 elements")));
    }
}
