//! Every integration test, in one binary.

mod support;

mod apply;
mod command_line;
mod config;
mod corpus;
mod crash;
mod definition;
mod docs;
mod formats;
mod guard;
mod import;
mod journal;
mod pace;
mod properties;
mod read_back;
mod reading;
mod recovery;
mod report;
mod review;
mod rollback;
mod sandbox;
mod saved_plan;
mod schema;
mod secrets;
