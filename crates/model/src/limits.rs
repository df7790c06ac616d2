//! Every bound of the system, in one place, with the relations between them.
//!
//! A bound that a person may change is a default in `hub`'s configuration and
//! stands here as the value that it must not pass.

use std::time::Duration;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

// --- What a sender may hand over -------------------------------------------------

/// Longest agency code, in characters (QCVN 102:2016).
pub const AGENCY_CODE_CHARS_MAX: usize = 35;
/// Longest subject, abstract, agency name and attachment name, in characters (as the field enforces).
pub const TEXT_CHARS_MAX: usize = 500;
/// Longest any other text of a document, in characters.
pub const OTHER_TEXT_CHARS_MAX: usize = 2_000;
/// Longest name of a place that a document goes to (`ToPlace`), in characters.
pub const PLACE_CHARS_MAX: usize = 150;
/// Most recipients named in one document (agencies and lists together).
pub const RECIPIENTS_MAX: usize = 16_384;
/// Documents that may wait in one agency's mailbox, unless its quota says otherwise. Judged when a
/// document is accepted, so slices that are under way may pass it by what they hold.
pub const MAILBOX_WAITING_MAX: u32 = 1_000_000;
/// How long whoever writes to a full mailbox is told to wait.
pub const MAILBOX_FULL_AGAIN: Duration = Duration::from_secs(3600);
/// Most entries in any other list of a document (answers, appendixes, trace, extensions …).
pub const LIST_ENTRIES_MAX: usize = 256;
/// Most attachments of one document.
pub const ATTACHMENTS_MAX: usize = 64;
/// Largest signed content, in bytes.
pub const CONTENT_BYTES_MAX: usize = MIB;
/// Largest sum of attachments that travel beside the signed content, in bytes.
pub const INLINE_ATTACHMENT_BYTES_MAX: usize = MIB;
/// Largest single attachment, in bytes.
pub const ATTACHMENT_BYTES_MAX: u64 = 10 * 1024 * MIB as u64;
/// Most signatures on one content.
pub const SIGNATURES_MAX: usize = 16;
/// Most certificates sent with one content.
pub const CERTIFICATES_MAX: usize = 64;
/// Largest certificate, in bytes of DER.
pub const CERTIFICATE_BYTES_MAX: usize = 8 * KIB;
/// Most certificates between a signer's and the root, both counted.
pub const CHAIN_CERTIFICATES_MAX: usize = 6;
/// Largest revocation list, in bytes of DER.
pub const REVOCATION_LIST_BYTES_MAX: usize = 16 * MIB;
/// How long before its receipt a message may have been signed or its id made.
pub const MESSAGE_AGE_MAX: Duration = Duration::from_secs(30 * 24 * 3600);
/// How far ahead of the hub's clock a sender's may be.
pub const CLOCK_AHEAD_MAX: Duration = Duration::from_secs(5 * 60);
/// The least machine time that [`CLOCK_AHEAD_MAX`] must cover on a scenario clock.
pub const CLOCK_AHEAD_MACHINE_MIN: Duration = Duration::from_secs(5);
/// Most status reports on one delivery.
pub const STATUSES_PER_DELIVERY_MAX: usize = 64;

// --- Notices ---------------------------------------------------------------------------

/// Most notices that leave one mailbox by one acknowledgement of all up to a number.
pub const NOTICES_ACKNOWLEDGED_MAX: usize = 1_024;

// --- Recall, update, replace ----------------------------------------------------------------

/// Most recalls, updates and replacements of one document.
pub const CHANGES_PER_DOCUMENT_MAX: u32 = 16;
/// Most entries on one page of the index of references.
pub const REFERENCES_PAGE_MAX: usize = 256;
/// Journal entries of one caller a second for deliveries that could not be taken; further ones of
/// that second travel in the next.
pub const NEGATIVES_JOURNALLED_PER_SECOND: u32 = 2;
/// Deliveries of one caller that could not be taken and wait to be journalled.
pub const NEGATIVES_WAITING_MAX: usize = 1_024;

// --- The wire ----------------------------------------------------------------------

/// Largest gRPC message in either direction, in bytes.
pub const MESSAGE_BYTES_MAX: usize = 4 * MIB;
/// Most messages of one submission stream that wait for their reply.
pub const STREAM_IN_FLIGHT_MAX: usize = 512;
/// Most deliveries that one consumer may have unacknowledged.
pub const CONSUMER_CREDIT_MAX: u32 = 1_024;
/// Most consumers (subscriptions) at a time.
pub const CONSUMERS_MAX: usize = 20_000;
/// Most agencies in one subscription: every agency below the largest gateway.
pub const SUBSCRIPTION_AGENCIES_MAX: usize = 16_384;
/// Most deliveries in one answer to a pull, and most acknowledgements in one call.
pub const PULL_MAX: usize = 256;
/// Most entries on one page of a listing.
pub const PAGE_SIZE_MAX: usize = 1_000;
/// Entries on a page when the caller names no size.
pub const PAGE_SIZE_DEFAULT: usize = 100;
/// Most TLS connections at a time, those in their handshake apart.
pub const CONNECTIONS_MAX: usize = 20_000;
/// Most TLS handshakes at a time, since nobody knows yet who is at them; further connections wait to be
/// accepted. Lower lets fewer silent strangers keep others waiting, higher lets them take more memory.
pub const HANDSHAKES_MAX: usize = 4_096;
/// File descriptors that the hub keeps from its connections: for HTTP, for attachments on their way,
/// for the files of journal, state and payloads.
pub const DESCRIPTORS_KEPT: usize = 1_024;
/// When somebody may try again for whom there was no file descriptor.
pub const DESCRIPTORS_AGAIN: Duration = Duration::from_secs(1);
/// Most streams at a time on one connection.
pub const STREAMS_PER_CONNECTION_MAX: u32 = 256;
/// How long a TLS handshake may take.
pub const HANDSHAKE_MAX: Duration = Duration::from_secs(10);
/// How long a unary call may take in the hub.
pub const CALL_MAX: Duration = Duration::from_secs(30);
/// How long a pulled delivery is kept from other consumers.
pub const PULL_LEASE: Duration = Duration::from_secs(60);

// --- Attachments that are uploaded and downloaded -------------------------------------

/// Largest piece of an attachment in one message, in bytes.
pub const TRANSFER_CHUNK_BYTES_MAX: usize = MIB;
/// Bytes of a piece that the hub and the SDK send.
pub const TRANSFER_CHUNK_BYTES: usize = 256 * KIB;
/// Most uploads and downloads under way at a time.
pub const TRANSFERS_MAX: usize = 64;
/// Most uploads and downloads of one caller under way at a time.
pub const TRANSFERS_PER_CALLER_MAX: usize = 8;
/// How long the other side of a transfer may neither send nor take anything.
pub const TRANSFER_SILENCE_MAX: Duration = Duration::from_secs(60);
/// Bytes of an upload after which what came is synced and its sender told.
pub const UPLOAD_SYNC_BYTES: u64 = 8 * MIB as u64;
/// Longest time after which what came of an upload is synced and its sender told.
pub const UPLOAD_SYNC_DELAY: Duration = Duration::from_secs(2);
/// Most uploads that no accepted document has named yet, unfinished ones counted, of one caller.
pub const UPLOADS_PER_CALLER_MAX: usize = 256;
/// Bytes that one caller's uploads that no accepted document has named yet may announce.
pub const UPLOAD_BYTES_PER_CALLER_MAX: u64 = 4 * ATTACHMENT_BYTES_MAX;
/// Most uploads that no accepted document has named yet, of all callers.
pub const UPLOADS_MAX: usize = 16_384;
/// How long an upload is kept that nobody goes on with and no accepted document names.
pub const UPLOAD_KEPT: Duration = Duration::from_secs(24 * 3600);

// --- Disk space --------------------------------------------------------------------------

/// Free bytes below which no submission and no upload is taken…
pub const SPACE_SOFT_BYTES: u64 = 2 * 1024 * MIB as u64;
/// …or this share of the disk, whichever is less: one part in so many.
pub const SPACE_SOFT_SHARE: u64 = 20;
/// Free bytes below which nothing is taken in, and the size of the ballast that is then given up.
pub const SPACE_HARD_BYTES: u64 = 256 * MIB as u64;

// --- Under way ---------------------------------------------------------------------------

/// Bytes that have come of messages that are not whole or not let in yet, on all connections together.
pub const ARRIVING_BYTES_MAX: usize = 512 * MIB;
/// The same of one agency: several of the largest messages.
pub const ARRIVING_BYTES_PER_AGENCY_MAX: usize = 64 * MIB;
/// An agency of which no more is arriving is heard however much comes from others.
pub const ARRIVING_BYTES_FREE: usize = 64 * KIB;
/// Bytes of submissions and reports that are under way at a time, on all connections together.
pub const SUBMISSION_BYTES_UNDER_WAY_MAX: usize = 256 * MIB;
/// Submissions and reports that are under way at a time, on all connections together: enough to
/// fill several blocks, few enough that whoever is let in has an answer soon.
pub const SUBMISSIONS_UNDER_WAY_MAX: usize = 512;
/// How long a unary call may wait for one of these places before it is refused.
pub const ADMISSION_WAIT_MAX: Duration = Duration::from_millis(100);
/// How long a connection may live: certificates are judged when it begins.
pub const CONNECTION_AGE_MAX: Duration = Duration::from_secs(3600);
/// How long a connection that is too old may take to finish what is under way.
pub const CONNECTION_AGE_GRACE: Duration = Duration::from_secs(60);

// --- Whoever connects ----------------------------------------------------------------

/// Most TLS connections of one agency at a time, its operators' among them.
pub const CONNECTIONS_PER_AGENCY_MAX: usize = 256;
/// Most consumers (subscriptions) of one calling agency at a time.
pub const CONSUMERS_PER_AGENCY_MAX: usize = 1_024;
/// How often open connections are judged again although nothing that is trusted has changed, in
/// machine time: those whose certificate runs out end at most so much later.
pub const CONNECTIONS_JUDGED_EVERY: Duration = Duration::from_secs(60);
/// How long, in machine time, a connection may outlive the block with which its certificate was
/// revoked.
pub const REVOKED_CONNECTION_MAX: Duration = Duration::from_secs(1);
/// How much of its rate an agency may use at once when it has not used it before.
pub const RATE_BURST: Duration = Duration::from_secs(2);
/// How long a message of a stream may be kept waiting for its agency's rate before it is refused.
pub const RATE_WAIT_MAX: Duration = Duration::from_secs(5);
/// How often the files of revocation lists are read again when nobody says otherwise, in machine
/// time.
pub const LIST_FILES_EVERY: Duration = Duration::from_secs(30);
/// Most files of revocation lists.
pub const LIST_FILES_MAX: usize = 256;

// --- The sequencer and the journal ---------------------------------------------------

/// Most proposals that wait for the sequencer.
pub const PROPOSALS_WAITING_MAX: usize = 4_096;
/// Most entries in one block.
pub const BLOCK_ENTRIES_MAX: usize = 1_024;
/// Longest time for which a block waits for company. Longer makes larger blocks and later answers.
pub const BLOCK_GATHER_MAX: Duration = Duration::from_millis(2);
/// Submissions and reports under way from which on a block waits for company.
pub const BLOCK_GATHER_FROM: usize = 32;
/// Pieces of the hub's own work in one block, beside what comes from outside.
pub const WORK_PER_BLOCK_MAX: usize = 2;
/// Bytes after which a block takes no further entry.
pub const BLOCK_BYTES_TARGET: usize = 256 * KIB;
/// Largest record of one entry, in bytes.
pub const RECORD_BYTES_MAX: usize = 4 * MIB;
/// Largest block on disk, in bytes.
pub const BLOCK_BYTES_MAX: usize = 8 * MIB;
/// Content and attachments above this many bytes become payload files.
pub const INLINE_PAYLOAD_BYTES_MAX: usize = 16 * KIB;
/// Bytes after which a new journal file is begun. The last file is verified whole at every start:
/// higher makes that longer.
pub const JOURNAL_FILE_BYTES: u64 = 64 * MIB as u64;
/// Business time after which a new journal file is begun, however small the last one is: small contents
/// leave the disk at most so long after their term.
pub const JOURNAL_FILE_SPAN: Duration = Duration::from_secs(30 * 24 * 3600);
/// The newest closed journal files, which are not archived: delivery reads what waits from them.
pub const JOURNAL_FILES_PLAIN: usize = 4;
/// Blocks kept in memory for delivery.
pub const RECENT_BLOCKS: usize = 512;
/// Bytes of blocks kept in memory for delivery.
pub const RECENT_BYTES: usize = 32 * MIB;
/// Most blocks that the state may be behind the journal before the sequencer waits.
pub const OVERLAY_BLOCKS_MAX: u64 = 8_192;
/// Most bytes of changes that the state may be behind the journal before the sequencer waits.
pub const OVERLAY_BYTES_MAX: usize = 32 * MIB;
/// Blocks in one chunk written to the state; a chunk is also full with a quarter of
/// [`OVERLAY_BYTES_MAX`]. Lower writes a row that changes more often, higher makes replay longer.
pub const CHUNK_BLOCKS: u64 = 1_024;
/// Longest time before a chunk is written although it is not full.
pub const CHUNK_DELAY: Duration = Duration::from_secs(2);
/// Blocks replayed from before the state's marker, though it has them: more than enough, since a chunk
/// is in force as a whole or not at all. Higher makes the start after a kill longer.
pub const REPLAY_MARGIN_BLOCKS: u64 = 32;
/// Refusals of one agency that are journalled one by one in a second; the rest are added up.
pub const REFUSALS_JOURNALLED_PER_SECOND: u32 = 10;

// --- Lists of recipients and fan-out ---------------------------------------------------

/// Recipients that one slice of a fan-out delivers to; up to so many are delivered to at once.
pub const SLICE_RECIPIENTS: usize = 256;
/// Slices that may wait, of all documents together; a document that would bring more is refused
/// with a time to retry.
pub const SLICES_WAITING_MAX: usize = 2_048;
/// Most lists that one agency has saved.
pub const SAVED_LISTS_MAX: usize = 100;
/// Longest name of a saved list, in characters.
pub const SAVED_LIST_NAME_CHARS_MAX: usize = 64;
/// How many superiors up a saved list is looked for.
pub const SUPERIORS_MAX: usize = 8;
/// Routes, and agencies left out, that one receipt names; beyond, it counts them.
pub const RECEIPT_ROUTES_MAX: usize = 256;
/// Most documents of one case that are shown.
pub const THREAD_DOCUMENTS_MAX: usize = 256;
/// Open documents of one agency that are looked at for what waits longest.
pub const WAITING_LOOKED_AT_MAX: usize = 2_000;
/// Recipients that one explanation goes into, those that wait longest first; the others it counts.
pub const EXPLAINED_RECIPIENTS_MAX: usize = 100;
/// Events in one explanation.
pub const EXPLAINED_EVENTS_MAX: usize = 1_000;
/// Longest wait for recipients to get somewhere.
pub const WAIT_FOR_PROGRESS_MAX: Duration = Duration::from_secs(600);
/// Most such waits at a time.
pub const WAITS_FOR_PROGRESS_MAX: usize = 1_024;
/// Most such waits of one agency at a time.
pub const WAITS_FOR_PROGRESS_PER_AGENCY_MAX: usize = 256;
/// How long recipients may take to pick a document up before its sender is told. Never changes: a
/// journal leaves it out where nothing else was set.
pub const PICK_UP_WITHIN: Duration = Duration::from_secs(72 * 3600);
/// After how long a recipient of which nothing is heard is no longer waited for, unless the terms
/// say otherwise.
pub const SILENT_AFTER: Duration = Duration::from_secs(90 * 24 * 3600);
/// The shortest time for which contents may be kept: longer than anybody is waited for.
pub const CONTENT_KEPT_MIN: Duration = Duration::from_secs(120 * 24 * 3600);
/// The longest time for which contents may be kept, short of for ever: a hundred years.
pub const CONTENT_KEPT_MAX: Duration = Duration::from_secs(36_525 * 24 * 3600);
/// How long after its term a content is removed: a backup that is being taken meanwhile still tells
/// what has expired from what is lost.
pub const CONTENT_REMOVED_AFTER: Duration = Duration::from_secs(24 * 3600);
/// Documents of which it is noted that they name one payload file; a file that more of them name is
/// kept for ever.
pub const PAYLOAD_NAMES_MAX: usize = 64;
/// After how long journal files in which contents were left are looked at again: their documents
/// waited for a recipient.
pub const CONTENT_LOOKED_FOR_AGAIN: Duration = Duration::from_secs(30 * 24 * 3600);
/// Payload files after which one look for expired contents ends; the next one goes on.
pub const PAYLOADS_LOOKED_AT_MAX: usize = 10_000;
/// The least time between two reminders of one document.
pub const REMIND_EVERY: Duration = Duration::from_secs(24 * 3600);
/// Documents whose deadlines one tick looks at.
pub const LAPSES_PER_TICK_MAX: usize = 64;
/// Notices after which a tick looks at no further document.
pub const TOLD_PER_TICK_MAX: usize = 256;
/// Deliveries in one answer about a document; beyond, it counts them.
pub const TRACKED_DELIVERIES_MAX: usize = 1_000;

// --- Memory --------------------------------------------------------------------------

/// Certificates (with their proven chains) kept in memory: a seal and a person of every agency of the
/// country, and some more.
pub const CERTIFICATES_CACHED: usize = 32_768;
/// Agencies in the directory.
pub const AGENCIES_MAX: usize = 65_536;
/// Revoked certificates kept in memory.
pub const REVOKED_MAX: usize = 1_000_000;
/// Memory of sled's cache, in bytes: what is in a database is read once, when it is opened.
pub const STATE_CACHE_BYTES: u64 = 4 * MIB as u64;

// --- What is settled and leaves the state at hand --------------------------------------

/// How long a document stays at hand at least.
pub const SETTLED_AFTER: Duration = Duration::from_secs(24 * 3600);
/// How long references are at hand: a document may be signed up to 30 days before it is sent.
pub const REFERENCES_AT_HAND: Duration = Duration::from_secs(40 * 24 * 3600);
/// Bytes of memory of the rows of one sled database before a fresh one takes its place; two may be
/// there at a time. Higher costs memory and time to open after a kill, lower makes more runs.
pub const RECENT_ROWS_BYTES: u64 = 24 * MIB as u64;
/// Runs of rows that are open or recent, before several of them become one. Higher costs look-ups,
/// lower writes rows more often.
pub const OPEN_RUNS_MAX: usize = 8;
/// What is settled leaves the open runs when the newer ones have together one part in so many of
/// the oldest, which has what was open then. Higher writes rows more often, lower keeps what is
/// settled at hand for longer.
pub const SETTLE_SHARE: u64 = 2;
/// Memory of blocks of rows read from files, in bytes.
pub const ROW_BLOCKS_CACHED_BYTES: u64 = 32 * MIB as u64;

// --- The connector ---------------------------------------------------------------------

/// Largest header of a document, report or submission that a connector reads, in bytes: one that
/// names as many recipients as a document may have.
pub const HEADER_BYTES_MAX: usize = MIB;
/// Largest file of signatures and certificates that a connector reads, in bytes.
pub const SIGNATURES_FILE_BYTES_MAX: usize = 2 * MIB;
/// Largest copy of the directory that a connector reads, in bytes.
pub const DIRECTORY_COPY_BYTES_MAX: usize = 64 * MIB;
/// How often a connector asks whether the directory has changed.
pub const DIRECTORY_ASKED_EVERY: Duration = Duration::from_secs(15 * 60);
/// The longest pause of a connector before it tries again what did not succeed.
pub const CONNECTOR_BACKOFF_MAX: Duration = Duration::from_secs(10);
/// Documents that a connector hands over at a time, as many that may have something to upload, and
/// reports.
pub const OUTGOING_AT_A_TIME_MAX: usize = 8;
/// Deliveries that a connector writes at a time.
pub const INCOMING_AT_A_TIME_MAX: usize = 8;
/// Deliveries that may wait in a connector for their acknowledgement.
pub const INCOMING_CREDIT: u32 = 64;
/// When a delivery that did not verify shall come again: roots or lists may have changed by then.
pub const REJECTED_AGAIN_AFTER: Duration = Duration::from_secs(300);
/// How long a connector remembers how the agency's software called a document that it sent.
pub const NAMES_KEPT_FOR: Duration = Duration::from_secs(90 * 24 * 3600);
/// Events that may wait for a webhook.
pub const WEBHOOK_EVENTS_WAITING_MAX: usize = 10_000;
/// How long a webhook may take to answer.
pub const WEBHOOK_ANSWER_MAX: Duration = Duration::from_secs(10);
/// The longest pause before an event is posted again.
pub const WEBHOOK_PAUSE_MAX: Duration = Duration::from_secs(300);
/// After how long an event that no webhook takes is given up.
pub const WEBHOOK_GIVEN_UP_AFTER: Duration = Duration::from_secs(24 * 3600);
/// Largest JSON body that a connector's HTTP API takes, in bytes.
pub const HTTP_JSON_BYTES_MAX: usize = 4 * MIB;
/// Largest multipart body that a connector's HTTP API takes, in bytes; written as it comes.
pub const HTTP_BODY_BYTES_MAX: usize = ATTACHMENT_BYTES_MAX as usize + 16 * MIB;
/// How long a request to a connector's HTTP API may wait for an outcome.
pub const HTTP_WAIT_MAX: Duration = Duration::from_secs(60);

const _: () = {
    // A header names as many recipients as a document may have.
    assert!(RECIPIENTS_MAX * (AGENCY_CODE_CHARS_MAX + 4) <= HEADER_BYTES_MAX);
    // The small files of a document fit one JSON, in base64.
    assert!(INLINE_ATTACHMENT_BYTES_MAX / 3 * 4 + HEADER_BYTES_MAX <= HTTP_JSON_BYTES_MAX);
    // Certificates in PEM, and the signatures.
    assert!(CERTIFICATES_MAX * CERTIFICATE_BYTES_MAX * 3 / 2 <= SIGNATURES_FILE_BYTES_MAX);
    assert!(INCOMING_CREDIT <= CONSUMER_CREDIT_MAX);
    assert!(INCOMING_AT_A_TIME_MAX <= INCOMING_CREDIT as usize);
};

// --- Trust ---------------------------------------------------------------------------

/// Authorities that the hub knows, roots among them.
pub const AUTHORITIES_MAX: usize = 1_024;
/// How long after a revocation list was due signatures are accepted whose revocation is not proven,
/// unless the policy says otherwise.
pub const REVOCATION_GRACE_DEFAULT: Duration = Duration::from_secs(72 * 3600);
/// Documents that one entry settles when a revocation list comes.
pub const SETTLED_PER_ENTRY_MAX: usize = 256;
/// Up to how many documents that wait for an issuer's list are counted when somebody asks.
pub const UNPROVEN_COUNTED_MAX: u64 = 10_000;
/// Mandates of one agency.
pub const MANDATES_PER_AGENCY_MAX: usize = 256;
/// Mandates of one person for one agency.
pub const MANDATES_PER_PERSON_MAX: usize = 16;
/// Mandates of all agencies.
pub const MANDATES_MAX: usize = 65_536;
/// Appointments of operators and administrators.
pub const APPOINTMENTS_MAX: usize = 4_096;
/// Agencies with quotas of their own.
pub const QUOTAS_MAX: usize = 16_384;
/// Largest evidence bundle, in bytes: a document and the revocation lists of its chains.
pub const EVIDENCE_BUNDLE_BYTES_MAX: usize = 64 * MIB;
/// Most evidence bundles that are made or handed out at a time: each is in memory as a whole, while it
/// is made several times.
pub const EVIDENCE_BUNDLES_MAX: usize = 4;
/// Most of them of one agency at a time.
pub const EVIDENCE_BUNDLES_PER_AGENCY_MAX: usize = 2;
/// Largest piece of something that travels in pieces, in bytes.
pub const PIECE_BYTES_MAX: usize = MIB;
/// Entries of one act of administration.
pub const ACT_ENTRIES_MAX: usize = 1_024;

// --- Evidence: HTTP and audit ----------------------------------------------------------

/// Most HTTP connections at a time; each serves one request at a time.
pub const HTTP_CONNECTIONS_MAX: usize = 256;
/// Largest head of an HTTP request, in bytes.
pub const HTTP_HEAD_BYTES_MAX: usize = 16 * KIB;
/// How long the head of an HTTP request may take to come.
pub const HTTP_HEAD_MAX: Duration = Duration::from_secs(10);
/// How long an HTTP request may take in the hub.
pub const HTTP_REQUEST_MAX: Duration = Duration::from_secs(10);
/// How long an HTTP connection may live, idle or not.
pub const HTTP_CONNECTION_AGE_MAX: Duration = Duration::from_secs(300);
/// Most HTTP requests at a time that read blocks of the journal.
pub const HTTP_BLOCK_READS_MAX: usize = 4;
/// Largest body of a request to the JSON API, in bytes; only evidence and passwords are sent there.
pub const HTTP_API_BYTES_MAX: usize = 64 * KIB;
/// Most pages that are kept up to date at a time, each on a connection of its own.
pub const LIVE_PAGES_MAX: usize = 64;
/// Most entries of a list that the JSON API answers with.
pub const HTTP_LIST_MAX: usize = 500;
/// Most documents that a search looks at, newest first.
pub const DOCUMENTS_LOOKED_AT_MAX: usize = 5_000;
/// Most refusals that a search for examples looks at.
pub const REFUSALS_LOOKED_AT_MAX: usize = 10_000;
/// How old an answer about all mailboxes, certificates or files may be before it is worked out
/// anew.
pub const SURVEY_AGE_MAX: Duration = Duration::from_secs(2);

// --- Accounts and sessions -------------------------------------------------------------

/// Most accounts of a hub.
pub const ACCOUNTS_MAX: usize = 10_000;
/// Shortest password, in characters.
pub const PASSWORD_CHARS_MIN: usize = 12;
/// Longest password, in bytes.
pub const PASSWORD_BYTES_MAX: usize = 256;
/// Most sessions at a time; the one that was idle longest makes room.
pub const SESSIONS_MAX: usize = 4_096;
/// Most sessions of one person at a time; the oldest makes room.
pub const SESSIONS_PER_PERSON_MAX: usize = 8;
/// How long a session lives without a request.
pub const SESSION_IDLE_MAX: Duration = Duration::from_secs(30 * 60);
/// How long a session lives at most.
pub const SESSION_AGE_MAX: Duration = Duration::from_secs(12 * 3600);
/// Failed attempts to sign in that one name, or one address, has before it must wait.
pub const SIGN_IN_FAILURES_FREE: u32 = 5;
/// The first wait after them; each further failure doubles it.
pub const SIGN_IN_WAIT_MIN: Duration = Duration::from_secs(1);
/// The longest wait.
pub const SIGN_IN_WAIT_MAX: Duration = Duration::from_secs(15 * 60);
/// Names and addresses whose failures are remembered; the oldest is forgotten first.
pub const SIGN_IN_REMEMBERED_MAX: usize = 16_384;
/// Passwords that are checked or set at a time: each takes 19 MiB and some tens of milliseconds.
pub const PASSWORD_CHECKS_MAX: usize = 2;

/// Most findings of an audit that are listed; further ones are counted.
pub const AUDIT_FINDINGS_MAX: usize = 10_000;
/// Most payload files that a backup has copied and not yet given their names.
pub const BACKUP_COPIES_WAITING_MAX: usize = 4_096;

const _: () = {
    assert!(HTTP_BLOCK_READS_MAX < HTTP_CONNECTIONS_MAX);
    assert!(LIVE_PAGES_MAX * 2 <= HTTP_CONNECTIONS_MAX);
    assert!(SESSION_IDLE_MAX.as_secs() < SESSION_AGE_MAX.as_secs());
    assert!(PASSWORD_CHARS_MIN < PASSWORD_BYTES_MAX);
    // hyper asks for at least as much.
    assert!(HTTP_HEAD_BYTES_MAX >= 8 * KIB);
    assert!(HTTP_REQUEST_MAX.as_secs() < HTTP_CONNECTION_AGE_MAX.as_secs());
};

const _: () = {
    // A submission with everything at its largest fits a message and a record.
    let certificates = CERTIFICATES_MAX * CERTIFICATE_BYTES_MAX;
    let submission = CONTENT_BYTES_MAX + INLINE_ATTACHMENT_BYTES_MAX + certificates;
    assert!(submission + 64 * KIB <= MESSAGE_BYTES_MAX);
    assert!(RECORD_BYTES_MAX <= BLOCK_BYTES_MAX - BLOCK_BYTES_TARGET);
    assert!(BLOCK_BYTES_MAX as u64 * 2 < JOURNAL_FILE_BYTES);
    assert!(JOURNAL_FILE_SPAN.as_secs() < CONTENT_KEPT_MIN.as_secs());
    assert!(BLOCK_ENTRIES_MAX <= PROPOSALS_WAITING_MAX);
    assert!(STREAM_IN_FLIGHT_MAX <= PROPOSALS_WAITING_MAX);
    assert!(SUBMISSIONS_UNDER_WAY_MAX <= PROPOSALS_WAITING_MAX);
    assert!(MESSAGE_BYTES_MAX * 16 <= SUBMISSION_BYTES_UNDER_WAY_MAX);
    assert!(MESSAGE_BYTES_MAX * 4 <= ARRIVING_BYTES_PER_AGENCY_MAX);
    assert!(ARRIVING_BYTES_PER_AGENCY_MAX * 4 <= ARRIVING_BYTES_MAX);
    assert!(EVIDENCE_BUNDLES_PER_AGENCY_MAX < EVIDENCE_BUNDLES_MAX);
    assert!(STATISTICS_LIVE_PER_AGENCY_MAX * 4 <= STATISTICS_LIVE_MAX);
    assert!(WAITS_FOR_PROGRESS_PER_AGENCY_MAX * 4 <= WAITS_FOR_PROGRESS_MAX);
    assert!(CHUNK_BLOCKS < OVERLAY_BLOCKS_MAX);
    // What is settled is out of reach of what comes in the ordinary way.
    assert!(SETTLED_AFTER.as_secs() < SILENT_AFTER.as_secs());
    assert!(SILENT_AFTER.as_secs() < CONTENT_KEPT_MIN.as_secs());
    assert!(REFERENCES_AT_HAND.as_secs() > MESSAGE_AGE_MAX.as_secs());
    assert!(JOURNAL_FILES_PLAIN >= 1 && OPEN_RUNS_MAX >= 2);
    assert!(PULL_MAX <= CONSUMER_CREDIT_MAX as usize);
    assert!(PAGE_SIZE_DEFAULT <= PAGE_SIZE_MAX);
    assert!(SIGNATURES_MAX <= CERTIFICATES_MAX);
    // The largest document alone may be fanned out, in slices that a u16 numbers.
    assert!(RECIPIENTS_MAX / SLICE_RECIPIENTS <= SLICES_WAITING_MAX);
    assert!(RECIPIENTS_MAX / SLICE_RECIPIENTS < u16::MAX as usize);
    assert!(RECEIPT_ROUTES_MAX >= SLICE_RECIPIENTS);
    assert!(CONNECTIONS_PER_AGENCY_MAX * 16 <= CONNECTIONS_MAX);
    // Whatever opens files beside connections finds descriptors.
    assert!(
        HTTP_CONNECTIONS_MAX + TRANSFERS_MAX + SUBMISSIONS_UNDER_WAY_MAX + OPEN_RUNS_MAX
            < DESCRIPTORS_KEPT
    );
    assert!(CONSUMERS_PER_AGENCY_MAX * 16 <= CONSUMERS_MAX);
    // A piece of an attachment fits a message; what a sender may upload fits one document.
    assert!(TRANSFER_CHUNK_BYTES <= TRANSFER_CHUNK_BYTES_MAX);
    assert!(TRANSFER_CHUNK_BYTES_MAX + 64 * KIB <= MESSAGE_BYTES_MAX);
    assert!(TRANSFERS_PER_CALLER_MAX * 4 <= TRANSFERS_MAX);
    assert!(ATTACHMENTS_MAX <= UPLOADS_PER_CALLER_MAX && UPLOADS_PER_CALLER_MAX <= UPLOADS_MAX);
    assert!(ATTACHMENT_BYTES_MAX <= UPLOAD_BYTES_PER_CALLER_MAX);
    assert!(UPLOAD_SYNC_DELAY.as_millis() < TRANSFER_SILENCE_MAX.as_millis());
    // What is under way when space runs out finds room in the ballast.
    assert!(SPACE_HARD_BYTES >= SUBMISSION_BYTES_UNDER_WAY_MAX as u64);
    assert!(2 * SPACE_HARD_BYTES <= SPACE_SOFT_BYTES);
};

// --- Statistics ------------------------------------------------------------------------------

/// How long statistics by the hour are kept; those by day and month stay.
pub const HOURS_KEPT: Duration = Duration::from_secs(90 * 24 * 3600);
/// Pages of statistics that may be open before the state cuts: what comes of old deliveries opens
/// pages of the days on which they were made.
pub const STATISTICS_PAGES_OPEN_MAX: usize = 16 * 1024;
/// After how many additions to a cube, of 64 bytes each, they are added up where they may wait for more;
/// four times as many, and what one block adds, may be there.
pub const STATISTICS_GATHERED: usize = 2_048;
/// Of those as many are added at a time, so that whoever adds them can put it down soon.
pub const STATISTICS_PIECE: usize = 64;
/// Pages of hours that are removed by one cut.
pub const STATISTICS_PRUNED_MAX: usize = 256;
/// Most rows that the answer to one question may have.
pub const STATISTICS_ROWS_MAX: usize = 65_536;
/// Most sums that are held while a question is answered: what was counted of every group.
pub const STATISTICS_SUMS_MAX: usize = 8 * 1024 * 1024;
/// Most rows of an answer on one page.
pub const STATISTICS_PAGE_MAX: usize = 4_096;
/// Most dimensions that a question may group by.
pub const STATISTICS_DIMENSIONS_MAX: usize = 3;
/// Most measures that a question may ask for.
pub const STATISTICS_MEASURES_MAX: usize = 24;
/// Most values that one condition of a question may name.
pub const STATISTICS_VALUES_MAX: usize = 1_024;
/// Mailbox pages that one look at the backlog reads, 256 deliveries a page at most.
pub const BACKLOG_PAGES_MAX: usize = 65_536;
/// Most agencies that one look at the backlog names.
pub const BACKLOG_AGENCIES_MAX: usize = 1_000;
/// How often a live question is answered again at most.
pub const STATISTICS_LIVE_EVERY: Duration = Duration::from_secs(1);
/// Live questions that are open at a time, of all callers.
pub const STATISTICS_LIVE_MAX: usize = 64;
/// Live questions of one agency, its operators' among them, that are open at a time.
pub const STATISTICS_LIVE_PER_AGENCY_MAX: usize = 16;
/// Recounts of the statistics that a running hub makes at a time: each reads the whole journal and
/// holds every cell.
pub const RECOUNTS_MAX: usize = 1;
/// Most targets of indicators.
pub const TARGETS_MAX: usize = 4_096;
