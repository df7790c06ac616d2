//! That the log only grew: every checkpoint that a client was ever given is the beginning of the
//! newest one, shown by proofs.

use std::collections::BTreeMap;

use lienthong_client::Client;
use lienthong_model::Digest;
use lienthong_trust::merkle::verify_consistency;
use lienthong_trust::{Checkpoint, NoteKey};

/// What is known to lie on one line.
#[derive(Debug, Default)]
pub(super) struct Line {
    /// The newest checkpoint that all before it were proven against.
    newest: Option<(u64, Digest)>,
    /// How many checkpoints were proven.
    pub proven: u64,
}

impl Line {
    /// Proves the checkpoints that are not yet, and the newest one of before, against the hub's
    /// newest; returns what does not hold. Those proven before are the beginning of that one.
    pub async fn prove(
        &mut self,
        checkpoints: &BTreeMap<u64, Digest>,
        key: &NoteKey,
        client: &Client,
    ) -> Vec<String> {
        let newest = match client.checkpoint().await {
            Ok(said) => Checkpoint::open(&said.checkpoint, key).map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        let newest = match newest {
            Ok(newest) => newest,
            Err(why) => return vec![format!("the newest checkpoint: {why}")],
        };
        let after = self.newest.map_or(0, |(size, _)| size + 1);
        let new = checkpoints.range(after..).map(|(size, root)| (*size, *root));
        let mut found = Vec::new();
        for (size, root) in self.newest.into_iter().chain(new) {
            match consistent((size, root), &newest, client).await {
                Ok(()) => self.proven += 1,
                Err(why) => found.push(format!("the checkpoint of {size} leaves: {why}")),
            }
        }
        self.newest = Some((newest.size, newest.root));
        found
    }

    /// Forgets what was proven: everything is to be proven again.
    pub fn begin_anew(&mut self) {
        self.newest = None;
    }
}

async fn consistent(
    (size, root): (u64, Digest),
    newest: &Checkpoint,
    client: &Client,
) -> Result<(), String> {
    if size > newest.size {
        return Err(format!("the log has {} leaves: it LOST some", newest.size));
    }
    if size == newest.size {
        return match root == newest.root {
            true => Ok(()),
            false => Err("the log has another root of as many leaves".to_owned()),
        };
    }
    let proof = client.consistency(size, Some(newest.size)).await;
    let proof = proof.map_err(|error| error.to_string())?;
    verify_consistency((size, &root), (newest.size, &newest.root), &proof.hashes)
        .map_err(|error| error.to_string())
}
