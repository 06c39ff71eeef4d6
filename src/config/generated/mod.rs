//! The files that packages bring along, made from the flags and the help: the man page and the completions for shells. They are
//! kept in the repository, and a test here fails when they are old.
//!
//! `RENEW=1 cargo test --lib config::generated` writes them.

mod help;
mod man;

use super::flags::{Flags, HEALTHCHECK_HELP, HELP};
use clap::builder::PossibleValuesParser;
use clap::{Command, CommandFactory, ValueHint};
use clap_complete::{Generator, Shell};
use help::{Entry, Help};
use std::path::Path;
use std::{env, fs};

/// What a shell proposes for a flag's value. Others are allowed.
const PROPOSED: [(&str, &[&str]); 8] = [
    ("threads", &["pinned"]),
    ("trusted_proxy", &["loopback", "private"]),
    ("client_ip_header", &["x-forwarded-for", "forwarded", "x-real-ip", "cf-connecting-ip"]),
    ("served_by", &["auto", "off"]),
    ("explain", &["on", "off"]),
    ("access_log", &["combined", "json", "off"]),
    ("access_log_health", &["on", "off"]),
    ("access_log_mask", &["on", "off"]),
];

/// How the help calls a value that is a file.
const FILE: &str = "FILE";

fn command() -> Command {
    let mut command = Flags::command().about(Help::new(HELP).about);
    command.build();
    command
}

/// The command with what the help calls the values, and what to propose for them.
fn for_shells() -> Command {
    let help = Help::new(HELP);
    let named = Flags::command().mut_args(|argument| {
        let entry = argument.get_long().and_then(|long| help.entry(long));
        let proposed = PROPOSED.iter().find(|(id, _)| *id == argument.get_id().as_str());
        let value = entry.map_or("ADDR", Entry::value);
        let hint = if value == FILE { ValueHint::FilePath } else { ValueHint::Other };
        let argument = argument.value_name(value).value_hint(hint);
        match proposed {
            Some((_, values)) => argument.value_parser(PossibleValuesParser::new(*values)),
            None => argument,
        }
    });
    named.about(help.about)
}

fn completions(shell: Shell) -> (String, String) {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut for_shells(), "swagip", &mut text);
    let mut text = String::from_utf8(text).unwrap();
    if shell == Shell::Fish {
        text = with_values(&text);
    }
    (format!("completions/{}", shell.file_name("swagip")), text)
}

/// clap_complete has fish propose nothing where a flag waits for its value, because such a command line can't be parsed yet.
fn with_values(fish: &str) -> String {
    const UNPARSED: &str = "-- $cmd 2>/dev/null\n    or return\n";
    assert_eq!(fish.matches(UNPARSED).count(), 1, "clap_complete has changed: is this still needed?");
    fish.replace(UNPARSED, "-- $cmd 2>/dev/null\n    or return 0\n")
}

#[test]
fn the_files_are_up_to_date() {
    let page = man::page(&command(), &Help::new(HELP), &Help::new(HEALTHCHECK_HELP));
    let mut files = vec![("docs/swagip.1".to_owned(), page)];
    files.extend([Shell::Bash, Shell::Zsh, Shell::Fish].map(completions));
    for (path, text) in files {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(&path);
        if env::var_os("RENEW").is_some() {
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(&file, &text).unwrap();
        }
        let is_new = fs::read_to_string(&file).is_ok_and(|kept| kept == text);
        assert!(is_new, "{path} is old: RENEW=1 cargo test --lib config::generated");
    }
}

#[test]
fn every_flag_has_a_line_for_shells() {
    let command = command();
    let commands = [&command].into_iter().chain(command.get_subcommands());
    for argument in commands.flat_map(Command::get_arguments) {
        let line = argument.get_help().map(ToString::to_string).unwrap_or_default();
        assert!(!line.is_empty() && !line.contains('\n') && line.len() < 60, "{}: {line:?}", argument.get_id());
    }
}

#[test]
fn what_is_proposed_is_taken() {
    for (id, values) in PROPOSED {
        for value in values {
            let flag = format!("--{}={value}", id.replace('_', "-"));
            let arguments = ["swagip", &flag, "--trusted-proxy", "192.0.2.1"].map(Into::into);
            assert!(super::Command::new(arguments, []).is_ok(), "{flag}");
        }
    }
}
