//! The keys of a connector's configuration: name, variable, default, meaning.

use std::path::PathBuf;

use super::NodeFlags;
use crate::config::{Effective, Key, Layers, Shape};
use crate::connect::HUB_DEFAULT;

/// The file that is read when no other is named.
const FILE: &str = "node.toml";
/// Names a configuration file in the environment.
const CONFIG_VARIABLE: &str = "LIENTHONG_NODE_CONFIG";

const fn key(
    name: &'static str,
    variable: &'static str,
    default: Option<&'static str>,
    shape: Shape,
    meaning: &'static str,
) -> Key {
    Key { name, variable, default, shape, meaning }
}

/// Every key, in the order in which the template has them.
pub(super) const KEYS: &[Key] = &[
    key("hub", "LIENTHONG_HUB", Some(HUB_DEFAULT), Shape::Text, "The hub's address."),
    key(
        "as",
        "LIENTHONG_AS",
        None,
        Shape::Path,
        "The agency's folder: node.pem, node.key, and for signing seal.* and person-*.*.",
    ),
    key(
        "folder",
        "LIENTHONG_NODE_FOLDER",
        None,
        Shape::Path,
        "The folder with outbox, inbox, status; default: the one of this file. All of it must lie \
         on one file system.",
    ),
    key(
        "gateway",
        "LIENTHONG_NODE_GATEWAY",
        Some("false"),
        Shape::Switch,
        "Whether it serves other agencies too: every folder has one for each then, \
         outbox/CODE/NAME.",
    ),
    key(
        "mailboxes",
        "LIENTHONG_NODE_MAILBOXES",
        None,
        Shape::Texts,
        "The mailboxes wanted; default: the agency's own, for a gateway all that its node serves.",
    ),
    key(
        "keys",
        "LIENTHONG_NODE_KEYS",
        None,
        Shape::Path,
        "For a gateway: a folder with one folder an agency (keys/CODE/seal.pem, person-*.pem); \
         without a seal of its own an agency's documents bear the gateway's.",
    ),
    key(
        "person",
        "LIENTHONG_NODE_PERSON",
        None,
        Shape::Text,
        "Who signs where a document names nobody and several persons' keys are in the folder.",
    ),
    key(
        "root",
        "LIENTHONG_ROOT",
        None,
        Shape::Paths,
        "Roots to trust, for the hub and for signatures on documents; default: root.pem found \
         beside the agency's folder, with what is beside it.",
    ),
    key(
        "revocation-list",
        "LIENTHONG_REVOCATION_LIST",
        None,
        Shape::Paths,
        "Revocation lists to honour, with `root`.",
    ),
    key(
        "clock",
        "LIENTHONG_CLOCK",
        Some("real"),
        Shape::Text,
        "The hub's clock: `real`, or a scenario's as start=MOMENT,rate=NUMBER.",
    ),
    key(
        "server-name",
        "LIENTHONG_SERVER_NAME",
        None,
        Shape::Text,
        "The name that the hub's certificate must have, when it is not the host of the address.",
    ),
    key(
        "http",
        "LIENTHONG_NODE_HTTP",
        None,
        Shape::Text,
        "Where the local HTTP API listens, such as 127.0.0.1:7490; without it there is none.",
    ),
    key(
        "http-token",
        "LIENTHONG_NODE_HTTP_TOKEN",
        None,
        Shape::Path,
        "The file of the bearer token, made at the first start; default: http.token in the folder.",
    ),
    key(
        "http-beyond-loopback",
        "LIENTHONG_NODE_HTTP_BEYOND_LOOPBACK",
        Some("false"),
        Shape::Switch,
        "Lets `http` be an address that other machines reach. The API has no TLS of its own: only \
         behind one that does.",
    ),
    key(
        "webhook",
        "LIENTHONG_NODE_WEBHOOK",
        None,
        Shape::Text,
        "An address to which every arrival is posted; without it nobody is told.",
    ),
    key(
        "webhook-secret",
        "LIENTHONG_NODE_WEBHOOK_SECRET",
        None,
        Shape::Path,
        "The file of the secret that authenticates what is posted, made at the first start; \
         default: webhook.secret in the folder.",
    ),
    key(
        "webhook-root",
        "LIENTHONG_NODE_WEBHOOK_ROOT",
        None,
        Shape::Path,
        "Root certificates (PEM) of an https webhook.",
    ),
    key(
        "poll",
        "LIENTHONG_NODE_POLL",
        Some("1s"),
        Shape::Text,
        "How often the folders are looked into, at least 50ms. Too short keeps a network share \
         busy, too long delays what is sent.",
    ),
];

impl NodeFlags {
    /// Works out what is in force; `environment` looks a variable up.
    ///
    /// # Errors
    /// [`Usage`](crate::say::Usage) when the file cannot be read or has something that it may not
    /// have.
    pub(super) fn effective(
        &self,
        environment: impl Fn(&str) -> Option<String>,
    ) -> anyhow::Result<Effective> {
        let layers = Layers::said(KEYS, self.given(), &environment);
        let named = self.config.clone().or_else(|| environment(CONFIG_VARIABLE).map(PathBuf::from));
        let found = || Some(PathBuf::from(FILE)).filter(|path| path.is_file());
        Ok(layers.effective(named.or_else(found))?)
    }

    fn given(&self) -> Vec<(&'static str, Vec<String>)> {
        let one = |value: &Option<String>| value.clone().into_iter().collect::<Vec<_>>();
        let on = |is: bool| if is { vec!["true".to_owned()] } else { Vec::new() };
        vec![
            ("folder", one(&self.folder)),
            ("hub", one(&self.hub)),
            ("as", one(&self.as_folder)),
            ("gateway", on(self.gateway)),
            ("mailboxes", self.mailboxes.clone()),
            ("keys", one(&self.keys)),
            ("person", one(&self.person)),
            ("root", self.root.clone()),
            ("revocation-list", self.revocation_list.clone()),
            ("clock", one(&self.clock)),
            ("server-name", one(&self.server_name)),
            ("http", one(&self.http)),
            ("http-beyond-loopback", on(self.http_beyond_loopback)),
            ("webhook", one(&self.webhook)),
            ("webhook-root", one(&self.webhook_root)),
            ("poll", one(&self.poll)),
        ]
    }
}
