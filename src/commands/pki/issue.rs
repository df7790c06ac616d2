//! Issuing certificates, and making requests for them.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{ArgGroup, Args};
use lienthong_model::AgencyCode;
use lienthong_pki::{Folder, FolderError, Profile, Request, request as make_request};

use super::{SeedArgs, ValidityArgs, Written, written};
use crate::agency;
use crate::cli::Output;
use crate::output;
use crate::say::Usage;

#[derive(Debug, Args)]
pub(super) struct IssueArgs {
    /// The PKI's folder
    dir: PathBuf,
    /// A request to certify; its key stays where it is
    #[arg(long, value_name = "FILE", conflicts_with_all = ["agency", "node", "seal", "person", "operator", "hub"])]
    csr: Option<PathBuf>,
    #[command(flatten)]
    whom: WhomArgs,
    #[command(flatten)]
    seed: SeedArgs,
    #[command(flatten)]
    validity: ValidityArgs<365>,
}

#[derive(Debug, Args)]
pub(super) struct RequestArgs {
    /// The folder for key and request; made when it is not there
    dir: PathBuf,
    #[command(flatten)]
    whom: WhomArgs,
    #[command(flatten)]
    seed: SeedArgs,
}

/// For whom: an agency, and at least one of node, seal, person, operator, hub.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("people").args(["person", "operator"]).multiple(true))]
struct WhomArgs {
    /// The agency's code
    #[arg(long, value_name = "CODE")]
    agency: Option<AgencyCode>,
    /// For its node (TLS client)
    #[arg(long)]
    node: bool,
    /// For its seal
    #[arg(long)]
    seal: bool,
    /// For a person who signs for it, by an id of letters, digits, `-`, `.`, `_`
    #[arg(long, value_name = "ID", requires_all = ["name", "title"])]
    person: Option<String>,
    /// For a person who operates or administers the hub (TLS client), by an id as for --person
    #[arg(long, value_name = "ID", requires_all = ["name", "title"])]
    operator: Option<String>,
    /// The person's full name
    #[arg(long, value_name = "NAME", requires = "people")]
    name: Option<String>,
    /// The person's position
    #[arg(long, value_name = "TITLE", requires = "people")]
    title: Option<String>,
    /// For a hub, under these DNS names and IP addresses, separated by commas
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    hub: Vec<String>,
}

impl WhomArgs {
    fn profiles(&self) -> Result<Vec<Profile>, Usage> {
        let missing = || {
            Usage::new("chưa nêu cấp cho ai", "for whom was not said").remedy(
                "nêu --agency MÃ và ít nhất một trong --node, --seal, --person ID, \
                 --operator ID, --hub TÊN",
                "give --agency CODE and at least one of --node, --seal, --person ID, --operator ID, \
                 --hub NAMES",
            )
        };
        let agency = self.agency.clone().ok_or_else(missing)?;
        let mut profiles = Vec::new();
        if self.node {
            profiles.push(Profile::Node { agency: agency.clone() });
        }
        if self.seal {
            profiles.push(Profile::Seal { agency: agency.clone() });
        }
        let name = self.name.clone().unwrap_or_default();
        let title = self.title.clone().unwrap_or_default();
        if let Some(person) = self.person.clone() {
            let (agency, name, title) = (agency.clone(), name.clone(), title.clone());
            profiles.push(Profile::Person { agency, person, name, title });
        }
        if let Some(person) = self.operator.clone() {
            let agency = agency.clone();
            profiles.push(Profile::Operator { agency, person, name, title });
        }
        if !self.hub.is_empty() {
            profiles.push(Profile::Hub { agency, names: self.hub.clone() });
        }
        if profiles.is_empty() { Err(missing()) } else { Ok(profiles) }
    }
}

/// Issues certificates.
pub(super) fn issue(args: &IssueArgs, output: Output) -> anyhow::Result<()> {
    let folder = open(&args.dir)?;
    let validity = args.validity.validity();
    let mut files = Vec::new();
    if let Some(csr) = &args.csr {
        let request =
            Request::parse(&agency::read(csr)?).with_context(|| format!("`{}`", csr.display()))?;
        folder.certify(&request, validity).map_err(explained)?;
        files.push(certificate(&folder, request.profile()));
    } else {
        for profile in args.whom.profiles()? {
            folder.enrol(&profile, &args.seed.keys(), validity).map_err(explained)?;
            let issued = certificate(&folder, &profile);
            let key = PathBuf::from(&issued.file).with_extension("key");
            files.push(issued);
            files.push(Written {
                what: format!("khóa / key: {}", profile.stem()),
                file: key.display().to_string(),
            });
        }
    }
    output::many(output, &files, written)
}

/// Opens a PKI's folder.
pub(super) fn open(dir: &Path) -> anyhow::Result<Folder> {
    if !dir.join("root.pem").is_file() {
        let shown = dir.display();
        return Err(Usage::new(
            format!("`{shown}` không phải thư mục của PKI"),
            format!("`{shown}` is no PKI's folder"),
        )
        .remedy(
            format!("tạo bằng `lienthong pki init {shown}`"),
            format!("make one with `lienthong pki init {shown}`"),
        )
        .into());
    }
    Folder::open(dir).map_err(Into::into)
}

fn certificate(folder: &Folder, profile: &Profile) -> Written {
    Written {
        what: format!("chứng thư / certificate: {}", profile.stem()),
        file: folder.certificate_path(profile).display().to_string(),
    }
}

/// Makes keys and requests, without a PKI's folder.
pub(super) fn request(args: &RequestArgs, output: Output) -> anyhow::Result<()> {
    let mut files = Vec::new();
    for profile in args.whom.profiles()? {
        let key = args.seed.keys().key(&profile.key_label())?;
        let text = make_request(&profile, &key)?;
        fs::create_dir_all(&args.dir)
            .with_context(|| format!("cannot make the folder `{}`", args.dir.display()))?;
        let key_path = args.dir.join(format!("{}.key", profile.stem()));
        write_key(&key_path, &key.to_pkcs8_pem())?;
        let path = key_path.with_extension("csr");
        fs::write(&path, text).with_context(|| format!("cannot write `{}`", path.display()))?;
        for (what, file) in [("khóa / key", &key_path), ("yêu cầu / request", &path)] {
            let file = file.display().to_string();
            files.push(Written { what: format!("{what}: {}", profile.stem()), file });
        }
    }
    output::many(output, &files, |files| {
        let next = "gửi tệp .csr tới nơi cấp / send the .csr to the authority: \
                    lienthong pki issue DIR --csr FILE\n";
        written(files) + next
    })
}

/// Writes a new key that only its owner may read, never over another one.
fn write_key(path: &Path, text: &str) -> anyhow::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            let shown = path.display();
            let usage = Usage::new(format!("đã có `{shown}`"), format!("`{shown}` exists")).remedy(
                "khóa bí mật không bao giờ bị ghi đè: chuyển nó đi, hoặc nêu thư mục khác",
                "a secret key is never written over: move it away, or name another folder",
            );
            anyhow::Error::new(usage)
        }
        _ => anyhow::Error::new(error).context(format!("cannot write `{}`", path.display())),
    })?;
    file.write_all(text.as_bytes())?;
    Ok(file.sync_all()?)
}

fn explained(error: FolderError) -> anyhow::Error {
    match error {
        FolderError::KeyExists(ref path) | FolderError::CertificateExists(ref path) => {
            Usage::new(format!("đã có `{}`", path.display()), error.to_string())
                .remedy(
                    "chuyển khóa và chứng thư đi, và thu hồi bằng `lienthong pki revoke`",
                    "move key and certificate away, and revoke it with `lienthong pki revoke`",
                )
                .into()
        }
        error => error.into(),
    }
}
