"""Sends the same requests with boto3 to the sandbox and to LocalStack, and compares the responses.

Compares the status, the error code, the message of NoSuchEntity, and the response without IDs and
dates. If the AWS documentation and LocalStack differ, the sandbox follows the documentation. Known
differences are listed with a reference. The test fails if a known difference no longer exists.
"""
import argparse
import json
import sys

import boto3
import botocore.config
import botocore.exceptions

parser = argparse.ArgumentParser()
parser.add_argument("--sandbox", required=True)
parser.add_argument("--localstack", required=True)
parser.add_argument("--account", required=True, help="12 digits, of an account new to both")
options = parser.parse_args()

ACCOUNT = options.account
POLICY = f"arn:aws:iam::{ACCOUNT}:policy/"
DOCUMENT = json.dumps({"Version": "2012-10-17",
                       "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
TRUST = json.dumps({"Version": "2012-10-17",
                    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"},
                                   "Action": "sts:AssumeRole"}]})
IAM_DOCS = "https://docs.aws.amazon.com/IAM/latest/APIReference/API_"
# Each server assigns its own IDs, dates and versions.
OWN = {"ResponseMetadata", "UserId", "RoleId", "GroupId", "PolicyId", "CreateDate", "UpdateDate", "DefaultVersionId",
       "PasswordLastUsed", "RoleLastUsed", "Marker"}


def client(service, url):
    config = botocore.config.Config(retries={"total_max_attempts": 1}, parameter_validation=False)
    return boto3.client(service, endpoint_url=url, region_name="us-east-1", config=config,
                        aws_access_key_id=ACCOUNT, aws_secret_access_key="any")


def cleaned(value):
    if isinstance(value, dict):
        # SDKs do not distinguish an empty list from a missing list.
        return {key: cleaned(inner) for key, inner in value.items()
                if key not in OWN and inner not in ([], None)}
    if isinstance(value, list):
        inner = [cleaned(item) for item in value]
        return sorted(inner, key=lambda item: json.dumps(item, sort_keys=True))
    return value


def answer(api, call, arguments):
    try:
        result = getattr(api, call)(**arguments)
        return {"status": result["ResponseMetadata"]["HTTPStatusCode"], "result": cleaned(result)}
    except botocore.exceptions.ClientError as error:
        given = error.response["Error"]
        told = {"status": error.response["ResponseMetadata"]["HTTPStatusCode"],
                "code": given["Code"], "type": given.get("Type")}
        if given["Code"] == "NoSuchEntity":
            told["message"] = given["Message"]
        return told


def user(call, name=None, **more):
    return call, ({} if name is None else {"UserName": name}) | more


def role(call, name=None, **more):
    return call, ({} if name is None else {"RoleName": name}) | more


def create_role(name, **more):
    return role("create_role", name, AssumeRolePolicyDocument=TRUST, **more)


def put_role(name, arn):
    return role("put_role_permissions_boundary", name, PermissionsBoundary=arn)


def put(name, arn):
    return user("put_user_permissions_boundary", name, PermissionsBoundary=arn)


LONG = "x" * 64
AWKWARD = ["a.b", "mail+tag@example.com", "a=b,c_d", "007", "true", "-dash-", LONG]
SERVICE_ROLE = "arn:aws:iam::aws:policy/aws-service-role/AWSSupportServiceRolePolicy"
CASES = [
    ("create_policy", {"PolicyName": "Developer", "PolicyDocument": DOCUMENT}),
    ("create_policy", {"PolicyName": "Deployer", "Path": "/ci/", "PolicyDocument": DOCUMENT}),
    ("create_policy", {"PolicyName": "Developer", "PolicyDocument": DOCUMENT}),
    ("create_policy", {"PolicyName": "Broken", "PolicyDocument": "{"}),
    ("get_policy", {"PolicyArn": POLICY + "Developer"}),
    ("get_policy", {"PolicyArn": POLICY + "ci/Deployer"}),
    ("get_policy", {"PolicyArn": POLICY + "Nothing"}),
    ("get_policy", {"PolicyArn": "arn:aws:iam::aws:policy/PowerUserAccess"}),
    ("get_policy", {"PolicyArn": "arn:aws:iam::aws:policy/job-function/ViewOnlyAccess"}),
    ("get_policy", {"PolicyArn": "arn:aws:iam::aws:policy/NoSuchPolicyOfAws"}),
    ("get_policy", {"PolicyArn": "arn:aws:iam::999999999999:policy/Developer"}),
    ("get_policy", {"PolicyArn": SERVICE_ROLE}),
    user("create_user", "alice", Path="/engineering/"),
    user("create_user", "alice"),
    user("create_user", "bob", PermissionsBoundary=POLICY + "Developer"),
    user("create_user", "carol", PermissionsBoundary=POLICY + "Nothing"),
    user("create_user", "tagged", Tags=[{"Key": "team", "Value": "a + b = c@d"}]),
    *[user("create_user", name) for name in AWKWARD],
    *[put(name, POLICY + "Developer") for name in AWKWARD],
    *[user("get_user", name) for name in AWKWARD],
    user("get_user", "alice"),
    user("get_user", "ALICE"),
    user("get_user", "tagged"),
    user("get_user", "nobody"),
    put("alice", POLICY + "Developer"),
    put("alice", POLICY + "ci/Deployer"),
    user("get_user", "alice"),
    put("alice", "arn:aws:iam::aws:policy/PowerUserAccess"),
    user("get_user", "alice"),
    put("alice", "arn:aws:iam::aws:policy/job-function/ViewOnlyAccess"),
    put("alice", "arn:aws:iam::aws:policy/NoSuchPolicyOfAws"),
    put("alice", POLICY + "Nothing"),
    put("alice", "arn:aws:iam::999999999999:policy/Developer"),
    put("alice", f"arn:aws:iam::{ACCOUNT}:role/Developer"),
    put("alice", f"arn:aws:iam::{ACCOUNT}:user/alice"),
    put("alice", "this is not an ARN at all"),
    put("nobody", POLICY + "Developer"),
    ("delete_policy", {"PolicyArn": POLICY + "Nothing"}),
    user("delete_user_permissions_boundary", "alice"),
    user("get_user", "alice"),
    user("delete_user_permissions_boundary", "alice"),
    user("delete_user_permissions_boundary", "nobody"),
    ("get_account_authorization_details", {"Filter": ["User"]}),
    ("list_users", {"PathPrefix": "/nothing/"}),
    create_role("deploy", Path="/ci/"),
    create_role("deploy"),
    # A role can have the name of a user.
    create_role("alice", PermissionsBoundary=POLICY + "Developer"),
    create_role("carol", PermissionsBoundary=POLICY + "Nothing"),
    create_role("tagged", Tags=[{"Key": "team", "Value": "a + b = c@d"}]),
    *[create_role(name) for name in AWKWARD],
    *[put_role(name, POLICY + "Developer") for name in AWKWARD],
    *[role("get_role", name) for name in AWKWARD],
    role("get_role", "alice"),
    role("get_role", "ALICE"),
    role("get_role", "tagged"),
    role("get_role", "nobody"),
    put_role("deploy", POLICY + "ci/Deployer"),
    role("get_role", "deploy"),
    put_role("deploy", "arn:aws:iam::aws:policy/PowerUserAccess"),
    role("get_role", "deploy"),
    put_role("deploy", POLICY + "Nothing"),
    put_role("deploy", "this is not an ARN at all"),
    put_role("nobody", POLICY + "Developer"),
    ("get_account_authorization_details", {"Filter": ["Role"]}),
    ("get_account_authorization_details", {"Filter": ["User", "Role"]}),
    role("delete_role_permissions_boundary", "deploy"),
    role("get_role", "deploy"),
    role("delete_role_permissions_boundary", "deploy"),
    role("delete_role_permissions_boundary", "nobody"),
    ("list_roles", {"PathPrefix": "/nothing/"}),
    ("list_roles", {"PathPrefix": "/ci/"}),
    user("tag_user", "tagged", Tags=[{"Key": "Owner", "Value": "ops"}, {"Key": "empty", "Value": ""}]),
    user("tag_user", "tagged", Tags=[{"Key": "team", "Value": "other"}]),
    user("tag_user", "nobody", Tags=[{"Key": "team", "Value": "other"}]),
    user("tag_user", "tagged", Tags=[{"Key": "a!b", "Value": "c"}]),
    user("get_user", "tagged"),
    user("untag_user", "tagged", TagKeys=["Owner", "other"]),
    user("get_user", "tagged"),
    role("tag_role", "tagged", Tags=[{"Key": "x y", "Value": "z"}]),
    role("get_role", "tagged"),
    role("untag_role", "tagged", TagKeys=["team"]),
    role("get_role", "tagged"),
    ("create_group", {"GroupName": "Agency", "Path": "/contractors/"}),
    ("create_group", {"GroupName": "Agency"}),
    ("create_group", {"GroupName": "Engineers"}),
    ("add_user_to_group", {"GroupName": "Agency", "UserName": "alice"}),
    ("add_user_to_group", {"GroupName": "Engineers", "UserName": "alice"}),
    ("add_user_to_group", {"GroupName": "Nobodies", "UserName": "alice"}),
    ("add_user_to_group", {"GroupName": "Agency", "UserName": "nobody"}),
    user("attach_user_policy", "alice", PolicyArn=POLICY + "Developer"),
    user("attach_user_policy", "alice", PolicyArn=POLICY + "Nothing"),
    user("attach_user_policy", "bob", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess"),
    role("attach_role_policy", "deploy", PolicyArn="arn:aws:iam::aws:policy/IAMFullAccess"),
    role("attach_role_policy", "nobody", PolicyArn="arn:aws:iam::aws:policy/IAMFullAccess"),
    ("get_account_authorization_details", {"Filter": ["User"]}),
    ("get_account_authorization_details", {"Filter": ["Role"]}),
    ("get_account_authorization_details", {"Filter": ["Group"]}),
    role("delete_role", "tagged"),
    role("delete_role", "tagged"),
    role("get_role", "tagged"),
    user("get_user", "alice"),
    user("delete_user", "tagged"),
    user("delete_user", "tagged"),
    user("get_user", "tagged"),
]

# (call, documented behavior with its source, check of the response)
KNOWN_DIFFERENCES = [
    (user("create_user", "ALICE"),
     "user names are unique without regard to case: " + IAM_DOCS + "CreateUser.html",
     lambda told: told.get("code") == "EntityAlreadyExists"),
    (put("alice", SERVICE_ROLE),
     "service role policies are not attachable: " + IAM_DOCS + "PutUserPermissionsBoundary.html",
     lambda told: told.get("code") == "PolicyNotAttachable"),
    (("list_users", {}),
     "boundaries and tags are left out: " + IAM_DOCS + "ListUsers.html",
     lambda told: not any("PermissionsBoundary" in user for user in told["result"]["Users"])),
    (("get_account_authorization_details", {"Filter": ["User"], "MaxItems": 1}),
     "MaxItems bounds a page: " + IAM_DOCS + "GetAccountAuthorizationDetails.html",
     lambda told: told["result"]["IsTruncated"]),
]

sandbox, localstack = client("iam", options.sandbox), client("iam", options.localstack)
failed = 0
for call, arguments in CASES:
    ours, theirs = answer(sandbox, call, arguments), answer(localstack, call, arguments)
    same = ours == theirs
    failed += not same
    print("same     " if same else "DIFFERENT", call, json.dumps(arguments)[:100])
    if not same:
        print("   sandbox   ", json.dumps(ours, default=str)[:1500])
        print("   LocalStack", json.dumps(theirs, default=str)[:1500])
for (call, arguments), documented, shows in KNOWN_DIFFERENCES:
    ours, theirs = answer(sandbox, call, arguments), answer(localstack, call, arguments)
    as_known = shows(ours) and not shows(theirs)
    failed += not as_known
    print("known    " if as_known else "STALE    ", call, "-", documented)
    if not as_known:
        print("   sandbox   ", json.dumps(ours, default=str)[:1500])
        print("   LocalStack", json.dumps(theirs, default=str)[:1500])
who = [answer(client("sts", url), "get_caller_identity", {})["result"]["Account"]
       for url in (options.sandbox, options.localstack)]
failed += who != [ACCOUNT, ACCOUNT]
print(f"{len(CASES) + len(KNOWN_DIFFERENCES) + 1} cases, {failed} failed")
sys.exit(failed > 0)
