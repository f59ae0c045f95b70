//! Policy as code for AWS IAM permissions boundaries.
pub mod desired;
pub mod live;
pub mod sandbox;
pub mod values;
