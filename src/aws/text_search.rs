/// Searches a text for many patterns at once, in a time that hardly depends on their number.
///
/// It looks only at the blocks of [`BLOCK`] bytes that begin at a multiple of [`BLOCK`]. A pattern of [`MIN_LENGTH`]
/// bytes contains one of them wherever it occurs, and that block begins at one of the first [`BLOCK`] bytes of the pattern.
pub(super) struct TextSearch<'a> {
    patterns: Vec<&'a [u8]>,
    /// A bit for each hash of such a block of a pattern.
    hashes: Vec<bool>,
}

const BLOCK: usize = 8;
/// The minimum length of a pattern, in bytes.
const MIN_LENGTH: usize = 2 * BLOCK - 1;
const HASH_BITS: u32 = 15;

impl<'a> TextSearch<'a> {
    /// Each pattern has at least 15 bytes. Shorter ones are not found.
    pub(super) fn of(patterns: impl IntoIterator<Item = &'a [u8]>) -> TextSearch<'a> {
        let is_long = |pattern: &&[u8]| pattern.len() >= MIN_LENGTH;
        let patterns: Vec<&[u8]> = patterns.into_iter().filter(is_long).collect();
        let mut hashes = vec![false; 1 << HASH_BITS];
        let blocks = patterns.iter().flat_map(|pattern| pattern.windows(BLOCK).take(BLOCK));
        blocks.for_each(|block| hashes[hash(block)] = true);
        TextSearch { patterns, hashes }
    }

    /// Whether the text contains one of the patterns.
    pub(super) fn is_any_in(&self, text: &[u8]) -> bool {
        let mut blocks = text.chunks_exact(BLOCK).enumerate();
        blocks.any(|(n, block)| self.hashes[hash(block)] && self.is_around(text, n * BLOCK))
    }

    /// Whether one of the patterns is in the text with the block at `at`.
    fn is_around(&self, text: &[u8], at: usize) -> bool {
        let mut starts = at.saturating_sub(BLOCK - 1)..=at;
        starts.any(|start| self.patterns.iter().any(|it| text[start..].starts_with(it)))
    }
}

/// A number below 2 to the power of [`HASH_BITS`].
fn hash(block: &[u8]) -> usize {
    let mut bytes = [0; BLOCK];
    bytes.copy_from_slice(block);
    // Fibonacci hashing: the multiplier is 2 to the power of 64, divided by the golden ratio.
    let product = u64::from_le_bytes(bytes).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (product >> (u64::BITS - HASH_BITS)) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_found_at_every_position_and_a_part_of_it_is_not() {
        let patterns = ["0123456789abcde", "a-longer-pattern-with-many-bytes"];
        let search = TextSearch::of(patterns.map(str::as_bytes));
        for pattern in patterns {
            for before in 0..40 {
                for after in 0..20 {
                    let text = "x".repeat(before) + pattern + &"x".repeat(after);
                    assert!(search.is_any_in(text.as_bytes()), "{text}");
                    let other = text.replace(pattern, &pattern[..pattern.len() - 1]);
                    assert!(!search.is_any_in(other.as_bytes()), "{other}");
                    let other = text.replace(pattern, &pattern[1..]);
                    assert!(!search.is_any_in(other.as_bytes()), "{other}");
                }
            }
        }
        assert!(!search.is_any_in(b""));
        assert!(!TextSearch::of([]).is_any_in(b"0123456789abcdef"));
    }
}
