//! Sessions of those who have signed in: in memory, bounded, ended by time, by signing out and by a
//! change of the password, which whoever finds one has to look for. A restart ends all of them.
//!
//! What a browser keeps is a random secret; kept here is its hash.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lienthong_model::limits::{
    SESSION_AGE_MAX, SESSION_IDLE_MAX, SESSIONS_MAX, SESSIONS_PER_PERSON_MAX,
};
use lienthong_model::{Digest, Signatory};
use lienthong_trust::Chain;
use parking_lot::Mutex;
use rand::Rng as _;

/// All sessions.
#[derive(Default)]
pub(super) struct Sessions(Mutex<HashMap<Digest, Session>>);

#[derive(Debug, Clone)]
struct Session {
    owner: Owner,
    token: String,
    began: Instant,
    used: Instant,
}

/// Who a session is of, and what it ends with.
#[derive(Debug, Clone)]
pub(super) struct Owner {
    pub holder: Signatory,
    /// The certificate that it was begun by, and what leads to it; none of one by password.
    pub chain: Option<Arc<Chain>>,
    /// The mark of the holder's account as it was then; none without one.
    pub account: Option<Digest>,
}

/// A session that has begun.
pub(super) struct Begun {
    /// What the browser keeps.
    pub secret: String,
    /// What its pages send with whatever changes something.
    pub token: String,
}

/// What a session is used by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// By a person: it is not idle.
    ByPerson,
    /// By a page that keeps itself up to date.
    ByItself,
}

/// A session that was found.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub owner: Owner,
    pub token: String,
}

impl Sessions {
    /// Begins a session; where there are as many as there may be, the one that was idle longest
    /// ends.
    pub fn begin(&self, owner: Owner, now: Instant) -> Begun {
        let (secret, token) = (random(), random());
        let mut all = self.0.lock();
        all.retain(|_, session| session.lives(now));
        let own = |session: &Session| session.owner.holder == owner.holder;
        if all.values().filter(|session| own(session)).count() >= SESSIONS_PER_PERSON_MAX {
            end_idlest(&mut all, own);
        }
        if all.len() >= SESSIONS_MAX {
            end_idlest(&mut all, |_| true);
        }
        let session = Session { owner, token: token.clone(), began: now, used: now };
        all.insert(key(&secret), session);
        Begun { secret, token }
    }

    /// Returns who a secret is of, and notes when it was a person who used it.
    pub fn find(&self, secret: &str, of: Use, now: Instant) -> Option<Known> {
        let mut all = self.0.lock();
        let key = key(secret);
        let session = all.get_mut(&key)?;
        if !session.lives(now) {
            all.remove(&key);
            return None;
        }
        if of == Use::ByPerson {
            session.used = now;
        }
        let Session { owner, token, .. } = session.clone();
        Some(Known { owner, token })
    }

    /// Ends a session.
    pub fn end(&self, secret: &str) {
        self.0.lock().remove(&key(secret));
    }
}

impl Session {
    fn lives(&self, now: Instant) -> bool {
        let since = |then: Instant| now.saturating_duration_since(then);
        let within = |spent: Duration, max: Duration| spent < max;
        within(since(self.used), SESSION_IDLE_MAX) && within(since(self.began), SESSION_AGE_MAX)
    }
}

fn end_idlest(all: &mut HashMap<Digest, Session>, among: impl Fn(&Session) -> bool) {
    let candidates = all.iter().filter(|(_, session)| among(session));
    let idlest = candidates.min_by_key(|(_, session)| session.used).map(|(key, _)| *key);
    if let Some(idlest) = idlest {
        all.remove(&idlest);
    }
}

fn key(secret: &str) -> Digest {
    Digest::of(secret.as_bytes())
}

/// 256 random bits.
fn random() -> String {
    let mut bytes = [0; 32];
    rand::rng().fill_bytes(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use lienthong_model::AgencyCode;

    fn owner(name: &str) -> Owner {
        let agency = AgencyCode::parse("H36").unwrap();
        let holder = Signatory { agency, person: name.to_owned() };
        Owner { holder, chain: None, account: None }
    }

    #[test]
    fn a_session_ends_when_it_is_idle_too_long_and_when_it_is_too_old() {
        let (sessions, began) = (Sessions::default(), Instant::now());
        let idle = sessions.begin(owner("an"), began);
        let busy = sessions.begin(owner("an"), began);
        let step = SESSION_IDLE_MAX / 2;
        let mut now = began;
        while now + step < began + SESSION_AGE_MAX {
            now += step;
            assert!(sessions.find(&busy.secret, Use::ByPerson, now).is_some());
        }
        assert!(sessions.find(&idle.secret, Use::ByPerson, now).is_none());
        assert!(sessions.find(&busy.secret, Use::ByPerson, began + SESSION_AGE_MAX).is_none());
    }

    #[test]
    fn one_person_has_so_many_sessions_and_does_not_end_those_of_others() {
        let (sessions, now) = (Sessions::default(), Instant::now());
        let other = sessions.begin(owner("binh"), now);
        let begin = |n: usize| sessions.begin(owner("an"), now + Duration::from_secs(n as u64));
        let all: Vec<_> = (0..=SESSIONS_PER_PERSON_MAX).map(begin).collect();
        let later = now + Duration::from_secs(60);
        assert!(
            sessions.find(&all[0].secret, Use::ByPerson, later).is_none(),
            "the oldest made room"
        );
        assert!(
            all[1..].iter().all(|one| sessions.find(&one.secret, Use::ByPerson, later).is_some())
        );
        assert!(sessions.find(&other.secret, Use::ByPerson, later).is_some());
    }

    #[test]
    fn a_session_that_is_ended_ends_no_other_and_a_guessed_secret_finds_nobody() {
        let (sessions, now) = (Sessions::default(), Instant::now());
        let (an, binh) = (sessions.begin(owner("an"), now), sessions.begin(owner("binh"), now));
        assert_ne!(an.secret, binh.secret);
        sessions.end(&an.secret);
        assert!(sessions.find(&an.secret, Use::ByPerson, now).is_none());
        assert_eq!(sessions.find(&binh.secret, Use::ByPerson, now).unwrap().token, binh.token);
        assert!(sessions.find("", Use::ByPerson, now).is_none());
    }
}
