"""Creates a service-linked role in an account, and prints its name."""
import argparse

import boto3

parser = argparse.ArgumentParser()
parser.add_argument("--endpoint", required=True)
parser.add_argument("--account", required=True)
options = parser.parse_args()
iam = boto3.client("iam", endpoint_url=options.endpoint, region_name="us-east-1",
                   aws_access_key_id=options.account, aws_secret_access_key="any")
role = iam.create_service_linked_role(AWSServiceName="autoscaling.amazonaws.com")["Role"]
assert role["Path"].startswith("/aws-service-role/"), role
print(role["RoleName"])
