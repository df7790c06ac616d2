//! The words for each cause, in English and Vietnamese.

use lienthong_model::Timestamp;

use super::{Cause, Step, Words};

impl Cause {
    /// Returns what it means and what to do about it.
    pub fn words(&self) -> Words {
        let (meaning, meaning_vi) = self.meaning();
        let (remedy, remedy_vi) = self.remedy();
        Words { meaning, meaning_vi, remedy, remedy_vi }
    }

    fn meaning(&self) -> (String, String) {
        let both = |en: &str, vi: &str| (en.to_owned(), vi.to_owned());
        match self {
            Self::HostUnknown(host) => (
                format!("no address is known for the host `{host}`"),
                format!("không tìm thấy địa chỉ của máy chủ `{host}`"),
            ),
            Self::NothingListens => both(
                "the connection was refused: nothing listens on this port",
                "kết nối bị từ chối: không có dịch vụ nào ở cổng này",
            ),
            Self::NoWay(why) => (
                format!("no way leads to the hub: {why}"),
                format!("không có đường mạng tới trục: {why}"),
            ),
            Self::TimedOut(step) => {
                let (en, vi) = step.names();
                (format!("{en} took too long"), format!("{vi} quá lâu"))
            }
            Self::NotTls => {
                both("what listens there does not speak TLS", "dịch vụ ở đó không dùng TLS")
            }
            Self::NoCommonProtocol(why) => (
                format!("there is no TLS version or protocol in common: {why}"),
                format!("hai bên không có phiên bản TLS hoặc giao thức chung: {why}"),
            ),
            Self::ClosedEarly => both(
                "the hub closed the connection right after the handshake without a word",
                "trục đóng kết nối ngay sau khi bắt tay mà không nêu lý do",
            ),
            Self::Interrupted(why) => {
                (format!("the connection broke: {why}"), format!("kết nối bị đứt: {why}"))
            }
            hub_or_own => hub_or_own.certificate_meaning(),
        }
    }

    fn certificate_meaning(&self) -> (String, String) {
        let both = |en: &str, vi: &str| (en.to_owned(), vi.to_owned());
        match self {
            Self::HubNameDiffers { expected, presented } => {
                let names = presented.join(", ");
                (
                    format!("the hub's certificate is not for `{expected}` but for {names}"),
                    format!("chứng thư của trục không dành cho `{expected}` mà cho {names}"),
                )
            }
            Self::HubUntrusted => both(
                "the hub's certificate was issued by an authority that is not trusted here",
                "chứng thư của trục do tổ chức không được tin cậy ở đây cấp",
            ),
            Self::HubExpired { now, not_after } => (
                format!("the hub's certificate has expired{}", dates(*now, *not_after)),
                format!("chứng thư của trục đã hết hạn{}", dates_vi(*now, *not_after)),
            ),
            Self::HubNotYetValid { now, not_before } => (
                format!("the hub's certificate is not valid yet{}", dates(*now, *not_before)),
                format!("chứng thư của trục chưa có hiệu lực{}", dates_vi(*now, *not_before)),
            ),
            Self::HubRevoked => {
                both("the hub's certificate is revoked", "chứng thư của trục đã bị thu hồi")
            }
            Self::HubCertificateUnsuitable(why) => (
                format!("the hub's certificate cannot be used: {why}"),
                format!("không dùng được chứng thư của trục: {why}"),
            ),
            Self::OurAuthorityUnknown => both(
                "the hub does not trust the authority that issued our node certificate",
                "trục không tin cậy tổ chức đã cấp chứng thư nút của ta",
            ),
            Self::OurCertificateNotInForce => both(
                "by the hub's clock our node certificate has expired or is not valid yet",
                "theo đồng hồ của trục, chứng thư nút của ta đã hết hạn hoặc chưa có hiệu lực",
            ),
            Self::OurCertificateRevoked => {
                both("our node certificate is revoked", "chứng thư nút của ta đã bị thu hồi")
            }
            Self::OurCertificateMissing => both(
                "the hub wants a node certificate and got none",
                "trục yêu cầu chứng thư nút nhưng không nhận được",
            ),
            Self::OurCertificateRefused(why) => (
                format!("the hub does not accept our node certificate ({why})"),
                format!("trục không chấp nhận chứng thư nút của ta ({why})"),
            ),
            // The others are in `meaning`.
            _ => both("the hub cannot be reached", "không kết nối được tới trục"),
        }
    }

    fn remedy(&self) -> (&'static str, &'static str) {
        match self {
            Self::HostUnknown(_) => {
                ("check the address and the name service", "kiểm tra địa chỉ và dịch vụ tên miền")
            }
            Self::NothingListens => (
                "check the port and whether the hub is running",
                "kiểm tra cổng và xem trục có đang chạy không",
            ),
            Self::NoWay(_) | Self::TimedOut(_) | Self::Interrupted(_) => (
                "check the network and the firewalls on the way, then try again",
                "kiểm tra mạng và tường lửa trên đường đi rồi thử lại",
            ),
            Self::NotTls => (
                "check the port: it may be the one of the web pages",
                "kiểm tra cổng: có thể đó là cổng của trang web",
            ),
            Self::NoCommonProtocol(_) => (
                "connect to the gRPC port of the hub, with TLS 1.3 and HTTP/2",
                "kết nối tới cổng gRPC của trục, với TLS 1.3 và HTTP/2",
            ),
            Self::HubNameDiffers { .. } => (
                "use a name that the certificate has, or set the server name",
                "dùng tên có trong chứng thư hoặc đặt tên máy chủ",
            ),
            Self::HubUntrusted => (
                "give the root certificate of the axis, or check that this is the right hub",
                "khai chứng thư gốc của trục hoặc kiểm tra xem có đúng trục không",
            ),
            Self::HubExpired { .. } | Self::HubNotYetValid { .. } => (
                "check this machine's clock; for a hub on a scenario's clock give that clock",
                "kiểm tra đồng hồ máy này; với trục chạy theo kịch bản, khai đồng hồ của kịch bản",
            ),
            Self::HubRevoked | Self::HubCertificateUnsuitable(_) => (
                "tell the operator of the axis; do not send anything",
                "báo đơn vị vận hành trục; không gửi gì",
            ),
            Self::OurAuthorityUnknown => (
                "use a node certificate of the axis' own authority and send its issuer with it",
                "dùng chứng thư nút do tổ chức của trục cấp, kèm chứng thư nơi cấp",
            ),
            Self::OurCertificateNotInForce | Self::OurCertificateRevoked => {
                ("have a new node certificate issued", "xin cấp chứng thư nút mới")
            }
            Self::OurCertificateMissing | Self::OurCertificateRefused(_) | Self::ClosedEarly => (
                "connect with the node certificate of an agency of the axis, not a person's or seal's",
                "kết nối bằng chứng thư nút của một cơ quan trên trục, không phải của cá nhân hay con dấu",
            ),
        }
    }
}

impl Step {
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Lookup => ("looking the host up", "tra địa chỉ máy chủ"),
            Self::Connect => ("connecting", "kết nối"),
            Self::Handshake => ("the TLS handshake", "bắt tay TLS"),
            Self::Answer => ("the hub's answer", "trục trả lời"),
        }
    }
}

fn dates(now: Option<u64>, bound: Option<u64>) -> String {
    match (now, bound) {
        (Some(now), Some(bound)) => format!(": its date is {}, it is {}", at(bound), at(now)),
        _ => String::new(),
    }
}

fn dates_vi(now: Option<u64>, bound: Option<u64>) -> String {
    match (now, bound) {
        (Some(now), Some(bound)) => format!(": mốc là {}, bây giờ là {}", at(bound), at(now)),
        _ => String::new(),
    }
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_millis(0).plus(std::time::Duration::from_secs(seconds))
}
