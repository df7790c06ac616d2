/** Every text of the pages, in Vietnamese and English. A test finds what is missing or unused. */

export type Language = "vi" | "en";
export type Words = Readonly<Record<Language, string>>;

export const texts = {
  // The frame.
  title: { vi: "Trục liên thông văn bản", en: "Document interlink axis" },
  subtitle: { vi: "Trang điều hành", en: "Operators’ pages" },
  skip: { vi: "Đến nội dung chính", en: "Skip to the content" },
  menu: { vi: "Mục lục", en: "Contents" },
  otherLanguage: { vi: "English", en: "Tiếng Việt" },
  signOut: { vi: "Đăng xuất", en: "Sign out" },
  ownPassword: { vi: "Đổi mật khẩu", en: "Change password" },
  thisMachine: { vi: "Chế độ xem tại máy chủ, chưa có tài khoản", en: "Viewing at the hub’s machine; no accounts yet" },
  live: { vi: "Trực tiếp", en: "Live" },
  notLive: { vi: "Mất kết nối trực tiếp", en: "Live updates are interrupted" },
  businessTime: { vi: "Giờ nghiệp vụ", en: "Business time" },
  scenarioClock: { vi: "Giờ kịch bản mô phỏng", en: "Scenario clock" },
  loading: { vi: "Đang tải…", en: "Loading…" },
  nothing: { vi: "Không có dữ liệu", en: "Nothing to show" },
  failed: { vi: "Không tải được nội dung", en: "This could not be loaded" },
  remedy: { vi: "Cách xử lý", en: "What to do" },
  tryAgain: { vi: "Thử lại", en: "Try again" },
  notFound: { vi: "Không có trang này", en: "There is no such page" },
  version: { vi: "Phiên bản", en: "Version" },
  mapCredit: { vi: "Bản đồ: @svg-maps/vietnam, CC BY 4.0", en: "Map: @svg-maps/vietnam, CC BY 4.0" },

  // Pages.
  overview: { vi: "Tổng quan", en: "Overview" },
  map: { vi: "Bản đồ", en: "Map" },
  timeline: { vi: "Diễn biến theo thời gian", en: "Time line" },
  matrix: { vi: "Trao đổi giữa các cấp", en: "Exchange between levels" },
  documents: { vi: "Tra cứu văn bản", en: "Find a document" },
  waiting: { vi: "Văn bản chưa nhận", en: "What is stuck" },
  refusals: { vi: "Từ chối tiếp nhận", en: "Refusals" },
  agencies: { vi: "Cơ quan, đơn vị", en: "Agencies" },
  certificates: { vi: "Chứng thư số", en: "Certificates" },
  evidence: { vi: "Bằng chứng", en: "Evidence" },
  acts: { vi: "Nhật ký quản trị", en: "Acts of administration" },
  accounts: { vi: "Tài khoản", en: "Accounts" },
  monitoring: { vi: "Giám sát", en: "Monitoring" },
  lookup: { vi: "Tra cứu", en: "Look-up" },
  administration: { vi: "Quản trị", en: "Administration" },

  // Periods.
  period: { vi: "Kỳ", en: "Period" },
  today: { vi: "Hôm nay", en: "Today" },
  lastWeek: { vi: "7 ngày", en: "7 days" },
  lastMonth: { vi: "30 ngày", en: "30 days" },
  thisYear: { vi: "Từ đầu năm", en: "This year" },
  lastYear: { vi: "365 ngày", en: "365 days" },

  // Figures.
  sent: { vi: "Văn bản gửi", en: "Documents sent" },
  received: { vi: "Lượt nhận", en: "Deliveries" },
  personallySigned: { vi: "Có chữ ký số cá nhân", en: "With personal signature" },
  personallySignedShare: { vi: "Tỷ lệ ký số cá nhân", en: "Personally signed" },
  refused: { vi: "Từ chối", en: "Refused" },
  undelivered: { vi: "Chưa nhận", en: "Not picked up" },
  connectedShare: { vi: "Tỷ lệ cơ quan đã kết nối", en: "Share of agencies connected" },
  rateNow: { vi: "Tốc độ hiện tại", en: "Rate now" },
  perSecond: { vi: "văn bản/giây", en: "documents/second" },
  sentToday: { vi: "Gửi hôm nay", en: "Sent today" },
  receivedToday: { vi: "Lượt nhận hôm nay", en: "Deliveries today" },
  refusedToday: { vi: "Từ chối hôm nay", en: "Refused today" },
  yesterday: { vi: "hôm qua", en: "yesterday" },
  inMailboxes: { vi: "hộp thư", en: "mailboxes" },
  oldestSince: { vi: "lâu nhất từ", en: "oldest since" },
  health: { vi: "Tình trạng trục", en: "State of the hub" },
  connections: { vi: "kết nối", en: "connections" },
  block: { vi: "khối", en: "block" },
  logSize: { vi: "mục trong nhật ký", en: "entries in the log" },
  listsLate: { vi: "danh sách thu hồi quá hạn", en: "revocation lists overdue" },
  stateReady: { vi: "Sẵn sàng", en: "Ready" },
  stateDraining: { vi: "Đang dừng", en: "Draining" },
  stateFailed: { vi: "Hỏng, đã dừng", en: "Failed, stopped" },
  stateEnded: { vi: "Đã dừng", en: "Ended" },
  spaceLow: { vi: "sắp hết dung lượng đĩa", en: "short of disk space" },
  spaceNone: { vi: "hết dung lượng đĩa, chỉ đọc", en: "no disk space, read only" },
  byHour: { vi: "Lượt nhận theo giờ", en: "Deliveries by hour" },
  byDay: { vi: "Lượt nhận theo ngày", en: "Deliveries by day" },
  longestWaiting: { vi: "Chờ nhận lâu nhất", en: "Waiting longest" },
  mostRefused: { vi: "Lý do từ chối hôm nay", en: "Reasons for refusal today" },
  all: { vi: "Xem tất cả", en: "See all" },
  measure: { vi: "Chỉ số", en: "Measure" },
  place: { vi: "Địa phương", en: "Province" },
  centre: { vi: "Trung ương", en: "Centre" },
  total: { vi: "Tổng số", en: "Total" },
  agenciesConnected: { vi: "Cơ quan kết nối", en: "Agencies connected" },
  hoangSa: { vi: "Quần đảo Hoàng Sa", en: "Hoàng Sa archipelago" },
  truongSa: { vi: "Quần đảo Trường Sa", en: "Trường Sa archipelago" },
  noValue: { vi: "chưa có", en: "none" },
  mapHint: { vi: "Chọn một địa phương để xem chi tiết", en: "Choose a province for its page" },

  // Levels.
  level: { vi: "Cấp", en: "Level" },
  ministry: { vi: "Trung ương", en: "Central" },
  province: { vi: "Cấp tỉnh", en: "Province" },
  district: { vi: "Cấp huyện", en: "District" },
  commune: { vi: "Cấp xã", en: "Commune" },
  fromLevel: { vi: "Cấp gửi", en: "From" },
  toLevel: { vi: "Cấp nhận", en: "To" },
  betweenLevels: { vi: "Giữa các cấp", en: "Between levels" },
  betweenProvinces: { vi: "Giữa các địa phương", en: "Between provinces" },

  // Documents.
  searchDocument: { vi: "Số ký hiệu, trích yếu hoặc mã văn bản", en: "Reference, subject or id" },
  search: { vi: "Tìm", en: "Search" },
  newestDocuments: { vi: "Văn bản mới nhất", en: "Newest documents" },
  found: { vi: "Kết quả", en: "Found" },
  reference: { vi: "Số, ký hiệu", en: "Reference" },
  subject: { vi: "Trích yếu", en: "Subject" },
  sender: { vi: "Nơi gửi", en: "Sender" },
  receivedAt: { vi: "Trục tiếp nhận", en: "Accepted" },
  recipients: { vi: "Nơi nhận", en: "Recipients" },
  urgency: { vi: "Độ khẩn", en: "Urgency" },
  due: { vi: "Hạn xử lý", en: "Due" },
  signature: { vi: "Chữ ký số", en: "Signature" },
  position: { vi: "Vị trí trong nhật ký", en: "Place in the log" },
  digest: { vi: "Mã băm SHA-256", en: "SHA-256" },
  documentId: { vi: "Mã văn bản", en: "Id" },
  sigNone: { vi: "không có", en: "none" },
  sigSeal: { vi: "cơ quan", en: "agency’s seal" },
  sigPersonal: { vi: "cá nhân", en: "personal" },
  sigBoth: { vi: "cá nhân và cơ quan", en: "personal and seal" },
  progress: { vi: "Tiến độ", en: "Progress" },
  history: { vi: "Diễn biến", en: "What happened" },
  leftOut: { vi: "sự kiện trước đó không hiển thị", en: "earlier events are left out" },
  waitsFor: { vi: "Đang chờ", en: "Waits for" },
  stage: { vi: "Trạng thái", en: "Stage" },
  attempts: { vi: "Số lần chuyển", en: "Attempts" },
  deliveredAt: { vi: "Nơi nhận đã lưu", en: "On the recipient’s disk" },
  actor: { vi: "Cần xử lý", en: "Has to act" },
  overdue: { vi: "quá hạn", en: "overdue" },
  stagePending: { vi: "đang phân phối", en: "being sent out" },
  stageWaiting: { vi: "chưa nhận", en: "not picked up" },
  stageAcknowledged: { vi: "đã nhận", en: "picked up" },
  stageArrived: { vi: "đã đến", en: "arrived" },
  stageAccepted: { vi: "đã tiếp nhận", en: "accepted" },
  stageFinished: { vi: "hoàn thành", en: "finished" },
  stageRefused: { vi: "từ chối", en: "refused" },
  stageWithdrawn: { vi: "đã thu hồi", en: "taken back" },
  urgencyNormal: { vi: "Thường", en: "Ordinary" },
  urgencyUrgent: { vi: "Khẩn", en: "Urgent" },
  urgencyVeryUrgent: { vi: "Thượng khẩn", en: "Very urgent" },
  urgencyExpress: { vi: "Hỏa tốc", en: "Express" },
  urgencyExpressTimed: { vi: "Hỏa tốc hẹn giờ", en: "Express, timed" },

  // What is stuck.
  mailboxesNotEmpty: { vi: "hộp thư còn văn bản chưa nhận", en: "mailboxes with documents not picked up" },
  agency: { vi: "Cơ quan", en: "Agency" },
  oldest: { vi: "Văn bản lâu nhất", en: "Oldest document" },
  since: { vi: "Từ", en: "Since" },
  why: { vi: "Lý do", en: "Why" },
  nothingStuck: { vi: "Mọi văn bản đã được nhận", en: "Everything has been picked up" },

  // Refusals.
  count: { vi: "Số lượt", en: "Count" },
  reason: { vi: "Lý do", en: "Reason" },
  examples: { vi: "Trường hợp gần đây", en: "Recent examples" },
  caller: { vi: "Bên gửi", en: "Caller" },
  at: { vi: "Thời điểm", en: "When" },
  field: { vi: "Trường", en: "Field" },
  value: { vi: "Giá trị", en: "Value" },

  // Agencies.
  searchAgency: { vi: "Tên hoặc mã cơ quan", en: "Name or code of an agency" },
  code: { vi: "Mã", en: "Code" },
  name: { vi: "Tên", en: "Name" },
  state: { vi: "Tham gia", en: "Takes part" },
  link: { vi: "Kết nối", en: "Connection" },
  anyLink: { vi: "Mọi tình trạng kết nối", en: "Any connection" },
  online: { vi: "đang kết nối", en: "connected now" },
  offline: { vi: "không kết nối", en: "not connected now" },
  viaGateway: { vi: "qua", en: "through" },
  stateConnected: { vi: "đã kết nối", en: "connected" },
  stateHeld: { vi: "chưa kết nối", en: "not connected yet" },
  stateSuspended: { vi: "tạm dừng", en: "suspended" },
  shownOf: { vi: "hiển thị trong tổng số", en: "shown of" },

  // Certificates.
  expiringWithin: { vi: "Hết hạn trong vòng", en: "Expire within" },
  days: { vi: "ngày", en: "days" },
  holder: { vi: "Chủ thể", en: "Holder" },
  kind: { vi: "Loại", en: "Kind" },
  until: { vi: "Hết hạn", en: "Until" },
  expired: { vi: "đã hết hạn", en: "expired" },
  inUse: { vi: "chứng thư số đang dùng", en: "certificates in use" },
  noneExpires: { vi: "Không có chứng thư số nào sắp hết hạn", en: "No certificate expires soon" },
  kindAuthority: { vi: "tổ chức cấp chứng thư", en: "authority" },
  kindPerson: { vi: "cá nhân ký", en: "person" },
  kindSeal: { vi: "cơ quan", en: "agency’s seal" },
  kindNode: { vi: "nút kết nối", en: "node" },
  kindOperator: { vi: "người vận hành", en: "operator" },
  kindHub: { vi: "trục", en: "hub" },
  revocationLists: { vi: "Danh sách thu hồi", en: "Revocation lists" },
  issuer: { vi: "Tổ chức cấp", en: "Issuer" },
  number: { vi: "Số", en: "Number" },
  thisUpdate: { vi: "Ban hành", en: "Issued" },
  nextUpdate: { vi: "Hạn cập nhật", en: "Next due" },
  revoked: { vi: "Bị thu hồi", en: "Revoked" },
  late: { vi: "quá hạn", en: "overdue" },

  // Evidence.
  checkpoint: { vi: "Điểm chốt mới nhất của nhật ký", en: "The log’s newest checkpoint" },
  checkpointMeaning: {
    vi: "Trục ký điểm chốt này sau mỗi khối; ai giữ một điểm chốt có thể chứng minh không gì trước đó bị sửa.",
    en: "The hub signs it after each block; whoever keeps one can prove that nothing before it was changed.",
  },
  logKey: { vi: "Khóa công khai của nhật ký", en: "The log’s public key" },
  verifyReceipt: { vi: "Kiểm tra giấy biên nhận", en: "Verify a receipt" },
  dropReceipt: { vi: "Kéo thả tệp biên nhận vào đây, hoặc chọn tệp", en: "Drop a receipt’s file here, or choose one" },
  verifyHere: {
    vi: "Việc kiểm tra diễn ra ngay trong trình duyệt, không gửi tệp đi đâu. Khóa nên lấy từ nguồn khác với trục này.",
    en: "It is verified in this browser and sent nowhere. The key should come from elsewhere than this hub.",
  },
  proven: { vi: "Hợp lệ: có trong nhật ký và đã được trục ký", en: "Proven: it is in the log, and the hub signed it" },
  notProven: { vi: "Không hợp lệ", en: "Not proven" },
  notAReceipt: { vi: "tệp không phải giấy biên nhận", en: "the file is no receipt" },
  entryMalformed: { vi: "mục nhật ký sai định dạng", en: "the log’s entry is malformed" },
  proofWrong: { vi: "chuỗi băm không dẫn tới điểm chốt", en: "the hashes do not lead to the checkpoint" },
  checkpointMalformed: { vi: "điểm chốt sai định dạng", en: "the checkpoint is malformed" },
  keyMalformed: { vi: "khóa sai định dạng", en: "the key is malformed" },
  otherKey: { vi: "điểm chốt do khóa khác ký", en: "another key signed the checkpoint" },
  signatureWrong: { vi: "chữ ký trên điểm chốt sai", en: "the checkpoint’s signature is wrong" },
  noEd25519: { vi: "trình duyệt không hỗ trợ Ed25519", en: "this browser does not know Ed25519" },
  entryKind: { vi: "Loại", en: "Kind" },
  kindDocument: { vi: "văn bản", en: "document" },
  kindReport: { vi: "báo cáo trạng thái", en: "status report" },
  entryContent: { vi: "Mã băm nội dung đã ký", en: "Digest of the signed content" },

  // Acts.
  by: { vi: "Người thực hiện", en: "By" },
  act: { vi: "Nội dung", en: "What" },
  folderOrHub: { vi: "tại máy chủ", en: "at the hub’s machine" },

  // Accounts.
  person: { vi: "Tên đăng nhập", en: "Name" },
  personHint: { vi: "mã cơ quan/mã người dùng, ví dụ H36/an.nguyen", en: "agency/id, such as H36/an.nguyen" },
  password: { vi: "Mật khẩu", en: "Password" },
  newPassword: { vi: "Mật khẩu mới", en: "New password" },
  passwordHint: { vi: "ít nhất 12 ký tự", en: "at least 12 characters" },
  signIn: { vi: "Đăng nhập", en: "Sign in" },
  signInCertificate: { vi: "Đăng nhập bằng chứng thư số", en: "Sign in with the certificate" },
  role: { vi: "Vai trò", en: "Role" },
  noRole: { vi: "không thay đổi", en: "unchanged" },
  roleViewer: { vi: "xem", en: "viewer" },
  roleOperator: { vi: "vận hành", en: "operator" },
  roleAdministrator: { vi: "quản trị", en: "administrator" },
  territory: { vi: "Phạm vi", en: "Territory" },
  wholeCountry: { vi: "toàn quốc", en: "the country" },
  territoryCode: { vi: "Mã địa phương hoặc cơ quan", en: "Code of the province or agency" },
  oneProvince: { vi: "một tỉnh", en: "a province" },
  oneAgency: { vi: "một cơ quan", en: "an agency" },
  hasPassword: { vi: "Có mật khẩu", en: "Password" },
  yes: { vi: "có", en: "yes" },
  no: { vi: "không", en: "no" },
  ended: { vi: "đã hết hiệu lực", en: "ended" },
  setAccount: { vi: "Tạo tài khoản, đặt lại mật khẩu", en: "Make an account, set a password" },
  save: { vi: "Lưu", en: "Save" },
  saved: { vi: "Đã lưu", en: "Saved" },
  remove: { vi: "Xóa tài khoản", en: "Remove the account" },
  removeSure: { vi: "Xóa tài khoản này?", en: "Remove this account?" },
} as const satisfies Record<string, Words>;

export type TextKey = keyof typeof texts;

const KEPT = "lienthong.language";

let language: Language = localStorage.getItem(KEPT) === "en" ? "en" : "vi";

/** The language in use. */
export function inUse(): Language {
  return language;
}

/** Switches to the other language. */
export function switchLanguage(): void {
  language = language === "vi" ? "en" : "vi";
  localStorage.setItem(KEPT, language);
}

/** A text in the language in use. */
export function t(key: TextKey): string {
  return texts[key][language];
}

/** What the hub says in both languages, in the one in use. */
export function said(words: Words): string {
  return words[language];
}
