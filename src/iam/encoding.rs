use std::fmt;

/// An encoding that a JSON or TOML file of this tool does not have. Editors and the redirection of some shells
/// produce it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForeignEncoding {
    /// UTF-16, with or without a byte order mark.
    Utf16,
    /// UTF-8 with a byte order mark at the start.
    ByteOrderMark,
}

impl ForeignEncoding {
    /// The encoding of a document that begins with an ASCII character; `None` for UTF-8 without a byte order mark,
    /// and for what is no text.
    pub fn of(document: &[u8]) -> Option<Self> {
        match document {
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Some(ForeignEncoding::Utf16),
            [0, a, 0, b, ..] | [a, 0, b, 0, ..] if *a != 0 && *b != 0 => {
                Some(ForeignEncoding::Utf16)
            }
            [0xef, 0xbb, 0xbf, ..] => Some(ForeignEncoding::ByteOrderMark),
            _ => None,
        }
    }
}

impl fmt::Display for ForeignEncoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ForeignEncoding::Utf16 => "it is encoded in UTF-16",
            ForeignEncoding::ByteOrderMark => "it begins with a byte order mark (U+FEFF)",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_tell_the_encoding() {
        for text in [&b"\xff\xfe{\0"[..], b"\xfe\xff\0{", b"{\0\n\0", b"\0{\0\n"] {
            assert_eq!(ForeignEncoding::of(text), Some(ForeignEncoding::Utf16), "{text:?}");
        }
        let marked = ForeignEncoding::of(b"\xef\xbb\xbf{}");
        assert_eq!(marked, Some(ForeignEncoding::ByteOrderMark));
        for text in [&b""[..], b"{", b"{}", b"\0\0\0\0", b"{\0\0\0", "é".as_bytes()] {
            assert_eq!(ForeignEncoding::of(text), None, "{text:?}");
        }
    }
}
