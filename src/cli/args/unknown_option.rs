use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, CommandFactory};

use super::Args;

/// The error with another tip, if it is about an unknown option. clap proposes to pass the option as a value, but no
/// file and no plan has such a name.
pub(in crate::cli) fn with_useful_tip(mut error: clap::Error) -> clap::Error {
    if error.kind() != ErrorKind::UnknownArgument {
        return error;
    }
    let Some(ContextValue::String(option)) = error.get(ContextKind::InvalidArg) else {
        return error;
    };
    // `--concurrency -1`: clap takes the value for an option.
    if option.strip_prefix('-').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit())) {
        let tip = StyledStr::from("no option has a negative value".to_owned());
        error.remove(ContextKind::Suggested);
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip]));
        return error;
    }
    // A similar option of the same command is the better tip.
    if error.get(ContextKind::SuggestedArg).is_some() {
        return error;
    }
    let commands = commands_with(option);
    let tip = (!commands.is_empty())
        .then(|| StyledStr::from(format!("{option} is an option of {}", commands.join(" and "))));
    error.remove(ContextKind::Suggested);
    if let Some(tip) = tip {
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip]));
    }
    error
}

/// The commands that have a visible option with this name.
fn commands_with(option: &str) -> Vec<String> {
    let option = option.split('=').next().unwrap_or_default();
    let has_option = |command: &&Command| {
        let mut arguments = command.get_arguments().filter(|argument| !argument.is_hide_set());
        arguments.any(|argument| {
            let long = argument.get_long_and_visible_aliases().unwrap_or_default();
            let short = argument.get_short_and_visible_aliases().unwrap_or_default();
            long.iter().any(|long| option.strip_prefix("--") == Some(long))
                || short.iter().any(|short| option == format!("-{short}"))
        })
    };
    let command = Args::command();
    command.get_subcommands().filter(has_option).map(|it| format!("`{}`", it.get_name())).collect()
}
