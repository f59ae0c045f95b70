use std::collections::HashSet;

use crate::inventory::ApiError;

/// The token of the next page of a list with a `NextToken`, and those of the pages before it: no page may come twice.
#[derive(Debug)]
pub(super) struct PageTokens {
    action: &'static str,
    /// The maximum number of empty pages in a row.
    max_empty: usize,
    empty: usize,
    token: Option<String>,
    seen: HashSet<String>,
}

impl PageTokens {
    /// The tokens before the first page of a response to `action`.
    pub(super) fn new(action: &'static str, max_empty: usize) -> PageTokens {
        PageTokens { action, max_empty, empty: 0, token: None, seen: HashSet::new() }
    }

    /// The token of the next page; `None` for the first.
    pub(super) fn next(&self) -> Option<String> {
        self.token.clone()
    }

    /// Counts a page.
    ///
    /// # Errors
    /// If too many pages in a row are empty.
    pub(super) fn count(&mut self, is_empty: bool) -> Result<(), ApiError> {
        self.empty = if is_empty { self.empty + 1 } else { 0 };
        if self.empty > self.max_empty {
            let message = format!("more than {} pages in a row are empty", self.max_empty);
            return Err(ApiError::unreadable(self.action, &message));
        }
        Ok(())
    }

    /// Counts a page that `token` follows.
    ///
    /// # Errors
    /// If too many pages in a row are empty, or an earlier page had the token.
    pub(super) fn advance(&mut self, is_empty: bool, token: String) -> Result<(), ApiError> {
        self.count(is_empty)?;
        // An empty page can have the token of its own request: nothing was skipped.
        let is_same_page = is_empty && self.token.as_ref() == Some(&token);
        if !self.seen.insert(token.clone()) && !is_same_page {
            let message = "the response has a NextToken that an earlier one had";
            return Err(ApiError::unreadable(self.action, message));
        }
        self.token = Some(token);
        Ok(())
    }
}
