use strum::VariantArray;

/// A group of AWS Regions that has its own accounts, credentials and ARNs.
///
/// The list is from the
/// [AWS SDKs' endpoint rules](https://docs.aws.amazon.com/sdkref/latest/guide/feature-region.html).
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    strum::Display,
    strum::EnumString,
    strum::IntoStaticStr,
    VariantArray,
)]
#[strum(parse_err_ty = UnknownPartition, parse_err_fn = UnknownPartition::new)]
pub enum Partition {
    /// The commercial Regions.
    #[strum(serialize = "aws")]
    Aws,
    /// The China Regions.
    #[strum(serialize = "aws-cn")]
    AwsCn,
    /// AWS GovCloud (US).
    #[strum(serialize = "aws-us-gov")]
    AwsUsGov,
    /// The AWS European Sovereign Cloud.
    #[strum(serialize = "aws-eusc")]
    AwsEusc,
    /// The isolated Regions of the United States (ISO).
    #[strum(serialize = "aws-iso")]
    AwsIso,
    /// The isolated Regions of the United States (ISOB).
    #[strum(serialize = "aws-iso-b")]
    AwsIsoB,
    /// The isolated Regions of Europe (ISOE).
    #[strum(serialize = "aws-iso-e")]
    AwsIsoE,
    /// The isolated Regions ISOF.
    #[strum(serialize = "aws-iso-f")]
    AwsIsoF,
}

/// The error for a text that is not the name of a partition in [`Partition::ALL`]. The field is the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown AWS partition {0:?}")]
pub struct UnknownPartition(pub String);

impl UnknownPartition {
    fn new(text: &str) -> Self {
        UnknownPartition(text.to_owned())
    }
}

impl Partition {
    /// Every partition.
    pub const ALL: &[Partition] = Partition::VARIANTS;

    /// The name, which is the second part of an ARN.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// The Region that signs calls to IAM. IAM has one endpoint for each partition.
    ///
    /// Source: [IAM endpoints and quotas](https://docs.aws.amazon.com/general/latest/gr/iam-service.html),
    /// and the endpoint rules of the AWS SDKs for the isolated partitions.
    pub fn home_region(self) -> &'static str {
        match self {
            Partition::Aws => "us-east-1",
            Partition::AwsCn => "cn-north-1",
            Partition::AwsUsGov => "us-gov-west-1",
            Partition::AwsEusc => "eusc-de-east-1",
            Partition::AwsIso => "us-iso-east-1",
            Partition::AwsIsoB => "us-isob-east-1",
            Partition::AwsIsoE => "eu-isoe-west-1",
            Partition::AwsIsoF => "us-isof-south-1",
        }
    }

    /// The partition of a Region, by the patterns of the endpoint rules of the AWS SDKs; `None` if the name
    /// follows none of them.
    pub fn of_region(region: &str) -> Option<Partition> {
        const COMMERCIAL: [&str; 9] = ["us", "eu", "ap", "sa", "ca", "me", "af", "il", "mx"];
        const OTHERS: [(&str, Partition); 7] = [
            ("cn-", Partition::AwsCn),
            ("us-gov-", Partition::AwsUsGov),
            ("eusc-", Partition::AwsEusc),
            ("us-iso-", Partition::AwsIso),
            ("us-isob-", Partition::AwsIsoB),
            ("eu-isoe-", Partition::AwsIsoE),
            ("us-isof-", Partition::AwsIsoF),
        ];
        let prefixed = OTHERS.into_iter().find(|(prefix, _)| region.starts_with(prefix));
        if let Some((_, partition)) = prefixed {
            return Some(partition);
        }
        let mut parts = region.split('-');
        let is_commercial = parts.next().is_some_and(|area| COMMERCIAL.contains(&area))
            && parts.next().is_some_and(|name| name.bytes().all(|b| b.is_ascii_lowercase()))
            && parts.next().is_some_and(|number| number.parse::<u8>().is_ok())
            && parts.next().is_none();
        is_commercial.then_some(Partition::Aws)
    }
}

super::serde_as_text!(Partition);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_partition_of_a_region_follows_from_its_name() {
        for &partition in Partition::ALL {
            assert_eq!(Partition::of_region(partition.home_region()), Some(partition));
        }
        for (region, expected) in [
            ("ap-southeast-4", Some(Partition::Aws)),
            ("us-gov-east-1", Some(Partition::AwsUsGov)),
            ("local", None),
            ("us-somewhere-new-1", None),
        ] {
            assert_eq!(Partition::of_region(region), expected, "{region}");
        }
    }

    #[test]
    fn every_partition_is_parsed_from_its_name() {
        for &partition in Partition::ALL {
            assert_eq!(partition.as_str().parse(), Ok(partition));
        }
        assert!("AWS".parse::<Partition>().is_err());
        assert!("".parse::<Partition>().is_err());
    }
}
