//! Turns flags and environment into validated values; nothing below reads either.
//!
//! A flag overrides its variable, a variable the default. An error is one line that names the flag or variable and the value, and says
//! what to type instead; a doubtful value gives a warning. Prints nothing, and reads nothing but its arguments, except for the number of
//! CPUs, the kernel's host name with `--served-by auto`, /etc/resolv.conf with `--reverse-dns system`, and the databases of `--mmdb`.

mod address;
mod flags;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod generated;
mod given;
mod listeners;
mod mistake;
mod resolver;
mod service;
mod unknown;
mod value;

use crate::client::{Rule, TrustList};
use crate::mmdb::{DATABASES_MAX, ENGLISH};
use crate::net::{DatabaseFiles, Limits, Listen, Role, Settings, Threads};
use crate::observe::access_log;
use crate::observe::metrics::LinesDropped;
use crate::resource::{FamilyHosts, Site};
use clap::Parser;
use clap::error::ErrorKind;
use flags::{DatabaseFlags, Flags, LimitFlags, LogFlags, LookupFlags, RuleFlags, SiteFlags, Subcommands};
use given::{Environment, Flag, Given};
use listeners::Listeners;
use nix::sys::utsname::uname;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fmt;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

/// What the command line asks for.
#[derive(Debug)]
pub enum Command {
    /// Serve until a signal comes.
    Serve(Box<Config>),
    /// Ask the server with this listener whether it is ready.
    Healthcheck(Listen),
    /// Print this: the help, or the version.
    Print(String),
}

/// How to serve.
#[derive(Debug)]
pub struct Config {
    /// The server's settings.
    pub settings: Settings,
    /// The access log, if any; `settings` lacks it until its output is open.
    pub access_log: Option<access_log::Options>,
    /// For the start line, such as `trusting no proxy`.
    pub trusting: String,
    /// What is allowed but probably a mistake, one log line each.
    pub warnings: Vec<String>,
}

/// A wrong flag or variable; displays as one line.
#[derive(Debug, PartialEq, Eq)]
pub struct UsageError(String);

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&printable(&self.0))
    }
}

impl std::error::Error for UsageError {}

/// Escapes line ends and control sequences, to show a value in one line.
fn printable(text: &str) -> String {
    let escaped = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    text.chars().map(escaped).collect()
}

impl Command {
    /// Reads the arguments, the program's own name first, and the environment: [`std::env::args_os`], [`std::env::vars_os`].
    ///
    /// # Errors
    /// The first mistake.
    pub fn new(
        arguments: impl IntoIterator<Item = OsString>,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Self, UsageError> {
        let arguments: Vec<_> = arguments.into_iter().collect();
        let mut flags = match Flags::try_parse_from(&arguments) {
            Ok(flags) => flags,
            Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
                return Ok(Self::Print(error.to_string()));
            }
            Err(error) => return Err(mistake::one_line(&error, &arguments)),
        };
        let environment = &Environment::new(environment);
        match flags.subcommand.take() {
            Some(Subcommands::Healthcheck { address }) => {
                Listeners::new(flags.listen, environment, false)?.target(address).map(Self::Healthcheck)
            }
            None => config(flags, environment).map(Box::new).map(Self::Serve),
        }
    }
}

fn config(flags: Flags, environment: &Environment) -> Result<Config, UsageError> {
    let inherited = service::inherited(environment)?;
    let has_inherited = inherited.iter().any(|(role, _)| *role != Role::Metrics);
    let listeners = Listeners::new(flags.listen, environment, has_inherited)?;
    let inherited_proxy = inherited.iter().find(|(role, _)| *role == Role::Proxy).map(|(_, given)| given.clone());
    let threads = environment.value(("--threads", flags.threads), "SWAGIP_THREADS", value::threads)?;
    let threads = threads.unwrap_or_else(|| Threads::Spread(available_parallelism().unwrap_or(NonZeroUsize::MIN)));
    let mut warnings = Vec::new();
    let (rule, trusting) = rule(flags.rule, listeners.proxy.or(inherited_proxy), environment, &mut warnings)?;
    let site = site(flags.site, environment)?;
    let databases = databases(flags.databases, environment, &mut warnings)?;
    let (site, resolver) = lookups(flags.lookups, site, environment)?;
    let limits = limits(flags.limits, threads.count(), environment)?;
    let access_log = access_log(flags.log, environment, &mut warnings)?;
    environment.value(("", None), "RUST_LOG", value::log_filter)?;
    warnings.extend(unknown::warnings(environment));
    let inherited = inherited.into_iter().map(|(role, _)| role).collect();
    let supervision = service::supervision(environment)?;
    let settings = Settings {
        listeners: listeners.all,
        inherited,
        supervision,
        threads,
        limits,
        rule,
        site,
        databases,
        resolver,
        access_log: None,
        log_lines_dropped: LinesDropped::default(),
    };
    Ok(Config { settings, access_log, trusting, warnings })
}

/// The address rule, and the same in words. `proxy_listener`: what named a PROXY listener.
fn rule(
    flags: RuleFlags,
    proxy_listener: Option<Given>,
    environment: &Environment,
    warnings: &mut Vec<String>,
) -> Result<(Rule, String), UsageError> {
    let field_given = environment.one(("--client-ip-header", flags.client_ip_header), "SWAGIP_CLIENT_IP_HEADER")?;
    let field = field_given.as_ref().map(|given| given.read(value::forwarding_field)).transpose()?.unwrap_or_default();
    let proxies = environment.list(("--trusted-proxy", flags.trusted_proxy), "SWAGIP_TRUSTED_PROXIES")?;
    for given in &proxies {
        given.read(address::network)?;
        if address::is_everybody(given.text()) {
            warnings.push(given.warning("trusts every address, so clients can choose theirs: name only your proxies"));
        }
    }
    if proxies.is_empty() {
        const CURE: &str = "add --trusted-proxy and the address of your proxy";
        if let Some(given) = proxy_listener {
            return Err(given.wrong(format_args!("would refuse every connection, because no proxy is trusted: {CURE}")));
        }
        warnings.extend(field_given.map(|given| given.warning(format_args!("is not read, because no proxy is trusted: {CURE}"))));
    }
    // A list has one name: the flag's or the variable's.
    let trusted = TrustList::parse(proxies.iter().map(Given::text)).map_err(|error| proxies[0].wrong(error))?;
    let trusting = match proxies.is_empty() {
        true => format!("trusting {trusted}"),
        false => format!("trusting {} from {trusted}", field.name()),
    };
    Ok((Rule::new(trusted, field), trusting))
}

/// Names for one family of addresses each.
fn family_hosts(flags: [Option<OsString>; 2], environment: &Environment) -> Result<FamilyHosts, UsageError> {
    let [ipv4, ipv6] = flags;
    let ipv4 = environment.value(("--site-host-ipv4", ipv4), "SWAGIP_HOSTNAME_IPV4", value::family_host)?;
    let given = environment.one(("--site-host-ipv6", ipv6), "SWAGIP_HOSTNAME_IPV6")?;
    let ipv6 = given.as_ref().map(|given| given.read(value::family_host)).transpose()?;
    match given.filter(|_| ipv4 == ipv6) {
        Some(given) => Err(given.wrong("is the name for IPv4, too: give each family a name of its own")),
        None => Ok(FamilyHosts { ipv4, ipv6 }),
    }
}

fn site(flags: SiteFlags, environment: &Environment) -> Result<Site, UsageError> {
    let served_by = environment.one(("--served-by", flags.served_by), "SWAGIP_SERVED_BY")?;
    let host = environment.value(("--site-host", flags.site_host), "SWAGIP_HOSTNAME", value::site_host)?;
    let family_hosts = family_hosts([flags.site_host_ipv4, flags.site_host_ipv6], environment)?;
    let title = environment.value(("--site-title", flags.site_title), "SWAGIP_TITLE", value::site_title)?;
    let hidden = environment.list(("--hide-field", flags.hide_field), "SWAGIP_HIDE_FIELDS")?;
    let explain = environment.value(("--explain", flags.explain), "SWAGIP_EXPLAIN", value::switch)?;
    let (host, path) = host.unzip();
    Ok(Site {
        served_by: served_by.map_or(Ok(None), |given| replica(&given, environment))?,
        host,
        path: path.unwrap_or_default(),
        family_hosts,
        title: title.unwrap_or_else(|| "SwagIP".to_owned()),
        hidden: hidden.iter().map(|given| given.read(value::field_name)).collect::<Result<_, _>>()?,
        explain: explain.unwrap_or(false),
        ..Site::default()
    })
}

fn databases(
    flags: DatabaseFlags,
    environment: &Environment,
    warnings: &mut Vec<String>,
) -> Result<Option<Arc<DatabaseFiles>>, UsageError> {
    let files = environment.list(("--mmdb", flags.mmdb), "SWAGIP_MMDB")?;
    let language_given = environment.one(("--mmdb-language", flags.mmdb_language), "SWAGIP_MMDB_LANGUAGE")?;
    let language = language_given.as_ref().map_or(Ok(ENGLISH.to_owned()), |given| given.read(value::language))?;
    if files.is_empty() {
        warnings.extend(language_given.map(|given| given.warning("is not used, because there is no database: add --mmdb FILE")));
        return Ok(None);
    }
    if let Some(given) = files.get(DATABASES_MAX) {
        return Err(given.wrong(format_args!("is one too many, at most {DATABASES_MAX} databases are allowed: leave it out")));
    }
    let paths = files.iter().map(|given| given.text().into()).collect();
    let opened = DatabaseFiles::open(paths, language).map_err(|error| files[error.index].wrong(&error))?;
    let databases = opened.databases();
    if let Some(given) = language_given.filter(|_| !databases.have_language()) {
        let known: BTreeSet<&str> = databases.files().iter().flat_map(|file| file.languages()).map(String::as_str).collect();
        let known = known.into_iter().collect::<Vec<_>>().join(", ");
        warnings.push(given.warning(format_args!("is in no database, so names are English (available: {known})")));
    }
    Ok(Some(Arc::new(opened)))
}

/// What is looked up elsewhere for the site's answers, and the resolver that is asked.
fn lookups(flags: LookupFlags, site: Site, environment: &Environment) -> Result<(Site, Option<SocketAddr>), UsageError> {
    let reverse_dns = environment.one(("--reverse-dns", flags.reverse_dns), "SWAGIP_REVERSE_DNS")?;
    let port_test = environment.value(("--port-test", flags.port_test), "SWAGIP_PORT_TEST", value::switch)?;
    let resolver = reverse_dns.map_or(Ok(None), |given| resolver::resolver(&given))?;
    Ok((Site { reverse_dns: resolver::scope(resolver), port_test: port_test.unwrap_or(false), ..site }, resolver))
}

/// `off`, `auto` or the name itself.
fn replica(given: &Given, environment: &Environment) -> Result<Option<String>, UsageError> {
    match given.text() {
        "off" => Ok(None),
        "auto" => {
            let name = host_name(environment)?;
            value::replica(&name).map(Some).map_err(|reason| given.wrong(format_args!("finds the name {name:?}, which {reason}")))
        }
        _ => given.read(value::replica).map(Some),
    }
}

/// The host name that the container or the shell set, else the kernel's.
fn host_name(environment: &Environment) -> Result<String, UsageError> {
    match environment.variable("", "HOSTNAME")? {
        Some(given) => Ok(given.text().to_owned()),
        None => Ok(uname().map(|names| names.nodename().to_string_lossy().into_owned()).unwrap_or_default()),
    }
}

fn limits(flags: LimitFlags, threads: NonZeroUsize, environment: &Environment) -> Result<Limits, UsageError> {
    let default = Limits::default();
    let duration = |flag: Flag<_>, variable, default| {
        environment.value(flag, variable, value::duration).map(|duration| duration.unwrap_or(default))
    };
    let (drain_grace, drain_timeout) = drain(flags.drain_grace, flags.drain_timeout, environment)?;
    Ok(Limits {
        connections: connections(flags.max_connections, threads, environment)?,
        connections_per_client: environment.value(
            ("--max-connections-per-client", flags.max_connections_per_client),
            "SWAGIP_MAX_CONNECTIONS_PER_CLIENT",
            value::connections_per_client,
        )?,
        head: duration(("--head-timeout", flags.head_timeout), "SWAGIP_HEAD_TIMEOUT", default.head)?,
        idle: duration(("--idle-timeout", flags.idle_timeout), "SWAGIP_IDLE_TIMEOUT", default.idle)?,
        write: duration(("--write-timeout", flags.write_timeout), "SWAGIP_WRITE_TIMEOUT", default.write)?,
        drain_grace,
        drain_timeout,
    })
}

fn access_log(
    flags: LogFlags,
    environment: &Environment,
    warnings: &mut Vec<String>,
) -> Result<Option<access_log::Options>, UsageError> {
    let format = environment.value(("--access-log", flags.access_log), "SWAGIP_ACCESS_LOG", value::access_log)?;
    let mut switch = |flag: Flag<_>, variable| {
        let Some(given) = environment.one(flag, variable)? else { return Ok(false) };
        let is_on = given.read(value::switch)?;
        // With --access-log=off somebody knows what they do.
        if is_on && format.is_none() {
            warnings.push(given.warning("has no effect without an access log: add --access-log"));
        }
        Ok(is_on)
    };
    let health = switch(("--access-log-health", flags.access_log_health), "SWAGIP_ACCESS_LOG_HEALTH")?;
    let mask = switch(("--access-log-mask", flags.access_log_mask), "SWAGIP_ACCESS_LOG_MASK")?;
    Ok(format.flatten().map(|format| access_log::Options { format, health, mask }))
}

/// The grace is part of the drain timeout.
fn drain(
    grace: Option<OsString>,
    timeout: Option<OsString>,
    environment: &Environment,
) -> Result<(Duration, Duration), UsageError> {
    /// The time after the grace that the error message proposes.
    const BEYOND_GRACE: Duration = Duration::from_secs(5);
    let default = Limits::default();
    let grace_given = environment.one(("--drain-grace", grace), "SWAGIP_DRAIN_GRACE")?;
    let timeout_given = environment.one(("--drain-timeout", timeout), "SWAGIP_DRAIN_TIMEOUT")?;
    let grace = grace_given.as_ref().map_or(Ok(default.drain_grace), |given| given.read(value::duration_or_zero))?;
    let timeout = timeout_given.as_ref().map_or(Ok(default.drain_timeout), |given| given.read(value::duration))?;
    match timeout_given.or(grace_given) {
        Some(given) if timeout < grace => Err(given.wrong(format_args!(
            "makes the drain timeout, {timeout:?}, shorter than the grace, {grace:?}: try --drain-timeout {:?}",
            (grace + BEYOND_GRACE).min(value::DURATION_MAX)
        ))),
        _ => Ok((grace, timeout)),
    }
}

/// Every thread gets an equal share, of at least one.
fn connections(
    flag: Option<OsString>,
    threads: NonZeroUsize,
    environment: &Environment,
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
