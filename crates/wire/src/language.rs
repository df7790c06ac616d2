//! The language of texts for people: which one a caller asks for in `accept-language` (RFC 9110,
//! section 12.5.4).

/// Longest header that is looked at, in bytes; more is left aside.
const HEADER_BYTES_MAX: usize = 1024;
/// Most entries that are looked at.
const ENTRIES_MAX: usize = 32;

/// A language that the hub speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Language {
    /// Vietnamese: whoever asks for nothing that is spoken here gets it.
    #[default]
    Vietnamese,
    /// English.
    English,
}

impl Language {
    /// All languages.
    pub const ALL: [Self; 2] = [Self::Vietnamese, Self::English];

    /// Returns the tag (RFC 5646).
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Vietnamese => "vi",
            Self::English => "en",
        }
    }

    /// Returns the language of a tag or range, `vi` or `en-GB`, by its primary part; `None` for
    /// another.
    pub fn of_tag(tag: &str) -> Option<Self> {
        let primary = tag.split('-').next().unwrap_or_default();
        Self::ALL.into_iter().find(|language| language.tag().eq_ignore_ascii_case(primary))
    }

    /// Returns the language of the greatest weight in an `accept-language` header; of equals the
    /// first one named. An entry that is not well formed is passed over.
    ///
    /// The work is bounded: 1 KiB and 32 entries are looked at.
    pub fn accepted(header: &str) -> Self {
        let mut best: Option<(u16, Self)> = None;
        let mut others = None;
        let mut named = [None; Self::ALL.len()];
        let end = (0..=header.len().min(HEADER_BYTES_MAX)).rev();
        let looked_at = end.into_iter().find_map(|end| header.get(..end)).unwrap_or_default();
        for entry in looked_at.split(',').take(ENTRIES_MAX) {
            let Some((range, weight)) = weighted(entry) else { continue };
            if range == "*" {
                others = Some(weight);
            } else if let Some(language) = Self::of_tag(range) {
                let own = named.iter_mut().zip(Self::ALL).find(|(_, other)| *other == language);
                if let Some((known, _)) = own {
                    *known = Some(weight.max(known.unwrap_or_default()));
                }
                if weight > best.map_or(0, |(greatest, _)| greatest) {
                    best = Some((weight, language));
                }
            }
        }
        // `*` stands for whatever is not named.
        let unnamed = Self::ALL.into_iter().zip(named).find(|(_, known)| known.is_none());
        if let (Some(weight), Some((language, _))) = (others, unnamed)
            && weight > best.map_or(0, |(greatest, _)| greatest)
        {
            best = Some((weight, language));
        }
        best.map(|(_, language)| language).unwrap_or_default()
    }
}

/// The range and the weight in thousandths of an entry.
fn weighted(entry: &str) -> Option<(&str, u16)> {
    let mut parts = entry.split(';').map(|part| part.trim_matches([' ', '\t']));
    let range = parts.next().filter(|range| is_range(range))?;
    let weight = match parts.next() {
        None => 1000,
        Some(part) => thousandths(part.strip_prefix("q=").or_else(|| part.strip_prefix("Q="))?)?,
    };
    parts.next().is_none().then_some((range, weight))
}

/// Whether a text is a language range of RFC 4647, section 2.1.
fn is_range(text: &str) -> bool {
    let part = |part: &str| {
        (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    text == "*" || text.split('-').all(part)
}

/// A weight of at most three decimals, in thousandths (RFC 9110, section 12.4.2).
fn thousandths(text: &str) -> Option<u16> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    if decimals.len() > 3 || !decimals.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let part: u16 = format!("{decimals:0<3}").parse().ok()?;
    match whole {
        "0" => Some(part),
        "1" if part == 0 => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Language::{English, Vietnamese};
    use super::*;

    #[test]
    fn the_language_of_the_greatest_weight_is_taken() {
        for (header, expected) in [
            ("", Vietnamese),
            ("en", English),
            ("vi", Vietnamese),
            ("EN-gb", English),
            ("vi-VN, en;q=0.9", Vietnamese),
            ("en, vi", English),
            ("vi;q=0.2 , en;q=0.8", English),
            ("fr, en;q=0.001", English),
            ("fr", Vietnamese),
            ("*", Vietnamese),
            ("en;q=0.5, *", Vietnamese),
            ("en;q=0.5, *;q=0.4", English),
            ("vi;q=0, *", English),
            ("vi;q=0.1, *;q=0.5", English),
            ("en;q=0", Vietnamese),
            ("vi;q=0.5, en;q=0.500", Vietnamese),
            ("en;q=1.000, vi;q=1", English),
        ] {
            assert_eq!(Language::accepted(header), expected, "{header}");
        }
    }

    #[test]
    fn an_entry_that_is_not_well_formed_is_passed_over() {
        for bad in [
            "en;q=2",
            "en;q=1.001",
            "en;q=0.1234",
            "en;q=-1",
            "en;q=",
            "en;w=1",
            "en;q=1;q=1",
            "en glish",
            "en_US",
            "-en",
            "en-",
            "englishenglish-en",
            "en;q=.5",
        ] {
            assert_eq!(Language::accepted(bad), Vietnamese, "{bad}");
            assert_eq!(Language::accepted(&format!("{bad}, vi;q=0.1, en;q=0.2")), English, "{bad}");
        }
    }

    #[test]
    fn what_lies_beyond_the_bounds_is_left_aside() {
        let many = "fr,".repeat(ENTRIES_MAX) + "en";
        assert_eq!(Language::accepted(&many), Vietnamese);
        let long = " ".repeat(HEADER_BYTES_MAX) + "en";
        assert_eq!(Language::accepted(&long), Vietnamese);
        // The bound does not fall between characters.
        let cut = " ".repeat(HEADER_BYTES_MAX - 1) + "ệ, en";
        assert_eq!(Language::accepted(&cut), Vietnamese);
    }

    proptest! {
        #[test]
        fn any_header_gives_a_language(header in ".{0,200}") {
            let _ = Language::accepted(&header);
        }
    }
}
