#!/usr/bin/env bash
# Sets the boundary of a user or role that was just created, as the rules of boundaries.toml specify.
# Reads the EventBridge event (event.json is one) from standard input. Needs jq and iam-boundaries.
#
# EventBridge delivers events of IAM only in the home region of the partition, us-east-1 in the partition aws: create the
# rule (rule.json) there, with a target that runs this script with a role that has permissions.json.
set -euo pipefail

event=$(cat)
field() {
  printf '%s' "$event" | jq -er "$1"
}
account=$(field '.account')
case $(field '.detail.eventName') in
  CreateUser) principal="user/$(field '.detail.requestParameters.userName')" ;;
  CreateRole) principal="role/$(field '.detail.requestParameters.roleName')" ;;
  *)
    echo "the event is neither CreateUser nor CreateRole" >&2
    exit 1
    ;;
esac
# --only accepts patterns. A name contains no wildcard, and this check keeps it so.
if ! [[ $principal =~ ^(user|role)/[A-Za-z0-9_+=,.@-]{1,64}$ ]]; then
  echo "the name in the event is not valid" >&2
  exit 1
fi

# IAM is eventually consistent: a new user or role can take some seconds to appear. Until then, the exit code is 1, or 3 if
# the file lists it. Exit code 4, a violation of a guard rail, is final.
for wait in 5 10 20 0; do
  code=0
  iam-boundaries apply --auto-approve --account "$account" --only "$principal" || code=$?
  case $code in 1 | 3) ;; *) exit "$code" ;; esac
  [ "$wait" -ne 0 ] || exit "$code"
  sleep "${ON_CREATE_WAIT:-$wait}"
done
