//! `boundaries.toml`: its content, its checks, and diagnostics with line and column.

mod check;
mod consistency;
mod content;
mod diagnostic;
mod guard;
mod import;
mod layer;
mod names;
mod provenance;
mod read;
mod rule;
mod schema;
mod source_text;
mod syntax;
mod syntax_help;
mod toml_text;

pub use content::{
    ByKind, Config, Entry, Expiration, Located, OnMissing, OnUnlisted, Position, SourceFile, Then,
};
pub use diagnostic::{Diagnostic, FileErrors, render_warnings};
pub use guard::Guard;
pub use import::file_of;
pub use names::ShortNames;
pub use provenance::{Provenance, ProvenanceKind};
pub use rule::{Rule, TagCondition};
pub use schema::schema;
