//! Policy as code for AWS IAM permissions boundaries.
pub mod apply;
pub mod desired;
pub mod live;
pub mod plan;
pub mod report;
pub mod sandbox;
pub mod values;
