//! Policy as code for AWS IAM permissions boundaries.
//!
//! Each module has its own subject. Data flows through the modules once, from left to right:
//!
//! ```text
//! boundaries.toml ──▶ config ────┐
//!                                ├─▶ plan ──▶ apply ──▶ report
//! IAM ──▶ aws ──▶ inventory ─────┘     │        │
//!                                      ▼        ▼
//!                                 plan.json   journal ──▶ rollback, which makes a new plan
//! ```
//!
//! [`ops`] has one function for each use case. The other modules are the parts: [`plan::Plan::between`] compares a
//! [`config::Config`] with an [`inventory::Inventory`] and is pure, [`apply::apply`] makes the changes and sends
//! events, and [`report`] renders plans and events for people and machines.
//! `docs/architecture.md` describes which module may import which.

pub mod iam;

pub mod files;

pub mod config;
pub mod impact;
pub mod inventory;

pub mod aws;
pub mod journal;
pub mod permissions;
pub mod plan;

pub mod apply;
pub mod state;

pub mod ops;
pub mod report;

pub mod sandbox;

pub mod cli;
