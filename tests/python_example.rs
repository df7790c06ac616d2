//! The example for other languages as its readers run it: a virtual environment, certificates of
//! OpenSSL's command line, a real hub, and Python that knows nothing but `proto/`.
//!
//! Needs python3 (3.11 or newer, with venv), bash, openssl and a package registry for pip. The
//! virtual environment stays in the target directory and is made anew when the requirements change.

mod python;

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Stdio};

use python::{command, example, python, succeed};
use serde_json::{Value, json};

/// A hub that is killed when it is dropped.
struct Hub {
    child: Child,
    stdout: BufReader<ChildStdout>,
    address: String,
}

impl Hub {
    /// Starts a hub on a free port and waits until it says that it is ready.
    fn start(pki: &Path, data: &Path) -> Self {
        let mut hub = command(env!("CARGO_BIN_EXE_lienthong"));
        hub.args(["hub", "--output", "json", "--listen", "127.0.0.1:0", "--directory", "builtin"]);
        hub.args(["--http", "off"]);
        hub.args(["--log", "warn"]).arg("--data").arg(data);
        for (flag, file) in [
            ("--root", "root.pem"),
            ("--authority", "issuing.pem"),
            ("--revocation-list", "root.crl"),
            ("--revocation-list", "issuing.crl"),
            ("--certificate", "hub.pem"),
            ("--key", "hub.key"),
        ] {
            hub.arg(flag).arg(pki.join(file));
        }
        let mut child = hub.stdout(Stdio::piped()).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let mut hub = Self { child, stdout, address: String::new() };
        let mut line = String::new();
        assert!(hub.stdout.read_line(&mut line).unwrap() > 0, "the hub ended before it was ready");
        let ready: Value = serde_json::from_str(&line).unwrap();
        hub.address = ready["address"].as_str().unwrap().to_owned();
        hub
    }

    /// Stops it with SIGTERM; returns the exit code.
    fn stop(mut self) -> Option<i32> {
        let id = self.child.id().to_string();
        succeed(command("kill").args(["-TERM", &id]));
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).unwrap();
        self.child.wait().unwrap().code()
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs the example's programs against a new hub; returns what `exchange.py` printed.
fn exchange() -> Value {
    let python = python();
    let folder = tempfile::tempdir().unwrap();
    let pki = folder.path().join("pki");
    succeed(command(example().join("make_pki.sh")).arg(&pki));
    let hub = Hub::start(&pki, &folder.path().join("data"));
    let printed = succeed(
        command(&python)
            .arg(example().join("exchange.py"))
            .args(["--hub", &hub.address])
            .arg("--pki")
            .arg(&pki)
            .arg("--inbox")
            .arg(folder.path().join("inbox")),
    );
    let clock = succeed(
        command(&python)
            .arg(example().join("with_grpcio.py"))
            .args(["--hub", &hub.address])
            .arg("--pki")
            .arg(&pki),
    );
    let clock: Value = serde_json::from_str(&clock).unwrap();
    assert_eq!(clock["rate"], json!(1.0), "grpcio connects to a hub with a P-256 certificate");
    let kept = fs::read_dir(folder.path().join("inbox")).unwrap().count();
    assert_eq!(kept, 2, "both documents are on the recipient's disk");
    assert_eq!(hub.stop(), Some(0));
    serde_json::from_str(&printed).unwrap()
}

#[test]
fn python_exchanges_signed_documents_from_the_interface_alone() {
    let result = exchange();
    let submitted = &result["submitted"];
    assert_eq!(submitted["signature"], "SIGNATURE_KIND_PERSONAL_AND_SEAL");
    assert_eq!((&submitted["position"], &submitted["repeated"]), (&json!(1), &json!(false)));

    let received = &result["received"];
    assert_eq!(received["position"], submitted["position"]);
    let signers = json!([{"role": "person", "agency": "H36"}, {"role": "seal", "agency": "H36"}]);
    assert_eq!(received["signers"], signers);
    assert_eq!(received["revocation_not_proven"], 0);
    assert_eq!(received["attachments"], json!(["Nội dung của quyết định.\n"]));

    let tracked = json!([
        {"recipient": "H36.12", "acknowledged": true, "attempts": 1, "statuses": [1, 3]}
    ]);
    assert_eq!(result["tracked"], tracked);

    let repeated = &result["repeated"];
    assert_eq!(repeated["repeated"], true);
    for same in ["id", "position", "signature", "routes"] {
        assert_eq!(repeated[same], submitted[same], "{same}");
    }

    let changed = &result["changed"];
    assert_eq!(changed["status"], "INVALID_ARGUMENT");
    assert_eq!(changed["code"], "SIGNATURE_INVALID");
    let fields = json!(["document.signatures[0]", "document.signatures[1]"]);
    assert_eq!(changed["fields"], fields);
    assert_eq!(changed["document"], submitted["id"]);
    let remedy = lienthong_model::Reason::SignatureInvalid.remedy();
    assert_eq!(changed["remedy"], remedy);
}

#[test]
fn the_receivers_check_in_python_gives_the_codes_of_the_refusals_page() {
    let python = python();
    succeed(command(&python).args(["-m", "unittest", "test_client"]).current_dir(example()));
}
