use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::{Provenance, ProvenanceKind};
use crate::iam::{Printable, present};

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[schemars(inline)]
pub(super) enum ProvenanceDocument {
    /// An entry of a boundaries file.
    Entry {
        /// The path of the file as specified on the command line.
        #[schemars(length(min = 1))]
        #[schemars(with = "String")]
        file: Printable,
        /// The line of the principal's name, from 1.
        #[schemars(range(min = 1))]
        line: usize,
        /// The column of the principal's name, from 1, in characters; null if it is not known.
        #[serde(deserialize_with = "present")]
        #[schemars(range(min = 1))]
        column: Option<usize>,
    },
    /// A rule of a boundaries file.
    Rule {
        /// The path of the file as specified on the command line.
        #[schemars(length(min = 1))]
        #[schemars(with = "String")]
        file: Printable,
        /// The line of the rule's header, from 1.
        #[schemars(range(min = 1))]
        line: usize,
        /// The column of the rule's header, from 1, in characters; null if it is not known.
        #[serde(deserialize_with = "present")]
        #[schemars(range(min = 1))]
        column: Option<usize>,
    },
    /// A line of the journal that is rolled back.
    Journal {
        /// The path of the journal as specified on the command line.
        #[schemars(length(min = 1))]
        #[schemars(with = "String")]
        file: Printable,
        /// The line of the intent, from 1.
        #[schemars(range(min = 1))]
        line: usize,
    },
}

impl ProvenanceDocument {
    pub(super) fn of(provenance: &Provenance) -> Self {
        let (file, line) = (provenance.file.clone(), provenance.line);
        match provenance.kind {
            ProvenanceKind::Entry => {
                ProvenanceDocument::Entry { file, line, column: provenance.column }
            }
            ProvenanceKind::Rule => {
                ProvenanceDocument::Rule { file, line, column: provenance.column }
            }
            ProvenanceKind::Journal => ProvenanceDocument::Journal { file, line },
        }
    }

    /// The provenance, with `file` shared where it is the same path.
    pub(super) fn into_provenance(self, shared: &mut Printable) -> Provenance {
        let (kind, file, line, column) = match self {
            ProvenanceDocument::Entry { file, line, column } => {
                (ProvenanceKind::Entry, file, line, column)
            }
            ProvenanceDocument::Rule { file, line, column } => {
                (ProvenanceKind::Rule, file, line, column)
            }
            ProvenanceDocument::Journal { file, line } => {
                (ProvenanceKind::Journal, file, line, None)
            }
        };
        if *shared != file {
            *shared = file;
        }
        Provenance { kind, file: shared.clone(), line, column }
    }
}
