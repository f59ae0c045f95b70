use super::{counted, plural};
use crate::iam::Threshold;
use crate::plan::{AccountUsers, Bound, Excess, Overrides, Plan, Standard, Supervision, Violation};

/// What a plan's reader must know: that it will not be carried out as it is.
pub(super) struct Refused {
    /// Which command refuses.
    pub(super) by: &'static str,
    /// What is refused, each a sentence without a full stop.
    pub(super) why: Vec<String>,
    /// What allows it: a sentence without a full stop.
    pub(super) unless: String,
}

/// So many of one kind are named one by one.
const NAMED: usize = 10;

/// What the guard rails say of a plan, whoever carries it out.
pub(super) fn refused(plan: &Plan) -> Option<Refused> {
    let violations = |attendance| plan.violations(None, attendance, &Overrides::default());
    let attended = violations(Supervision::Attended);
    let (by, violations) = if attended.is_empty() {
        ("apply --auto-approve refuses this plan", violations(Supervision::Unattended))
    } else {
        ("apply refuses this plan", attended)
    };
    let told =
        || Refused { by, why: refusal(plan, &violations), unless: allowing(plan, &violations) };
    (!violations.is_empty()).then(told)
}

/// What guard rails refuse, each in a sentence without a full stop.
pub fn refusal(plan: &Plan, violations: &[Violation]) -> Vec<String> {
    let mut sentences: Vec<String> = Vec::new();
    let mut protected = Vec::new();
    for refusal in violations {
        match refusal {
            Violation::TooManyChanges(excess) => {
                sentences.push(too_many("change", "max_changes", excess));
            }
            Violation::TooManyRemovals(excess) => {
                sentences.push(too_many("removal", "max_removals", excess));
            }
            Violation::Protected { user, line, by } => protected.push(format!(
                "{user} ({}:{line}) is protected by {by:?}",
                plan.file,
                by = by.to_string()
            )),
            Violation::OwnBoundary { user, line } => sentences.push(format!(
                "{user} ({}:{line}) is the user whose credentials these are, and would change the own \
                 boundary",
                plan.file
            )),
        }
    }
    let more = protected.len().saturating_sub(NAMED);
    protected.truncate(NAMED);
    sentences.extend(protected);
    if more > 0 {
        sentences.push(format!(
            "{} more {} protected",
            counted(more, "user"),
            plural(more, "is", "are")
        ));
    }
    sentences
}

/// The words that allow what was refused, for this run.
pub fn allowing(plan: &Plan, violations: &[Violation]) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut protected = 0;
    for refusal in violations {
        match refusal {
            Violation::TooManyChanges(excess) => {
                words.push(format!("--max-changes {}", excess.count))
            }
            Violation::TooManyRemovals(excess) => {
                words.push(format!("--max-removals {}", excess.count));
            }
            Violation::Protected { user, .. } => {
                protected += 1;
                if protected <= NAMED {
                    words.push(format!("--allow-protected {user}"));
                }
            }
            Violation::OwnBoundary { .. } => words.push("--allow-own-boundary".to_owned()),
        }
    }
    let words = format!("If it is meant, allow it for this run with {}", words.join(" "));
    match plan.rolls_back {
        None => format!("{words}; or change [guard] in the file, and plan again"),
        Some(_) => words,
    }
}

fn too_many(noun: &str, key: &str, excess: &Excess) -> String {
    let Excess { count, allowed, limit, users } = excess;
    let nouns = counted(*count, noun);
    let verb = plural(*count, "is", "are");
    let users = match users {
        AccountUsers::Counted(users) => counted(*users, "user"),
        AccountUsers::AtLeast(users) => format!("{users} known users"),
    };
    match limit {
        Bound::Set(limit @ Threshold::Count(_)) => {
            format!("{nouns} {verb} more than {key} = {limit} allows")
        }
        Bound::Set(share) => format!(
            "{nouns} {verb} more than the {allowed} that {key} = \"{share}\" allows of the account's \
             {users}"
        ),
        Bound::Standard(Standard { count, share }) => format!(
            "{nouns} {verb} more than the {allowed} that an unattended run makes where nothing sets \
             {key}: {count}, or {share} of the account's {users}"
        ),
    }
}
