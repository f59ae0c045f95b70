//! boundaries.toml
