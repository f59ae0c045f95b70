use std::collections::BTreeSet;

use iam_boundaries::aws::{Account, LimiterOptions, Stop};
use iam_boundaries::iam::{PolicyArn, Principal, PrincipalKind, PrincipalName};
use iam_boundaries::inventory::{
    ApiError, CallOutcome, EveryPrincipalError, Inventory, PolicyState, Reading,
};

use super::loopback::{Answer, Loopback, ONCE};
use super::reports::inert;

/// The response to every request: the first byte selects the status, and the rest is the body.
pub fn answers(input: &[u8]) -> bool {
    let Some((&status, body)) = input.split_first() else { return false };
    let answer = Answer { status: status_of(status), body: body.to_vec() };
    thread_local!(static LOOPBACK: Loopback = Loopback::start());
    LOOPBACK.with(|iam| {
        let is_believed = iam.runtime.block_on(asked(iam, &answer));
        if let Some(body) = cut_short(body).filter(|_| is_believed) {
            let answer = Answer { body: body.to_vec(), ..answer };
            assert!(
                !iam.runtime.block_on(asked(iam, &answer)),
                "a truncated response is accepted: {answer:?}"
            );
        }
        is_believed
    })
}

/// A truncated XML document. `None` if the input does not end with a closing tag.
fn cut_short(body: &[u8]) -> Option<&[u8]> {
    let end = body.windows(2).rposition(|bytes| bytes == b"</")?;
    let tag = body[end + 2..].trim_ascii_end().strip_suffix(b">")?;
    // The position is arbitrary, but always the same for the same input.
    let sum: usize = body.iter().map(|&byte| usize::from(byte)).sum();
    tag.iter().all(u8::is_ascii_alphanumeric).then(|| &body[..sum % (end + 1)])
}

/// HTTP statuses of IAM and of proxies. The digit 0 selects the first one, and every byte selects one.
fn status_of(byte: u8) -> u16 {
    const STATUSES: [u16; 10] = [200, 400, 403, 404, 409, 429, 500, 503, 201, 302];
    STATUSES[usize::from(byte.wrapping_sub(b'0')) % STATUSES.len()]
}

/// Makes every call of the tool. Returns whether any response was accepted.
async fn asked(iam: &Loopback, answer: &Answer) -> bool {
    let told = Told::by(answer);
    let [alice, bob, carol] = ["alice", "bob", "carol"]
        .map(|name| Principal::user(name.parse().expect("the name is valid")));
    // A role with the name of a user.
    let deploy = Principal::role(alice.name.clone());
    let policy: PolicyArn =
        "arn:aws:iam::123456789012:policy/Developer".parse().expect("the ARN is valid");
    iam.denies(None);
    iam.says(answer.clone());
    let account = iam.account().await;

    let mut is_believed = false;
    for kind in PrincipalKind::ALL {
        let count = account.count_of(kind).await;
        is_believed |= told.result(&count);
        if let Ok(count) = count {
            assert!(told.words.contains(&count.to_string()), "no {count} in the response");
        }
    }
    for listed in
        [&[&alice][..], &[&deploy], &[&alice, &bob, &carol], &[&alice, &bob, &carol, &deploy]]
    {
        let snapshot = account.inventory(listed.iter().copied()).await;
        if let Ok(snapshot) = &snapshot {
            is_believed |= told.snapshot(snapshot, listed);
        } else {
            told.result(&snapshot);
        }
    }
    if let Ok(policies) = account.policies([&policy]).await.inspect_err(shown) {
        assert!(policies.keys().eq([&policy]));
        is_believed |= told.policy(&policies[&policy]);
    }
    is_believed |= told.everyone(&account).await;
    // Without permission for pages, the users are listed.
    iam.denies(Some("GetAccountAuthorizationDetails"));
    is_believed |= told.everyone(&account).await;
    iam.denies(None);

    let writer = account.writer(LimiterOptions { max_in_flight: 1, expected_calls: 2 }, None, ONCE);
    for (principal, to) in
        [(&alice, Some(&policy)), (&alice, None), (&deploy, Some(&policy)), (&deploy, None)]
    {
        match writer.write(principal, to, || true, &Stop::never(), |_| {}).await {
            CallOutcome::Applied { request_id, .. } => {
                told.something();
                inert(request_id.as_deref().unwrap_or_default());
                is_believed = true;
            }
            CallOutcome::Failed { error, may_be_done, .. } => {
                shown(&error);
                assert!(
                    may_be_done || answer.status >= 300,
                    "status {} is not a rejection",
                    answer.status
                );
            }
            CallOutcome::NotAttempted | CallOutcome::ThrottledUntilStop { .. } => {
                panic!("the call was not attempted")
            }
        }
    }
    is_believed
}

fn shown(error: &ApiError) {
    inert(&error.to_string());
}

/// The content of a response.
struct Told {
    status: u16,
    body: String,
    /// The body with its XML entities resolved.
    text: String,
    /// Every word that could be a name.
    words: BTreeSet<String>,
}

impl Told {
    fn by(answer: &Answer) -> Told {
        let body = String::from_utf8_lossy(&answer.body).into_owned();
        let text = resolved(&body);
        let is_name_char = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
        let words = text.split(|c| !is_name_char(c)).map(str::to_owned).collect();
        Told { status: answer.status, body, text, words }
    }

    /// Only a response with a success status is accepted.
    fn something(&self) {
        assert!(
            (200..300).contains(&self.status),
            "a response with status {} is accepted",
            self.status
        );
    }

    fn result<T>(&self, result: &Result<T, ApiError>) -> bool {
        match result {
            Ok(_) => self.something(),
            Err(error) => shown(error),
        }
        result.is_ok()
    }

    fn boundary(&self, user: &PrincipalName, boundary: Option<&PolicyArn>) {
        self.something();
        assert!(self.words.contains(user.as_str()), "{user} is not in {:?}", self.body);
        if let Some(arn) = boundary {
            assert!(self.text.contains(arn.as_str()), "{arn} is not in {:?}", self.body);
        }
    }

    /// Only a response that contains `NoSuchEntity` reports a missing entity.
    fn missing(&self) {
        assert!(self.text.contains("NoSuchEntity"), "no NoSuchEntity in {:?}", self.body);
        assert!(!(200..300).contains(&self.status), "status {} for a missing entity", self.status);
    }

    fn snapshot(&self, snapshot: &Inventory, listed: &[&Principal]) -> bool {
        let mut is_believed = false;
        for user in listed {
            match snapshot.reading(user) {
                Reading::Found { boundary, .. } | Reading::Unmodifiable { boundary, .. } => {
                    self.boundary(&user.name, boundary.as_ref());
                    is_believed = true;
                }
                Reading::NotFound { differs_by_case: Some(other) } => {
                    self.something();
                    assert!(*other != user.name && other.folded() == user.name.folded());
                    assert!(self.words.contains(other.as_str()));
                }
                Reading::NotFound { differs_by_case: None } => self.missing(),
                Reading::Unreadable(error) => shown(error),
            }
        }
        self.attributes(snapshot);
        let read: Vec<&Principal> = snapshot.iter().map(|(principal, _)| principal).collect();
        assert_eq!(read, listed, "only the listed users are read");
        is_believed
    }

    /// Only principals that exist have attributes, and each text of them is in the response and safe to display.
    fn attributes(&self, inventory: &Inventory) {
        for (principal, reading) in inventory.iter() {
            let attributes = inventory.attributes(principal);
            assert_eq!(attributes.is_some(), reading.unique_id().is_some(), "{principal}");
            let Some(attributes) = attributes else { continue };
            let tags = attributes.tags.iter().flat_map(|tag| [&tag.key, &tag.value]);
            let groups = attributes.groups.iter().flatten();
            for text in attributes.path.iter().chain(tags).chain(groups) {
                inert(text);
                let is_escaped = text.contains("\\u{");
                assert!(
                    is_escaped || self.text.contains(text.as_str()),
                    "{text} is not in the response"
                );
            }
            let mut keys = BTreeSet::new();
            assert!(attributes.tags.iter().all(|tag| keys.insert(tag.key.to_lowercase())));
            let is_role = principal.kind == PrincipalKind::Role;
            assert!(!is_role || attributes.groups.as_ref().is_some_and(Vec::is_empty));
        }
    }

    fn policy(&self, state: &PolicyState) -> bool {
        match state {
            PolicyState::Attachable | PolicyState::NotAttachable => self.something(),
            PolicyState::NoSuchPolicy => self.missing(),
            PolicyState::Unreadable(error) => shown(error),
        }
        matches!(state, PolicyState::Attachable | PolicyState::NotAttachable)
    }

    async fn everyone(&self, account: &Account) -> bool {
        let [user, role] = PrincipalKind::ALL;
        let mut is_believed = false;
        for kinds in [&[user][..], &[role], &[user, role]] {
            is_believed |= self.every_one_of(account, kinds).await;
        }
        is_believed
    }

    async fn every_one_of(&self, account: &Account, kinds: &[PrincipalKind]) -> bool {
        let kinds = kinds.iter().copied().collect();
        let read = account.whole_inventory(&kinds, []).await;
        if let Ok(inventory) = &read {
            assert!(kinds.iter().all(|&kind| inventory.is_whole(kind)));
            assert!(inventory.iter().all(|(principal, _)| kinds.contains(&principal.kind)));
            self.attributes(inventory);
        }
        match read.and_then(|inventory| inventory.every_principal()) {
            Ok(everyone) => {
                self.something();
                everyone.iter().for_each(|(user, has)| self.boundary(&user.name, has.as_ref()));
                true
            }
            Err(error) => {
                inert(&error.to_string());
                if let EveryPrincipalError::Call(error) = &error {
                    shown(error);
                }
                false
            }
        }
    }
}

/// The text with XML character references resolved.
fn resolved(text: &str) -> String {
    let mut resolved = String::new();
    let mut rest = text;
    while let Some((before, from)) = rest.split_once('&') {
        resolved.push_str(before);
        let found = from.split_once(';').and_then(|(name, after)| Some((reference(name)?, after)));
        rest = match found {
            Some((c, after)) => {
                resolved.push(c);
                after
            }
            None => {
                resolved.push('&');
                from
            }
        };
    }
    resolved + rest
}

fn reference(name: &str) -> Option<char> {
    let number = |digits, radix| u32::from_str_radix(digits, radix).ok().and_then(char::from_u32);
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => match name.strip_prefix("#x") {
            Some(hex) => number(hex, 16),
            None => number(name.strip_prefix('#')?, 10),
        },
    }
}
