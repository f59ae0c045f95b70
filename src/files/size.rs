use std::fmt;

/// The maximum size of a file that is read.
///
/// The sizes follow from IAM's quotas: an account has at most 5,000 users
/// ([quotas](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html)), an ARN has at most
/// 2,048 characters, and a user name at most 64.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MaxSize(u64);

const MIB: u64 = 1 << 20;

impl MaxSize {
    /// A boundaries file. 5,000 users, each with the longest name and ARN, take 11 MiB.
    pub const BOUNDARIES_FILE: MaxSize = MaxSize(64 * MIB);
    /// A saved plan or a journal. 5,000 changes with two of the longest ARNs, the longest path of a file and an
    /// error each take 60 MiB.
    pub const RECORD: MaxSize = MaxSize(256 * MIB);
    /// A saved plan of an account or of a fleet. 100 accounts with 5,000 changes each, of usual lengths, take 500 MiB.
    pub const FLEET_PLAN: MaxSize = MaxSize(1_024 * MIB);
    /// A small file in the state directory: the lock and the mark of an unfinished run, which contain one
    /// path, and the measured rates.
    pub const STATE: MaxSize = MaxSize(MIB);
    /// The metrics of an earlier run. 2,000 accounts with 25 samples each take 8 MiB.
    pub const METRICS: MaxSize = MaxSize(64 * MIB);
    /// A policy document. IAM's quota for a managed policy is 6,144 characters without white space.
    pub const POLICY: MaxSize = MaxSize(MIB);
    /// The accounts of a sandbox. They can have more users than an account of AWS: up to a million.
    pub const SANDBOX: MaxSize = MaxSize(1_024 * MIB);

    /// In bytes.
    pub fn bytes(self) -> u64 {
        self.0
    }

    #[cfg(test)]
    pub(super) fn of_bytes(bytes: u64) -> MaxSize {
        MaxSize(bytes)
    }
}

impl fmt::Display for MaxSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            bytes if bytes >= MIB => write!(f, "{} MiB", bytes / MIB),
            bytes => write!(f, "{bytes} bytes"),
        }
    }
}
