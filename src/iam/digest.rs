use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};

/// The SHA-256 of some bytes, written `sha256:` and 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

/// A text that is no [`Digest`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a digest is sha256: and 64 digits of 0-9 and a-f")]
pub struct BadDigest;

impl Digest {
    /// The digest of `bytes`.
    pub fn of(bytes: impl AsRef<[u8]>) -> Digest {
        Digest(Sha256::digest(bytes).into())
    }

    /// The first 12 digits, enough for two people to compare by eye.
    pub fn short(&self) -> String {
        let mut text = self.to_string();
        text.truncate("sha256:".len() + 12);
        text
    }
}

impl FromStr for Digest {
    type Err = BadDigest;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.strip_prefix("sha256:").ok_or(BadDigest)?.as_bytes();
        let value = |digit: u8| match digit {
            b'0'..=b'9' => Ok(digit - b'0'),
            b'a'..=b'f' => Ok(digit - b'a' + 10),
            _ => Err(BadDigest),
        };
        let digits: &[u8; 64] = digits.try_into().map_err(|_| BadDigest)?;
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.as_chunks::<2>().0) {
            *byte = value(pair[0])? << 4 | value(pair[1])?;
        }
        Ok(Digest(bytes))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sha256:")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

super::serde_as_text!(Digest);
super::schema_as_text!(
    Digest,
    "SHA-256 digest",
    "sha256: and 64 hexadecimal digits.",
    "^sha256:[0-9a-f]{64}$",
    ["sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"]
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_the_sha_256_that_every_tool_gives_and_is_read_back() {
        let digest = Digest::of("abc");
        let text = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(digest.to_string(), text);
        assert_eq!(text.parse(), Ok(digest));
        assert_eq!(digest.short(), "sha256:ba7816bf8f01");
    }

    #[test]
    fn anything_else_is_no_digest() {
        let whole = Digest::of("abc").to_string();
        for text in ["", "sha256:", &whole[7..], &whole[..70], &whole.to_uppercase()] {
            assert_eq!(text.parse::<Digest>(), Err(BadDigest), "{text}");
        }
        assert_eq!(format!("{whole}0").parse::<Digest>(), Err(BadDigest));
        assert_eq!(whole.replace('b', "g").parse::<Digest>(), Err(BadDigest));
    }
}
