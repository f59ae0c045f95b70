use std::collections::BTreeMap;
use std::fmt;

use crate::iam::{Principal, Printable};

/// The comment behind an entry of a generated file: one line of text that is safe to display.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryComment(Printable);

/// The comments of the entries for these principals. Entries for others have none.
pub type Comments = BTreeMap<Principal, EntryComment>;

/// The length at which a comment with a path and tags ends, in characters, so that the line can still be read. A path
/// can have 512 characters, and each of 50 tags 384
/// ([quotas](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html)).
const MAX_LENGTH: usize = 100;

impl EntryComment {
    /// A comment with the path and the tags of a principal: `/engineering/ team=payments`. `None` for the path `/`
    /// without tags. Tags that make the comment too long are counted.
    pub fn of_attributes<'t>(
        path: Option<&Printable>,
        tags: impl IntoIterator<Item = (&'t Printable, &'t Printable)>,
    ) -> Option<Self> {
        let mut text = String::new();
        if let Some(path) = path.filter(|path| **path != "/") {
            text.push_str(&shortened(path));
        }
        let mut left = 0;
        for (key, value) in tags {
            let tag = format!("{}={}", word(key), word(value));
            let length = text.chars().count() + 1 + tag.chars().count();
            if left > 0 || length > MAX_LENGTH {
                left += 1;
                continue;
            }
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(&tag);
        }
        match left {
            0 => {}
            1 => text.push_str(" (1 more tag)"),
            more => text.push_str(&format!(" ({more} more tags)")),
        }
        Self::of_text(&text)
    }

    /// A comment with this text, whose line breaks become spaces. `None` for a text without visible characters.
    pub fn of_text(text: &str) -> Option<Self> {
        let text = Printable::new(text);
        (!text.is_empty()).then_some(EntryComment(text))
    }
}

impl fmt::Display for EntryComment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

fn shortened(path: &str) -> String {
    match path.char_indices().nth(MAX_LENGTH) {
        Some((cut, _)) => format!("{}…", &path[..cut]),
        None => path.to_owned(),
    }
}

/// The key or the value of a tag, in quotes where its end could not be seen.
fn word(text: &str) -> String {
    let is_plain =
        !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || "=\"".contains(c));
    if is_plain { text.to_owned() } else { format!("\"{text}\"") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comment(path: &str, tags: &[(&str, &str)]) -> Option<String> {
        let tags: Vec<(Printable, Printable)> =
            tags.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect();
        let tags = tags.iter().map(|(key, value)| (key, value));
        Some(EntryComment::of_attributes(Some(&path.into()), tags)?.to_string())
    }

    #[test]
    fn a_comment_has_the_path_and_the_tags_and_the_root_path_without_tags_has_none() {
        assert_eq!(comment("/", &[]), None);
        assert_eq!(EntryComment::of_attributes(None, []), None);
        assert_eq!(comment("/engineering/", &[]).unwrap(), "/engineering/");
        let tags = [("team", "payments"), ("Cost Center", ""), ("a=b", "c")];
        assert_eq!(comment("/", &tags).unwrap(), "team=payments \"Cost Center\"=\"\" \"a=b\"=c");
        assert_eq!(comment("/a/", &tags[..1]).unwrap(), "/a/ team=payments");
    }

    #[test]
    fn a_comment_is_one_line_of_limited_length_without_control_characters() {
        let hostile = comment("/a/", &[("k\nevil = false", "\u{1b}[31m\r\n\u{202e}")]).unwrap();
        assert_eq!(hostile, "/a/ \"k evil = false\"=\"\\u{1b}[31m  \\u{202e}\"");
        assert!(!hostile.contains(char::is_control), "{hostile:?}");
        let long = "v".repeat(60);
        let tags = [("a", &*long), ("b", &*long), ("c", "short")];
        let shown = comment("/p/", &tags).unwrap();
        assert_eq!(shown, format!("/p/ a={long} (2 more tags)"));
        let path = comment(&format!("/{}/", "p".repeat(300)), &[("a", "b")]).unwrap();
        assert!(path.ends_with("… (1 more tag)") && path.chars().count() < 120, "{path}");
    }
}
