use std::fmt;
use std::str::FromStr;

/// A group of AWS regions with accounts, credentials and ARNs of its own.
///
/// The list is that of the
/// [AWS SDKs' endpoint rules](https://docs.aws.amazon.com/sdkref/latest/guide/feature-region.html).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Partition {
    /// The commercial regions.
    Aws,
    /// China.
    AwsCn,
    /// AWS GovCloud (US).
    AwsUsGov,
    /// The European Sovereign Cloud.
    AwsEusc,
    /// The isolated regions of the United States (ISO).
    AwsIso,
    /// The isolated regions of the United States (ISOB).
    AwsIsoB,
    /// The isolated regions of Europe (ISOE).
    AwsIsoE,
    /// The isolated regions ISOF.
    AwsIsoF,
}

/// A text that names no partition of [`Partition::ALL`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no AWS partition")]
pub struct UnknownPartition(pub String);

impl Partition {
    /// Every partition.
    pub const ALL: [Partition; 8] = [
        Partition::Aws,
        Partition::AwsCn,
        Partition::AwsUsGov,
        Partition::AwsEusc,
        Partition::AwsIso,
        Partition::AwsIsoB,
        Partition::AwsIsoE,
        Partition::AwsIsoF,
    ];

    /// The name, as it stands second in an ARN.
    pub fn as_str(self) -> &'static str {
        match self {
            Partition::Aws => "aws",
            Partition::AwsCn => "aws-cn",
            Partition::AwsUsGov => "aws-us-gov",
            Partition::AwsEusc => "aws-eusc",
            Partition::AwsIso => "aws-iso",
            Partition::AwsIsoB => "aws-iso-b",
            Partition::AwsIsoE => "aws-iso-e",
            Partition::AwsIsoF => "aws-iso-f",
        }
    }

    /// The region that signs calls to IAM, which has one endpoint for a whole partition.
    ///
    /// Source: [IAM endpoints and quotas](https://docs.aws.amazon.com/general/latest/gr/iam-service.html),
    /// and the SDKs' endpoint rules for the isolated partitions.
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
}

impl FromStr for Partition {
    type Err = UnknownPartition;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|partition| partition.as_str() == text)
            .ok_or_else(|| UnknownPartition(text.to_owned()))
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

super::serde_as_text!(Partition);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_partition_is_read_back_from_its_name() {
        for partition in Partition::ALL {
            assert_eq!(partition.as_str().parse(), Ok(partition));
        }
        assert!("AWS".parse::<Partition>().is_err());
        assert!("".parse::<Partition>().is_err());
    }
}
