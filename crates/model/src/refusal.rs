//! The list of refusals: every reason for which the hub declines something, in order of precedence.
//!
//! A refusal is a business outcome, not a failure. When several reasons apply, the first in this
//! file is the one given. The number and the code of a reason are stable: they are journalled and
//! clients program against them. Adding one: put it where its precedence is, with a new number.

use std::fmt;

use minicbor::{Decode, Encode};

/// What sort of thing went wrong; decides the gRPC code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Category {
    /// No proven identity: UNAUTHENTICATED.
    Unauthenticated,
    /// The bytes or a signature are wrong: INVALID_ARGUMENT.
    Malformed,
    /// Not entitled, or a certificate that cannot be relied on: PERMISSION_DENIED.
    Forbidden,
    /// Unknown, or somebody else's: NOT_FOUND.
    Unknown,
    /// An id used again with other content: ALREADY_EXISTS.
    Conflict,
    /// Too late, or the wrong state: FAILED_PRECONDITION.
    WrongState,
    /// A quota or bound is reached: RESOURCE_EXHAUSTED, with a time to retry.
    Exhausted,
    /// The hub cannot take it now: UNAVAILABLE.
    Unavailable,
    /// What is stored cannot be read: DATA_LOSS.
    Damaged,
}

macro_rules! reasons {
    ($($name:ident = $number:literal, $code:literal, $category:ident, {
        en: $en:literal, vi: $vi:literal, remedy: $remedy_en:literal, remedy_vi: $remedy_vi:literal
    })+) => {
        /// A reason for refusing, in order of precedence: the smaller one is given.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
        #[cbor(index_only)]
        pub enum Reason { $(#[doc = $en] #[n($number)] $name,)+ }

        impl Reason {
            /// All reasons, in order of precedence.
            pub const ALL: &'static [Reason] = &[$(Reason::$name),+];

            /// The stable number.
            pub const fn number(self) -> u16 { match self { $(Reason::$name => $number),+ } }
            /// The stable code, for programs.
            pub const fn code(self) -> &'static str { match self { $(Reason::$name => $code),+ } }
            /// The category.
            pub const fn category(self) -> Category { match self { $(Reason::$name => Category::$category),+ } }
            /// What it means, in English.
            pub const fn meaning(self) -> &'static str { match self { $(Reason::$name => $en),+ } }
            /// What it means, in Vietnamese.
            pub const fn meaning_vi(self) -> &'static str { match self { $(Reason::$name => $vi),+ } }
            /// What to do about it, in English.
            pub const fn remedy(self) -> &'static str { match self { $(Reason::$name => $remedy_en),+ } }
            /// What to do about it, in Vietnamese.
            pub const fn remedy_vi(self) -> &'static str { match self { $(Reason::$name => $remedy_vi),+ } }
        }
    };
}

reasons! {
    // Who is calling.
    CallerUnknown = 1, "CALLER_UNKNOWN", Unauthenticated, {
        en: "the TLS certificate names no agency of the directory that may connect",
        vi: "chứng thư TLS không ứng với cơ quan nào được phép kết nối trong danh bạ",
        remedy: "connect with a node certificate of an agency in the directory",
        remedy_vi: "kết nối bằng chứng thư nút của một cơ quan có trong danh bạ"
    }
    CallerNotEntitled = 2, "CALLER_NOT_ENTITLED", Forbidden, {
        en: "the caller may not act for this agency, or may not use this method",
        vi: "bên gọi không được phép thay mặt cơ quan này hoặc không được dùng phương thức này",
        remedy: "call as the agency itself, as its gateway, or with the role that the method asks for",
        remedy_vi: "gọi với tư cách chính cơ quan đó, cổng kết nối của nó, hoặc vai trò mà phương thức yêu cầu"
    }
    RateLimited = 85, "RATE_LIMITED", Exhausted, {
        en: "the caller asks for more in a second than one agency may",
        vi: "bên gọi yêu cầu nhiều hơn mức cho phép của một cơ quan trong một giây",
        remedy: "try again after the time given, and ask more slowly; streams are slowed down by the hub itself",
        remedy_vi: "thử lại sau thời gian được nêu và giảm tốc độ gửi; luồng dữ liệu được trục tự làm chậm lại"
    }
    // Operators' pages.
    SignInRequired = 120, "SIGN_IN_REQUIRED", Unauthenticated, {
        en: "this is for operators who have signed in",
        vi: "nội dung này dành cho người vận hành đã đăng nhập",
        remedy: "sign in with an account or an operator's certificate",
        remedy_vi: "đăng nhập bằng tài khoản hoặc chứng thư số của người vận hành"
    }
    SignInFailed = 121, "SIGN_IN_FAILED", Unauthenticated, {
        en: "name or password is wrong, or no appointment is in force",
        vi: "sai tên đăng nhập hoặc mật khẩu, hoặc không có bổ nhiệm nào còn hiệu lực",
        remedy: "check both; an administrator can set another password and enter the appointment",
        remedy_vi: "kiểm tra lại; quản trị viên có thể đặt mật khẩu khác và bổ nhiệm"
    }
    SignInLimited = 122, "SIGN_IN_LIMITED", Exhausted, {
        en: "too many failed attempts to sign in",
        vi: "đăng nhập sai quá nhiều lần",
        remedy: "try again after the time given",
        remedy_vi: "thử lại sau thời gian được nêu"
    }
    RequestForeign = 123, "REQUEST_FOREIGN", Forbidden, {
        en: "the request does not come from the hub's own pages",
        vi: "yêu cầu không xuất phát từ trang của trục",
        remedy: "open the hub's pages under their own address, and send the token of the session",
        remedy_vi: "mở trang của trục đúng địa chỉ và gửi kèm mã của phiên làm việc"
    }
    // The bytes.
    ContentTypeUnknown = 10, "CONTENT_TYPE_UNKNOWN", Malformed, {
        en: "the content type is not one that the hub reads",
        vi: "kiểu nội dung không phải kiểu mà trục đọc được",
        remedy: "use the content type of Document v1 or Status v1",
        remedy_vi: "dùng kiểu nội dung Document v1 hoặc Status v1"
    }
    ContentTooLarge = 11, "CONTENT_TOO_LARGE", Malformed, {
        en: "the content, its attachments or its lists are larger than the bound",
        vi: "nội dung, tệp đính kèm hoặc danh sách vượt quá giới hạn",
        remedy: "send less in one message; upload large attachments first",
        remedy_vi: "giảm kích thước một thông điệp; tải lên trước các tệp lớn"
    }
    ContentMalformed = 12, "CONTENT_MALFORMED", Malformed, {
        en: "the signed content cannot be decoded",
        vi: "không giải mã được nội dung đã ký",
        remedy: "encode the content as its content type says, then sign those bytes",
        remedy_vi: "mã hóa nội dung đúng kiểu đã khai rồi ký chính các byte đó"
    }
    FieldMissing = 13, "FIELD_MISSING", Malformed, {
        en: "a mandatory field is missing",
        vi: "thiếu trường bắt buộc",
        remedy: "fill the field named and sign again",
        remedy_vi: "điền trường được nêu và ký lại"
    }
    FieldInvalid = 14, "FIELD_INVALID", Malformed, {
        en: "a field has a value that it may not have",
        vi: "trường có giá trị không hợp lệ",
        remedy: "correct the field named and sign again",
        remedy_vi: "sửa trường được nêu và ký lại"
    }
    AttachmentMismatch = 15, "ATTACHMENT_MISMATCH", Malformed, {
        en: "an attachment is missing, superfluous, or differs from the digest or size in the content",
        vi: "tệp đính kèm thiếu, thừa hoặc khác với mã băm hay kích thước ghi trong nội dung",
        remedy: "send exactly the attachments that the content names, byte for byte",
        remedy_vi: "gửi đúng các tệp đính kèm mà nội dung nêu, không sai một byte"
    }
    // The signatures, as far as the bytes alone tell.
    SignatureMalformed = 20, "SIGNATURE_MALFORMED", Malformed, {
        en: "a signature is not 64 bytes of Ed25519, or names a signer twice",
        vi: "chữ ký không phải 64 byte Ed25519 hoặc nêu một người ký hai lần",
        remedy: "sign the DSSE encoding with Ed25519, once a signer",
        remedy_vi: "ký bản mã hóa DSSE bằng Ed25519, mỗi người ký một lần"
    }
    CertificateUnknown = 21, "CERTIFICATE_UNKNOWN", Malformed, {
        en: "a signature names a certificate that was neither sent nor seen before",
        vi: "chữ ký nêu một chứng thư không được gửi kèm và chưa từng thấy",
        remedy: "send the signer's certificate with the content",
        remedy_vi: "gửi kèm chứng thư của người ký"
    }
    CertificateMalformed = 22, "CERTIFICATE_MALFORMED", Malformed, {
        en: "a certificate cannot be decoded or breaks the certificate profile",
        vi: "không đọc được chứng thư hoặc chứng thư sai quy cách",
        remedy: "use a certificate that follows the profile in docs/CERTIFICATES.md",
        remedy_vi: "dùng chứng thư theo đúng quy cách trong docs/CERTIFICATES.md"
    }
    CertificateKeyWeak = 23, "CERTIFICATE_KEY_WEAK", Malformed, {
        en: "a certificate's key is not a sound Ed25519 key",
        vi: "khóa của chứng thư không phải khóa Ed25519 an toàn",
        remedy: "make a new key and have it certified",
        remedy_vi: "tạo khóa mới và xin cấp chứng thư"
    }
    CertificateUnsuitable = 24, "CERTIFICATE_UNSUITABLE", Malformed, {
        en: "a certificate may not be used to sign documents (key usage or extended key usage)",
        vi: "chứng thư không được dùng để ký văn bản (mục đích sử dụng khóa)",
        remedy: "sign with a person's or a seal's certificate, not with a node's or an issuer's",
        remedy_vi: "ký bằng chứng thư cá nhân hoặc con dấu của cơ quan, không bằng chứng thư nút hay của nơi cấp"
    }
    CertificateChainBroken = 25, "CERTIFICATE_CHAIN_BROKEN", Malformed, {
        en: "no chain of issuers that holds up leads from a certificate to a root",
        vi: "không có chuỗi chứng thực hợp lệ từ chứng thư tới gốc",
        remedy: "send the issuing authorities' certificates with the content",
        remedy_vi: "gửi kèm chứng thư của các nơi cấp"
    }
    SignatureInvalid = 26, "SIGNATURE_INVALID", Malformed, {
        en: "a signature does not verify: the content was changed after signing, or another key signed",
        vi: "chữ ký không đúng: nội dung bị thay đổi sau khi ký hoặc ký bằng khóa khác",
        remedy: "send the content byte for byte as it was signed",
        remedy_vi: "gửi nội dung đúng từng byte như khi ký"
    }
    // The message.
    IdReused = 30, "ID_REUSED", Conflict, {
        en: "the sender has used this id for other content",
        vi: "bên gửi đã dùng mã này cho nội dung khác",
        remedy: "give the new content a new id",
        remedy_vi: "đặt mã mới cho nội dung mới"
    }
    AttachmentNotUploaded = 16, "ATTACHMENT_NOT_UPLOADED", WrongState, {
        en: "an attachment neither travels with the content nor was uploaded by the caller",
        vi: "tệp đính kèm không gửi cùng nội dung và cũng chưa được bên gọi tải lên",
        remedy: "upload the attachments named, then hand the same document over again",
        remedy_vi: "tải lên các tệp được nêu rồi gửi lại chính văn bản đó"
    }
    UploadMisplaced = 17, "UPLOAD_MISPLACED", Malformed, {
        en: "a piece of an upload does not begin where the hub stands, or goes beyond the size announced",
        vi: "một phần tải lên không bắt đầu tại vị trí trục đang chờ hoặc vượt quá kích thước đã khai",
        remedy: "begin the upload again; the hub says how much it has",
        remedy_vi: "bắt đầu lại lượt tải lên; trục cho biết đã có bao nhiêu byte"
    }
    UploadDigestWrong = 18, "UPLOAD_DIGEST_WRONG", Malformed, {
        en: "the bytes uploaded do not have the SHA-256 announced; they are deleted",
        vi: "các byte đã tải lên không có mã SHA-256 như đã khai; trục đã xóa chúng",
        remedy: "upload the file again from its beginning",
        remedy_vi: "tải lại tệp từ đầu"
    }
    IdTimeOutOfRange = 31, "ID_TIME_OUT_OF_RANGE", Malformed, {
        en: "the time in the message id is more than 30 days before or 5 minutes after receipt",
        vi: "thời điểm trong mã thông điệp sớm hơn 30 ngày hoặc muộn hơn 5 phút so với lúc nhận",
        remedy: "make the id (UUIDv7) when sending, with a clock that is right",
        remedy_vi: "tạo mã (UUIDv7) lúc gửi, với đồng hồ đúng"
    }
    SignedAtOutOfRange = 32, "SIGNED_AT_OUT_OF_RANGE", Malformed, {
        en: "the time of signing is more than 30 days before or 5 minutes after receipt",
        vi: "thời điểm ký sớm hơn 30 ngày hoặc muộn hơn 5 phút so với lúc nhận",
        remedy: "sign again, with a clock that is right",
        remedy_vi: "ký lại, với đồng hồ đúng"
    }
    // The sender.
    SenderUnknown = 40, "SENDER_UNKNOWN", Unknown, {
        en: "the sending agency is not in the directory",
        vi: "cơ quan gửi không có trong danh bạ",
        remedy: "use the agency's code from the directory",
        remedy_vi: "dùng mã định danh trong danh bạ"
    }
    SenderNotEntitled = 41, "SENDER_NOT_ENTITLED", Forbidden, {
        en: "the caller is neither the sending agency nor its gateway",
        vi: "bên gọi không phải cơ quan gửi cũng không phải cổng kết nối của cơ quan gửi",
        remedy: "send through the agency's own node or its gateway",
        remedy_vi: "gửi qua nút của chính cơ quan hoặc cổng kết nối của nó"
    }
    SenderNotInForce = 42, "SENDER_NOT_IN_FORCE", WrongState, {
        en: "the sending agency is not in force on this date",
        vi: "cơ quan gửi không còn hoặc chưa có hiệu lực tại ngày này",
        remedy: "send as the agency that has taken over",
        remedy_vi: "gửi với tư cách cơ quan kế thừa"
    }
    SenderSuspended = 43, "SENDER_SUSPENDED", Forbidden, {
        en: "the sending agency is suspended",
        vi: "cơ quan gửi đang bị tạm dừng",
        remedy: "ask the operator of the axis",
        remedy_vi: "liên hệ đơn vị vận hành trục"
    }
    // The certificates, as of a date.
    CertificateUntrusted = 50, "CERTIFICATE_UNTRUSTED", Forbidden, {
        en: "a certificate leads to a root that the hub does not trust",
        vi: "chứng thư dẫn tới gốc mà trục không tin cậy",
        remedy: "use a certificate of an authority that the axis accepts",
        remedy_vi: "dùng chứng thư của tổ chức chứng thực được trục chấp nhận"
    }
    CertificateNotYetValid = 51, "CERTIFICATE_NOT_YET_VALID", Forbidden, {
        en: "a certificate was not yet valid when it signed",
        vi: "chứng thư chưa có hiệu lực vào lúc ký",
        remedy: "sign after the certificate's first day",
        remedy_vi: "ký sau khi chứng thư có hiệu lực"
    }
    CertificateExpired = 52, "CERTIFICATE_EXPIRED", Forbidden, {
        en: "a certificate had expired when it signed or when the hub received it",
        vi: "chứng thư đã hết hạn lúc ký hoặc lúc trục nhận",
        remedy: "sign with a certificate in force",
        remedy_vi: "ký bằng chứng thư còn hiệu lực"
    }
    CertificateRevoked = 53, "CERTIFICATE_REVOKED", Forbidden, {
        en: "a certificate was revoked before the hub received what it signed",
        vi: "chứng thư đã bị thu hồi trước khi trục nhận",
        remedy: "sign with another certificate",
        remedy_vi: "ký bằng chứng thư khác"
    }
    RevocationNotProven = 58, "REVOCATION_NOT_PROVEN", Forbidden, {
        en: "whether a certificate was revoked is not known: its issuer's revocation list has been due for longer than the grace allows",
        vi: "chưa biết chứng thư có bị thu hồi hay không: danh sách thu hồi của nơi cấp đã quá hạn lâu hơn thời gian cho phép",
        remedy: "the issuer has to publish a new revocation list, the administrator of the axis to enter it; then send again",
        remedy_vi: "nơi cấp chứng thư phải phát hành danh sách thu hồi mới và đơn vị quản trị trục nạp vào; sau đó gửi lại"
    }
    SignerOfOtherAgency = 54, "SIGNER_OF_OTHER_AGENCY", Forbidden, {
        en: "a signature belongs to a person or seal of another agency",
        vi: "chữ ký thuộc về cá nhân hoặc con dấu của cơ quan khác",
        remedy: "have it signed by a person and seal of the sending agency",
        remedy_vi: "để người và con dấu của cơ quan gửi ký"
    }
    SignerWithoutAuthority = 57, "SIGNER_WITHOUT_AUTHORITY", Forbidden, {
        en: "no person who signed has a mandate of the sending agency for this type of document on this date",
        vi: "người ký không có thẩm quyền ký loại văn bản này của cơ quan gửi tại ngày này",
        remedy: "have it signed by a person with a mandate in force, or have the mandate entered: see `lienthong trust mandates`",
        remedy_vi: "để người có thẩm quyền còn hiệu lực ký, hoặc đăng ký thẩm quyền ký: xem `lienthong trust mandates`"
    }
    PersonalSignatureRequired = 55, "PERSONAL_SIGNATURE_REQUIRED", Forbidden, {
        en: "the sender's policy requires a person's signature and there is none",
        vi: "chính sách của bên gửi yêu cầu chữ ký số cá nhân nhưng không có",
        remedy: "have the competent person sign",
        remedy_vi: "để người có thẩm quyền ký số"
    }
    SealRequired = 56, "SEAL_REQUIRED", Forbidden, {
        en: "the seal of the agency or of its gateway is required and is missing",
        vi: "thiếu chữ ký số của cơ quan hoặc của cổng kết nối",
        remedy: "sign with the agency's seal",
        remedy_vi: "ký bằng con dấu số của cơ quan"
    }
    // Where it goes.
    RecipientUnknown = 60, "RECIPIENT_UNKNOWN", Unknown, {
        en: "a recipient is not in the directory",
        vi: "nơi nhận không có trong danh bạ",
        remedy: "look the agency up and use its code",
        remedy_vi: "tra danh bạ và dùng đúng mã định danh"
    }
    RecipientNotInForce = 61, "RECIPIENT_NOT_IN_FORCE", WrongState, {
        en: "a recipient is not in force on this date",
        vi: "nơi nhận không còn hoặc chưa có hiệu lực tại ngày này",
        remedy: "send to the agency that has taken over",
        remedy_vi: "gửi tới cơ quan kế thừa"
    }
    RecipientSuspended = 62, "RECIPIENT_SUSPENDED", WrongState, {
        en: "a recipient is suspended",
        vi: "nơi nhận đang bị tạm dừng",
        remedy: "leave the recipient out, or ask the operator of the axis",
        remedy_vi: "bỏ nơi nhận này hoặc liên hệ đơn vị vận hành trục"
    }
    RecipientRepeated = 63, "RECIPIENT_REPEATED", Malformed, {
        en: "a recipient is named twice",
        vi: "một nơi nhận được nêu hai lần",
        remedy: "name every recipient once",
        remedy_vi: "nêu mỗi nơi nhận một lần"
    }
    RouteRefused = 64, "ROUTE_REFUSED", Forbidden, {
        en: "a routing rule does not allow this sender to reach a recipient with this type",
        vi: "quy tắc định tuyến không cho phép bên gửi gửi loại văn bản này tới nơi nhận",
        remedy: "see `lienthong route explain`",
        remedy_vi: "xem `lienthong route explain`"
    }
    RouteThroughSuperior = 65, "ROUTE_THROUGH_SUPERIOR", Forbidden, {
        en: "a routing rule lets this document reach a recipient only through the superior agency",
        vi: "quy tắc định tuyến yêu cầu gửi văn bản này qua cơ quan cấp trên",
        remedy: "address it to the superior agency",
        remedy_vi: "gửi tới cơ quan cấp trên"
    }
    RecipientListUnknown = 66, "RECIPIENT_LIST_UNKNOWN", Unknown, {
        en: "a list of recipients is not known",
        vi: "danh sách nơi nhận không tồn tại",
        remedy: "see `lienthong list show`, or name the agencies",
        remedy_vi: "xem `lienthong list show`, hoặc nêu từng cơ quan"
    }
    RecipientListEmpty = 67, "RECIPIENT_LIST_EMPTY", WrongState, {
        en: "nobody is left to send to: the lists named have no agency that may receive it",
        vi: "không còn nơi nhận nào: các danh sách đã nêu không có cơ quan nào nhận được",
        remedy: "see `lienthong list resolve NAME`, and name another list or the agencies",
        remedy_vi: "xem `lienthong list resolve TÊN`, rồi nêu danh sách khác hoặc từng cơ quan"
    }
    MailboxFull = 69, "MAILBOX_FULL", Exhausted, {
        en: "as many documents wait for this recipient as may: its system has not picked them up",
        vi: "số văn bản chờ nơi nhận này đã tới giới hạn: hệ thống của nơi nhận chưa lấy về",
        remedy: "send again later, or to the others without it; ask the recipient to connect its system",
        remedy_vi: "gửi lại sau, hoặc gửi cho các nơi khác trước; đề nghị nơi nhận kết nối hệ thống"
    }
    ListLimit = 68, "LIST_LIMIT", Exhausted, {
        en: "the agency has saved as many lists as it may",
        vi: "cơ quan đã lưu số danh sách tối đa",
        remedy: "remove a list that is no longer used",
        remedy_vi: "xóa danh sách không còn dùng"
    }
    // How much it is.
    DocumentTooLarge = 86, "DOCUMENT_TOO_LARGE", Forbidden, {
        en: "the document is larger than the sender's quota allows for one document",
        vi: "văn bản lớn hơn hạn mức cho một văn bản của bên gửi",
        remedy: "send less at once, or ask the administrator of the axis for a larger quota",
        remedy_vi: "giảm dung lượng, hoặc đề nghị đơn vị quản trị trục nâng hạn mức"
    }
    QuotaExceeded = 87, "QUOTA_EXCEEDED", Exhausted, {
        en: "the sender has used up its quota of the day",
        vi: "bên gửi đã dùng hết hạn mức trong ngày",
        remedy: "send again tomorrow (UTC+07:00), or ask the administrator of the axis for a larger quota",
        remedy_vi: "gửi lại vào ngày mai, hoặc đề nghị đơn vị quản trị trục nâng hạn mức"
    }
    // What a message or report acts on.
    DocumentUnknown = 70, "DOCUMENT_UNKNOWN", Unknown, {
        en: "the document does not exist or is not the caller's to see",
        vi: "văn bản không tồn tại hoặc bên gọi không được xem",
        remedy: "check the sender's code and the id",
        remedy_vi: "kiểm tra mã bên gửi và mã văn bản"
    }
    ReporterNotEntitled = 71, "REPORTER_NOT_ENTITLED", Forbidden, {
        en: "this status is not the reporting agency's to report",
        vi: "cơ quan báo cáo không có quyền báo trạng thái này",
        remedy: "01-06, 15 and 16 are the recipient's, 13 is the sender's",
        remedy_vi: "01-06, 15, 16 do nơi nhận báo; 13 do nơi gửi báo"
    }
    ReasonMissing = 72, "REASON_MISSING", Malformed, {
        en: "this status needs a reason",
        vi: "trạng thái này phải có lý do",
        remedy: "say why",
        remedy_vi: "nêu lý do"
    }
    NotARecipient = 76, "NOT_A_RECIPIENT", WrongState, {
        en: "an agency named did not receive the document that is acted on",
        vi: "cơ quan được nêu không phải nơi nhận của văn bản bị tác động",
        remedy: "name only recipients of that document; an update adds others in `recipient_changes`",
        remedy_vi: "chỉ nêu nơi nhận của văn bản đó; bản cập nhật thêm nơi nhận trong `recipient_changes`"
    }
    RecipientChangeInvalid = 79, "RECIPIENT_CHANGE_INVALID", WrongState, {
        en: "a recipient cannot be added or removed in this way",
        vi: "không thể thêm hoặc bớt nơi nhận theo cách này",
        remedy: "only an update changes recipients: add agencies that never had the document, remove such as have it, name each once",
        remedy_vi: "chỉ bản cập nhật được đổi nơi nhận: thêm cơ quan chưa từng nhận, bớt cơ quan đã nhận, mỗi cơ quan nêu một lần"
    }
    DocumentTakenBack = 90, "DOCUMENT_TAKEN_BACK", WrongState, {
        en: "the document was taken back by its sender",
        vi: "văn bản đã được nơi gửi lấy lại",
        remedy: "put the document aside; nothing more is to be reported on it",
        remedy_vi: "bỏ văn bản này; không cần báo gì thêm"
    }
    DocumentReplaced = 78, "DOCUMENT_REPLACED", WrongState, {
        en: "the document is replaced by another one",
        vi: "văn bản đã được thay thế bằng văn bản khác",
        remedy: "report on the document that replaces it, which is named here",
        remedy_vi: "báo trạng thái trên văn bản thay thế được nêu ở đây"
    }
    RecallTooLate = 77, "RECALL_TOO_LATE", WrongState, {
        en: "no recipient meant can give the document back any more: all have finished or refused it, or do not have it",
        vi: "không còn nơi nhận nào có thể trả lại văn bản: đều đã hoàn thành, từ chối hoặc không còn giữ",
        remedy: "send a new document that sets things right",
        remedy_vi: "gửi văn bản mới để điều chỉnh"
    }
    StatusNotOpen = 73, "STATUS_NOT_OPEN", WrongState, {
        en: "this status may not follow what was reported before",
        vi: "trạng thái này không được đứng sau các trạng thái đã báo",
        remedy: "report one of the statuses that are open",
        remedy_vi: "báo một trong các trạng thái còn được phép"
    }
    StatusLimit = 74, "STATUS_LIMIT", Exhausted, {
        en: "too many reports on one delivery",
        vi: "quá nhiều báo cáo trạng thái cho một lượt phát",
        remedy: "report less often",
        remedy_vi: "giảm số lần báo cáo"
    }
    ChangeLimit = 91, "CHANGE_LIMIT", Exhausted, {
        en: "the document was recalled, updated or replaced too often",
        vi: "văn bản đã bị thu hồi, cập nhật hoặc thay thế quá nhiều lần",
        remedy: "send a new document",
        remedy_vi: "gửi văn bản mới"
    }
    KindNotSupported = 75, "KIND_NOT_SUPPORTED", WrongState, {
        en: "recalls, updates and replacements are not carried out; no hub of this version says so",
        vi: "trục chưa thực hiện thu hồi, cập nhật và thay thế; trục của phiên bản này không trả lời như vậy",
        remedy: "send a new document",
        remedy_vi: "gửi văn bản mới"
    }
    FanOutUnderWay = 95, "FAN_OUT_UNDER_WAY", Exhausted, {
        en: "the document is still on its way to its many recipients",
        vi: "văn bản còn đang được chuyển tới các nơi nhận",
        remedy: "try again after the time given",
        remedy_vi: "thử lại sau thời gian được nêu"
    }
    ReminderTooSoon = 96, "REMINDER_TOO_SOON", WrongState, {
        en: "the recipients of this document were reminded less than a day ago",
        vi: "đã nhắc các nơi nhận của văn bản này chưa đầy một ngày trước",
        remedy: "remind them again tomorrow",
        remedy_vi: "nhắc lại vào ngày mai"
    }
    ContentExpired = 124, "CONTENT_EXPIRED", WrongState, {
        en: "the content is kept no longer; what was decided, reported and proven about it is",
        vi: "nội dung đã hết thời hạn lưu trên trục; kết quả xử lý, trạng thái và bằng chứng vẫn còn",
        remedy: "ask the sender or a recipient, who have the document; a sender sends it to others as a new one",
        remedy_vi: "liên hệ cơ quan gửi hoặc cơ quan nhận, là nơi lưu văn bản; cơ quan gửi muốn gửi thêm thì gửi văn bản mới"
    }
    // The hub.
    StorageLow = 80, "STORAGE_LOW", Exhausted, {
        en: "the hub is short of disk space",
        vi: "trục sắp hết dung lượng đĩa",
        remedy: "try again later; the operator has to make space",
        remedy_vi: "thử lại sau; đơn vị vận hành cần giải phóng dung lượng"
    }
    UploadQuota = 98, "UPLOAD_QUOTA", Exhausted, {
        en: "the caller has too many uploads that no accepted document names yet",
        vi: "bên gọi có quá nhiều tệp tải lên chưa được văn bản nào nêu",
        remedy: "hand over the documents that name them, or wait until they expire",
        remedy_vi: "gửi các văn bản nêu những tệp đó, hoặc chờ chúng hết hạn"
    }
    Overloaded = 81, "OVERLOADED", Exhausted, {
        en: "the hub or the caller has too much under way",
        vi: "trục hoặc bên gọi đang xử lý quá nhiều",
        remedy: "try again after the time given",
        remedy_vi: "thử lại sau thời gian được nêu"
    }
    Draining = 82, "DRAINING", Unavailable, {
        en: "the hub is shutting down",
        vi: "trục đang dừng",
        remedy: "try again when it is back",
        remedy_vi: "thử lại khi trục hoạt động trở lại"
    }
    ReadOnly = 99, "READ_ONLY", Unavailable, {
        en: "the hub has run out of disk space and takes nothing in; reading goes on",
        vi: "trục đã hết dung lượng đĩa và không nhận gì thêm; vẫn đọc được",
        remedy: "try again later; the operator has to make space",
        remedy_vi: "thử lại sau; đơn vị vận hành cần giải phóng dung lượng"
    }
    StorageDamaged = 84, "STORAGE_DAMAGED", Damaged, {
        en: "the hub cannot read what it has stored about this",
        vi: "trục không đọc được dữ liệu đã lưu về nội dung này",
        remedy: "the operator has to look at the hub's log, which names the file or row",
        remedy_vi: "đơn vị vận hành cần xem nhật ký chương trình của trục, nơi nêu rõ tệp hoặc bản ghi"
    }
    Stopped = 83, "STOPPED", Unavailable, {
        en: "the hub has stopped after a failed write",
        vi: "trục đã dừng sau khi ghi đĩa thất bại",
        remedy: "the operator has to look at its log; nothing acknowledged is lost",
        remedy_vi: "đơn vị vận hành cần xem nhật ký chương trình của trục; không mất dữ liệu đã xác nhận"
    }
}

/// Something declined: the reason, where it lies, and when to try again. Journalled: field numbers
/// are stable.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Refusal {
    /// The first reason in the order of the list.
    #[n(0)]
    pub reason: Reason,
    /// Where it lies; at most [`Refusal::VIOLATIONS_MAX`], more are counted in the last one.
    #[n(1)]
    pub violations: Vec<Violation>,
    /// When trying again may help, in milliseconds.
    #[n(2)]
    pub retry_after_ms: Option<u64>,
}

/// One thing that is wrong. Journalled: field numbers are stable.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Violation {
    /// Why this one is wrong.
    #[n(0)]
    pub reason: Reason,
    /// The field, as its path in the protobuf message (`recipients[3].code`).
    #[n(1)]
    pub field: String,
    /// The value found, or the value and the bound; at most 200 characters.
    #[n(2)]
    pub value: String,
}

impl Refusal {
    /// Most violations in one refusal.
    pub const VIOLATIONS_MAX: usize = 100;

    /// A refusal without a field.
    pub fn new(reason: Reason) -> Self {
        Self { reason, violations: Vec::new(), retry_after_ms: None }
    }

    /// A refusal for one field and the value found there.
    pub fn at(reason: Reason, field: impl Into<String>, value: impl fmt::Display) -> Self {
        Self {
            reason,
            violations: vec![Violation::new(reason, field, value)],
            retry_after_ms: None,
        }
    }

    /// A refusal for several things: the first reason in the order of the list decides.
    /// `None` when there is nothing wrong.
    pub fn of(mut violations: Vec<Violation>) -> Option<Self> {
        let reason = violations.iter().map(|violation| violation.reason).min()?;
        if violations.len() > Self::VIOLATIONS_MAX {
            let more = violations.len() - (Self::VIOLATIONS_MAX - 1);
            violations.truncate(Self::VIOLATIONS_MAX - 1);
            violations.push(Violation::new(reason, "", format!("and {more} more")));
        }
        Some(Self { reason, violations, retry_after_ms: None })
    }

    /// The same refusal with a time after which trying again may help.
    pub fn retry_after(mut self, after: std::time::Duration) -> Self {
        self.retry_after_ms = Some(u64::try_from(after.as_millis()).unwrap_or(u64::MAX));
        self
    }
}

impl Violation {
    /// One thing that is wrong; the value is cut at 200 characters.
    pub fn new(reason: Reason, field: impl Into<String>, value: impl fmt::Display) -> Self {
        let value: String = value.to_string().chars().take(200).collect();
        Self { reason, field: field.into(), value }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.reason.code(), self.reason.meaning())?;
        for violation in self.violations.iter().take(3) {
            let Violation { field, value, .. } = violation;
            match (field.is_empty(), value.is_empty()) {
                (true, true) => {}
                (false, true) => write!(f, "; `{field}`")?,
                (true, false) => write!(f, "; {value}")?,
                (false, false) => write!(f, "; `{field}`: {value}")?,
            }
        }
        Ok(())
    }
}

impl std::error::Error for Refusal {}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn numbers_and_codes_are_unique() {
        let numbers: HashSet<_> = Reason::ALL.iter().map(|reason| reason.number()).collect();
        let codes: HashSet<_> = Reason::ALL.iter().map(|reason| reason.code()).collect();
        assert_eq!(numbers.len(), Reason::ALL.len());
        assert_eq!(codes.len(), Reason::ALL.len());
    }

    #[test]
    fn the_first_reason_of_the_list_decides() {
        let refusal = Refusal::of(vec![
            Violation::new(Reason::RecipientSuspended, "recipients[0].code", "H01"),
            Violation::new(Reason::RecipientUnknown, "recipients[1].code", "X"),
        ])
        .unwrap();
        assert_eq!(refusal.reason, Reason::RecipientUnknown);
        assert_eq!(refusal.violations.len(), 2);
    }

    #[test]
    fn violations_are_bounded_and_the_rest_counted() {
        let many = (0..250).map(|n| Violation::new(Reason::RecipientUnknown, "r", n)).collect();
        let refusal = Refusal::of(many).unwrap();
        assert_eq!(refusal.violations.len(), Refusal::VIOLATIONS_MAX);
        assert_eq!(refusal.violations.last().unwrap().value, "and 151 more");
    }
}
