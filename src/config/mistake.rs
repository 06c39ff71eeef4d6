//! Turns clap's error reports into one line that ends with what to type instead.

use super::{UsageError, address, value};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use std::ffi::OsString;

/// Flags of other programs, and what to type here.
const FOREIGN: [(&str, &str); 18] = [
    ("--port", "--listen 8080"),
    ("-p", "--listen 8080"),
    ("--bind", "--listen 127.0.0.1:8080"),
    ("-b", "--listen 127.0.0.1:8080"),
    ("--address", "--listen 127.0.0.1:8080"),
    ("--host", "--listen 127.0.0.1:8080"),
    ("--verbose", "RUST_LOG=debug swagip"),
    ("-v", "-V for the version, or RUST_LOG=debug swagip"),
    ("--debug", "RUST_LOG=debug swagip"),
    ("--log-level", "RUST_LOG=debug swagip"),
    ("--quiet", "RUST_LOG=error swagip"),
    ("-q", "RUST_LOG=error swagip"),
    ("--workers", "--threads 2"),
    ("--proxy-protocol", "--listen-proxy 8080"),
    ("--hostname", "--site-host ip.example.org"),
    ("--reverse-lookup", "--reverse-dns system"),
    ("--port-lookup", "--port-test"),
    ("--config", "--help, as there is no configuration file"),
];

/// An example for each flag that needs a value.
const EXAMPLES: [(&str, &str); 22] = [
    ("--listen", "8080"),
    ("--listen-proxy", "8080"),
    ("--listen-metrics", "127.0.0.1:9090"),
    ("--threads", "2"),
    ("--trusted-proxy", "10.0.0.5"),
    ("--client-ip-header", "x-real-ip"),
    ("--served-by", "auto"),
    ("--site-host", "ip.example.org"),
    ("--site-host-ipv4", "ip4.example.org"),
    ("--site-host-ipv6", "ip6.example.org"),
    ("--site-title", "SwagIP"),
    ("--hide-field", "x-secret"),
    ("--mmdb", "GeoLite2-City.mmdb"),
    ("--mmdb-language", "de"),
    ("--reverse-dns", "system"),
    ("--max-connections", "10000"),
    ("--max-connections-per-client", "100"),
    ("--head-timeout", "10s"),
    ("--idle-timeout", "75s"),
    ("--write-timeout", "30s"),
    ("--drain-grace", "3s"),
    ("--drain-timeout", "10s"),
];

/// clap's report in one line. `arguments`: the command line, the program's name first.
pub(super) fn one_line(error: &clap::Error, arguments: &[OsString]) -> UsageError {
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        _ => None,
    };
    // "--threads <THREADS>", "--explain[=<EXPLAIN>]"
    let flag = context(ContextKind::InvalidArg).unwrap_or_default().split([' ', '[']).next().unwrap_or_default();
    let example = |flag| EXAMPLES.iter().find(|(name, _)| *name == flag).map(|(_, example)| *example);
    if error.kind() == ErrorKind::InvalidValue && context(ContextKind::InvalidValue) == Some("") {
        return UsageError(match example(flag) {
            Some(example) => format!("{flag} needs a value: try {flag} {example}"),
            None => format!("{flag} needs a value: see --help"),
        });
    }
    // The only conflict there is: a flag with itself.
    if error.kind() == ErrorKind::ArgumentConflict {
        return UsageError(format!("{flag} is given twice: leave one of them out"));
    }
    let word = context(ContextKind::InvalidSubcommand);
    if let Some((flag, word)) = word.and_then(|word| Some((wants_equals(word, arguments)?, word))) {
        return UsageError(format!("{flag} takes its value after an equals sign: try {flag}={word}"));
    }
    let report = error.to_string();
    let wrong = report.lines().next().unwrap_or_default().trim_start_matches("error: ");
    let suggested = || error.get(ContextKind::SuggestedArg).or_else(|| error.get(ContextKind::SuggestedSubcommand));
    let cure = match error.kind() {
        ErrorKind::UnknownArgument => foreign(flag, arguments),
        // An address without its flag.
        _ => word.filter(|word| address::listen(word).is_ok()).map(|word| format!("--listen {word}")),
    };
    let cure = cure.or_else(|| suggested().map(ToString::to_string)).unwrap_or("--help".to_owned());
    UsageError(format!("{wrong}: try {cure}"))
}

/// What to type instead of another program's flag, with its value if that is valid here.
fn foreign(flag: &str, arguments: &[OsString]) -> Option<String> {
    let (_, cure) = FOREIGN.iter().find(|(name, _)| *name == flag)?;
    let texts = || arguments.iter().filter_map(|argument| argument.to_str());
    let following = texts().skip_while(|text| *text != flag).nth(1);
    let attached = texts().find_map(|text| text.strip_prefix(flag)?.strip_prefix('='));
    let listens = following.or(attached).filter(|text| cure.starts_with("--listen ") && address::listen(text).is_ok());
    Some(listens.map_or(cure.to_string(), |text| format!("--listen {text}")))
}

/// The flag for whose value a word was meant, as in `--explain on`.
fn wants_equals(word: &str, arguments: &[OsString]) -> Option<&'static str> {
    let fits = |flag: &str| match flag {
        "--access-log" => value::access_log(word).is_ok(),
        _ => value::switch(word).is_ok(),
    };
    let is_before = |flag: &str| arguments.windows(2).any(|pair| pair[0] == flag && pair[1] == word);
    ["--explain", "--port-test", "--access-log", "--access-log-health", "--access-log-mask"]
        .into_iter()
        .find(|flag| is_before(flag) && fits(flag))
}

#[cfg(test)]
mod tests {
    use super::super::flags::Flags;
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn every_flag_that_must_have_a_value_has_an_example() {
        let mut command = Flags::command();
        command.build();
        let must = |argument: &&clap::Arg| {
            argument.get_action().takes_values() && argument.get_num_args().is_none_or(|count| count.min_values() > 0)
        };
        let mut flags: Vec<_> = command.get_arguments().filter(must).filter_map(|argument| argument.get_long()).collect();
        let mut examples: Vec<_> = EXAMPLES.iter().map(|(flag, _)| flag.trim_start_matches('-')).collect();
        flags.sort_unstable();
        examples.sort_unstable();
        assert_eq!(examples, flags);
    }

    #[test]
    fn what_is_foreign_is_not_known_here() {
        let mut command = Flags::command();
        command.build();
        for (flag, _) in FOREIGN {
            let is_known = |argument: &clap::Arg| match flag.strip_prefix("--") {
                Some(long) => argument.get_long() == Some(long),
                None => argument.get_short() == flag.chars().nth(1),
            };
            assert!(!command.get_arguments().any(is_known), "{flag}");
        }
    }
}
