//! Help, completions, exit codes.

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
fn every_command_says_what_it_is_for() {
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
