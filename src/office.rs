//! Where acts of administration are carried out: by a running hub for an operator with an
//! appointment, or, by whoever has the disk, in a data folder that no hub uses.

use bytes::Bytes;
use clap::Args;
use lienthong_client::{Administration, Client, RevocationListSummary};
use lienthong_core::{
    AddAuthority, AddRevocationList, CertificateBytes, Command, RevocationPolicy,
};
use lienthong_hub::{AdministerError, OpenFolder};
use lienthong_model::{
    AgencyEntry, Appointment, Day, Mandate, Quota, Signatory, Target, Terms, Timestamp,
};
use lienthong_trust::RevocationList;

use crate::say::Usage;
use crate::source::{self, Source, SourceArgs};
use crate::values::Grace;

/// Flags of a command that changes what judgement reads.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Source / nguồn")]
pub(crate) struct ActArgs {
    #[command(flatten)]
    pub source: SourceArgs,
    /// With --data: the time of the act in the journal; default: now
    #[arg(long, value_name = "TIME", value_parser = source::moment, requires = "data")]
    pub at: Option<Timestamp>,
}

/// Where acts are carried out. On return of each the act is on disk and in force.
pub(crate) enum Office {
    /// By a running hub.
    Hub(Client),
    /// In a folder, at a moment.
    Folder(Box<OpenFolder>, Timestamp),
}

impl Office {
    /// Opens the folder when one is named, else connects to the hub.
    ///
    /// # Errors
    /// When it cannot be opened or reached.
    pub(crate) async fn open(args: &ActArgs) -> anyhow::Result<Self> {
        Ok(match args.source.open().await? {
            Source::Hub(client) => Self::Hub(client),
            Source::Folder(folder) => {
                Self::Folder(folder, args.at.unwrap_or_else(source::machine_now))
            }
        })
    }

    /// Returns the day on which acts are carried out.
    pub(crate) fn today(&self) -> Day {
        match self {
            Self::Hub(client) => client.now().day(),
            Self::Folder(_, at) => at.day(),
        }
    }

    /// Makes an authority known by its certificate in DER; `trusted`: as a root.
    ///
    /// # Errors
    /// When it is refused, or cannot be written or reached; so do all others.
    pub(crate) async fn add_authority(&mut self, der: Bytes, trusted: bool) -> anyhow::Result<()> {
        match self {
            Self::Hub(client) => Ok(office(client).add_authority(der, trusted).await?),
            Self::Folder(folder, at) => {
                let certificate = CertificateBytes(der);
                let authority = AddAuthority { certificate, trusted };
                carry_out(folder, *at, Command::AddAuthority(authority))
            }
        }
    }

    /// Puts a revocation list in force unless its issuer's is as new; returns the one in force.
    pub(crate) async fn add_list(&mut self, der: Bytes) -> anyhow::Result<RevocationListSummary> {
        match self {
            Self::Hub(client) => Ok(office(client).add_revocation_list(der).await?),
            Self::Folder(folder, at) => add_list(folder, *at, &der),
        }
    }

    /// Says for how long a late revocation list is waited for.
    pub(crate) async fn set_grace(&mut self, Grace(grace): Grace) -> anyhow::Result<()> {
        match self {
            Self::Hub(client) => Ok(office(client).set_revocation_grace(grace).await?),
            Self::Folder(folder, at) => {
                let millis = |span: std::time::Duration| u64::try_from(span.as_millis());
                let policy = RevocationPolicy { grace_ms: grace.map(millis).transpose()? };
                carry_out(folder, *at, Command::SetRevocationPolicy(policy))
            }
        }
    }

    /// Enters mandates.
    pub(crate) async fn change_mandates(&mut self, mandates: &[Mandate]) -> anyhow::Result<()> {
        match self {
            Self::Hub(client) => Ok(office(client).change_mandates(mandates).await?),
            Self::Folder(folder, at) => {
                carry_out(folder, *at, Command::ChangeMandates(mandates.to_vec()))
            }
        }
    }

    /// Enters an appointment.
    pub(crate) async fn appoint(&mut self, one: Appointment) -> anyhow::Result<()> {
        match self {
            Self::Hub(client) => Ok(office(client).change_appointments(&[one]).await?),
            Self::Folder(folder, at) => {
                carry_out(folder, *at, Command::ChangeAppointments(vec![one]))
            }
        }
    }

    /// Makes an account, or sets another password.
    pub(crate) async fn set_password(
        &mut self,
        holder: &Signatory,
        password: &str,
    ) -> anyhow::Result<()> {
        match self {
            Self::Hub(client) => Ok(office(client).set_password(holder, password).await?),
            Self::Folder(folder, at) => {
                require_directory(folder)?;
                written(folder.set_password(*at, holder, password), folder)
            }
        }
    }

    /// Removes an account.
    pub(crate) async fn remove_account(&mut self, holder: &Signatory) -> anyhow::Result<()> {
        match self {
            Self::Hub(client) => Ok(office(client).remove_account(holder).await?),
            Self::Folder(folder, at) => {
                require_directory(folder)?;
                written(folder.remove_account(*at, holder), folder)
            }
        }
    }

    /// Sets the terms.
    pub(crate) async fn set_terms(&mut self, terms: Terms) -> anyhow::Result<()> {
        match self {
            Self::Hub(client) => Ok(office(client).set_terms(&terms).await?),
            Self::Folder(folder, at) => carry_out(folder, *at, Command::SetTerms(terms)),
        }
    }

    /// Returns the terms in force.
    pub(crate) async fn terms(&self) -> anyhow::Result<Terms> {
        match self {
            Self::Hub(client) => Ok(office(client).terms().await?),
            Self::Folder(folder, _) => Ok(folder.reader().policy().terms),
        }
    }

    /// Sets a quota.
    pub(crate) async fn set_quota(&mut self, quota: Quota) -> anyhow::Result<()> {
        match self {
            Self::Hub(client) => Ok(office(client).change_quotas(&[quota]).await?),
            Self::Folder(folder, at) => carry_out(folder, *at, Command::ChangeQuotas(vec![quota])),
        }
    }

    /// Enters a target of an indicator.
    pub(crate) async fn set_target(&mut self, target: Target) -> anyhow::Result<()> {
        match self {
            Self::Hub(client) => Ok(office(client).change_targets(&[target]).await?),
            Self::Folder(folder, at) => {
                carry_out(folder, *at, Command::ChangeTargets(vec![target]))
            }
        }
    }

    /// Enters entries of the directory.
    pub(crate) async fn change_directory(&mut self, some: &[AgencyEntry]) -> anyhow::Result<()> {
        match self {
            Self::Hub(client) => Ok(office(client).change_directory(some).await?),
            Self::Folder(folder, at) => {
                carry_out(folder, *at, Command::ChangeDirectory(some.to_vec()))
            }
        }
    }
}

fn office(client: &Client) -> Administration {
    client.administration()
}

/// Carries an act out in a folder.
fn carry_out(folder: &mut OpenFolder, at: Timestamp, act: Command) -> anyhow::Result<()> {
    require_directory(folder)?;
    let done = folder.administer(at, act);
    written(done, folder)
}

fn require_directory(folder: &OpenFolder) -> anyhow::Result<()> {
    if folder.reader().directory().is_empty() {
        let vi = "thư mục dữ liệu chưa có danh bạ";
        return Err(Usage::new(vi, "the data folder has no directory yet")
            .remedy(
                "nhập danh bạ trước: `lienthong directory export TỆP` ghi danh bạ dựng sẵn, \
                 `lienthong directory apply TỆP --data THƯ_MỤC` nhập vào; trục khởi động trên thư \
                 mục này cũng tự nhập",
                "enter one first: `lienthong directory export FILE` writes the one that is built \
                 in, `lienthong directory apply FILE --data DIR` enters it; a hub that is started \
                 on the folder does so too",
            )
            .into());
    }
    Ok(())
}

/// Says how an act in a folder ended, with everything written.
fn written(done: Result<(), AdministerError>, folder: &mut OpenFolder) -> anyhow::Result<()> {
    match done {
        Ok(()) => Ok(folder.flush()?),
        Err(AdministerError::Refused(refusal)) => Err(refusal.into()),
        Err(AdministerError::Engine(error)) => Err(error.into()),
        Err(AdministerError::Accounts(error)) => Err(error.into()),
    }
}

fn add_list(
    folder: &mut OpenFolder,
    at: Timestamp,
    der: &Bytes,
) -> anyhow::Result<RevocationListSummary> {
    let trust = folder.reader().trust();
    let list = RevocationList::parse(der, trust.authorities()).map_err(|error| {
        Usage::new("không dùng được danh sách thu hồi", format!("the revocation list: {error}"))
    })?;
    if trust.admits(&list) {
        let payload = folder.payload(der)?;
        let added = AddRevocationList { payload, issuer: list.issuer };
        carry_out(folder, at, Command::AddRevocationList(added))?;
    }
    let in_force = folder.reader().trust().list(&list.authority).cloned();
    Ok(summary(&in_force.unwrap_or_else(|| list.into())))
}

/// What a list says, without its entries.
pub(crate) fn summary(list: &RevocationList) -> RevocationListSummary {
    RevocationListSummary {
        number: list.number,
        this_update: list.this_update,
        next_update: list.next_update,
        revoked: list.revoked.len() as u64,
        sha256: list.digest,
    }
}
