//! What a key of a configuration is, and the keys of a hub's: name, variable, default, meaning.

/// One key.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Key {
    /// Its name in TOML; the flag is the same with two dashes.
    pub name: &'static str,
    /// The variable of the environment.
    pub variable: &'static str,
    /// What it is when nobody says; `None`: nothing.
    pub default: Option<&'static str>,
    /// What sort of value it takes.
    pub shape: Shape,
    /// What it means, and what a wrong value costs.
    pub meaning: &'static str,
}

/// What sort of value a key takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// A text that is no path.
    Text,
    /// A path; a relative one in a file is relative to that file.
    Path,
    /// `builtin`, or a path.
    BuiltinOrPath,
    /// Several paths; in the environment separated as in `PATH`.
    Paths,
    /// Several texts; in the environment separated by commas.
    Texts,
    /// `true` or `false`.
    Switch,
    /// A whole number.
    Number,
}

impl Shape {
    /// What a value of it looks like in TOML, in Vietnamese and in English.
    pub(crate) const fn example(self) -> (&'static str, &'static str) {
        match self {
            Self::Text => {
                ("một chuỗi, như \"127.0.0.1:7443\"", "a text, such as \"127.0.0.1:7443\"")
            }
            Self::Path => ("một đường dẫn, như \"hub.pem\"", "a path, such as \"hub.pem\""),
            Self::BuiltinOrPath => (
                "\"builtin\" hoặc một đường dẫn, như \"agencies.csv\"",
                "\"builtin\" or a path, such as \"agencies.csv\"",
            ),
            Self::Paths => (
                "một đường dẫn hoặc danh sách đường dẫn, như [\"root.pem\"]",
                "a path or a list of paths, such as [\"root.pem\"]",
            ),
            Self::Texts => (
                "một chuỗi hoặc danh sách chuỗi, như [\"H34\"]",
                "a text or a list of texts, such as [\"H34\"]",
            ),
            Self::Switch => ("true hoặc false", "true or false"),
            Self::Number => ("một số nguyên, như 1000", "a whole number, such as 1000"),
        }
    }
}

impl Key {
    /// Splits a value of the environment.
    pub(crate) fn split(&self, value: &str) -> Vec<String> {
        match self.shape {
            Shape::Paths => {
                std::env::split_paths(value).map(|path| path.display().to_string()).collect()
            }
            Shape::Texts => value.split(',').map(|text| text.trim().to_owned()).collect(),
            Shape::Text | Shape::Path | Shape::BuiltinOrPath | Shape::Switch | Shape::Number => {
                vec![value.to_owned()]
            }
        }
    }
}

/// Every key, in the order in which they are shown.
pub(crate) const KEYS: &[Key] = &[
    Key {
        name: "data",
        variable: "LIENTHONG_DATA",
        default: Some("lienthong-data"),
        shape: Shape::Path,
        meaning: "Data folder: journal, state, payloads; made when it is not there. One hub at a \
                  time uses it.",
    },
    Key {
        name: "listen",
        variable: "LIENTHONG_LISTEN",
        default: Some("127.0.0.1:7443"),
        shape: Shape::Text,
        meaning: "Address and port of the gRPC services; port 0 takes a free one. The default is \
                  reached from this machine only; 0.0.0.0 from everywhere.",
    },
    Key {
        name: "http",
        variable: "LIENTHONG_HTTP",
        default: Some("127.0.0.1:7480"),
        shape: Shape::Text,
        meaning: "Address and port of the operators' pages, the log's tiles, health and metrics, or \
                  `off`; port 0 takes a free one. Elsewhere than on loopback it needs \
                  http-certificate and an account (`lienthong account`).",
    },
    Key {
        name: "http-certificate",
        variable: "LIENTHONG_HTTP_CERTIFICATE",
        default: None,
        shape: Shape::Path,
        meaning: "The HTTP port's certificate, its issuers after it, in PEM, with an ECDSA P-256 key: \
                  browsers take no Ed25519. Without it the port speaks HTTP.",
    },
    Key {
        name: "http-key",
        variable: "LIENTHONG_HTTP_KEY",
        default: None,
        shape: Shape::Path,
        meaning: "The key of http-certificate: PKCS#8 in PEM.",
    },
    Key {
        name: "certificate",
        variable: "LIENTHONG_CERTIFICATE",
        default: None,
        shape: Shape::Path,
        meaning: "The hub's certificate, its issuers after it, in PEM. It must have the names \
                  under which clients reach the hub.",
    },
    Key {
        name: "key",
        variable: "LIENTHONG_KEY",
        default: None,
        shape: Shape::Path,
        meaning: "The key of the hub's certificate: PKCS#8 in PEM.",
    },
    Key {
        name: "root",
        variable: "LIENTHONG_ROOT",
        default: None,
        shape: Shape::Paths,
        meaning: "Roots to trust, in PEM. Journalled: a root stays trusted when it is taken out \
                  here.",
    },
    Key {
        name: "authority",
        variable: "LIENTHONG_AUTHORITY",
        default: None,
        shape: Shape::Paths,
        meaning: "Issuing authorities to know beside the roots, in PEM. Without them nodes and \
                  signers must send their issuers, and their revocation lists cannot be read.",
    },
    Key {
        name: "revocation-list",
        variable: "LIENTHONG_REVOCATION_LIST",
        default: None,
        shape: Shape::Paths,
        meaning: "Files of revocation lists in PEM or DER, or folders of which every *.crl, *.pem \
                  and *.der is read. One that is older than the list in force is passed over. Read \
                  again while the hub runs.",
    },
    Key {
        name: "revocation-list-every",
        variable: "LIENTHONG_REVOCATION_LIST_EVERY",
        default: Some("30s"),
        shape: Shape::Text,
        meaning: "How often the files of revocation lists are read again (1s to 24h); SIGHUP reads \
                  them at once. Too long leaves a revoked certificate good for so long.",
    },
    Key {
        name: "directory",
        variable: "LIENTHONG_DIRECTORY",
        default: Some("builtin"),
        shape: Shape::BuiltinOrPath,
        meaning: "The directory that a new data folder begins with: the country built in, or a CSV \
                  file. Passed over when the folder has one; `lienthong directory apply` changes \
                  it.",
    },
    Key {
        name: "routes",
        variable: "LIENTHONG_ROUTES",
        default: None,
        shape: Shape::Path,
        meaning: "Routing rules in TOML; without it those in force stay, at first none, which \
                  allows everything. `lienthong route check` reads the file without a hub.",
    },
    Key {
        name: "requests-per-second",
        variable: "LIENTHONG_REQUESTS_PER_SECOND",
        default: Some("50000"),
        shape: Shape::Number,
        meaning: "Requests and messages of streams that one agency may make in a second; 0 for any \
                  number. Too low slows honest agencies, too high lets one crowd out the others.",
    },
    Key {
        name: "bytes-per-second",
        variable: "LIENTHONG_BYTES_PER_SECOND",
        default: Some("536870912"),
        shape: Shape::Number,
        meaning: "Bytes that one agency may submit in a second; 0 for any number.",
    },
    Key {
        name: "gateway-factor",
        variable: "LIENTHONG_GATEWAY_FACTOR",
        default: Some("16"),
        shape: Shape::Number,
        meaning: "How many times as much in a second a gateway may ask for, which does so for all \
                  agencies below it.",
    },
    Key {
        name: "clock",
        variable: "LIENTHONG_CLOCK",
        default: Some("real"),
        shape: Shape::Text,
        meaning: "Business time: `real`, or a scenario's clock as start=MOMENT,rate=NUMBER; that \
                  only with a test PKI.",
    },
    Key {
        name: "pki",
        variable: "LIENTHONG_PKI",
        default: None,
        shape: Shape::Path,
        meaning: "A folder that `lienthong pki` wrote; certificate, key, root, authority and \
                  revocation-list are taken from it where they are not set.",
    },
    Key {
        name: "test-pki",
        variable: "LIENTHONG_TEST_PKI",
        default: Some("false"),
        shape: Shape::Switch,
        meaning: "Says that the roots are a test PKI although their names do not contain `test`. \
                  Never set it where people's certificates are real.",
    },
];

/// Returns the key with a name.
pub(crate) fn key(keys: &'static [Key], name: &str) -> Option<&'static Key> {
    keys.iter().find(|key| key.name == name)
}

/// Returns the name of the key that is most like a text.
pub(crate) fn nearest(keys: &'static [Key], text: &str) -> &'static str {
    let text = text.to_lowercase().replace('_', "-");
    let distance = |key: &&Key| strsim::damerau_levenshtein(key.name, &text);
    keys.iter().min_by_key(distance).map_or("", |key| key.name)
}
