//! Python as the tests run it: a virtual environment with the example's requirements.

#![allow(dead_code, reason = "every test file uses another part")]

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The example's folder.
pub fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/python")
}

/// A command without any setting of this machine that the programs under test would read.
pub fn command(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("LIENTHONG_") {
            command.env_remove(name);
        }
    }
    command.env_remove("PYTHONPATH").env_remove("PYTHONHOME");
    command.env("PYTHONDONTWRITEBYTECODE", "1").stdin(Stdio::null());
    command
}

/// Runs a command, which must succeed; returns what it printed.
pub fn succeed(command: &mut Command) -> String {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = match command.output() {
        Ok(output) => output,
        Err(error) => panic!("the test needs `{program}`: {error}"),
    };
    let (stdout, stderr) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?} ended with {}:\n{stdout}{stderr}", output.status);
    stdout.into_owned()
}

/// The interpreter of the virtual environment, made when it is not there or its requirements
/// changed. Tests in other processes wait for it.
pub fn python() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("python-example");
    fs::create_dir_all(&folder).unwrap();
    let lock = File::create(folder.join("lock")).unwrap();
    lock.lock().unwrap();
    let (venv, installed) = (folder.join("venv"), folder.join("installed"));
    let python = venv.join("bin/python");
    let requirements = example().join("requirements.txt");
    let wanted = fs::read_to_string(&requirements).unwrap();
    if python.exists() && fs::read_to_string(&installed).is_ok_and(|found| found == wanted) {
        return python;
    }
    // Written last: an installation that was interrupted is made anew.
    let _ = fs::remove_file(&installed);
    succeed(command("python3").args([
        "-c",
        "import sys; sys.exit(0 if sys.version_info >= (3, 11) else 'python3 is older than 3.11')",
    ]));
    succeed(command("python3").args(["-m", "venv", "--clear"]).arg(&venv));
    succeed(
        command(&python)
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"])
            .arg(&requirements),
    );
    fs::write(&installed, wanted).unwrap();
    python
}
