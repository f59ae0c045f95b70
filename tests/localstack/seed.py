"""Creates users with awkward names in an account, and prints a boundaries.toml that differs from it.

One third of the users have no boundary, one third have another boundary, and one third have the listed one.
"""
import argparse
import json

import boto3

parser = argparse.ArgumentParser()
parser.add_argument("--endpoint", required=True)
parser.add_argument("--account", required=True)
parser.add_argument("--users", type=int, required=True)
options = parser.parse_args()
iam = boto3.client("iam", endpoint_url=options.endpoint, region_name="us-east-1",
                   aws_access_key_id=options.account, aws_secret_access_key="any")

document = json.dumps({"Version": "2012-10-17",
                       "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
right, wrong = (iam.create_policy(PolicyName=name, PolicyDocument=document)["Policy"]["Arn"]
                for name in ("Developer", "Contractor"))
names = [form.format(n) for n in range(options.users // 6) for form in
         ("plain-{}", "a.b+c=d,e@f_{}", "{:x>64}", "{:04}", "1e{}", "-{}-")]

print(f'[account]\nid = "{options.account}"\n\n[boundaries]\ndeveloper = "{right}"\n\n[users]')
for n, name in enumerate(names):
    iam.create_user(UserName=name, Path=("/", "/a/", "/a/b/")[n % 3])
    before = (None, wrong, right)[(n // 6 + n) % 3]
    if before:
        iam.put_user_permissions_boundary(UserName=name, PermissionsBoundary=before)
    print(f'{json.dumps(name)} = "developer"')
