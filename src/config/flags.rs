//! The command line: clap finds the flags, `value.rs` and `address.rs` read their values.

use clap::{Args, Parser, Subcommand};
use std::ffi::OsString;

/// The text of `--help`. A test below compares it with the flags.
pub(super) const HELP: &str = include_str!("help.txt");

pub(super) const HEALTHCHECK_HELP: &str = include_str!("healthcheck.txt");

/// The `///` line of a flag here is what a shell shows when it completes a command; `generated/mod.rs` makes the files.
#[derive(Parser)]
#[command(name = "swagip", version, override_help = HELP)]
pub(super) struct Flags {
    #[command(flatten)]
    pub(super) listen: ListenFlags,
    /// How many threads, or "pinned"
    #[arg(short, long, allow_hyphen_values = true)]
    pub(super) threads: Option<OsString>,
    #[command(flatten)]
    pub(super) rule: RuleFlags,
    #[command(flatten)]
    pub(super) site: SiteFlags,
    #[command(flatten)]
    pub(super) databases: DatabaseFlags,
    #[command(flatten)]
    pub(super) lookups: LookupFlags,
    #[command(flatten)]
    pub(super) limits: LimitFlags,
    #[command(flatten)]
    pub(super) log: LogFlags,
    #[command(subcommand)]
    pub(super) subcommand: Option<Subcommands>,
}

/// The healthcheck takes these too.
#[derive(Args)]
pub(super) struct ListenFlags {
    /// Where to listen: a port, or an address with its port
    #[arg(short, long, global = true)]
    pub(super) listen: Vec<OsString>,
    /// Where to listen for the PROXY protocol
    #[arg(long, global = true)]
    pub(super) listen_proxy: Vec<OsString>,
    /// Where to listen for Prometheus
    #[arg(long, global = true)]
    pub(super) listen_metrics: Vec<OsString>,
}

#[derive(Args)]
pub(super) struct RuleFlags {
    /// A proxy or network to trust, "loopback" or "private"
    #[arg(long)]
    pub(super) trusted_proxy: Vec<OsString>,
    /// The header that your proxy writes
    #[arg(short = 'H', long)]
    pub(super) client_ip_header: Option<OsString>,
}

#[derive(Args)]
pub(super) struct LookupFlags {
    /// The DNS resolver for /hostname, or "system"
    #[arg(long)]
    pub(super) reverse_dns: Option<OsString>,
    /// Answer /port/N: can that port of the client be reached?
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "on")]
    pub(super) port_test: Option<OsString>,
}

#[derive(Args)]
pub(super) struct SiteFlags {
    /// This replica's name, or "auto"
    #[arg(long)]
    pub(super) served_by: Option<OsString>,
    /// The host in the page's commands
    #[arg(long)]
    pub(super) site_host: Option<OsString>,
    /// A name of this site that has only IPv4 addresses
    #[arg(long)]
    pub(super) site_host_ipv4: Option<OsString>,
    /// A name of this site that has only IPv6 addresses
    #[arg(long)]
    pub(super) site_host_ipv6: Option<OsString>,
    /// The page's heading
    #[arg(long)]
    pub(super) site_title: Option<OsString>,
    /// A request header that is never shown
    #[arg(long)]
    pub(super) hide_field: Vec<OsString>,
    /// Let /explain show how the address was found
    // `--explain=off` is how a command line overrides `SWAGIP_EXPLAIN=on`.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "on")]
    pub(super) explain: Option<OsString>,
}

#[derive(Args)]
pub(super) struct DatabaseFlags {
    /// A database of countries, cities or networks
    #[arg(long)]
    pub(super) mmdb: Vec<OsString>,
    /// The language of names, such as de
    #[arg(long)]
    pub(super) mmdb_language: Option<OsString>,
}

/// A leading hyphen is allowed, so that the error for `-1` names the flag.
#[derive(Args)]
pub(super) struct LimitFlags {
    /// Connections at once
    #[arg(long, allow_hyphen_values = true)]
    pub(super) max_connections: Option<OsString>,
    /// Connections at once from one IPv4 address or IPv6 /64
    #[arg(long, allow_hyphen_values = true)]
    pub(super) max_connections_per_client: Option<OsString>,
    /// Time for a whole request head
    #[arg(long, allow_hyphen_values = true)]
    pub(super) head_timeout: Option<OsString>,
    /// Time between requests
    #[arg(long, allow_hyphen_values = true)]
    pub(super) idle_timeout: Option<OsString>,
    /// Time for a client that has stopped reading
    #[arg(long, allow_hyphen_values = true)]
    pub(super) write_timeout: Option<OsString>,
    /// Time for which SIGTERM leaves the listeners open
    #[arg(long, allow_hyphen_values = true)]
    pub(super) drain_grace: Option<OsString>,
    /// Time from the signal to the exit, at most
    #[arg(long, allow_hyphen_values = true)]
    pub(super) drain_timeout: Option<OsString>,
}

/// A bare flag is the usual value; another one stands after an equals sign.
#[derive(Args)]
pub(super) struct LogFlags {
    /// Write a line for each answer to standard output
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "combined")]
    pub(super) access_log: Option<OsString>,
    /// Log health and readiness checks, too
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "on")]
    pub(super) access_log_health: Option<OsString>,
    /// Log networks instead of addresses
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "on")]
    pub(super) access_log_mask: Option<OsString>,
}

#[derive(Subcommand)]
pub(super) enum Subcommands {
    /// Ask a server on this machine whether it is ready
    #[command(override_help = HEALTHCHECK_HELP)]
    Healthcheck {
        /// Its port, or its address with the port
        address: Option<OsString>,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_flags_are_consistent() {
        Flags::command().debug_assert();
    }

    #[test]
    fn the_help_names_every_flag_and_no_other() {
        let mut command = Flags::command();
        command.build();
        let healthcheck = command.find_subcommand("healthcheck").expect("it is there");
        for (command, help) in [(&command, HELP), (healthcheck, HEALTHCHECK_HELP)] {
            let mut flags: Vec<_> = command.get_arguments().filter_map(|argument| argument.get_long()).collect();
            let mut told: Vec<_> = help
                .lines()
                .filter(|line| line.starts_with("  -") || line.starts_with("      --"))
                .filter_map(|line| line.split("--").nth(1)?.split([' ', '[']).next())
                .collect();
            flags.sort_unstable();
            told.sort_unstable();
            assert_eq!(told, flags);
        }
    }

    /// README's table has every option with its variable.
    #[test]
    fn the_readme_names_what_the_help_names() {
        let readme = include_str!("../../README.md");
        let (_, table) = readme.split_once("\n| option | variable | default |\n").expect("the table");
        let (table, _) = table.split_once("\n\n").expect("its end");
        let is_name = |word: &&str| word.starts_with("--") || word.starts_with("SWAGIP_");
        for line in HELP.lines().filter(|line| line.starts_with("  -") || line.starts_with("      --")) {
            let names: Vec<_> = line.split([' ', '[', ',']).filter(is_name).collect();
            let is_there = |row: &str| names.iter().all(|name| row.split(['`', ' ', ',']).any(|word| word == *name));
            let is_own = names == ["--help"] || names == ["--version"];
            assert!(is_own || table.lines().any(is_there), "README's table has no row with {names:?}");
        }
    }

    #[test]
    fn the_help_fits_a_terminal() {
        assert_eq!(HELP.lines().chain(HEALTHCHECK_HELP.lines()).find(|line| line.chars().count() > 100), None);
    }
}
