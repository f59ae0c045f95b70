//! Examples of commands, for `--help` and the manual pages.

/// An example: commands and their purpose.
#[derive(Debug)]
pub(in crate::cli) struct Example {
    /// The purpose: an imperative sentence without a period.
    pub(in crate::cli) purpose: &'static str,
    /// The commands, one per line.
    pub(in crate::cli) commands: &'static [&'static str],
}

/// The examples as a section of `--help`, with the purposes as shell comments.
pub(super) fn help(examples: &[Example]) -> String {
    let examples = examples.iter().map(|Example { purpose, commands }| {
        let lines = commands.iter().map(|command| format!("\n  {command}"));
        format!("  # {purpose}{}", lines.collect::<String>())
    });
    let header = clap::builder::Styles::styled().get_header().to_owned();
    let heading = if examples.len() == 1 { "Example:" } else { "Examples:" };
    format!("{header}{heading}{header:#}\n{}", examples.collect::<Vec<_>>().join("\n\n"))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use crate::cli::args::{Args, examples};

    /// The names of the manual pages of a command and its subcommands.
    fn pages(command: &clap::Command) -> Vec<String> {
        let own = command.get_display_name().unwrap_or(command.get_name()).to_owned();
        let subcommands = command.get_subcommands().flat_map(pages);
        std::iter::once(own).chain(subcommands).collect()
    }

    #[test]
    fn every_command_has_examples_that_fit_80_columns() {
        let mut command = Args::command().disable_help_subcommand(true);
        command.build();
        for page in pages(&command) {
            let examples = examples(&page).unwrap_or_else(|| panic!("{page} has no examples"));
            for example in examples {
                assert!(example.purpose.len() <= 76, "{}", example.purpose);
                for line in example.commands {
                    // A manual page indents the commands by 11 columns.
                    assert!(line.len() <= 69, "{line}");
                }
            }
        }
    }
}
