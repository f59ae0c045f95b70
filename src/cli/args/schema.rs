use clap::ValueEnum;

use super::example::{self, Example};

pub(super) const EXAMPLES: &[Example] = &[Example {
    purpose: "Enable completion and validation in editors",
    commands: &["iam-boundaries schema > boundaries.schema.json"],
}];

/// Print the JSON Schema of the boundaries file, of a fleet file or of a saved plan
///
/// Editors use the schema of the boundaries file for completion and validation if the first line of the
/// file is `#:schema ./boundaries.schema.json`. `import` writes this line.
#[derive(Debug, clap::Args)]
#[command(after_help = example::help(EXAMPLES))]
pub(in crate::cli) struct SchemaArgs {
    /// Document to print the schema of
    #[arg(value_name = "DOCUMENT", default_value = "boundaries")]
    pub(in crate::cli) of: SchemaOf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum SchemaOf {
    /// The boundaries file, boundaries.toml
    Boundaries,
    /// A fleet file
    Fleet,
    /// A saved plan of an account
    Plan,
    /// A saved plan of a fleet
    FleetPlan,
}
