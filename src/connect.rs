//! How client commands reach the hub: its address, who we are, whom we trust.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use lienthong_client::{Client, ClockSource, Endpoint, EndpointError, Language, Retry, Roots};
use lienthong_hub::Clock;

use crate::agency::{self, AgencyFolder};
use crate::say::Usage;

/// Where the hub is when nobody says.
pub(crate) const HUB_DEFAULT: &str = "https://localhost:7443";

/// Flags of every command that connects.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Connection / kết nối")]
pub(crate) struct ConnectArgs {
    /// The hub's address; default https://localhost:7443
    #[arg(long, value_name = "URL", env = "LIENTHONG_HUB")]
    pub hub: Option<String>,
    #[command(flatten)]
    pub who: WhoArgs,
}

/// Who connects and whom it trusts.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Connection / kết nối")]
pub(crate) struct WhoArgs {
    /// The agency's folder with node.pem, node.key, seal.*, person-*.*, operator-*.*, as
    /// `lienthong pki` writes it
    #[arg(long = "as", value_name = "FOLDER", env = "LIENTHONG_AS")]
    pub folder: Option<PathBuf>,
    /// Connect as this operator or administrator of the agency instead of as its node
    #[arg(long, value_name = "ID", env = "LIENTHONG_OPERATOR")]
    pub operator: Option<String>,
    /// Root certificate to trust (PEM), repeatable; default: root.pem found in FOLDER or in
    /// FOLDER/../.., with the issuing authority and revocation lists beside it
    #[arg(long, value_name = "FILE")]
    pub root: Vec<PathBuf>,
    /// Revocation list to honour (PEM or DER), repeatable; with --root only
    #[arg(long, value_name = "FILE", requires = "root")]
    pub revocation_list: Vec<PathBuf>,
    /// Clock by which the hub's certificate is judged: `real`, or that of its scenario,
    /// `start=2020-11-16T08:00+07:00,rate=600`
    #[arg(long, value_name = "CLOCK", default_value = "real", env = "LIENTHONG_CLOCK")]
    pub clock: String,
    /// Name that the hub's certificate must have, when it is not the host of the address
    #[arg(long, value_name = "NAME")]
    pub server_name: Option<String>,
    /// How long to wait for a hub that is not there yet (`30s`, `5min`)
    #[arg(long, value_name = "SPAN", default_value = "0s", value_parser = span)]
    pub wait: Duration,
}

/// The language of the environment, as POSIX has it: the first variable that is set counts;
/// Vietnamese when it names none that is spoken.
fn language(environment: impl Fn(&str) -> Option<String>) -> Language {
    let set = |name: &&str| environment(name).filter(|value| !value.is_empty());
    let locale = ["LC_ALL", "LC_MESSAGES", "LANG"].iter().find_map(set).unwrap_or_default();
    Language::of_tag(locale.split(['_', '.', '@']).next().unwrap_or_default()).unwrap_or_default()
}

/// Reads a span of time.
pub(crate) fn span(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text)
        .map_err(|error| format!("{error}; write a number and a unit, such as `30s` or `5min`"))
}

/// A connected agency.
pub(crate) struct Connected {
    /// The connection.
    pub client: Client,
    /// The agency's folder.
    pub agency: AgencyFolder,
    /// Whom it trusts.
    pub roots: Roots,
}

impl ConnectArgs {
    /// Connects to the hub as the agency.
    ///
    /// # Errors
    /// [`Usage`] when something is not given or does not do, the client's error when the hub does
    /// not answer.
    pub(crate) async fn connect(&self) -> anyhow::Result<Connected> {
        self.who.connect(self.hub.as_deref().unwrap_or(HUB_DEFAULT)).await
    }
}

impl WhoArgs {
    /// Connects to a hub as the agency.
    ///
    /// # Errors
    /// As for [`ConnectArgs::connect`].
    pub(crate) async fn connect(&self, hub: &str) -> anyhow::Result<Connected> {
        let agency = self.agency()?;
        let roots = self.roots(&agency)?;
        let endpoint = self.endpoint(hub, &agency, &roots)?;
        let client = Client::connect(endpoint).await?;
        Ok(Connected { client, agency, roots })
    }

    /// Returns how a hub is reached as the agency.
    ///
    /// # Errors
    /// [`Usage`] when something is not given or does not do.
    pub(crate) fn endpoint(
        &self,
        hub: &str,
        agency: &AgencyFolder,
        roots: &Roots,
    ) -> anyhow::Result<Endpoint> {
        let no_address = |error: EndpointError| {
            let vi = format!("`{hub}` không phải địa chỉ của trục");
            Usage::new(vi, error.to_string()).remedy(
                "chỉ địa chỉ của trục dạng https://máy:cổng bằng --hub (LIENTHONG_HUB)",
                "give the hub's address as https://host:port with --hub (LIENTHONG_HUB)",
            )
        };
        let mut endpoint = Endpoint::new(hub, agency.identity()?, roots.clone())
            .map_err(no_address)?
            .clock(self.clock()?)
            .language(language(|name| std::env::var(name).ok()))
            .wait_for_hub(self.wait)
            .retry(Retry { total: Duration::from_secs(20), ..Retry::default() });
        if let Some(name) = &self.server_name {
            endpoint = endpoint.server_name(name).map_err(|error| {
                let vi = format!("`{name}` không phải tên DNS hay địa chỉ IP");
                Usage::new(vi, error.to_string()).remedy(
                    "nêu bằng --server-name một tên có trong chứng thư của trục",
                    "give a name of the hub's certificate with --server-name",
                )
            })?;
        }
        Ok(endpoint)
    }

    /// Opens the agency's folder.
    ///
    /// # Errors
    /// [`Usage`] when it is not named or has no node's certificate.
    pub(crate) fn agency(&self) -> anyhow::Result<AgencyFolder> {
        let path = self.folder.as_ref().ok_or_else(|| {
            Usage::new("chưa nêu cơ quan nào", "whose agency this is was not said").remedy(
                "chỉ thư mục của cơ quan bằng --as THƯ_MỤC (LIENTHONG_AS); `lienthong pki issue \
                 THƯ_MỤC --agency MÃ --node --seal` tạo THƯ_MỤC/agencies/MÃ",
                "give the agency's folder with --as FOLDER (LIENTHONG_AS); `lienthong pki issue \
                 DIR --agency CODE --node --seal` makes DIR/agencies/CODE",
            )
        })?;
        AgencyFolder::open(path, self.operator.as_deref())
    }

    /// Returns whom the agency trusts.
    ///
    /// # Errors
    /// [`Usage`] when there is no root, or one cannot be used.
    pub(crate) fn roots(&self, agency: &AgencyFolder) -> anyhow::Result<Roots> {
        if self.root.is_empty() {
            let missing = || {
                Usage::new(
                    "không tìm thấy chứng thư gốc cạnh thư mục của cơ quan",
                    "no root certificate was found beside the agency's folder",
                )
                .remedy(
                    "chỉ chứng thư gốc của trục bằng --root TỆP",
                    "give the axis' root certificate with --root FILE",
                )
            };
            return Ok(agency.roots()?.ok_or_else(missing)?);
        }
        let mut text = String::new();
        for path in &self.root {
            text.push_str(&agency::read(path)?);
            text.push('\n');
        }
        let mut roots = Roots::from_pem(&text).context("the certificates given with --root")?;
        for path in &self.revocation_list {
            roots = roots.with_revocation_list(agency::revocation_list(path)?);
        }
        Ok(roots)
    }

    /// Returns the clock by which the hub's certificate is judged.
    ///
    /// # Errors
    /// [`Usage`] when it is none.
    pub(crate) fn clock(&self) -> anyhow::Result<ClockSource> {
        match Clock::parse(&self.clock) {
            Ok(Clock::Real) => Ok(ClockSource::Real),
            Ok(Clock::Scenario { start, rate }) => Ok(ClockSource::scenario(start, rate)),
            Err(error) => {
                let vi = format!("`{}` không phải đồng hồ", self.clock);
                Err(Usage::new(vi, error.to_string())
                    .remedy(
                        "nêu --clock đúng như khi khởi động trục",
                        "give --clock as the hub was started with it",
                    )
                    .into())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_variable_that_is_set_names_the_language() {
        let of = |set: &[(&str, &str)]| {
            language(|name| Some(set.iter().find(|(own, _)| *own == name)?.1.to_owned()))
        };
        assert_eq!(of(&[]), Language::Vietnamese);
        assert_eq!(of(&[("LANG", "en_US.UTF-8")]), Language::English);
        assert_eq!(of(&[("LANG", "en_US"), ("LC_ALL", "vi_VN.UTF-8")]), Language::Vietnamese);
        assert_eq!(of(&[("LANG", "vi_VN"), ("LC_ALL", "en")]), Language::English);
        assert_eq!(of(&[("LC_ALL", ""), ("LANG", "en_GB@euro")]), Language::English);
        for other in ["C", "POSIX", "C.UTF-8", "fr_FR.UTF-8", "english"] {
            assert_eq!(of(&[("LANG", other)]), Language::Vietnamese, "{other}");
        }
    }
}
