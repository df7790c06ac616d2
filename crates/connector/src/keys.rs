//! Whose keys are here, and which of them sign a document.

use std::collections::HashMap;

use lienthong_client::Signer;
use lienthong_model::{AgencyCode, CodeKey};

/// The keys with which an agency signs.
#[derive(Debug, Clone, Default)]
pub struct SigningKeys {
    /// The agency's seal.
    pub seal: Option<Signer>,
    /// Persons by id, in the order of their ids.
    pub persons: Vec<(String, Signer)>,
}

/// Who shall sign.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Choice {
    /// Persons by id; `None`: the only one whose key is here, if any; empty: nobody.
    pub persons: Option<Vec<String>>,
    /// Whether the seal signs; `None`: when it is here.
    pub seal: Option<bool>,
}

/// Why nobody can sign as it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignerMissing {
    /// The seal is demanded and is not here.
    #[error("there is no seal")]
    Seal,
    /// A person's key is not here.
    #[error("there is no person `{wanted}`; there is {known}")]
    Person {
        /// Who was named.
        wanted: String,
        /// Who is here.
        known: String,
    },
    /// Several persons' keys are here and nobody was named.
    #[error("several persons may sign: {0}")]
    Several(String),
}

impl SigningKeys {
    /// Returns who signs: persons first, then the seal.
    ///
    /// # Errors
    /// [`SignerMissing`] when somebody named is not here, or several are and nobody is named.
    pub fn choose(&self, choice: &Choice) -> Result<Vec<Signer>, SignerMissing> {
        let mut signers = match &choice.persons {
            Some(ids) => ids.iter().map(|id| self.person(id)).collect::<Result<Vec<_>, _>>()?,
            None => match self.persons.as_slice() {
                [] => Vec::new(),
                [(_, one)] => vec![one.clone()],
                _ => return Err(SignerMissing::Several(self.ids())),
            },
        };
        match (choice.seal, &self.seal) {
            (Some(false), _) | (None, None) => {}
            (Some(true), None) => return Err(SignerMissing::Seal),
            (_, Some(seal)) => signers.push(seal.clone()),
        }
        Ok(signers)
    }

    fn person(&self, id: &str) -> Result<Signer, SignerMissing> {
        let found = self.persons.iter().find(|(known, _)| known == id);
        found.map(|(_, signer)| signer.clone()).ok_or_else(|| SignerMissing::Person {
            wanted: id.to_owned(),
            known: if self.persons.is_empty() { "nobody".to_owned() } else { self.ids() },
        })
    }

    fn ids(&self) -> String {
        let ids: Vec<&str> = self.persons.iter().map(|(id, _)| id.as_str()).collect();
        ids.join(", ")
    }
}

/// The keys of every agency that the connector signs for.
#[derive(Debug, Clone, Default)]
pub struct Keyring {
    /// Those of the agency whose node it is: its seal is good for the agencies that it serves.
    pub own: SigningKeys,
    /// Those of agencies that it serves.
    pub served: HashMap<CodeKey, SigningKeys>,
    /// Who signs where a header names nobody.
    pub person: Option<String>,
}

impl Keyring {
    /// Returns the keys for an agency's documents: its own, and the gateway's seal where it has
    /// none.
    pub fn of(&self, agency: &AgencyCode, node: &AgencyCode) -> SigningKeys {
        if agency.key() == node.key() {
            return self.own.clone();
        }
        let mut keys = self.served.get(&agency.key()).cloned().unwrap_or_default();
        keys.seal = keys.seal.or_else(|| self.own.seal.clone());
        keys
    }

    /// Returns a choice with the person who signs where nobody is named, if that person's key is
    /// among `keys`.
    pub(crate) fn complete(&self, choice: &Choice, keys: &SigningKeys) -> Choice {
        let known = |id: &&String| keys.persons.iter().any(|(known, _)| known == *id);
        match (&choice.persons, self.person.as_ref().filter(known)) {
            (None, Some(person)) => {
                Choice { persons: Some(vec![person.clone()]), seal: choice.seal }
            }
            _ => choice.clone(),
        }
    }
}
