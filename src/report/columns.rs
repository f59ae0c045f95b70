use super::Paint;
use crate::plan::{BoundaryChange, Change, Plan};

/// How a missing boundary is written. No short name has parentheses in it.
const NONE: &str = "(none)";

/// A plan's changes as aligned lines: `+ user  from → to`.
pub(super) struct Columns {
    user: usize,
    from: usize,
    to: usize,
}

impl Columns {
    pub(super) fn of(plan: &Plan) -> Self {
        let widest = |text: fn(&Plan, &Change) -> usize| {
            plan.changes.iter().map(|change| text(plan, change)).max().unwrap_or_default()
        };
        Columns {
            user: widest(|_, change| change.user.as_str().len()),
            from: widest(|plan, change| from(plan, &change.action).len()),
            to: widest(|plan, change| to(plan, &change.action).len()),
        }
    }

    /// One change, without padding at its end.
    pub(super) fn line(&self, plan: &Plan, change: &Change, paint: Paint) -> String {
        let (from, to) = (from(plan, &change.action), to(plan, &change.action));
        let user = format!("{} {:width$}", change.action.sign(), change.user, width = self.user);
        let user = match change.action {
            BoundaryChange::Add { .. } => paint.good(user),
            BoundaryChange::Change { .. } => paint.careful(user),
            BoundaryChange::Remove { .. } => paint.bad(user),
        };
        format!("{user}  {from:width$} → {to}", width = self.from)
    }

    /// One change, padded so that what follows it is aligned.
    pub(super) fn padded(&self, plan: &Plan, change: &Change, paint: Paint) -> String {
        let missing = self.to - to(plan, &change.action).len();
        self.line(plan, change, paint) + &" ".repeat(missing)
    }
}

fn from<'a>(plan: &'a Plan, action: &'a BoundaryChange) -> &'a str {
    action.from().map_or(NONE, |arn| plan.name_of(arn))
}

fn to<'a>(plan: &'a Plan, action: &'a BoundaryChange) -> &'a str {
    action.to().map_or(NONE, |arn| plan.name_of(arn))
}
