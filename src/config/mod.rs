//! `boundaries.toml` and fleet files: their content, their checks, and diagnostics with line and column.

mod by_kind;
mod check;
mod comment;
mod comparison;
mod consistency;
mod content;
mod csv;
mod diagnostic;
mod edit;
mod editable;
mod entry;
mod file_kind;
mod fleet;
mod fleet_use;
mod guard;
mod import;
mod layer;
mod names;
mod other_format;
mod pinned;
mod position;
mod provenance;
mod read;
mod rule;
mod schema;
mod source_text;
mod syntax;
mod syntax_help;
mod syntax_repair;
mod toml_text;
mod wrap;

pub use by_kind::ByKind;
pub use comment::{Comments, EntryComment};
pub use comparison::{Comparison, Different, Live, Missing, Unlisted};
pub use content::Config;
pub use csv::Spreadsheet;
pub use diagnostic::{Diagnostic, Excerpt, FileErrors, render_warnings};
pub use editable::EditableFile;
pub use entry::{Entry, Expiration, OnMissing, OnUnlisted, Then};
pub use fleet::{
    AccountCredentials, AccountSettings, Fleet, FleetAccount, FleetConfigs, FleetGuard,
    OrganizationScope, fleet_schema,
};
pub use guard::{Guard, WideningGuard};
pub use import::{file_of, file_with_documents};
pub use names::ShortNames;
pub use pinned::PinnedDocument;
pub use position::{Located, Position, SourceFile};
pub use provenance::{Provenance, ProvenanceKind};
pub use rule::{Rule, TagCondition};
pub use schema::schema;
pub use wrap::wrapped;
