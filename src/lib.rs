//! Policy as code for AWS IAM permissions boundaries.
//!
//! Each module is a room with its own subject. Data flows through them once, from left to right:
//!
//! ```text
//! boundaries.toml ──▶ config ────┐
//!                                ├─▶ plan ──▶ apply ──▶ report
//! IAM ──▶ aws ──▶ inventory ─────┘     │        │
//!                                      ▼        ▼
//!                                 plan.json   journal ──▶ rollback, which makes a plan again
//! ```
//!
//! [`ops`] has one function for each use case. The others are its parts: [`plan::Plan::between`] compares a
//! [`config::Config`] with an [`inventory::Inventory`] and is pure, [`apply::apply`] makes the changes and sends
//! events, and [`report`] makes everything that people and machines read from plans and events.
//! `docs/architecture.md` describes which module may import which.

pub mod iam;

pub mod files;

pub mod config;
pub mod inventory;

pub mod aws;
pub mod journal;
pub mod plan;

pub mod apply;
pub mod state;

pub mod ops;
pub mod report;

pub mod sandbox;

pub mod cli;
