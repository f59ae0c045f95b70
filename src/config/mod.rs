//! `boundaries.toml`: its content, its checks, and diagnostics with line and column.

mod check;
mod consistency;
mod content;
mod diagnostic;
mod guard;
mod import;
mod names;
mod provenance;
mod read;
mod schema;
mod source_text;
mod syntax;
mod syntax_help;
mod toml_text;

pub use content::{Config, Entry, Located};
pub use diagnostic::{Diagnostic, FileErrors};
pub use guard::Guard;
pub use import::file_of;
pub use names::ShortNames;
pub use provenance::{Provenance, ProvenanceKind};
pub use schema::schema;
