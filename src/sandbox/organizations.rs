//! The actions of AWS Organizations.

use serde_json::{Value, json};

use super::account_ids::ACCOUNT;
use super::organization::{MemberAccount, Organization, ROOT_ID};
use super::page::Behavior;
use super::request::{ErrorResponse, Request};
use super::trail::LOOKUP;

/// The result of an action: a JSON object.
pub(super) type JsonResult = Result<Value, ErrorResponse>;

const ORGANIZATION_ID: &str = "o-sandbox0001";

/// The maximum number of items on a page, which is also the default
/// (<https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListAccounts.html>).
const MAX_RESULTS: usize = 20;

/// When all accounts joined: the creation date of users and roles, in seconds since the Unix epoch.
const JOINED: u64 = 1_732_406_400;

/// Executes an action. Only the management account has access, except to `DescribeOrganization`
/// (<https://docs.aws.amazon.com/organizations/latest/APIReference/API_DescribeOrganization.html>).
pub(super) fn call(
    organization: Option<&Organization>,
    request: &Request,
    behavior: Behavior,
) -> JsonResult {
    let action = request.action.as_str();
    let organization = organization.ok_or_else(|| {
        let message = "Your account is not a member of an organization.";
        ErrorResponse::new(400, "AWSOrganizationsNotInUseException", message)
    })?;
    if request.account != ACCOUNT && action != "DescribeOrganization" {
        let message = "You don't have permissions to access this resource.";
        return Err(ErrorResponse::new(400, "AccessDeniedException", message));
    }
    let service = Service { organization, request, behavior };
    match action {
        "DescribeOrganization" => Ok(service.describe_organization()),
        "ListRoots" => service.list_roots(),
        "ListOrganizationalUnitsForParent" => service.list_units(),
        "ListAccounts" => service.list_accounts(|_| true),
        "ListAccountsForParent" => {
            let parent = service.parent()?;
            service.list_accounts(|it| it == parent)
        }
        "ListParents" => service.list_parents(),
        "DescribeAccount" => service.describe_account(),
        other => {
            let message = format!("AWS Organizations has no action {other} in the sandbox");
            Err(ErrorResponse::new(400, "UnknownOperationException", message))
        }
    }
}

/// The body of an error, and its status. Some errors of every service have another name in the JSON protocol
/// (<https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListAccounts.html#API_ListAccounts_Errors>).
pub(super) fn error(action: &str, status: u16, code: &str, message: &str) -> (u16, Value) {
    let (status, code) = match code {
        "AccessDenied" => (400, "AccessDeniedException"),
        "Throttling" if action == LOOKUP => (400, "ThrottlingException"),
        "Throttling" => (400, "TooManyRequestsException"),
        "ExpiredToken" => (400, "ExpiredTokenException"),
        "InvalidClientTokenId" => (400, "UnrecognizedClientException"),
        "MissingAuthenticationToken" => (400, "MissingAuthenticationTokenException"),
        code => (status, code),
    };
    (status, json!({ "__type": code, "Message": message }))
}

/// The name of the list in the response of an action; `None` for an action without one.
pub(super) fn list_name(action: &str) -> Option<&'static str> {
    match action {
        "ListRoots" => Some("Roots"),
        "ListOrganizationalUnitsForParent" => Some("OrganizationalUnits"),
        "ListAccounts" | "ListAccountsForParent" => Some("Accounts"),
        "ListParents" => Some("Parents"),
        _ => None,
    }
}

struct Service<'a> {
    organization: &'a Organization,
    request: &'a Request,
    behavior: Behavior,
}

impl Service<'_> {
    fn describe_organization(&self) -> Value {
        let partition = self.request.partition;
        let arn =
            format!("arn:{partition}:organizations::{ACCOUNT}:organization/{ORGANIZATION_ID}");
        let accounts = self.organization.accounts();
        let management = accounts.iter().find(|(_, account)| account.id == ACCOUNT);
        json!({ "Organization": {
            "Id": ORGANIZATION_ID,
            "Arn": arn,
            "FeatureSet": "ALL",
            "MasterAccountId": ACCOUNT,
            "MasterAccountArn": self.account_arn(ACCOUNT),
            "MasterAccountEmail": management.map(|(_, account)| email(account)),
            "AvailablePolicyTypes": [],
        } })
    }

    fn list_roots(&self) -> JsonResult {
        let arn = self.arn("root", ROOT_ID);
        let root = json!({ "Id": ROOT_ID, "Arn": arn, "Name": "Root", "PolicyTypes": [] });
        self.page(vec![root])
    }

    fn list_units(&self) -> JsonResult {
        let units = self.organization.units_below(self.parent()?).unwrap_or_default();
        let unit =
            |id: &str, name: &str| json!({ "Id": id, "Arn": self.arn("ou", id), "Name": name });
        self.page(units.iter().map(|it| unit(&it.id, &it.name)).collect())
    }

    /// The accounts whose parent `keep` accepts.
    fn list_accounts(&self, keep: impl Fn(&str) -> bool) -> JsonResult {
        let accounts = self.organization.accounts().into_iter();
        let kept = accounts.filter(|(parent, _)| keep(parent));
        self.page(kept.map(|(_, account)| self.account(&account)).collect())
    }

    fn list_parents(&self) -> JsonResult {
        let child = self.required("ChildId")?;
        let accounts = self.organization.accounts();
        let account = accounts.iter().find(|(_, account)| account.id == child);
        let parent = account
            .map(|(parent, _)| *parent)
            .or_else(|| self.organization.parent_of_unit(child))
            .ok_or_else(|| {
                let message = "You specified a child that does not exist.";
                ErrorResponse::new(400, "ChildNotFoundException", message)
            })?;
        let kind = if parent == ROOT_ID { "ROOT" } else { "ORGANIZATIONAL_UNIT" };
        self.page(vec![json!({ "Id": parent, "Type": kind })])
    }

    fn describe_account(&self) -> JsonResult {
        let id = self.required("AccountId")?;
        let accounts = self.organization.accounts();
        let found = accounts.iter().find(|(_, account)| account.id == id);
        let (_, account) = found.ok_or_else(|| {
            let message = "You specified an account that does not exist.";
            ErrorResponse::new(400, "AccountNotFoundException", message)
        })?;
        Ok(json!({ "Account": self.account(account) }))
    }

    /// The root or unit that the request names.
    fn parent(&self) -> Result<&str, ErrorResponse> {
        let parent = self.required("ParentId")?;
        match self.organization.units_below(parent) {
            Some(_) => Ok(parent),
            None => Err(ErrorResponse::new(
                400,
                "ParentNotFoundException",
                "You specified parent that doesn't exist.",
            )),
        }
    }

    fn required(&self, name: &str) -> Result<&str, ErrorResponse> {
        self.request.get(name).ok_or_else(|| invalid_input("INPUT_REQUIRED", name))
    }

    fn account(&self, account: &MemberAccount) -> Value {
        let MemberAccount { id, name, state } = account;
        let mut fields = json!({
            "Id": id,
            "Arn": self.account_arn(id),
            "Email": email(account),
            "Name": name,
            "State": state.name(),
            "JoinedMethod": if id == ACCOUNT { "INVITED" } else { "CREATED" },
            "JoinedTimestamp": JOINED,
        });
        if !self.organization.omits_status {
            fields["Status"] = state.status().into();
        }
        fields
    }

    fn account_arn(&self, id: &str) -> String {
        self.arn("account", id)
    }

    fn arn(&self, kind: &str, id: &str) -> String {
        let partition = self.request.partition;
        format!("arn:{partition}:organizations::{ACCOUNT}:{kind}/{ORGANIZATION_ID}/{id}")
    }

    /// The page of `all` that begins at `NextToken`.
    fn page(&self, all: Vec<Value>) -> JsonResult {
        let action = self.request.action.as_str();
        let list = list_name(action).unwrap_or_default();
        let max = match self.request.get("MaxResults").map(str::parse::<usize>) {
            None => MAX_RESULTS,
            Some(Ok(max @ 1..=MAX_RESULTS)) => max,
            Some(Ok(0)) => return Err(invalid_input("MIN_VALUE_EXCEEDED", "MaxResults")),
            Some(_) => return Err(invalid_input("MAX_VALUE_EXCEEDED", "MaxResults")),
        };
        let from = match self.request.get("NextToken") {
            None => 0,
            Some(token) => offset(token, action)
                .ok_or_else(|| invalid_input("INVALID_PAGINATION_TOKEN", "NextToken"))?,
        };
        let size = if self.behavior.is_empty_page { 0 } else { max.min(self.behavior.page_size) };
        let total = all.len();
        let items: Vec<Value> = all.into_iter().skip(from).take(size).collect();
        let until = from + items.len();
        let mut result = json!({ list: items });
        if until < total {
            result["NextToken"] = token(action, until).into();
        }
        Ok(result)
    }
}

/// A token is not the plain text, because AWS's tokens are opaque to clients.
fn token(action: &str, offset: usize) -> String {
    hex::encode(format!("{action}/{offset}"))
}

/// The number of items before the page of a token of this action.
fn offset(token: &str, action: &str) -> Option<usize> {
    let text = String::from_utf8(hex::decode(token).ok()?).ok()?;
    text.strip_prefix(action)?.strip_prefix('/')?.parse().ok()
}

fn email(account: &MemberAccount) -> String {
    format!("{}@example.com", account.name)
}

fn invalid_input(reason: &str, parameter: &str) -> ErrorResponse {
    let message = format!("You specified an invalid value for {parameter}: {reason}");
    ErrorResponse::new(400, "InvalidInputException", message)
}
