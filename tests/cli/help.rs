//! Help, completions, exit codes.

use std::path::Path;

use crate::process::{fail, lienthong, run, succeed};

/// Every command and subcommand as clap knows it, as arguments.
fn commands(command: &clap::Command, path: &[String]) -> Vec<Vec<String>> {
    let mut all = vec![path.to_vec()];
    for sub in command.get_subcommands() {
        let path: Vec<String> = path.iter().cloned().chain([sub.get_name().to_owned()]).collect();
        all.extend(commands(sub, &path));
    }
    all
}

#[test]
fn every_command_says_what_it_is_for_in_both_languages() {
    let all = commands(&lienthong::command(), &[]);
    assert!(all.len() > 20, "{all:?}");
    for path in all {
        let mut command = lienthong();
        command.args(&path).arg("--help");
        let output = command.output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{path:?}");
        assert!(text.contains("Usage: lienthong"), "{path:?}: {text}");
        assert!(!text.starts_with("Usage"), "{path:?} has no description");
        let about = text.split("\n\n").next().unwrap_or_default();
        let is_vietnamese = about.chars().any(|c| c.is_alphabetic() && !c.is_ascii());
        assert!(is_vietnamese, "{path:?} speaks English only: {about}");
    }
}

/// What commands say in short and at length, as clap knows it.
fn told(command: &clap::Command) -> Vec<(String, String)> {
    let text = |said: Option<&clap::builder::StyledStr>| said.map(ToString::to_string);
    let about = text(command.get_about()).unwrap_or_default();
    let long = text(command.get_long_about()).unwrap_or_else(|| about.clone());
    let below = command.get_subcommands().flat_map(told);
    std::iter::once((about, long)).chain(below).collect()
}

/// The paragraphs above every struct of flags below a folder of the source.
fn written(folder: &Path) -> Vec<Vec<String>> {
    let mut all: Vec<Vec<String>> = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(written(&path));
            continue;
        }
        let text = std::fs::read_to_string(path).unwrap();
        let (mut lines, mut is_flags): (Vec<&str>, bool) = (Vec::new(), false);
        for line in text.lines() {
            if let Some(said) = line.strip_prefix("///") {
                lines.push(said.trim());
            } else if line.starts_with("#[") {
                is_flags |= line.contains("derive") && line.contains("Args");
            } else {
                if is_flags && line.contains("struct ") {
                    let paragraphs = lines.split(|said| said.is_empty());
                    all.push(paragraphs.map(|said| said.join(" ")).collect());
                }
                lines.clear();
                is_flags = false;
            }
        }
    }
    all
}

#[test]
fn what_is_written_above_a_commands_flags_is_all_in_its_help() {
    let told = told(&lienthong::command());
    let written = written(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/commands"));
    // What speaks both languages is of a command; the others are flags that several share.
    let is_command = |all: &&Vec<String>| all.first().is_some_and(|about| about.contains(" / "));
    let of_commands: Vec<_> = written.iter().filter(is_command).collect();
    assert!(of_commands.len() > 40, "{of_commands:?}");
    for paragraphs in of_commands {
        let expected = (paragraphs[0].clone(), paragraphs.join("\n\n"));
        assert!(told.contains(&expected), "no help says {expected:?}");
    }
    // Of these it is written in the list of commands.
    for about in ["Kill a hub under load", "Read a backup whole", "Enter a CSV file's entries"] {
        let (about, long) = told.iter().find(|(said, _)| said.starts_with(about)).unwrap();
        assert!(long.len() > about.len(), "{about}");
    }
}

#[test]
fn the_help_of_the_root_lists_the_exit_codes() {
    let text = succeed(&["--help"]);
    for part in ["Exit codes", "1  refused or failed", "3  the hub cannot be reached"] {
        assert!(text.contains(part), "{part} in {text}");
    }
}

#[test]
fn an_unknown_flag_is_wrong_usage_and_names_the_nearest() {
    let said = fail(2, &["hub", "--listn", "127.0.0.1:0"]);
    assert!(said.contains("--listen"), "{said}");
    assert_eq!(run(&[]).status.code(), Some(2));
}

#[test]
fn completions_are_made_for_a_shell() {
    assert!(succeed(&["completions", "bash"]).contains("lienthong"));
}

#[test]
fn nothing_is_coloured_off_a_terminal() {
    for arguments in [&["--help"][..], &["directory", "show", "H36"], &["config", "keys"]] {
        assert!(!succeed(arguments).contains('\u{1b}'), "{arguments:?}");
    }
}
