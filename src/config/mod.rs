//! `boundaries.toml`: its content, its checks, and diagnostics with line and column.

mod by_kind;
mod check;
mod consistency;
mod content;
mod diagnostic;
mod entry;
mod guard;
mod import;
mod layer;
mod names;
mod position;
mod provenance;
mod read;
mod rule;
mod schema;
mod source_text;
mod syntax;
mod syntax_help;
mod toml_text;

pub use by_kind::ByKind;
pub use content::Config;
pub use diagnostic::{Diagnostic, FileErrors, render_warnings};
pub use entry::{Entry, Expiration, OnMissing, OnUnlisted, Then};
pub use guard::Guard;
pub use import::file_of;
pub use names::ShortNames;
pub use position::{Located, Position, SourceFile};
pub use provenance::{Provenance, ProvenanceKind};
pub use rule::{Rule, TagCondition};
pub use schema::schema;
