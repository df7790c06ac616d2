//! Names of units inside the names of agencies: `Huyện Lạc Dương` becomes `huyện Lạc Dương`.

/// The words for kinds of units.
const KINDS: [&str; 8] =
    ["thành phố", "thị xã", "thị trấn", "tỉnh", "quận", "huyện", "phường", "xã"];

/// Returns a unit's name as it stands inside a longer one: the kind in lower case, single spaces.
///
/// The kind keeps its capital before a number (`Quận 1`) and in `Thành phố Hồ Chí Minh` (Decree
/// 30/2020/NĐ-CP, annex II). The decree also keeps it before the name of a person or an event;
/// the lists do not say which names are such, so that is not done.
pub fn inside(name_with_type: &str) -> String {
    let words: Vec<&str> = name_with_type.split_whitespace().collect();
    for kind in KINDS {
        let count = kind.split(' ').count();
        let (Some(head), Some(rest)) = (words.get(..count), words.get(count..)) else { continue };
        if head.join(" ").to_lowercase() != kind {
            continue;
        }
        let rest = rest.join(" ");
        let numbered = rest.starts_with(|c: char| c.is_ascii_digit());
        if numbered || (kind == "thành phố" && rest == "Hồ Chí Minh") {
            return format!("{} {rest}", capitalised(kind));
        }
        return format!("{kind} {rest}");
    }
    words.join(" ")
}

fn capitalised(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().into_iter().flat_map(char::to_uppercase).chain(chars).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_of_a_unit_is_in_lower_case_inside_a_name() {
        assert_eq!(inside("Huyện Lạc Dương"), "huyện Lạc Dương");
        assert_eq!(inside("Thị Trấn Óc Eo"), "thị trấn Óc Eo");
        assert_eq!(inside("Thị xã Sa Pa"), "thị xã Sa Pa");
        assert_eq!(inside("Phường Xã Tắc"), "phường Xã Tắc");
    }

    #[test]
    fn the_kind_keeps_its_capital_before_a_number_and_in_ho_chi_minh_city() {
        assert_eq!(inside("Quận 1"), "Quận 1");
        assert_eq!(inside("Phường Cổ Nhuế 1"), "phường Cổ Nhuế 1");
        assert_eq!(inside("Thành phố Hồ Chí Minh"), "Thành phố Hồ Chí Minh");
        assert_eq!(inside("Thành phố Đà Lạt"), "thành phố Đà Lạt");
    }

    #[test]
    fn stray_spaces_of_the_lists_are_dropped() {
        assert_eq!(inside("Xã  Hoàng Văn Thụ"), "xã Hoàng Văn Thụ");
        assert_eq!(inside("Xã Ngư Thủy "), "xã Ngư Thủy");
        assert_eq!(inside("Đảo"), "Đảo");
    }
}
