//! The first difference between two traces, with what was the same before it, in words.

use std::collections::VecDeque;
use std::io::{self, BufRead};

/// Lines that are shown before a difference.
const BEFORE: usize = 3;

/// What a trace's word means, in Vietnamese and English.
const MEANINGS: [(&str, &str, &str); 17] = [
    ("written", "viết văn bản", "writes a document"),
    ("nobody-writes", "chưa ai kết nối để gửi", "nobody is connected to write"),
    ("sent", "gửi tới trục", "sends to the hub"),
    ("held", "bị giữ lại trên đường truyền", "is held back on its way"),
    ("cut", "đứt kết nối khi tải tệp", "is cut while it uploads"),
    ("lost", "trục không hoạt động, mất yêu cầu", "the hub is down, the request is lost"),
    ("decided", "trục quyết định", "the hub decides"),
    ("received", "nhận văn bản", "receives a document"),
    ("received-again", "nhận lại văn bản", "receives a document again"),
    ("missed", "nút không hoạt động, lỡ văn bản", "the node is off and misses a document"),
    ("acknowledgement-lost", "mất xác nhận", "an acknowledgement is lost"),
    ("reported", "báo cáo trạng thái", "reports a status"),
    ("changes", "thu hồi, cập nhật hoặc thay thế", "takes back, updates or replaces"),
    ("connected", "kết nối", "connects"),
    ("fault-begins", "sự cố bắt đầu", "a fault begins"),
    ("fault-ends", "sự cố kết thúc", "a fault ends"),
    ("hub-dies", "trục dừng đột ngột", "the hub dies"),
];

/// The first difference of two traces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The line, from 1.
    pub line: u64,
    /// The last lines before it, the same in both.
    pub before: Vec<String>,
    /// The line of the first; none when it ends before.
    pub first: Option<String>,
    /// The line of the second; none when it ends before.
    pub second: Option<String>,
}

/// Compares two traces line by line; none when they are the same.
///
/// # Errors
/// When one of them cannot be read.
pub fn compare(first: impl BufRead, second: impl BufRead) -> io::Result<Option<Difference>> {
    let (mut first, mut second) = (first.lines(), second.lines());
    let mut before = VecDeque::with_capacity(BEFORE + 1);
    for line in 1.. {
        let (one, other) = (first.next().transpose()?, second.next().transpose()?);
        if one != other {
            let before = before.into();
            return Ok(Some(Difference { line, before, first: one, second: other }));
        }
        let Some(same) = one else { return Ok(None) };
        before.push_back(same);
        if before.len() > BEFORE {
            before.pop_front();
        }
    }
    Ok(None)
}

/// Returns what a line of a trace means, in Vietnamese and English.
pub fn meaning(line: &str) -> String {
    let what = line.split(' ').nth(1).unwrap_or_default();
    let known = MEANINGS.iter().find(|(word, ..)| *word == what);
    known.map_or_else(|| what.to_owned(), |(_, vi, en)| format!("{vi} / {en}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_difference_is_named_with_what_came_before() {
        let one = "1 a\n2 b\n3 c\n4 d\n5 sent H36 7\n";
        let other = "1 a\n2 b\n3 c\n4 d\n5 received H36 7\n";
        let found = compare(one.as_bytes(), other.as_bytes()).unwrap().unwrap();
        assert_eq!((found.line, found.before), (5, vec!["2 b".into(), "3 c".into(), "4 d".into()]));
        assert_eq!(meaning(&found.first.unwrap()), "gửi tới trục / sends to the hub");
        assert_eq!(compare(one.as_bytes(), one.as_bytes()).unwrap(), None);
    }

    #[test]
    fn a_trace_that_ends_before_the_other_differs_there() {
        let found = compare("1 a\n".as_bytes(), "1 a\n2 b\n".as_bytes()).unwrap().unwrap();
        assert_eq!((found.line, found.first, found.second), (2, None, Some("2 b".into())));
    }
}
