//! `boundaries.toml`: its content, its checks, and diagnostics with line and column.

mod check;
mod comment;
mod comparison;
mod consistency;
mod content;
mod csv;
mod diagnostic;
mod edit;
mod editable;
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

pub use comment::{Comments, EntryComment};
pub use comparison::{Comparison, Different, Missing};
pub use content::{Config, Entry, Located};
pub use csv::Spreadsheet;
pub use diagnostic::{Diagnostic, FileErrors};
pub use editable::EditableFile;
pub use guard::Guard;
pub use import::file_of;
pub use names::ShortNames;
pub use provenance::{Provenance, ProvenanceKind};
pub use schema::schema;
