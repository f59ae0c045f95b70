use std::collections::BTreeSet;

use super::access::{one_account, reject_file, reject_fleet};
use super::args::{Args, FleetPermissionsArgs, GithubArgs, GitlabArgs, PermissionsCommand};
use super::exit_code::Exit;
use super::failure::Failure;
use super::gate::Content;
use super::output::Output;
use crate::iam::{AccountId, Partition};
use crate::ops::{self, Error, Permissions, PermissionsOptions};
use crate::permissions::{
    Breadth, Fitted, FleetPolicies, FleetScope, OidcTrust, PolicyDocument, Purpose, RolePattern,
    TooLong, TrustedArn, oidc_trust, service_control_policy,
};

const NO_FILE: &str = "omit it: the policy does not depend on a boundaries file";

pub(super) fn run(
    args: &Args,
    command: &PermissionsCommand,
    output: &Output,
) -> Result<Exit, Failure> {
    match command {
        PermissionsCommand::Plan { blame } => {
            of_files(args, Purpose::Plan { blame: *blame }, output)
        }
        PermissionsCommand::Apply(writes) => of_files(args, Purpose::Apply(writes.scope()), output),
        PermissionsCommand::Impact { last_used } => {
            of_files(args, Purpose::Impact { last_used: *last_used }, output)
        }
        PermissionsCommand::Fleet(command) => of_fleet(args, command, output),
        PermissionsCommand::TrustGithub(command) => trust_github(args, command, output),
        PermissionsCommand::TrustGitlab(command) => trust_gitlab(args, command, output),
        PermissionsCommand::Scp { except_role } => scp(args, except_role, output),
    }
}

fn of_files(args: &Args, purpose: Purpose, output: &Output) -> Result<Exit, Failure> {
    if args.fleet.is_some() {
        let failure = Failure::new("--fleet cannot be used with the policy of one account");
        return Err(failure.help("run permissions fleet"));
    }
    let options = PermissionsOptions {
        files: args.files(),
        account: one_account(args)?,
        partition: partition(args)?,
        purpose,
    };
    let Permissions { fitted, role } = ops::permissions(&options)?;
    if let Some(role) = role {
        output.remark(&format!(
            "note: the policy is for {role}, which the files name: the credentials that assume it need only \
             sts:AssumeRole for it, and its trust policy must trust them"
        ));
    }
    tell_breadth("the policy", &fitted.broadened, output);
    print(&fitted.document, output)
}

fn of_fleet(args: &Args, command: &FleetPermissionsArgs, output: &Output) -> Result<Exit, Failure> {
    let Some(file) = &args.fleet else {
        let failure = Failure::new("permissions fleet needs a fleet file");
        return Err(failure.help("specify it with --fleet FILE"));
    };
    if !args.account.is_empty() {
        let failure = Failure::new("--account cannot be used with permissions fleet");
        return Err(failure.help("omit it: the policies are those of all accounts"));
    }
    let scope = FleetScope {
        writes: (!command.read_only).then(|| command.writes.scope()),
        blame: command.blame,
        trusted: command.trusted_by.clone(),
    };
    let mut fleet = ops::fleet_permissions(file, partition(args)?, &scope)?;
    if fleet.policies.is_empty() {
        return Err(Error::NoPermissions.into());
    }
    if let Some(only) = &command.only {
        select(&mut fleet, only, &command.trusted_by)?;
    }
    if !fleet.without_role.is_empty() && fleet.policies.contains_key("account") {
        let names: Vec<&str> = fleet.without_role.iter().map(|it| it.as_str()).collect();
        output.remark(&format!(
            "note: no role is assumed in {}: attach the policy \"account\" to the credentials of each of these accounts",
            names.join(", ")
        ));
    }
    for (name, Fitted { broadened, .. }) in &fleet.policies {
        tell_breadth(&format!("the policy \"{name}\""), broadened, output);
    }
    match (&command.only, fleet.policies.values().next()) {
        (Some(_), Some(fitted)) => print(&fitted.document, output),
        _ => print_json(&fleet.to_json(), output),
    }
}

/// Leaves only the policy with this name.
fn select(fleet: &mut FleetPolicies, only: &str, trusted: &[TrustedArn]) -> Result<(), Failure> {
    if !fleet.policies.contains_key(only) {
        let names: Vec<&str> = fleet.policies.keys().map(String::as_str).collect();
        let help = format!("specify one of {}", names.join(", "));
        let failure = Failure::new(format!("there is no policy {only:?}"));
        return Err(failure.help(match trusted.is_empty() {
            true => format!("{help}; for trust policies, specify --trusted-by ARN"),
            false => help,
        }));
    }
    fleet.policies.retain(|name, _| name == only);
    Ok(())
}

fn trust_github(args: &Args, command: &GithubArgs, output: &Output) -> Result<Exit, Failure> {
    if !command.repository.has_ids() {
        output.remark(
            "note: the policy does not trust a repository with immutable subject claims, which GitHub uses for \
             repositories that were created or renamed since July 15, 2026: for these, specify OWNER@ID/NAME@ID",
        );
    }
    let (repository, claims) = (command.repository.clone(), command.claims());
    let trust = OidcTrust::Github { repository, claims };
    trust_jobs(args, "trust-github", &trust, Some(&command.audience), output)
}

fn trust_gitlab(args: &Args, command: &GitlabArgs, output: &Output) -> Result<Exit, Failure> {
    let (host, project) = (command.host.clone(), command.project.clone());
    let trust = OidcTrust::Gitlab { host, project, claims: command.claims() };
    trust_jobs(args, "trust-gitlab", &trust, command.audience.as_deref(), output)
}

fn trust_jobs(
    args: &Args,
    name: &str,
    trust: &OidcTrust,
    audience: Option<&str>,
    output: &Output,
) -> Result<Exit, Failure> {
    let command = format!("permissions {name}");
    reject_file(args, &command, NO_FILE)?;
    reject_fleet(args, &command)?;
    let account: AccountId = one_account(args)?.ok_or_else(|| {
        let message = format!("{command} needs the account of the identity provider");
        Failure::new(message).help("specify it with --account ID")
    })?;
    let partition = partition(args)?.unwrap_or(Partition::Aws);
    print(&oidc_trust(trust, account, partition, audience).map_err(too_long)?, output)
}

fn scp(args: &Args, except: &[RolePattern], output: &Output) -> Result<Exit, Failure> {
    reject_file(args, "permissions scp", NO_FILE)?;
    reject_fleet(args, "permissions scp")?;
    let except: BTreeSet<RolePattern> = except.iter().cloned().collect();
    let partition = partition(args)?.unwrap_or(Partition::Aws);
    print(&service_control_policy(&except, partition).map_err(too_long)?, output)
}

/// The partition of `--region`.
fn partition(args: &Args) -> Result<Option<Partition>, Failure> {
    let Some(region) = &args.region else { return Ok(None) };
    let partition = Partition::of_region(region).ok_or_else(|| {
        let failure = Failure::new(format!("no partition has a region {region:?}"));
        failure.help("specify a region such as eu-central-1, us-gov-west-1 or cn-north-1")
    })?;
    Ok(Some(partition))
}

fn tell_breadth(policy: &str, broadened: &[Breadth], output: &Output) {
    for breadth in broadened {
        output.remark(&format!(
            "warning: {policy} {}: otherwise it would be longer than IAM allows",
            breadth.meaning()
        ));
    }
}

fn too_long(error: TooLong) -> Failure {
    Failure::new(error.to_string())
        .help("specify fewer values, or use wildcards where they are allowed")
}

fn print(document: &PolicyDocument, output: &Output) -> Result<Exit, Failure> {
    print_json(&document.to_json(), output)
}

fn print_json(json: &str, output: &Output) -> Result<Exit, Failure> {
    output.result(Content::Data, &format!("{json}\n"))?;
    Ok(Exit::Done)
}
