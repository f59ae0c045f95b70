//! Policy as code for AWS IAM permissions boundaries.
//!
//! Every run walks one road, once, and the modules stand in its order:
//!
//! ```text
//! boundaries.toml ──▶ config ─┐
//!                              ├──▶ plan ──▶ apply ──▶ report
//! IAM (aws-sdk-iam) ─▶ live ───┘     │          │
//!                                    ▼          ▼
//!                               plan.json    journal ──▶ rollback, which makes a plan again
//! ```
//!
//! `Config` and `Inventory` make a `Plan`, by a pure function, and guard rails are functions of it;
//! `apply` takes a `Plan`, writes its journal, and sends `Event`s; `report` makes everything that is
//! read from plans and events alone.

pub mod iam;

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
