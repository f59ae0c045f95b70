use std::path::{Path, PathBuf};

use super::args::Args;
use super::failure::Failure;
use super::mfa_prompt::TerminalMfaPrompt;
use crate::aws::{Access, Mfa};
use crate::iam::{AccountId, AccountSelector, Printable};
use crate::report::WaitDisplay;
use crate::sandbox::{self, Options, Sandbox, Seed};
use crate::state::StateRoot;

/// The state file of `--sandbox`. It is in the working directory, so each clone of a repository has its own.
pub(super) fn sandbox_file() -> PathBuf {
    StateRoot::local().path().join("sandbox.json")
}

/// The access that the global options select, and the sandbox if that is the access. The sandbox runs until it
/// is dropped. An MFA code is asked for without the line of `waits`.
pub(super) async fn access(
    args: &Args,
    waits: &WaitDisplay,
) -> Result<(Access, Option<Sandbox>), Failure> {
    if !args.sandbox {
        let access = Access::Chain {
            profile: args.profile.clone(),
            region: args.region.clone(),
            endpoint_url: args.endpoint_url.clone(),
            allow_http: args.allow_http,
            partition: None,
            mfa: Mfa::new(TerminalMfaPrompt { waits: waits.clone() }),
        };
        return Ok((access, None));
    }
    let options = Options { seed: Seed::Story, state: Some(sandbox_file()), ..Options::default() };
    let sandbox = Sandbox::start(options).await?;
    let access = Access::Sandbox {
        endpoint_url: sandbox.endpoint_url(),
        access_key_id: sandbox::ACCESS_KEY_ID,
        secret_access_key: sandbox::SECRET_ACCESS_KEY,
    };
    Ok((access, Some(sandbox)))
}

/// The state directory that `--state-dir` and the other options select: `journal` is that of `--journal`. The directory of the
/// sandbox also contains its state file.
pub(super) fn state(args: &Args, directory: Option<&Path>, journal: Option<&Path>) -> StateRoot {
    match (directory, journal) {
        (Some(directory), _) => StateRoot::at(directory),
        (None, _) if args.sandbox => StateRoot::local(),
        (None, None) => StateRoot::of_user(),
        (None, Some(journal)) => StateRoot::of_user_or_beside(journal),
    }
}

/// Rejects `-f` for a command that does not use the boundaries file. `help` can contain `FILE`.
pub(super) fn reject_file(args: &Args, command: &str, help: &str) -> Result<(), Failure> {
    match args.file.first() {
        None => Ok(()),
        Some(file) => {
            Err(Failure::new(format!("-f {} cannot be used with {command}", shown(file)))
                .help(help.replace("FILE", &shown(file))))
        }
    }
}

/// Rejects `--fleet` for a command that works on one account.
pub(super) fn reject_fleet(args: &Args, command: &str) -> Result<(), Failure> {
    match args.fleet {
        None => Ok(()),
        Some(_) => Err(Failure::new(format!("--fleet cannot be used with {command}"))
            .help("run the command for each account, with --profile or other credentials of it")),
    }
}

/// Rejects an option that cannot be used with a fleet. clap compares neither global options before the command with
/// options after it, nor those with each other.
pub(super) fn reject_with_fleet(
    args: &Args,
    option: Option<&'static str>,
    help: &str,
) -> Result<(), Failure> {
    match option {
        None => reject_file(args, "--fleet", "omit -f: the fleet file names the boundaries files"),
        Some(option) => {
            Err(Failure::new(format!("{option} cannot be used with --fleet")).help(help))
        }
    }
}

/// The account that `--account` names for a command that works on one account.
pub(super) fn one_account(args: &Args) -> Result<Option<AccountId>, Failure> {
    match &*args.account {
        [] => Ok(None),
        [AccountSelector::Id(id)] => Ok(Some(*id)),
        [AccountSelector::Name(name)] => {
            let message =
                format!("--account {name}: only an account of a fleet is selected by its name");
            Err(Failure::new(message)
                .help("specify the account ID of 12 digits, or use --fleet FILE"))
        }
        [_, _, ..] => {
            Err(Failure::new("--account is repeated, and the command works on one account")
                .help("specify one account, or use --fleet FILE"))
        }
    }
}

/// Rejects an option of fleets for a command that works on one account.
pub(super) fn reject_option_of_fleet(option: Option<&'static str>) -> Result<(), Failure> {
    match option {
        None => Ok(()),
        Some(option) => Err(Failure::new(format!("{option} can be used with a fleet only"))
            .help("use --fleet FILE or a saved fleet plan, or omit the option")),
    }
}

fn shown(path: &Path) -> String {
    Printable::path(path).to_string()
}
