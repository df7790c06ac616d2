//! The configuration of a hub: keys, and where each value comes from.
//!
//! Flags go before the environment, the environment before the TOML file, the file before the
//! defaults. `--pki DIR` fills in what none of them says.

pub(crate) mod file;
mod keys;
mod settings;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::say::Usage;

pub(crate) use keys::{KEYS, Key, Shape};
pub(crate) use settings::settings;

/// The file that is read from the data folder when no other is named.
const FILE_IN_DATA: &str = "hub.toml";
/// Names a configuration file in the environment.
const CONFIG_VARIABLE: &str = "LIENTHONG_CONFIG";

/// The flags of a hub; each is a key of the configuration too.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct HubFlags {
    /// Configuration file (TOML); default: hub.toml in the data folder, when it is there
    /// [env: LIENTHONG_CONFIG]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Data folder; made when it is not there [env: LIENTHONG_DATA] [default: lienthong-data]
    #[arg(long, value_name = "DIR")]
    pub data: Option<String>,
    /// Where to listen; port 0 takes a free one [env: LIENTHONG_LISTEN] [default: 127.0.0.1:7443]
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<String>,
    /// Where to answer HTTP (operators' pages, tiles of the log, health, metrics), or `off`
    /// [env: LIENTHONG_HTTP] [default: 127.0.0.1:7480]
    #[arg(long, value_name = "ADDR|off")]
    pub http: Option<String>,
    /// The HTTP port's certificate, its issuers after it (PEM, with a P-256 key)
    /// [env: LIENTHONG_HTTP_CERTIFICATE]
    #[arg(long, value_name = "FILE")]
    pub http_certificate: Option<String>,
    /// The key of the HTTP port's certificate (PKCS#8, PEM) [env: LIENTHONG_HTTP_KEY]
    #[arg(long, value_name = "FILE")]
    pub http_key: Option<String>,
    /// The hub's certificate, its issuers after it (PEM) [env: LIENTHONG_CERTIFICATE]
    #[arg(long, value_name = "FILE")]
    pub certificate: Option<String>,
    /// The key of the hub's certificate (PKCS#8, PEM) [env: LIENTHONG_KEY]
    #[arg(long, value_name = "FILE")]
    pub key: Option<String>,
    /// Root to trust (PEM), repeatable [env: LIENTHONG_ROOT]
    #[arg(long, value_name = "FILE")]
    pub root: Vec<String>,
    /// Issuing authority to know (PEM), repeatable [env: LIENTHONG_AUTHORITY]
    #[arg(long, value_name = "FILE")]
    pub authority: Vec<String>,
    /// Revocation list (PEM or DER) or folder of lists, repeatable; read again while the hub runs
    /// [env: LIENTHONG_REVOCATION_LIST]
    #[arg(long, value_name = "FILE|DIR")]
    pub revocation_list: Vec<String>,
    /// How often revocation lists are read again; SIGHUP reads them at once
    /// [env: LIENTHONG_REVOCATION_LIST_EVERY] [default: 30s]
    #[arg(long, value_name = "SPAN")]
    pub revocation_list_every: Option<String>,
    /// Directory for a new data folder: `builtin` or a CSV file [env: LIENTHONG_DIRECTORY]
    /// [default: builtin]
    #[arg(long, value_name = "builtin|FILE.csv")]
    pub directory: Option<String>,
    /// Routing rules (TOML); without it those in force stay [env: LIENTHONG_ROUTES]
    #[arg(long, value_name = "FILE.toml")]
    pub routes: Option<String>,
    /// Requests of one agency in a second, 0 for any number [env: LIENTHONG_REQUESTS_PER_SECOND]
    /// [default: 50000]
    #[arg(long, value_name = "N")]
    pub requests_per_second: Option<String>,
    /// Bytes submitted by one agency in a second, 0 for any number
    /// [env: LIENTHONG_BYTES_PER_SECOND] [default: 536870912]
    #[arg(long, value_name = "N")]
    pub bytes_per_second: Option<String>,
    /// How many times as much a gateway may ask for [env: LIENTHONG_GATEWAY_FACTOR] [default: 16]
    #[arg(long, value_name = "N")]
    pub gateway_factor: Option<String>,
    /// Business time: `real`, or `start=2020-11-16T08:00+07:00,rate=600` with a test PKI
    /// [env: LIENTHONG_CLOCK] [default: real]
    #[arg(long, value_name = "CLOCK")]
    pub clock: Option<String>,
    /// Folder of `lienthong pki`: certificate, key, root, authority and revocation lists in one
    /// [env: LIENTHONG_PKI]
    #[arg(long, value_name = "DIR")]
    pub pki: Option<String>,
    /// Says that the roots are a test PKI, when their names do not [env: LIENTHONG_TEST_PKI]
    #[arg(long)]
    pub test_pki: bool,
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A flag.
    Flag,
    /// A variable of the environment.
    Environment(&'static str),
    /// A line of a file.
    File(PathBuf, usize),
    /// The folder given as `pki`.
    Pki,
    /// Nobody said.
    Default,
}

/// The values of one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Setting {
    /// The key.
    pub key: &'static Key,
    /// Its values; more than one only for a list, none when nothing is set.
    pub values: Vec<String>,
    /// Where they come from.
    pub origin: Origin,
}

/// What is in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Effective {
    /// One setting a key, in the order of [`KEYS`].
    pub settings: Vec<Setting>,
    /// The file that was read.
    pub file: Option<PathBuf>,
}

impl HubFlags {
    /// Works out what is in force; `environment` looks a variable up.
    ///
    /// # Errors
    /// [`Usage`] when the file cannot be read or has something that it may not have.
    pub(crate) fn effective(
        &self,
        environment: impl Fn(&str) -> Option<String>,
    ) -> anyhow::Result<Effective> {
        let layers = Layers::said(KEYS, self.given(), &environment);
        let file = self.file(&layers, environment(CONFIG_VARIABLE))?;
        let mut effective = layers.effective(file)?;
        effective.fill_from_pki()?;
        Ok(effective)
    }

    /// The file to read: the one named, or hub.toml in the data folder when it is there.
    fn file(&self, layers: &Layers, variable: Option<String>) -> anyhow::Result<Option<PathBuf>> {
        let named = self.config.clone().or_else(|| variable.map(PathBuf::from));
        if let Some(named) = named {
            return Ok(Some(named));
        }
        let default = || keys::key(KEYS, "data").and_then(|key| key.default);
        let data = layers.first("data").or_else(default).map(ToOwned::to_owned);
        let found = PathBuf::from(data.unwrap_or_default()).join(FILE_IN_DATA);
        if !found.is_file() {
            return Ok(None);
        }
        if let Some((_, line, _)) =
            file::read(&found, KEYS)?.iter().find(|(key, ..)| key.name == "data")
        {
            let shown = found.display();
            return Err(Usage::new(
                format!(
                    "`{shown}`, dòng {line}: `data` không được đặt trong tệp nằm ở chính thư mục \
                     dữ liệu"
                ),
                format!(
                    "`{shown}`, line {line}: `data` has no place in a file that is found in the \
                     data folder"
                ),
            )
            .remedy(
                "bỏ dòng đó, hoặc chuyển tệp ra nơi khác và chỉ tệp bằng --config",
                "remove the line, or move the file elsewhere and name it with --config",
            )
            .into());
        }
        Ok(Some(found))
    }

    fn given(&self) -> [(&'static str, Vec<String>); 19] {
        let one = |value: &Option<String>| value.clone().into_iter().collect::<Vec<_>>();
        let test_pki = if self.test_pki { vec!["true".to_owned()] } else { Vec::new() };
        [
            ("data", one(&self.data)),
            ("listen", one(&self.listen)),
            ("http", one(&self.http)),
            ("http-certificate", one(&self.http_certificate)),
            ("http-key", one(&self.http_key)),
            ("certificate", one(&self.certificate)),
            ("key", one(&self.key)),
            ("root", self.root.clone()),
            ("authority", self.authority.clone()),
            ("revocation-list", self.revocation_list.clone()),
            ("revocation-list-every", one(&self.revocation_list_every)),
            ("directory", one(&self.directory)),
            ("routes", one(&self.routes)),
            ("requests-per-second", one(&self.requests_per_second)),
            ("bytes-per-second", one(&self.bytes_per_second)),
            ("gateway-factor", one(&self.gateway_factor)),
            ("clock", one(&self.clock)),
            ("pki", one(&self.pki)),
            ("test-pki", test_pki),
        ]
    }
}

/// What was said of each key so far, by whom it counts of.
pub(crate) struct Layers {
    keys: &'static [Key],
    said: BTreeMap<&'static str, (Vec<String>, Origin)>,
}

impl Layers {
    /// Takes the flags, then the environment.
    pub(crate) fn said(
        keys: &'static [Key],
        given: impl IntoIterator<Item = (&'static str, Vec<String>)>,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Self {
        let mut said = BTreeMap::new();
        for (key, values) in given {
            if !values.is_empty() {
                said.insert(key, (values, Origin::Flag));
            }
        }
        for key in keys {
            let value = environment(key.variable).filter(|value| !value.is_empty());
            if let Some(value) = value {
                let origin = Origin::Environment(key.variable);
                said.entry(key.name).or_insert_with(|| (key.split(&value), origin));
            }
        }
        Self { keys, said }
    }

    /// The first value of a key, where somebody said one.
    pub(crate) fn first(&self, key: &str) -> Option<&str> {
        self.said.get(key).and_then(|(values, _)| values.first()).map(String::as_str)
    }

    /// Adds a file and the defaults.
    ///
    /// # Errors
    /// [`Usage`] when the file cannot be read or has something that it may not have.
    pub(crate) fn effective(mut self, file: Option<PathBuf>) -> Result<Effective, Usage> {
        if let Some(file) = &file {
            for (key, line, values) in file::read(file, self.keys)? {
                let origin = Origin::File(file.clone(), line);
                self.said.entry(key.name).or_insert((values, origin));
            }
        }
        let setting = |key: &'static Key| match self.said.remove(key.name) {
            Some((values, origin)) => Setting { key, values, origin },
            None => {
                let values = key.default.map(ToOwned::to_owned).into_iter().collect();
                Setting { key, values, origin: Origin::Default }
            }
        };
        let settings = self.keys.iter().map(setting).collect();
        Ok(Effective { settings, file })
    }
}

impl Effective {
    /// Returns the value of a key; `None` when nothing is set.
    pub(crate) fn one(&self, name: &str) -> Option<&str> {
        self.many(name).first().map(String::as_str)
    }

    /// Returns the values of a key.
    pub(crate) fn many(&self, name: &str) -> &[String] {
        let setting = self.settings.iter().find(|setting| setting.key.name == name);
        setting.map_or(&[], |setting| setting.values.as_slice())
    }

    /// Returns the setting of a key as people find it again: name and origin.
    pub(crate) fn shown(&self, name: &str) -> String {
        match self.settings.iter().find(|setting| setting.key.name == name) {
            Some(setting) => format!("`{name}` ({})", setting.origin),
            None => format!("`{name}`"),
        }
    }

    /// Returns what is wrong with a setting, in Vietnamese and in English, behind its name and
    /// origin.
    pub(crate) fn wrong(&self, name: &str, vi: impl fmt::Display, en: impl fmt::Display) -> Usage {
        let setting = self.settings.iter().find(|setting| setting.key.name == name);
        let shown_vi = match setting {
            Some(setting) => format!("`{name}` ({})", setting.origin.vi()),
            None => format!("`{name}`"),
        };
        Usage::new(format!("{shown_vi}: {vi}"), format!("{}: {en}", self.shown(name)))
    }

    fn fill_from_pki(&mut self) -> anyhow::Result<()> {
        let Some(folder) = self.one("pki").map(PathBuf::from) else { return Ok(()) };
        let hub = || settings::hub_certificate(&folder);
        for setting in &mut self.settings {
            if !setting.values.is_empty() {
                continue;
            }
            let found = match setting.key.name {
                "certificate" => vec![hub()?],
                "key" => vec![hub()?.with_extension("key")],
                "root" => existing(&folder, &["root.pem"]),
                "authority" => existing(&folder, &["issuing.pem"]),
                "revocation-list" => existing(&folder, &["crl/root.crl", "crl/issuing.crl"]),
                _ => continue,
            };
            setting.values = found.iter().map(|path| path.display().to_string()).collect();
            setting.origin = Origin::Pki;
        }
        Ok(())
    }
}

fn existing(folder: &Path, names: &[&str]) -> Vec<PathBuf> {
    names.iter().map(|name| folder.join(name)).filter(|path| path.is_file()).collect()
}

impl Origin {
    /// The same as displayed, in Vietnamese.
    fn vi(&self) -> String {
        match self {
            Self::Flag => "tham số dòng lệnh".to_owned(),
            Self::Environment(variable) => format!("biến môi trường {variable}"),
            Self::File(path, line) => format!("{}, dòng {line}", path.display()),
            Self::Pki => "pki".to_owned(),
            Self::Default => "mặc định".to_owned(),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag => f.write_str("flag"),
            Self::Environment(variable) => write!(f, "environment {variable}"),
            Self::File(path, line) => write!(f, "{}, line {line}", path.display()),
            Self::Pki => f.write_str("pki"),
            Self::Default => f.write_str("default"),
        }
    }
}
