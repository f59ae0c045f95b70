use super::example::{self, Example};

pub(super) const EXAMPLES: &[Example] = &[
    Example {
        purpose: "Install the completions for bash",
        commands: &[
            "iam-boundaries completions bash \\",
            "    > ~/.local/share/bash-completion/completions/iam-boundaries",
        ],
    },
    Example {
        purpose: "Install the completions for zsh, if fpath contains ~/.zfunc",
        commands: &["iam-boundaries completions zsh > ~/.zfunc/_iam-boundaries"],
    },
    Example {
        purpose: "Install the completions for fish",
        commands: &[
            "iam-boundaries completions fish \\",
            "    > ~/.config/fish/completions/iam-boundaries.fish",
        ],
    },
];

/// Print a completion script for a shell
#[derive(Debug, clap::Args)]
#[command(after_help = example::help(EXAMPLES))]
pub(in crate::cli) struct CompletionsArgs {
    /// Shell to print the script for
    pub(in crate::cli) shell: clap_complete::Shell,
}
