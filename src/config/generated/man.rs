//! The man page: the flags as clap has them, with what the help says of each.

use super::help::{Block, Entry, Help, Part};
use clap::{Arg, Command};
use roff::{Inline, Roff, bold, italic, roman};

const EXAMPLES: &str = "Examples";

pub(super) fn page(command: &Command, help: &Help<'_>, healthcheck: &Help<'_>) -> String {
    let version = command.get_version().unwrap();
    let mut roff = Roff::new();
    roff.control("SH", ["NAME"]);
    roff.text([roman("swagip - what is my IP: an HTTP server that answers everyone with their own address")]);
    roff.control("SH", ["SYNOPSIS"]);
    synopsis(&mut roff, help);
    roff.control("SH", ["DESCRIPTION"]);
    lines(&mut roff, &help.about);
    roff.control("PP", []);
    let (before, after) = help.parts.split_at(help.parts.iter().position(|part| !part.heading.is_empty()).unwrap());
    before.iter().for_each(|part| blocks(&mut roff, part, command));
    roff.control("SH", ["OPTIONS"]);
    let (options, after) = after.split_at(after.iter().position(|part| part.heading.is_empty()).unwrap());
    for part in options {
        roff.control("SS", [part.heading]);
        blocks(&mut roff, part, command);
    }
    roff.control("SH", ["HEALTHCHECK"]);
    synopsis(&mut roff, healthcheck);
    roff.control("PP", []);
    lines(&mut roff, &healthcheck.about);
    let subcommand = command.find_subcommand("healthcheck").unwrap();
    let (examples, own) = healthcheck.parts.iter().partition::<Vec<_>, _>(|part| part.heading == EXAMPLES);
    own.iter().for_each(|part| blocks(&mut roff, part, subcommand));
    for part in after {
        roff.control("SH", [if part.heading.is_empty() { "SIGNALS, EXIT CODES AND LOG" } else { "EXAMPLES" }]);
        blocks(&mut roff, part, command);
    }
    roff.control("PP", []);
    examples.iter().for_each(|part| blocks(&mut roff, part, subcommand));
    // No date: a page of a release is as old as the release.
    format!(".TH SWAGIP 1 \"\" \"swagip {version}\" \"User Commands\"\n{}", roff.to_roff())
}

fn synopsis(roff: &mut Roff, help: &Help<'_>) {
    for (index, line) in help.usage.iter().enumerate() {
        if index > 0 {
            roff.control("br", []);
        }
        let (name, rest) = line.split_once(' ').unwrap();
        roff.text([bold(name), roman(format!(" {rest}"))]);
    }
}

fn blocks(roff: &mut Roff, part: &Part<'_>, command: &Command) {
    for (index, block) in part.blocks.iter().enumerate() {
        let is_paragraph = matches!(block, Block::Paragraph(_)) || part.heading == EXAMPLES;
        // A heading begins a paragraph by itself.
        if is_paragraph && index > 0 {
            roff.control("PP", []);
        }
        match block {
            Block::Paragraph(text) => lines(roff, text),
            Block::Entry(entry) if is_paragraph => example(roff, entry),
            Block::Entry(entry) => {
                roff.control("TP", []);
                let flag = entry.long().filter(|_| entry.term.starts_with('-'));
                let flag = flag.map(|long| command.get_arguments().find(|argument| argument.get_long() == Some(long)).unwrap());
                roff.text(flag.map_or_else(|| vec![bold(entry.term)], |argument| term(argument, entry)));
                said(roff, entry);
            }
        }
    }
}

/// Not as an entry, whose text would follow a short command as if it were a part of it.
fn example(roff: &mut Roff, entry: &Entry<'_>) {
    roff.text([bold(entry.term)]);
    if !entry.text.is_empty() {
        roff.control("RS", []);
        lines(roff, &entry.text);
        roff.control("RE", []);
    }
}

/// `-t, --threads N`, with the names that clap knows.
fn term(argument: &Arg, entry: &Entry<'_>) -> Vec<Inline> {
    let long = argument.get_long().unwrap();
    let mut term = Vec::new();
    if let Some(short) = argument.get_short() {
        term.extend([bold(format!("-{short}")), roman(", ")]);
    }
    term.push(bold(format!("--{long}")));
    let value = entry.value();
    match argument.is_require_equals_set() {
        _ if value.is_empty() => {}
        true => term.extend([roman("[="), italic(value), roman("]")]),
        false => term.extend([roman(" "), italic(value)]),
    }
    term
}

/// What a flag does, and the variable that does the same.
fn said(roff: &mut Roff, entry: &Entry<'_>) {
    // The help calls itself so.
    lines(roff, if entry.text == "This text" { "Print the help" } else { &entry.text });
    if entry.variable.is_empty() {
        return;
    }
    if !entry.text.is_empty() {
        roff.control("br", []);
    }
    let (variable, rest) = entry.variable.split_at(entry.variable.find(',').unwrap_or(entry.variable.len()));
    roff.text([roman("Variable: "), bold(variable), roman(rest)]);
}

fn lines(roff: &mut Roff, text: &str) {
    for line in text.lines() {
        roff.text([roman(line)]);
    }
}
