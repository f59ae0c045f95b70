//! All integration tests, in one binary.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unnecessary_wraps,
    clippy::unwrap_used,
    unreachable_pub,
    reason = "helpers of tests panic, print what they skip, and are public within the binary"
)]

mod pacing;
mod support;

mod account;
mod apply;
mod architecture;
mod bad_settings;
mod blame;
mod blame_report;
mod bounds;
mod ci;
mod command_line;
mod config;
mod conflicts_during_run;
mod corpus;
mod crash;
mod credentials;
mod credentials_fleet;
mod credentials_limits;
mod credentials_messages;
mod credentials_mfa;
mod credentials_network;
mod credentials_renewal;
mod definition;
mod docs;
mod earlier_formats;
mod event_driven;
mod fault_injection;
mod fewer_than_counted;
mod files;
mod fleet_apply;
mod fleet_examples;
mod fleet_faults;
mod fleet_file;
mod fleet_formats;
mod fleet_organization;
mod fleet_rollback;
mod fleet_saved_plan;
mod fleet_shards;
mod fleet_stopped;
mod forge;
mod formats;
mod gate;
mod guard;
mod html;
mod html_browser;
mod impact;
mod impact_properties;
mod import;
mod import_check;
mod import_csv;
mod import_update;
mod import_update_properties;
mod journal;
mod layers;
mod localstack;
mod messages;
mod metrics;
mod only;
mod organization;
mod permissions;
mod permissions_calls;
mod pinned;
mod pinned_files;
mod plan_impact;
mod preflight;
mod problems;
mod properties;
mod quiet;
mod reading;
mod recovery;
mod release;
mod report;
mod report_coverage;
mod review;
mod roles;
mod roles_reading;
mod roles_report;
mod rollback;
mod rules;
mod rules_properties;
mod sandbox;
mod sandbox_attributes;
mod sandbox_cloudtrail;
mod sandbox_fleet;
mod sandbox_last_used;
mod sandbox_policies;
mod saved_plan;
mod scheduled;
mod schedules;
mod schema;
mod secrets;
mod slow_reader;
mod state_directory;
mod stopped;
mod toml_messages;
mod toml_mistakes;
mod verify;
mod waits;
mod whole_inventory;
