//! What people are told of a document's revocation: nothing when it is proven, a loud mark
//! otherwise.

use lienthong_model::Revocation;

/// The name of the line that bears the mark.
pub(crate) const LINE: &str = "thu hồi chứng thư / certificate revocation";

/// Returns the name for programs; none when the hub does not say.
pub(crate) fn name(revocation: Option<Revocation>) -> Option<&'static str> {
    revocation.map(Revocation::name)
}

/// Returns the mark for a name; none where there is nothing to say.
pub(crate) fn mark(name: Option<&str>) -> Option<&'static str> {
    let name = name?;
    let is = |revocation: Revocation| revocation.name() == name;
    if is(Revocation::NotProven) {
        Some(
            "CHƯA CHỨNG MINH / NOT PROVEN: danh sách thu hồi quá hạn, chờ danh sách mới / \
             a revocation list is late, a newer one is awaited",
        )
    } else if is(Revocation::FoundRevoked) {
        Some(
            "ĐÃ BỊ THU HỒI / FOUND REVOKED: chứng thư đã bị thu hồi trước khi trục nhận / \
             a certificate had been revoked before the hub received it",
        )
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_proven_bears_no_mark() {
        assert_eq!(mark(None), None);
        assert_eq!(mark(name(Some(Revocation::Proven))), None);
        assert!(mark(name(Some(Revocation::NotProven))).unwrap().contains("NOT PROVEN"));
        assert!(mark(name(Some(Revocation::FoundRevoked))).unwrap().contains("FOUND REVOKED"));
    }
}
