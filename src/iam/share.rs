use std::fmt;
use std::str::FromStr;

/// A share from 0% to 100%, with a resolution of 0.01%. As text: `10%`, `2.5%`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share(u16);

/// The error for a text that is not a valid [`Share`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a share is a percentage from 0% to 100%, such as 10% or 0.5%")]
pub struct ShareError;

impl Share {
    /// A share of `percent` percent, at most 100.
    ///
    /// # Panics
    /// Panics if `percent` is greater than 100.
    pub const fn percent(percent: u16) -> Self {
        Share::hundredths(percent * 100)
    }

    /// A share of `hundredths` hundredths of a percent, at most 10,000.
    ///
    /// # Panics
    /// Panics if `hundredths` is greater than 10,000.
    pub const fn hundredths(hundredths: u16) -> Self {
        assert!(hundredths <= 10_000, "a share is at most 100%");
        Share(hundredths)
    }

    /// This share of `whole`, rounded down.
    pub fn of(self, whole: usize) -> usize {
        let part = whole as u128 * u128::from(self.0) / 10_000;
        usize::try_from(part).unwrap_or(whole)
    }

    /// The share as a number from 0 to 1.
    pub fn fraction(self) -> f64 {
        f64::from(self.0) / 10_000.0
    }
}

impl FromStr for Share {
    type Err = ShareError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let percent = text.strip_suffix('%').ok_or(ShareError)?;
        let (whole, fraction) = percent.split_once('.').unwrap_or((percent, "0"));
        // `parse` also accepts a sign.
        let is_digits =
            [whole, fraction].iter().all(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
        let is_short = (1..=2).contains(&fraction.len()) && (whole.len() <= 2 || whole == "100");
        if !is_digits || !is_short {
            return Err(ShareError);
        }
        let whole: u16 = whole.parse().map_err(|_| ShareError)?;
        let hundredths: u16 = format!("{fraction:0<2}").parse().map_err(|_| ShareError)?;
        match whole * 100 + hundredths {
            share @ ..=10_000 => Ok(Share(share)),
            _ => Err(ShareError),
        }
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0 / 100, self.0 % 100) {
            (whole, 0) => write!(f, "{whole}%"),
            (whole, fraction) if fraction % 10 == 0 => write!(f, "{whole}.{}%", fraction / 10),
            (whole, fraction) => write!(f, "{whole}.{fraction:02}%"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_rounded_down() {
        let share = |text: &str| text.parse::<Share>().unwrap();
        assert_eq!(share("10%").of(19), 1);
        assert_eq!(share("0.05%").of(5_000), 2);
        assert_eq!(share("100%").of(usize::MAX), usize::MAX);
        assert_eq!(share("2.5%").fraction(), 0.025);
    }

    #[test]
    fn an_invalid_share_is_rejected() {
        for text in ["", "%", "10", "-1%", "+1%", "101%", "1.%", ".5%", "010%", "1e1%", "nan%"] {
            assert_eq!(text.parse::<Share>(), Err(ShareError), "{text}");
        }
    }
}
