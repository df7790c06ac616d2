//! Vietnamese text: searching without diacritics.

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// Returns `text` in lower case without diacritics, whatever its normal form:
/// `Đắk Lắk` and `đắk lắk` become `dak lak`. Runs of white space become one space.
pub fn fold_diacritics(text: &str) -> String {
    let plain: String = text
        .nfd()
        .filter(|c| !is_combining_mark(*c))
        .map(|c| match c {
            'đ' | 'Đ' => 'd',
            other => other,
        })
        .flat_map(char::to_lowercase)
        .collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_normal_form_folds_to_the_same_plain_text() {
        let composed = "Sở Thông tin và  Truyền thông tỉnh Đắk Lắk";
        let decomposed: String = composed.nfd().collect();
        assert_ne!(composed, decomposed);
        assert_eq!(fold_diacritics(composed), "so thong tin va truyen thong tinh dak lak");
        assert_eq!(fold_diacritics(&decomposed), fold_diacritics(composed));
        assert_eq!(fold_diacritics("THỪA THIÊN HUẾ"), "thua thien hue");
    }
}
