//! What the HTTP API answers when it does not do what was asked: a status and the JSON of a
//! refusal, in Vietnamese and English.

use axum::Json;
use axum::http::StatusCode;
use axum::http::header::WWW_AUTHENTICATE;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::disk::DiskError;
use crate::refused::{Fault, Refused};

/// Why a request is not fulfilled.
#[derive(Debug)]
pub(super) enum ApiError {
    NotAuthenticated,
    NoSuchPath,
    WrongMethod,
    /// There is nothing of this name.
    NotFound(String),
    NoSuchAgency(String),
    /// The name is taken by something else.
    NameTaken(String),
    /// The request itself cannot be read.
    Malformed(String),
    TooLarge(String),
    /// A header is wrong.
    Fault(Box<Fault>),
    Disk(DiskError),
}

impl From<DiskError> for ApiError {
    fn from(error: DiskError) -> Self {
        Self::Disk(error)
    }
}

impl From<Fault> for ApiError {
    fn from(fault: Fault) -> Self {
        Self::Fault(Box::new(fault))
    }
}

struct Words {
    status: StatusCode,
    code: &'static str,
    en: &'static str,
    vi: &'static str,
    remedy: &'static str,
    remedy_vi: &'static str,
}

impl ApiError {
    /// Says why a body was not read: one that is too large is told from one that is wrong.
    pub(super) fn unread(status: StatusCode, why: String) -> Self {
        match status {
            StatusCode::PAYLOAD_TOO_LARGE => Self::TooLarge(why),
            _ => Self::Malformed(why),
        }
    }

    fn words(&self) -> Words {
        let words = |status, code, [en, vi, remedy, remedy_vi]: [&'static str; 4]| Words {
            status,
            code,
            en,
            vi,
            remedy,
            remedy_vi,
        };
        match self {
            Self::NotAuthenticated => words(
                StatusCode::UNAUTHORIZED,
                "NOT_AUTHENTICATED",
                [
                    "the request has no valid token",
                    "yêu cầu không có mã truy cập hợp lệ",
                    "send `Authorization: Bearer TOKEN` with the token of the file `http.token`",
                    "gửi `Authorization: Bearer TOKEN` với mã trong tệp `http.token`",
                ],
            ),
            Self::NoSuchPath => words(
                StatusCode::NOT_FOUND,
                "NO_SUCH_PATH",
                [
                    "there is no such path",
                    "không có đường dẫn này",
                    "docs/CONNECTOR.md lists the paths",
                    "xem các đường dẫn trong docs/CONNECTOR.md",
                ],
            ),
            Self::WrongMethod => words(
                StatusCode::METHOD_NOT_ALLOWED,
                "METHOD_NOT_ALLOWED",
                [
                    "this path is not asked with this method",
                    "đường dẫn này không nhận phương thức này",
                    "docs/CONNECTOR.md lists the paths with their methods",
                    "xem các đường dẫn và phương thức trong docs/CONNECTOR.md",
                ],
            ),
            Self::NotFound(_) => words(
                StatusCode::NOT_FOUND,
                "NOT_FOUND",
                [
                    "there is nothing of this name",
                    "không có gì mang tên này",
                    "check the name",
                    "kiểm tra lại tên",
                ],
            ),
            Self::NoSuchAgency(_) => words(
                StatusCode::NOT_FOUND,
                "NO_SUCH_AGENCY",
                [
                    "this connector does not serve the agency",
                    "bộ kết nối này không phục vụ cơ quan đó",
                    "name the connector's own agency, or one that its gateway serves",
                    "nêu chính cơ quan của bộ kết nối hoặc cơ quan mà cổng phục vụ",
                ],
            ),
            Self::NameTaken(_) => words(
                StatusCode::CONFLICT,
                "NAME_TAKEN",
                [
                    "another submission has this name",
                    "tên này đã dùng cho nội dung khác",
                    "give every document and report a name of its own",
                    "đặt cho mỗi văn bản, báo cáo một tên riêng",
                ],
            ),
            Self::Malformed(_) | Self::TooLarge(_) => words(
                if matches!(self, Self::TooLarge(_)) {
                    StatusCode::PAYLOAD_TOO_LARGE
                } else {
                    StatusCode::BAD_REQUEST
                },
                if matches!(self, Self::TooLarge(_)) { "TOO_LARGE" } else { "MALFORMED" },
                [
                    "the request cannot be read",
                    "không đọc được yêu cầu",
                    "correct what is named; docs/CONNECTOR.md has examples",
                    "sửa chỗ được nêu; xem ví dụ trong docs/CONNECTOR.md",
                ],
            ),
            Self::Disk(_) => words(
                StatusCode::INSUFFICIENT_STORAGE,
                "DISK_FAILED",
                [
                    "the connector's disk did not do what it was asked",
                    "ổ đĩa của bộ kết nối không thực hiện được",
                    "run `lienthong node doctor`; then try again",
                    "chạy `lienthong node doctor` rồi thử lại",
                ],
            ),
            // It has words of its own.
            Self::Fault(_) => words(StatusCode::UNPROCESSABLE_ENTITY, "", [""; 4]),
        }
    }

    fn value(&self) -> String {
        match self {
            Self::NotFound(value)
            | Self::NoSuchAgency(value)
            | Self::NameTaken(value)
            | Self::Malformed(value)
            | Self::TooLarge(value) => value.clone(),
            Self::Disk(error) => error.to_string(),
            Self::NotAuthenticated | Self::NoSuchPath | Self::WrongMethod | Self::Fault(_) => {
                String::new()
            }
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let words = self.words();
        let value = self.value();
        if let Self::Disk(error) = &self {
            tracing::error!(%error, "a request failed");
        }
        let body = match self {
            Self::Fault(fault) => json!({ "refusal": Refused::from(*fault) }),
            _ => json!({ "refusal": {
                "code": words.code, "meaning": words.en, "meaning_vi": words.vi,
                "remedy": words.remedy, "remedy_vi": words.remedy_vi,
                "violations": [], "value": value,
            }}),
        };
        let mut response = (words.status, Json(body)).into_response();
        if words.status == StatusCode::UNAUTHORIZED {
            let bearer = axum::http::HeaderValue::from_static("Bearer");
            response.headers_mut().insert(WWW_AUTHENTICATE, bearer);
        }
        response
    }
}
