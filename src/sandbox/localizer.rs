use super::account_ids::ACCOUNT;
use super::unique_id::{self, PREFIXES};

/// Translates text between an account and [`ACCOUNT`], by which the sandbox keeps the content of every account. It
/// exchanges the two account IDs, and the unique IDs in responses. Texts of both have the same length.
#[derive(Debug)]
pub(super) struct Localizer<'a> {
    account: &'a str,
}

/// The positions of what depends on the account.
#[derive(Debug)]
pub(super) struct Positions {
    account_ids: Vec<usize>,
    unique_ids: Vec<usize>,
}

impl Positions {
    /// Those in a text of [`ACCOUNT`].
    pub(super) fn of(text: &str) -> Positions {
        let account_ids = text.match_indices(ACCOUNT).map(|(at, _)| at).collect();
        // A unique ID is the text of an element, such as `<UserId>`. Other text has no `>`.
        let unique_ids = text.match_indices("Id>").map(|(at, tag)| at + tag.len());
        let has_prefix = |at: &usize| PREFIXES.iter().any(|it| text[*at..].starts_with(it));
        Positions { account_ids, unique_ids: unique_ids.filter(has_prefix).collect() }
    }
}

impl Localizer<'_> {
    pub(super) fn new(account: &str) -> Localizer<'_> {
        Localizer { account }
    }

    /// The text for the other account. Twice, it is the text again.
    pub(super) fn swap(&self, text: String) -> String {
        if self.account == ACCOUNT {
            return text;
        }
        let positions = Positions::of(&text);
        let others: Vec<usize> = text.match_indices(self.account).map(|(at, _)| at).collect();
        let mut bytes = text.into_bytes();
        self.localize(&mut bytes, &positions);
        others.into_iter().for_each(|at| overwrite(&mut bytes, at, ACCOUNT));
        text_of(bytes)
    }

    /// Replaces what depends on the account in a text of [`ACCOUNT`].
    pub(super) fn localize(
        &self,
        bytes: &mut [u8],
        Positions { account_ids, unique_ids }: &Positions,
    ) {
        if self.account == ACCOUNT {
            return;
        }
        account_ids.iter().for_each(|at| overwrite(bytes, *at, self.account));
        unique_ids.iter().for_each(|at| unique_id::exchange(&mut bytes[*at..], self.account));
    }
}

/// The text of bytes in which ASCII text was written over ASCII text.
pub(super) fn text_of(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).expect("the bytes are a text")
}

fn overwrite(bytes: &mut [u8], at: usize, with: &str) {
    bytes[at..at + with.len()].copy_from_slice(with.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::iam::PrincipalKind;

    #[test]
    fn the_ids_of_two_accounts_are_exchanged_and_twice_gives_the_same_text() {
        let other = "200000000007";
        let [home_id, other_id] =
            [ACCOUNT, other].map(|it| unique_id::of(PrincipalKind::Role, it, "deploy", 2));
        let text = format!("é {ACCOUNT} {other} <RoleId>{home_id}</RoleId> {home_id} Id>AID");
        let swapped = Localizer::new(other).swap(text.clone());
        let expected = format!("é {other} {ACCOUNT} <RoleId>{other_id}</RoleId> {home_id} Id>AID");
        assert_eq!(swapped, expected);
        assert_eq!(Localizer::new(other).swap(swapped), text);
        assert_eq!(Localizer::new(ACCOUNT).swap(text.clone()), text);
    }
}
