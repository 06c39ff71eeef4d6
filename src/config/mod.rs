//! Flags and environment become validated values; nothing below reads either.
//!
//! A flag goes before its variable, a variable before the default. What is wrong ends in one line that names the flag or the
//! variable and the value. Prints nothing, and reads no more of the world than it is handed, but for the number of CPUs and,
//! with `--served-by auto`, the kernel's host name.

mod flags;
mod given;
mod value;

use crate::client::{ForwardingField, NotAFieldName, Rule, TrustList};
use crate::net::{DEFAULT_PORT, Limits, Listen, Settings, Threads};
use crate::resource::Site;
use clap::Parser;
use clap::error::{ContextKind, ErrorKind};
use flags::{Flags, LimitFlags, ListenFlags, RuleFlags, SiteFlags, Subcommands};
use given::{Environment, Flag, Given};
use std::ffi::OsString;
use std::fmt::Write;
use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::thread::available_parallelism;
use std::time::Duration;
use std::{fmt, fs};

/// What the command line asks for.
#[derive(Debug)]
pub enum Command {
    /// To serve until a signal comes.
    Serve(Box<Config>),
    /// To ask the server behind this listener whether it is ready.
    Healthcheck(Listen),
    /// To print this: the help, or the version.
    Print(String),
}

/// How to serve.
#[derive(Debug)]
pub struct Config {
    /// All that the server needs to know.
    pub settings: Settings,
    /// For the start line: whom it trusts, as in `trusting no proxy`.
    pub trusting: String,
}

/// One line that names the flag or the variable, the value, and what is wrong with it.
#[derive(Debug, PartialEq, Eq)]
pub struct UsageError(String);

impl fmt::Display for UsageError {
    /// What was given may hold line ends and escape sequences; what is shown is one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| if c.is_control() { write!(f, "{}", c.escape_default()) } else { f.write_char(c) })
    }
}

impl std::error::Error for UsageError {}

impl Command {
    /// Reads the arguments, the program's own name first, and the variables they leave room for.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn new(
        arguments: impl IntoIterator<Item = OsString>,
        environment: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Self, UsageError> {
        let mut flags = match Flags::try_parse_from(arguments) {
            Ok(flags) => flags,
            Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
                return Ok(Self::Print(error.to_string()));
            }
            Err(error) => return Err(one_line(&error)),
        };
        let environment = Environment(&environment);
        match flags.subcommand.take() {
            Some(Subcommands::Healthcheck { address }) => target(address, flags.listen, environment).map(Self::Healthcheck),
            None => config(flags, environment).map(Box::new).map(Self::Serve),
        }
    }
}

/// clap's report without its paragraphs: what is wrong, and what to type instead.
fn one_line(error: &clap::Error) -> UsageError {
    let report = error.to_string();
    let wrong = report.lines().next().unwrap_or_default().trim_start_matches("error: ");
    let cure = error.get(ContextKind::SuggestedArg).or_else(|| error.get(ContextKind::SuggestedSubcommand));
    let cure = cure.map_or("--help".to_owned(), ToString::to_string);
    UsageError(format!("{wrong}: try {cure}"))
}

/// Whom the healthcheck asks: the address named, which may be a PROXY listener's, else the first listener.
fn target(address: Option<OsString>, flags: ListenFlags, environment: Environment<'_>) -> Result<Listen, UsageError> {
    let listeners = listeners(flags, environment)?;
    let Some(address) = address else { return Ok(listeners[0]) };
    let named = Given::new("healthcheck", address)?.read(value::listen)?;
    let known = listeners.iter().find(|listener| overlap(listener, &named));
    Ok(Listen { proxy: known.is_some_and(|listener| listener.proxy), ..named })
}

fn config(flags: Flags, environment: Environment<'_>) -> Result<Config, UsageError> {
    let listeners = listeners(flags.listen, environment)?;
    let threads = environment.value(("--threads", flags.threads), "SWAGIP_THREADS", value::threads)?;
    let threads = threads.unwrap_or_else(|| Threads::Spread(available_parallelism().unwrap_or(NonZeroUsize::MIN)));
    let (rule, trusting) = rule(flags.rule, environment)?;
    let site = site(flags.site, environment)?;
    let limits = limits(flags.limits, threads.count(), environment)?;
    Ok(Config { settings: Settings { listeners, threads, limits, rule, site }, trusting })
}

/// At least one; the plain ones first.
fn listeners(flags: ListenFlags, environment: Environment<'_>) -> Result<Vec<Listen>, UsageError> {
    let mut named = Vec::new();
    for given in environment.list(("--listen", flags.listen), "SWAGIP_LISTEN")? {
        named.push((given.read(value::listen)?, given));
    }
    if named.is_empty()
        && let Some(given) = environment.variable("PORT")?
    {
        named.push((given.read(value::port)?, given));
    }
    for given in environment.list(("--listen-proxy", flags.listen_proxy), "SWAGIP_LISTEN_PROXY")? {
        named.push((Listen { proxy: true, ..given.read(value::listen)? }, given));
    }
    if named.is_empty() {
        return Ok(vec![value::any(DEFAULT_PORT)]);
    }
    refuse_overlap(&named)?;
    Ok(named.into_iter().map(|(listener, _)| listener).collect())
}

/// No address may be named twice, not as a part of another either: SO_REUSEPORT would let it pass, and which listener gets a
/// connection would be the kernel's choice (any of two equal ones, `0.0.0.0` before `[::]`, one address before all).
fn refuse_overlap(named: &[(Listen, Given)]) -> Result<(), UsageError> {
    for (index, (listener, given)) in named.iter().enumerate() {
        if let Some((_, other)) = named[..index].iter().find(|(other, _)| overlap(listener, other)) {
            return Err(given.wrong(format_args!("overlaps with {other}: leave one of them out")));
        }
    }
    Ok(())
}

/// Whether there are connections for both.
fn overlap(one: &Listen, other: &Listen) -> bool {
    let covers = |wide: IpAddr, narrow: IpAddr| wide.is_unspecified() && (wide.is_ipv6() || narrow.is_ipv4());
    let (one, other) = (one.address, other.address);
    // Port 0 is any free port, another one each time.
    let same_port = one.port() == other.port() && one.port() != 0;
    same_port && (one == other || covers(one.ip(), other.ip()) || covers(other.ip(), one.ip()))
}

/// Whom to believe, and the same in words.
fn rule(flags: RuleFlags, environment: Environment<'_>) -> Result<(Rule, String), UsageError> {
    let field = match environment.one(("--client-ip-header", flags.client_ip_header), "SWAGIP_CLIENT_IP_HEADER")? {
        Some(given) => given.text().parse().map_err(|error: NotAFieldName| given.named(error))?,
        None => ForwardingField::default(),
    };
    let proxies = environment.list(("--trusted-proxy", flags.trusted_proxy), "SWAGIP_TRUSTED_PROXIES")?;
    // A list has one name: the flag's or the variable's.
    let trusted = TrustList::parse(proxies.iter().map(Given::text)).map_err(|error| proxies[0].named(error))?;
    let trusting = match proxies.is_empty() {
        true => format!("trusting {trusted}"),
        false => format!("trusting {} from {trusted}", field.name()),
    };
    Ok((Rule::new(trusted, field), trusting))
}

fn site(flags: SiteFlags, environment: Environment<'_>) -> Result<Site, UsageError> {
    let served_by = environment.one(("--served-by", flags.served_by), "SWAGIP_SERVED_BY")?;
    let title = environment.value(("--site-title", flags.site_title), "SWAGIP_TITLE", value::site_title)?;
    let explain = environment.value(("--explain", flags.explain), "SWAGIP_EXPLAIN", value::switch)?;
    Ok(Site {
        served_by: served_by.map_or(Ok(None), |given| replica(&given, environment))?,
        host: environment.value(("--site-host", flags.site_host), "SWAGIP_HOSTNAME", value::site_host)?,
        title: title.unwrap_or_else(|| "SwagIP".to_owned()),
        explain: explain.unwrap_or(false),
        ..Site::default()
    })
}

/// `off`, `auto` or the name itself.
fn replica(given: &Given, environment: Environment<'_>) -> Result<Option<String>, UsageError> {
    match given.text() {
        "off" => Ok(None),
        "auto" => {
            let name = host_name(environment);
            value::replica(&name).map(Some).map_err(|reason| given.wrong(format_args!("finds the name {name:?}, which {reason}")))
        }
        _ => given.read(value::replica).map(Some),
    }
}

/// What the container or the shell calls this host, else what the kernel does.
fn host_name(environment: Environment<'_>) -> String {
    match (environment.0)("HOSTNAME").filter(|name| !name.is_empty()) {
        Some(name) => name.to_string_lossy().into_owned(),
        None => fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default().trim_end().to_owned(),
    }
}

fn limits(flags: LimitFlags, threads: NonZeroUsize, environment: Environment<'_>) -> Result<Limits, UsageError> {
    let default = Limits::default();
    let duration = |flag: Flag<_>, variable, default| {
        environment.value(flag, variable, value::duration).map(|duration| duration.unwrap_or(default))
    };
    let (drain_grace, drain_timeout) = drain(flags.drain_grace, flags.drain_timeout, environment)?;
    Ok(Limits {
        connections: connections(flags.max_connections, threads, environment)?,
        connections_per_client: None,
        head: duration(("--head-timeout", flags.head_timeout), "SWAGIP_HEAD_TIMEOUT", default.head)?,
        idle: duration(("--idle-timeout", flags.idle_timeout), "SWAGIP_IDLE_TIMEOUT", default.idle)?,
        write: duration(("--write-timeout", flags.write_timeout), "SWAGIP_WRITE_TIMEOUT", default.write)?,
        drain_grace,
        drain_timeout,
    })
}

/// The grace is a part of the time that a drain may take.
fn drain(
    grace: Option<OsString>,
    timeout: Option<OsString>,
    environment: Environment<'_>,
) -> Result<(Duration, Duration), UsageError> {
    /// What a cure proposes for the requests that are in flight when the grace is over.
    const BEYOND_GRACE: Duration = Duration::from_secs(5);
    let default = Limits::default();
    let grace_given = environment.one(("--drain-grace", grace), "SWAGIP_DRAIN_GRACE")?;
    let timeout_given = environment.one(("--drain-timeout", timeout), "SWAGIP_DRAIN_TIMEOUT")?;
    let grace = grace_given.as_ref().map_or(Ok(default.drain_grace), |given| given.read(value::duration_or_zero))?;
    let timeout = timeout_given.as_ref().map_or(Ok(default.drain_timeout), |given| given.read(value::duration))?;
    match timeout_given.or(grace_given) {
        Some(given) if timeout < grace => Err(given.wrong(format_args!(
            "makes the drain timeout, {timeout:?}, shorter than the grace, {grace:?}: try --drain-timeout {:?}",
            grace + BEYOND_GRACE
        ))),
        _ => Ok((grace, timeout)),
    }
}

/// Every thread has an equal share, and none may be left without.
fn connections(
    flag: Option<OsString>,
    threads: NonZeroUsize,
    environment: Environment<'_>,
) -> Result<Option<NonZeroUsize>, UsageError> {
    let Some(given) = environment.one(("--max-connections", flag), "SWAGIP_MAX_CONNECTIONS")? else { return Ok(None) };
    let connections = given.read(value::connections)?;
    match connections < threads {
        true => Err(given.wrong(format_args!("is less than one for each of {threads} threads: try --threads {connections}"))),
        false => Ok(Some(connections)),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
