//! The members with their connections and signers.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use lienthong_client::{Client, ClockSource, DocumentCheck, Reports, Roots, Signer, Submissions};
use lienthong_pki::Identity as Certified;

use super::station::endpoint;
use super::{Address, LiveError};
use crate::cast::Cast;
use crate::plan::Signing;

/// Handshakes under way at a time.
const CONNECTING: usize = 8;
/// Documents and reports of one node that wait for their outcome.
const IN_FLIGHT: usize = 64;

/// A node and its streams.
pub(super) struct Station {
    pub client: Client,
    pub submissions: Submissions,
    pub reports: Reports,
}

/// Everybody, ready to work.
pub(super) struct Crew {
    pub cast: Arc<Cast>,
    pub check: DocumentCheck,
    pub stations: HashMap<usize, Station>,
    pub by_code: HashMap<String, usize>,
    leaders: Vec<Signer>,
    seals: Vec<Signer>,
    revoked: Vec<Signer>,
    expired: Vec<Signer>,
}

impl Crew {
    pub async fn connect(
        cast: Arc<Cast>,
        address: &Address,
        connected: impl Fn(u64),
    ) -> Result<Self, LiveError> {
        let mut roots = Roots::new([cast.root.clone()])?.with_authority(cast.issuing.clone())?;
        for list in &cast.revocation_lists {
            roots = roots.with_revocation_list(list.clone());
        }
        let check = DocumentCheck::new(&roots)?;
        let nodes = cast.members.iter().enumerate().filter(|(index, m)| m.served_by == *index);
        let mut connecting = stream::iter(nodes.map(|(index, member)| {
            let clock = ClockSource::scenario(address.now, address.rate);
            let endpoint =
                endpoint(&address.url, (&member.node, cast.issuing_authority()), &roots, clock);
            async move {
                let client = Client::connect(endpoint?).await.map_err(|error| {
                    LiveError::Connect { agency: member.entry.code.to_string(), error }
                })?;
                Ok::<_, LiveError>((index, client))
            }
        }))
        .buffer_unordered(CONNECTING);
        let mut stations = HashMap::new();
        while let Some((index, client)) = connecting.try_next().await? {
            let submissions = client.submissions(IN_FLIGHT);
            let reports = client.reports(IN_FLIGHT);
            stations.insert(index, Station { client, submissions, reports });
            connected(stations.len() as u64);
        }
        drop(connecting);
        let by_code = cast.by_code();
        let by_code = by_code.into_iter().map(|(code, index)| (code.to_owned(), index)).collect();
        let signer = |identity: &Certified| signer(&cast, identity);
        Ok(Self {
            leaders: cast.members.iter().map(|m| signer(&m.leader)).collect::<Result<_, _>>()?,
            seals: cast.members.iter().map(|m| signer(&m.seal)).collect::<Result<_, _>>()?,
            revoked: cast.revoked.iter().map(|(_, p)| signer(p)).collect::<Result<_, _>>()?,
            expired: cast.expired.iter().map(|(_, p)| signer(p)).collect::<Result<_, _>>()?,
            check,
            stations,
            by_code,
            cast,
        })
    }

    /// The node that serves a member.
    pub fn station(&self, member: usize) -> &Station {
        // Every `served_by` is a member that serves itself: `Cast` makes them so.
        &self.stations[&self.cast.members[member].served_by]
    }

    pub fn seal(&self, member: usize) -> &Signer {
        &self.seals[member]
    }

    pub fn signers(&self, sender: usize, signing: Signing) -> Vec<&Signer> {
        match signing {
            Signing::Leader => vec![&self.leaders[sender]],
            Signing::LeaderAndSeal => vec![&self.leaders[sender], &self.seals[sender]],
            Signing::Seal => vec![&self.seals[sender]],
            Signing::Of(other) => vec![&self.leaders[other]],
            Signing::Revoked(person) => vec![&self.revoked[person]],
            Signing::Expired(person) => vec![&self.expired[person]],
        }
    }
}

fn signer(cast: &Cast, identity: &Certified) -> Result<Signer, LiveError> {
    let issuers: Vec<Bytes> = vec![cast.issuing.clone()];
    let key = identity.key.to_signing_key();
    Ok(Signer::new(identity.certificate.clone(), issuers, key)?)
}
