use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;

/// An API action that the sandbox supports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Action(&'static str);

/// The text is not the name of an [`Action`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown action `{name}`; the most similar actions of the sandbox are {}", most_similar(name).join(", "))]
pub struct UnknownAction {
    name: String,
}

/// The names of three actions.
fn most_similar(name: &str) -> [&'static str; 3] {
    let distance = |action: &Action| {
        let is_other_word = !action.0.to_lowercase().starts_with(&name.to_lowercase());
        (is_other_word, strsim::damerau_levenshtein(action.0, name))
    };
    let mut actions = Action::ALL;
    actions.sort_by_cached_key(distance);
    [actions[0].0, actions[1].0, actions[2].0]
}

impl Action {
    /// An action of STS.
    pub const GET_CALLER_IDENTITY: Action = Action("GetCallerIdentity");
    /// An action of STS.
    pub const ASSUME_ROLE: Action = Action("AssumeRole");

    /// The actions of AWS Organizations, ordered by name.
    pub const ORGANIZATIONS: [Action; 7] = [
        Action("DescribeAccount"),
        Action("DescribeOrganization"),
        Action("ListAccounts"),
        Action("ListAccountsForParent"),
        Action("ListOrganizationalUnitsForParent"),
        Action("ListParents"),
        Action("ListRoots"),
    ];

    /// All actions, ordered by name.
    pub const ALL: [Action; 62] = [
        Action("AddUserToGroup"),
        Action::ASSUME_ROLE,
        Action("AttachGroupPolicy"),
        Action("AttachRolePolicy"),
        Action("AttachUserPolicy"),
        Action("CreateGroup"),
        Action("CreatePolicy"),
        Action("CreatePolicyVersion"),
        Action("CreateRole"),
        Action("CreateUser"),
        Action("DeleteGroupPolicy"),
        Action("DeletePolicy"),
        Action("DeletePolicyVersion"),
        Action("DeleteRole"),
        Action("DeleteRolePermissionsBoundary"),
        Action("DeleteRolePolicy"),
        Action("DeleteUser"),
        Action("DeleteUserPermissionsBoundary"),
        Action("DeleteUserPolicy"),
        Action("DescribeAccount"),
        Action("DescribeOrganization"),
        Action("DetachGroupPolicy"),
        Action("DetachRolePolicy"),
        Action("DetachUserPolicy"),
        Action("GenerateServiceLastAccessedDetails"),
        Action("GetAccountAuthorizationDetails"),
        Action("GetAccountSummary"),
        Action::GET_CALLER_IDENTITY,
        Action("GetGroupPolicy"),
        Action("GetPolicy"),
        Action("GetPolicyVersion"),
        Action("GetRole"),
        Action("GetRolePolicy"),
        Action("GetServiceLastAccessedDetails"),
        Action("GetUser"),
        Action("GetUserPolicy"),
        Action("ListAccountAliases"),
        Action("ListAccounts"),
        Action("ListAccountsForParent"),
        Action("ListAttachedGroupPolicies"),
        Action("ListAttachedRolePolicies"),
        Action("ListAttachedUserPolicies"),
        Action("ListGroupPolicies"),
        Action("ListOrganizationalUnitsForParent"),
        Action("ListParents"),
        Action("ListPolicyVersions"),
        Action("ListRolePolicies"),
        Action("ListRoles"),
        Action("ListRoots"),
        Action("ListUserPolicies"),
        Action("ListUsers"),
        Action("LookupEvents"),
        Action("PutGroupPolicy"),
        Action("PutRolePermissionsBoundary"),
        Action("PutRolePolicy"),
        Action("PutUserPermissionsBoundary"),
        Action("PutUserPolicy"),
        Action("SetDefaultPolicyVersion"),
        Action("TagRole"),
        Action("TagUser"),
        Action("UntagRole"),
        Action("UntagUser"),
    ];

    pub(super) fn name(self) -> &'static str {
        self.0
    }
}

/// Whether an action belongs to STS. It is exempt from random faults and from the rate limit of all actions.
pub(super) fn is_exempt(action: &str) -> bool {
    [Action::GET_CALLER_IDENTITY, Action::ASSUME_ROLE].iter().any(|it| it.name() == action)
}

/// Whether an action changes the account. The other actions are named like the verbs.
pub(super) fn is_write(action: &str) -> bool {
    let verbs = ["Assume", "Describe", "Generate", "Get", "List", "Lookup"];
    let is_read = verbs.iter().any(|verb| action.starts_with(verb));
    !is_read && action.parse::<Action>().is_ok()
}

impl FromStr for Action {
    type Err = UnknownAction;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let known = Action::ALL.into_iter().find(|action| action.0 == name);
        known.ok_or_else(|| UnknownAction { name: name.to_owned() })
    }
}

impl Borrow<str> for Action {
    fn borrow(&self) -> &str {
        self.0
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0)
    }
}
