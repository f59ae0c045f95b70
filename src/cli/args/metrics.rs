use std::path::PathBuf;

#[derive(Debug, Clone, clap::Args)]
pub(in crate::cli) struct MetricsArgs {
    /// Write the numbers of the result to this file in the text format of Prometheus, also after a failure
    ///
    /// The file is for the textfile collector of the node exporter, and is replaced atomically. It keeps the time of the
    /// last success when a run fails.
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) metrics: Option<PathBuf>,
}
