//! The plan: every submission of a demonstration, good and deliberately wrong, from a seed.

use std::collections::{BTreeMap, BTreeSet};

use lienthong_model::{Level, Reason, SignaturePolicy, StatusCode};
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use crate::cast::Cast;

/// Fewest submissions of each kind of trouble.
const TROUBLE_MIN: usize = 10;
/// One submission in this many goes wrong on purpose.
const TROUBLE_ONE_IN: usize = 50;

/// What goes wrong on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Trouble {
    /// The content is changed after signing.
    ContentChanged,
    /// A person of another agency signs.
    OtherAgencysPerson,
    /// The person's certificate is revoked.
    RevokedCertificate,
    /// The person's certificate has expired.
    ExpiredCertificate,
    /// No person signs where one must.
    NoPersonalSignature,
    /// A recipient does not exist.
    UnknownRecipient,
    /// An accepted document is submitted again, byte for byte.
    SubmittedAgain,
    /// The id of an accepted document is used for another content.
    IdUsedAgain,
}

impl Trouble {
    /// All kinds.
    pub const ALL: [Trouble; 8] = [
        Trouble::ContentChanged,
        Trouble::OtherAgencysPerson,
        Trouble::RevokedCertificate,
        Trouble::ExpiredCertificate,
        Trouble::NoPersonalSignature,
        Trouble::UnknownRecipient,
        Trouble::SubmittedAgain,
        Trouble::IdUsedAgain,
    ];

    /// Returns the refusal that the hub must give; `None`: the first receipt again.
    pub const fn refusal(self) -> Option<Reason> {
        match self {
            Self::ContentChanged => Some(Reason::SignatureInvalid),
            Self::OtherAgencysPerson => Some(Reason::SignerOfOtherAgency),
            Self::RevokedCertificate => Some(Reason::CertificateRevoked),
            Self::ExpiredCertificate => Some(Reason::CertificateExpired),
            Self::NoPersonalSignature => Some(Reason::PersonalSignatureRequired),
            Self::UnknownRecipient => Some(Reason::RecipientUnknown),
            Self::SubmittedAgain => None,
            Self::IdUsedAgain => Some(Reason::IdReused),
        }
    }

    /// Whether it follows the acceptance of another submission.
    const fn follows(self) -> bool {
        matches!(self, Self::SubmittedAgain | Self::IdUsedAgain)
    }
}

/// Who signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signing {
    /// The sender's leader.
    Leader,
    /// The sender's leader and its seal.
    LeaderAndSeal,
    /// The sender's seal.
    Seal,
    /// The leader of another member.
    Of(usize),
    /// A person among the cast's revoked.
    Revoked(usize),
    /// A person among the cast's expired.
    Expired(usize),
}

/// One submission, and those that follow its acceptance.
#[derive(Debug, Clone)]
pub struct Job {
    /// Its number: everything written in it follows from this.
    pub number: u64,
    /// The member that sends.
    pub sender: usize,
    /// The members that receive, in order, each once.
    pub recipients: Vec<usize>,
    /// Who signs.
    pub signing: Signing,
    /// What goes wrong, if anything.
    pub trouble: Option<Trouble>,
    /// [`Trouble::SubmittedAgain`] and [`Trouble::IdUsedAgain`], after this one was accepted.
    pub followed_by: Vec<Trouble>,
}

/// What a recipient reports after it has acknowledged, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer(pub &'static [StatusCode]);

impl Answer {
    /// Returns the answer of a recipient to a document; it follows from both and the seed.
    pub fn of(seed: u64, document: u64, recipient: usize) -> Self {
        use StatusCode::{Accepted, Arrived, Finished, Processing, Refused};
        let mixed = mix(mix(seed ^ 0x5175, document), recipient as u64);
        Self(match mixed % 100 {
            0..3 => &[Refused],
            3..33 => &[Arrived],
            33..61 => &[Accepted],
            61..75 => &[Arrived, Accepted],
            75..83 => &[Accepted, Processing],
            83..94 => &[Accepted, Processing, Finished],
            _ => &[Arrived, Accepted, Processing, Finished],
        })
    }
}

/// SplitMix64 over a pair: the same on every machine.
fn mix(seed: u64, value: u64) -> u64 {
    let mut z = seed.wrapping_add(value.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// Every submission.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Those that do not wait for another, in the order in which they are begun.
    pub jobs: Vec<Job>,
    /// The seed it was made from.
    pub seed: u64,
}

impl Plan {
    /// The fewest submissions that can be planned: a plan is a picture of traffic, not of errors.
    pub const SUBMISSIONS_MIN: usize = 1_000;

    /// Plans `submissions` submissions, all counted: the wrong ones and the repetitions too.
    pub fn new(cast: &Cast, submissions: usize, seed: u64) -> Self {
        let submissions = submissions.max(Self::SUBMISSIONS_MIN);
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let each = (submissions / TROUBLE_ONE_IN / Trouble::ALL.len()).max(TROUBLE_MIN);
        let good = submissions - each * Trouble::ALL.len();
        let casting = Casting::new(cast);
        let mut jobs: Vec<Job> = (0..good).map(|_| casting.good(&mut rng)).collect();
        for trouble in Trouble::ALL {
            for count in 0..each {
                match trouble.follows() {
                    true => {
                        let followed = rng.random_range(0..good);
                        jobs[followed].followed_by.push(trouble);
                    }
                    false => jobs.push(casting.bad(trouble, count, &mut rng)),
                }
            }
        }
        // Wrong ones come among the others, not at the end.
        for index in good..jobs.len() {
            let other = rng.random_range(0..=index);
            jobs.swap(index, other);
        }
        for (number, job) in jobs.iter_mut().enumerate() {
            job.number = number as u64;
        }
        Self { jobs, seed }
    }

    /// Returns how many submissions it makes.
    pub fn submissions(&self) -> usize {
        self.jobs.iter().map(|job| 1 + job.followed_by.len()).sum()
    }

    /// Returns how many deliveries follow when everything is decided as it must be.
    pub fn deliveries(&self) -> usize {
        let accepted = self.jobs.iter().filter(|job| job.trouble.is_none());
        accepted.map(|job| job.recipients.len()).sum()
    }

    /// Returns how many refusals of each reason follow.
    pub fn refusals(&self) -> BTreeMap<Reason, usize> {
        let mut refusals = BTreeMap::new();
        for job in &self.jobs {
            for trouble in job.trouble.iter().chain(&job.followed_by) {
                if let Some(reason) = trouble.refusal() {
                    *refusals.entry(reason).or_default() += 1;
                }
            }
        }
        refusals
    }
}

/// The cast, sorted for drawing from it.
struct Casting<'c> {
    cast: &'c Cast,
    by_level: [Vec<usize>; 4],
    strict: Vec<usize>,
}

impl<'c> Casting<'c> {
    fn new(cast: &'c Cast) -> Self {
        let mut by_level: [Vec<usize>; 4] = Default::default();
        let mut strict = Vec::new();
        for (index, member) in cast.members.iter().enumerate() {
            by_level[usize::from(member.level().number()) - 1].push(index);
            if member.entry.policy == SignaturePolicy::Required {
                strict.push(index);
            }
        }
        Self { cast, by_level, strict }
    }

    fn level(&self, level: Level) -> &[usize] {
        &self.by_level[usize::from(level.number()) - 1]
    }

    fn good(&self, rng: &mut ChaCha8Rng) -> Job {
        let level = match rng.random_range(0..100) {
            0..8 => Level::Ministry,
            8..43 => Level::Province,
            43..71 => Level::District,
            _ => Level::Commune,
        };
        let sender = self.level(level).choose(rng).or_else(|| self.level(Level::Ministry).first());
        self.job(sender.copied().unwrap_or_default(), rng)
    }

    fn job(&self, sender: usize, rng: &mut ChaCha8Rng) -> Job {
        let fan_out = match rng.random_range(0..100) {
            0..70 => 1,
            70..92 => rng.random_range(2..=3),
            92..99 => rng.random_range(4..=8),
            _ => rng.random_range(9..=30),
        };
        let mut recipients = BTreeSet::new();
        let mut ordered = Vec::new();
        for _ in 0..fan_out * 3 {
            let recipient = self.recipient(sender, rng);
            if recipient != sender && recipients.insert(recipient) {
                ordered.push(recipient);
            }
            if ordered.len() == fan_out {
                break;
            }
        }
        if ordered.is_empty() {
            let first = usize::from(sender == 0);
            ordered.push(first);
        }
        let signing = match self.cast.members[sender].entry.policy {
            SignaturePolicy::Required if rng.random_range(0..10) < 3 => Signing::LeaderAndSeal,
            SignaturePolicy::Required => Signing::Leader,
            SignaturePolicy::Transition | SignaturePolicy::Information => Signing::Seal,
        };
        Job {
            number: 0,
            sender,
            recipients: ordered,
            signing,
            trouble: None,
            followed_by: Vec::new(),
        }
    }

    /// Up, down, across, or anybody.
    fn recipient(&self, sender: usize, rng: &mut ChaCha8Rng) -> usize {
        let member = &self.cast.members[sender];
        let drawn = match (member.level(), rng.random_range(0..100)) {
            (Level::Ministry, 0..70) => self.level(Level::Province).choose(rng),
            (Level::Ministry, _) => self.level(Level::Ministry).choose(rng),
            (_, 0..30) => member.parent.as_ref(),
            (_, 30..65) if !member.children.is_empty() => member.children.choose(rng),
            (_, 30..65) => member.parent.as_ref(),
            (_, 65..80) => self.level(member.level()).choose(rng),
            (Level::Province, 80..92) => self.level(Level::Ministry).choose(rng),
            (_, _) => None,
        };
        drawn.copied().unwrap_or_else(|| rng.random_range(0..self.cast.members.len()))
    }

    fn bad(&self, trouble: Trouble, count: usize, rng: &mut ChaCha8Rng) -> Job {
        let strict = self.strict.choose(rng).copied().unwrap_or_default();
        let mut job = match trouble {
            Trouble::RevokedCertificate => {
                let person = count % self.cast.revoked.len();
                let job = self.job(self.cast.revoked[person].0, rng);
                Job { signing: Signing::Revoked(person), ..job }
            }
            Trouble::ExpiredCertificate => {
                let person = count % self.cast.expired.len();
                let job = self.job(self.cast.expired[person].0, rng);
                Job { signing: Signing::Expired(person), ..job }
            }
            Trouble::OtherAgencysPerson => {
                let job = self.job(strict, rng);
                let other = (strict + 1 + rng.random_range(0..self.cast.members.len() - 1))
                    % self.cast.members.len();
                Job { signing: Signing::Of(other), ..job }
            }
            Trouble::NoPersonalSignature => Job { signing: Signing::Seal, ..self.job(strict, rng) },
            Trouble::ContentChanged
            | Trouble::UnknownRecipient
            | Trouble::SubmittedAgain
            | Trouble::IdUsedAgain => self.job(strict, rng),
        };
        job.trouble = Some(trouble);
        job
    }
}
