//! How messages name a character that is not allowed: letters of other scripts and invisible characters look like
//! ASCII, or like nothing.

/// The characters that text editors, word processors and web pages put in place of ASCII, with their names in
/// [Unicode](https://www.unicode.org/charts/).
const NAMES: [(char, &str); 18] = [
    ('\u{a0}', "no-break space"),
    ('\u{ad}', "soft hyphen"),
    ('\u{2007}', "figure space"),
    ('\u{200b}', "zero-width space"),
    ('\u{200c}', "zero-width non-joiner"),
    ('\u{200d}', "zero-width joiner"),
    ('\u{2010}', "hyphen that is not ASCII"),
    ('\u{2011}', "no-break hyphen"),
    ('\u{2013}', "en dash"),
    ('\u{2014}', "em dash"),
    ('\u{2018}', "curly quotation mark"),
    ('\u{2019}', "curly quotation mark"),
    ('\u{201c}', "curly quotation mark"),
    ('\u{201d}', "curly quotation mark"),
    ('\u{202f}', "narrow no-break space"),
    ('\u{2212}', "minus sign that is not ASCII"),
    ('\u{3000}', "ideographic space"),
    ('\u{feff}', "byte order mark"),
];

/// A character in a message: `'/'`, or with its code point if it is not printable ASCII, such as `'а' (U+0430)`,
/// `'–' (U+2013, en dash)` and `U+00A0 (no-break space)`.
pub(crate) fn character(c: char) -> String {
    if c.is_ascii_graphic() || c == ' ' {
        return format!("'{c}'");
    }
    let code = format!("U+{:04X}", u32::from(c));
    let name = NAMES.iter().find(|(other, _)| *other == c).map(|(_, name)| *name);
    // `escape_debug` leaves only visible characters as they are.
    match (c.escape_debug().eq([c]), name) {
        (true, Some(name)) => format!("'{c}' ({code}, {name})"),
        (true, None) => format!("'{c}' ({code})"),
        (false, Some(name)) => format!("{code} ({name})"),
        (false, None) => code,
    }
}

/// Whether `c` is displayed like an ASCII quotation mark.
pub(crate) fn is_curly_quote(c: char) -> bool {
    matches!(c, '\u{2018}'..='\u{201f}' | '\u{ab}' | '\u{bb}' | '\u{2039}' | '\u{203a}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_that_is_not_ascii_has_its_code_point_and_an_invisible_one_only_that() {
        for (c, expected) in [
            ('/', "'/'"),
            (' ', "' '"),
            ('\u{430}', "'\u{430}' (U+0430)"),
            ('\u{2013}', "'\u{2013}' (U+2013, en dash)"),
            ('\u{a0}', "U+00A0 (no-break space)"),
            ('\u{202e}', "U+202E"),
            ('\t', "U+0009"),
        ] {
            assert_eq!(character(c), expected);
        }
    }
}
