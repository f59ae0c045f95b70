"""Creates users and roles with awkward names in an account, and prints a boundaries.toml that differs from it.

One third of them have no boundary, one third have another boundary, and one third have the listed one. Users and roles
have the same names. Their tags say what else they have: their path, the group of a user, and whether they are
administrators.
"""
import argparse
import json

import boto3

parser = argparse.ArgumentParser()
parser.add_argument("--endpoint", required=True)
parser.add_argument("--account", required=True)
parser.add_argument("--users", type=int, required=True)
parser.add_argument("--roles", type=int, required=True)
options = parser.parse_args()
iam = boto3.client("iam", endpoint_url=options.endpoint, region_name="us-east-1",
                   aws_access_key_id=options.account, aws_secret_access_key="any")

def document(*actions):
    return json.dumps({"Version": "2012-10-17",
                       "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]})


right, wrong = (iam.create_policy(PolicyName=name, PolicyDocument=document(*actions))["Policy"]["Arn"]
                for name, actions in [("Developer", ["s3:*", "ec2:*"]), ("Contractor", ["s3:Get*"])])
TRUST = json.dumps({"Version": "2012-10-17",
                    "Statement": [{"Effect": "Allow", "Principal": {"AWS": options.account},
                                   "Action": "sts:AssumeRole"}]})


def names(count):
    return [form.format(n) for n in range(count // 6) for form in
            ("plain-{}", "a.b+c=d,e@f_{}", "{:x>64}", "{:04}", "1e{}", "-{}-")]


ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
for group in ("Agency", "Engineers"):
    iam.create_group(GroupName=group)


def tags(path, group, is_administrator):
    return [{"Key": "Path", "Value": path}, {"Key": "group", "Value": group},
            {"Key": "is administrator", "Value": str(is_administrator).lower()}]


def create_user(n, name, path):
    group, is_administrator = ("Agency", "Engineers", "")[n % 5 % 3], n % 7 == 1
    iam.create_user(UserName=name, Path=path, Tags=tags(path, group, is_administrator))
    if group:
        iam.add_user_to_group(UserName=name, GroupName=group)
    if is_administrator:
        iam.attach_user_policy(UserName=name, PolicyArn=ADMINISTRATOR)


def create_role(n, name, path):
    is_administrator = n % 7 == 2
    iam.create_role(RoleName=name, Path=path, AssumeRolePolicyDocument=TRUST, Tags=tags(path, "", is_administrator))
    if is_administrator:
        iam.attach_role_policy(RoleName=name, PolicyArn=ADMINISTRATOR)


def seed(table, count, create, put):
    print(f"\n[{table}]")
    for n, name in enumerate(names(count)):
        create(n, name, ("/", "/a/", "/a/b/")[n % 3])
        before = (None, wrong, right)[(n // 6 + n) % 3]
        if before:
            put(name, before)
        print(f'{json.dumps(name)} = "developer"')


print(f'[account]\nid = "{options.account}"\n\n[boundaries]\ndeveloper = "{right}"')
seed("users", options.users, create_user,
     lambda name, arn: iam.put_user_permissions_boundary(UserName=name, PermissionsBoundary=arn))
if options.roles:
    seed("roles", options.roles, create_role,
         lambda name, arn: iam.put_role_permissions_boundary(RoleName=name, PermissionsBoundary=arn))
