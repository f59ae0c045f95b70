use aws_config::Region;
use aws_config::environment::EnvironmentVariableRegionProvider;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::{ProfileFileRegionProvider, ProfileSet};

use super::access::ExpectedPartition;
use super::profile::SelectedProfile;
use crate::iam::Partition;

/// A region in another partition than the ARNs that the run is about.
#[derive(Debug, Clone, thiserror::Error)]
#[error(
    "the Region {region} of {origin} is in partition {}, and {of_arns} are in partition {}",
    partition.as_str(),
    expected.as_str()
)]
pub struct RegionMismatch {
    /// The region.
    pub region: String,
    /// What sets the region.
    pub origin: String,
    /// The partition of the region.
    pub partition: Partition,
    /// What names the ARNs.
    pub of_arns: String,
    /// The partition of the ARNs.
    pub expected: Partition,
}

/// A region that cannot be used.
pub(super) enum RegionError {
    /// Its name cannot be part of the name of a host. The text says where it comes from.
    Invalid(String),
    Mismatch(Box<RegionMismatch>),
}

/// The sources of the region: `region`, the environment, the profile, and the home region of the partition.
///
/// IAM is global, so only the partition of the region matters. The region of an instance is therefore not
/// requested from its metadata service.
pub(super) fn region_chain(
    profile: &str,
    region: Option<String>,
    partition: Option<Partition>,
) -> RegionProviderChain {
    let from_profile = ProfileFileRegionProvider::builder().profile_name(profile);
    let home = partition.unwrap_or(Partition::Aws).home_region();
    RegionProviderChain::first_try(region.map(Region::new))
        .or_else(EnvironmentVariableRegionProvider::new())
        .or_else(from_profile.build())
        .or_else(Region::from_static(home))
}

/// Checks that `region` can be part of the name of a host, and that it is in the expected partition. Nothing is known about
/// the partition of a region whose name follows no pattern.
pub(super) fn check_region(
    region: &str,
    flag: Option<&str>,
    profile: &SelectedProfile,
    profiles: Option<&ProfileSet>,
    expected: Option<&ExpectedPartition>,
) -> Result<(), RegionError> {
    let in_profile = || profiles?.get_profile(profile.name())?.get("region");
    let variable = || {
        ["AWS_REGION", "AWS_DEFAULT_REGION"]
            .into_iter()
            .find(|name| std::env::var(name).is_ok_and(|value| !value.is_empty()))
    };
    let origin = || match (flag, variable()) {
        (Some(_), _) => "--region".to_owned(),
        (None, Some(name)) => name.to_owned(),
        (None, None) if in_profile().is_some() => format!("profile {:?}", profile.name()),
        (None, None) => "the configuration".to_owned(),
    };
    let is_label_char = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let is_label = (1..=63).contains(&region.len())
        && region.chars().all(is_label_char)
        && !region.starts_with('-');
    if !is_label {
        let text = format!("the Region {region:?} of {} is not the name of a Region", origin());
        return Err(RegionError::Invalid(text));
    }
    let (Some(ExpectedPartition { partition: expected, origin: of_arns }), Some(partition)) =
        (expected, Partition::of_region(region))
    else {
        return Ok(());
    };
    if partition == *expected {
        return Ok(());
    }
    Err(RegionError::Mismatch(Box::new(RegionMismatch {
        region: crate::iam::printable(region),
        origin: origin(),
        partition,
        of_arns: of_arns.clone(),
        expected: *expected,
    })))
}
