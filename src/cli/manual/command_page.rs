//! The page of a command.

use std::io;

use clap_mangen::Man;
use roff::{Roff, roman};
use strum::VariantArray;

use super::text::{Block, definition, page, paragraph, section, verbatim};
use crate::cli::args;
use crate::cli::exit_code::Exit;
use crate::state::STATE_ENTRIES;

const ENVIRONMENT: &[Block] = &[
    Block::Paragraph(
        "Credentials and settings come from the environment variables, profiles and services that the \
         AWS CLI supports. The most common variables are:",
    ),
    Block::Term(
        "AWS_DEFAULT_PROFILE, AWS_PROFILE",
        "The AWS profile. `AWS_DEFAULT_PROFILE` takes precedence over `AWS_PROFILE`, and `--profile` takes \
         precedence over both.",
    ),
    Block::Term(
        "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN",
        "Credentials. They take precedence over the credentials of a profile. With `--profile`, they are not \
         used.",
    ),
    Block::Term(
        "AWS_WEB_IDENTITY_TOKEN_FILE, AWS_ROLE_ARN, AWS_ROLE_SESSION_NAME",
        "Credentials of a role, from an OpenID Connect token.",
    ),
    Block::Term("AWS_REGION, AWS_DEFAULT_REGION", "The AWS Region. `--region` takes precedence."),
    Block::Term(
        "AWS_ENDPOINT_URL_IAM, AWS_ENDPOINT_URL_STS, AWS_ENDPOINT_URL_ORGANIZATIONS, \
         AWS_ENDPOINT_URL_CLOUDTRAIL, AWS_ENDPOINT_URL",
        "The endpoints of each service, and of all of them. `--endpoint-url` takes precedence.",
    ),
    Block::Term(
        "AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE",
        "The paths of the files with profiles and credentials.",
    ),
    Block::Term(
        "AWS_CA_BUNDLE",
        "A file with certificate authorities in PEM format, which are trusted instead of those of the system. \
         It takes precedence over `ca_bundle` in the profile.",
    ),
    Block::Term(
        "HTTPS_PROXY, HTTP_PROXY, NO_PROXY",
        "The proxy for https:// and for http:// endpoints, and the hosts without a proxy. The variables in \
         lower case take precedence.",
    ),
    Block::Term(
        "XDG_STATE_HOME",
        "The parent of the state directory. It must be an absolute path. The default is `~/.local/state`.",
    ),
    Block::Term("NO_COLOR", "A value that is not empty disables colors."),
    Block::Term(
        "CLICOLOR_FORCE",
        "A value that is not empty enables colors, also in files and pipes. `NO_COLOR` takes precedence.",
    ),
    Block::Term(
        "CLICOLOR",
        "The value `0` disables colors. Any other value enables colors on every terminal.",
    ),
    Block::Term(
        "TERM",
        "The value `dumb` disables colors. If the variable is not set, colors are disabled.",
    ),
    Block::Paragraph("`--color always` and `--color never` take precedence over these variables."),
];

/// The files, with everything that a state directory can contain.
fn files() -> Vec<Block> {
    let state = Block::Term(
        "$XDG_STATE_HOME/iam-boundaries/",
        "The state directory. The default is `~/.local/state/iam-boundaries/`, on Windows \
         `%LOCALAPPDATA%\\iam-boundaries\\`, and without a home directory `.iam-boundaries/` in the working \
         directory, or with `--journal` in the directory of the journal. With `--state-dir DIR`, it is `DIR/`. It can contain the following files and directories, in which \
         ACCOUNT is the ID of an account:",
    );
    let entries = STATE_ENTRIES.iter().map(|entry| Block::Term(entry.path, entry.purpose));
    let sandbox = Block::Term(
        ".iam-boundaries/",
        "In the working directory, the state directory of runs with `--sandbox`. It also contains `sandbox.json`: the \
         users, roles and policies of the sandbox. `sandbox reset` resets it.",
    );
    [
        Block::Term("boundaries.toml", "The boundaries file. See boundaries.toml(5)."),
        Block::Term("fleet.toml", "A fleet file, for `--fleet`. See fleet.toml(5)."),
        state,
    ]
    .into_iter()
    .chain(entries)
    .chain([
        sandbox,
        Block::Term("~/.aws/config, ~/.aws/credentials", "AWS profiles and credentials."),
    ])
    .collect()
}

/// The name of the page without its section, and the page.
pub(super) fn render(command: clap::Command) -> (String, String) {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned();
    let has_subcommands = command.has_subcommands();
    let is_main = name == "iam-boundaries";
    let subcommands: Vec<_> =
        command.get_subcommands().map(|sub| format!("{name}-{}", sub.get_name())).collect();
    let man =
        Man::new(command.subcommand_help_heading("COMMANDS").subcommand_value_name("COMMAND"));

    let mut parts = String::new();
    let mut add = |render: &dyn Fn(&mut dyn io::Write) -> io::Result<()>| {
        let mut part = Vec::new();
        render(&mut part).expect("writing to a vector cannot fail");
        parts += &String::from_utf8_lossy(&part);
    };
    add(&|out| man.render_name_section(out));
    add(&|out| man.render_synopsis_section(out));
    add(&|out| man.render_description_section(out));
    add(&|out| man.render_options_section(out));
    if has_subcommands {
        add(&|out| man.render_subcommands_section(out));
    }

    let mut roff = Roff::new();
    exit_status(&mut roff, exits(&name));
    if is_main {
        section(&mut roff, "ENVIRONMENT", ENVIRONMENT);
        section(&mut roff, "FILES", &files());
    }
    examples(&mut roff, &name);
    see_also(&mut roff, is_main, &subcommands);
    parts += &roff.render();
    let page = page(&name, "1", &parts);
    (name, page)
}

/// The exit codes of a command.
fn exits(name: &str) -> &'static [Exit] {
    match name {
        "iam-boundaries" => Exit::VARIANTS,
        "iam-boundaries-plan" | "iam-boundaries-rollback" => {
            &[Exit::Done, Exit::NothingDone, Exit::Changes, Exit::SomeFailed]
        }
        "iam-boundaries-apply" => {
            &[Exit::Done, Exit::NothingDone, Exit::SomeFailed, Exit::Refused, Exit::Interrupted]
        }
        _ => &[Exit::Done, Exit::NothingDone],
    }
}

fn exit_status(roff: &mut Roff, exits: &[Exit]) {
    roff.control("SH", ["EXIT STATUS"]);
    for exit in exits {
        definition(roff, &exit.code().to_string(), exit.meaning());
    }
}

fn examples(roff: &mut Roff, name: &str) {
    let Some(examples) = args::examples(name) else { return };
    roff.control("SH", ["EXAMPLES"]);
    for (n, example) in examples.iter().enumerate() {
        let purpose = format!("{}:", example.purpose);
        match n {
            0 => {
                roff.text([roman(purpose)]);
            }
            _ => paragraph(roff, &purpose),
        }
        verbatim(roff, example.commands.iter().copied());
    }
}

fn see_also(roff: &mut Roff, is_main: bool, subcommands: &[String]) {
    let mut pages: Vec<_> = subcommands.iter().map(|name| format!("`{name}`(1)")).collect();
    if !is_main {
        pages.push("`iam-boundaries`(1)".to_owned());
    }
    pages.push("`boundaries.toml`(5), `fleet.toml`(5)".to_owned());
    roff.control("SH", ["SEE ALSO"]);
    roff.text([roman(pages.join(", "))]);
}
