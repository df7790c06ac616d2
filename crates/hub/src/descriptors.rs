//! File descriptors: as many as the hub's bounds ask for, where the machine grants them; otherwise
//! fewer connections are let in, so that there are always some left for files.
//!
//! The usual limit of a process, 1,024, is for programs that call `select`; what the machine grants
//! (the hard limit) is far more.

use lienthong_model::limits::{CONNECTIONS_MAX, DESCRIPTORS_KEPT, HANDSHAKES_MAX};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::connections::Shares;

/// Raises the limit of this process as far as it is needed and granted; returns how many connections
/// it leaves room for, and says so when they are fewer than there may be.
pub(crate) fn shares() -> Shares {
    let wanted = CONNECTIONS_MAX + HANDSHAKES_MAX + DESCRIPTORS_KEPT;
    let descriptors = raise(wanted as u64);
    let shares = Shares::within(descriptors);
    if shares.all < CONNECTIONS_MAX {
        let connections = shares.all;
        tracing::info!(
            descriptors,
            connections,
            "the limit of open files leaves room for fewer connections than the {CONNECTIONS_MAX} of \
             a hub: raise the hard limit (ulimit -Hn, LimitNOFILE= of systemd) / giới hạn số tệp được \
             mở chỉ đủ cho số kết nối này: hãy nâng giới hạn cứng (ulimit -Hn, LimitNOFILE= của \
             systemd)"
        );
    }
    shares
}

/// Raises the limit to what is wanted, at most to the hard one; returns the limit that then holds.
/// One that is higher stays.
fn raise(wanted: u64) -> u64 {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let current = current.unwrap_or(u64::MAX);
    let raised = wanted.min(maximum.unwrap_or(u64::MAX));
    if current >= raised {
        return current;
    }
    match setrlimit(Resource::Nofile, Rlimit { current: Some(raised), maximum }) {
        Ok(()) => raised,
        Err(error) => {
            tracing::warn!(%error, "cannot raise the limit of open files");
            current
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_raised_as_far_as_it_is_granted_and_never_lowered() {
        let before = getrlimit(Resource::Nofile);
        let (soft, hard) = (before.current.unwrap_or(u64::MAX), before.maximum.unwrap_or(u64::MAX));
        assert_eq!(raise(1), soft);
        let one_more = soft.saturating_add(1);
        assert_eq!(raise(one_more), one_more.min(hard));
        assert_eq!(getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX), one_more.min(hard));
    }

    #[test]
    fn connections_leave_descriptors_for_files_however_few_there_are() {
        let many = Shares::within(u64::MAX);
        assert_eq!((many.all, many.handshakes), (CONNECTIONS_MAX, HANDSHAKES_MAX));
        for descriptors in [4, 64, 1_024, 4_096, 16_384, 25_120] {
            let Shares { all, handshakes, .. } = Shares::within(descriptors);
            let left = descriptors - (all + handshakes) as u64;
            assert!(all > 0 && handshakes > 0, "{descriptors}");
            assert!(left >= (DESCRIPTORS_KEPT as u64).min(descriptors / 2), "{descriptors}");
        }
    }
}
