//! The program: the only place that prints or exits.

#![forbid(unsafe_code)]

mod healthcheck;
mod stderr;

use env_logger::Target;
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};
use signal_hook::flag;
use std::env;
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::fd::AsFd;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use stderr::Stderr;
use swagip::config::{Command, Config};
use swagip::net::{BindError, Listen, ListenerKind, Order, Role, Server, Settings, Stopper, Threads};
use swagip::observe::access_log;
use swagip::observe::output::Output;

const FAILURE: u8 = 1;
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let command = match Command::new(env::args_os(), env::vars_os()) {
        Ok(command) => command,
        Err(error) => return failed(USAGE, &error.to_string()),
    };
    let outcome = match command {
        Command::Serve(config) => serve(*config),
        Command::Healthcheck(listener) => healthcheck::ask(&listener).map_err(failure),
        Command::Print(text) => {
            say(text.trim_end());
            Ok(())
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err((code, reason)) => failed(code, &reason),
    }
}

/// The exit code, and why.
type Failure = (u8, String);

fn failure(reason: String) -> Failure {
    (FAILURE, reason)
}

/// Serves until a signal ends it.
fn serve(Config { mut settings, access_log, trusting, warnings }: Config) -> Result<(), Failure> {
    let stderr = Stderr::counting(settings.log_lines_dropped.clone());
    let log = Target::Pipe(Box::new(stderr.clone()));
    env_logger::Builder::new().filter_level(log::LevelFilter::Info).parse_default_env().target(log).init();
    warnings.iter().for_each(|warning| log::warn!("{warning}"));
    // Before anything else: as PID 1 a process gets only the signals that it handles.
    let stopper = Stopper::new().map_err(|error| failure(BindError::Resources(error).to_string()))?;
    handle_signals(&stopper).map_err(|error| failure(format!("cannot handle signals: {error}")))?;
    settings.access_log = access_log.map(access_log_on_stdout).transpose().map_err(failure)?;
    let server = Server::bind(&settings, &stopper).map_err(|error| match error {
        BindError::Inherited(_) | BindError::Roles(_) => (USAGE, error.to_string()),
        _ => failure(advice(&error, &settings.listeners)),
    })?;
    let line = start_line(&server, &settings, &trusting);
    tell(stderr, &line);
    if let Err(error) = server.tell_ready(&line) {
        log::warn!("NOTIFY_SOCKET: nobody is told that this server is ready: {error}");
    }
    server.run().map_err(|error| failure(format!("a worker ended: {error}")))
}

/// The access log, on standard output. Nothing else is written there.
fn access_log_on_stdout(options: access_log::Options) -> Result<access_log::Settings, String> {
    let descriptor = io::stdout().as_fd().try_clone_to_owned();
    let descriptor = descriptor.map_err(|error| format!("the access log needs standard output: {error}"))?;
    Ok(access_log::Settings { options, output: Arc::new(Output::new(descriptor.into())) })
}

/// The first signal starts the stop, a second one exits at once. SIGUSR1 and SIGUSR2, which make other programs reopen their logs, are
/// ignored: unhandled, they would kill this one.
fn handle_signals(stopper: &Stopper) -> io::Result<()> {
    for signal in [SIGUSR1, SIGUSR2] {
        flag::register(signal, Arc::default())?;
    }
    stopper.reload_on(SIGHUP)?;
    let is_stopping = Arc::new(AtomicBool::new(false));
    for (signal, order) in [(SIGTERM, Order::Drain), (SIGQUIT, Order::Drain), (SIGINT, Order::DrainAtOnce)] {
        // In this order, because handlers run in the order of their registration.
        flag::register_conditional_shutdown(signal, 0, Arc::clone(&is_stopping))?;
        flag::register(signal, Arc::clone(&is_stopping))?;
        stopper.stop_on(signal, order)?;
    }
    Ok(())
}

/// The line written at the start: the addresses, with the ports that the kernel chose, the threads, whom it trusts, the databases.
fn start_line(server: &Server, Settings { listeners, threads, databases, .. }: &Settings, trusting: &str) -> String {
    let own = server.addresses().zip(listeners).map(|(address, listener)| match listener.kind {
        ListenerKind::Plain => address.to_string(),
        ListenerKind::Proxy => format!("{address} (PROXY protocol)"),
        ListenerKind::Metrics => format!("{address} (metrics)"),
    });
    let inherited = server.inherited().map(|(address, role)| match role {
        Role::Proxy => format!("{address} (inherited, PROXY protocol)"),
        Role::Metrics => format!("{address} (inherited, metrics)"),
        Role::Http => format!("{address} (inherited)"),
    });
    let addresses = inherited.chain(own).collect::<Vec<_>>().join(" and ");
    let count = threads.count();
    let plural = if count.get() == 1 { "" } else { "s" };
    let pinned = if *threads == Threads::Pinned { "pinned " } else { "" };
    let sources = databases.as_ref().map(|files| format!(", looking up in {}", files.databases())).unwrap_or_default();
    format!("listening on {addresses}, {count} {pinned}thread{plural}, {trusting}{sources}")
}

/// Why there is no server, and what to type next.
fn advice(error: &BindError, listeners: &[Listen]) -> String {
    let address = match error {
        BindError::Taken(address) | BindError::Other { address, .. } => *address,
        BindError::Resources(_) | BindError::Pinning(_) | BindError::Inherited(_) | BindError::Roles(_) => {
            return error.to_string();
        }
    };
    // Where IPv6 is off, a bare port is found under 0.0.0.0.
    let fits = |listener: &&Listen| listener.address == address || listener.any && listener.address.port() == address.port();
    let (any, kind) = listeners.iter().find(fits).map_or((false, ListenerKind::Plain), |listener| (listener.any, listener.kind));
    let flag = kind.option();
    let subject = if any { format!("port {}", address.port()) } else { address.to_string() };
    let at = |port: u16| if any { port.to_string() } else { SocketAddr::new(address.ip(), port).to_string() };
    match error {
        BindError::Taken(_) => format!("{subject} is taken: try {flag} {}", at(free_port(address, listeners))),
        BindError::Other { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
            format!("{subject} needs root or CAP_NET_BIND_SERVICE: try {flag} {}, or as root: {}", at(8080), setcap())
        }
        BindError::Other { source, .. } if is_foreign(source) => {
            format!("{address} is not an address of this machine: try {flag} {}", own_address(address, kind))
        }
        _ => error.to_string(),
    }
}

/// What to type for an address that this machine lacks: all of its addresses, unless that would open to others what was meant for few.
fn own_address(address: SocketAddr, kind: ListenerKind) -> String {
    match address.ip().is_loopback() || kind == ListenerKind::Metrics {
        true => SocketAddr::from((Ipv4Addr::LOCALHOST, address.port())).to_string(),
        false => address.port().to_string(),
    }
}

/// The command that lets this program take the ports below 1024 without being root.
fn setcap() -> String {
    let program = env::current_exe().unwrap_or_else(|_| "swagip".into());
    format!("setcap cap_net_bind_service=+ep {}", program.display())
}

/// Another machine's address, or an IPv6 one where IPv6 is off.
fn is_foreign(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::AddrNotAvailable || error.raw_os_error() == Some(libc::EAFNOSUPPORT)
}

/// The next port that is free, so that what is typed next works; the taken one where there is none.
fn free_port(taken: SocketAddr, listeners: &[Listen]) -> u16 {
    let named = |port: &u16| listeners.iter().any(|listener| listener.address.port() == *port);
    let mut ports = (taken.port()..=u16::MAX).skip(1).filter(|port| !named(port));
    ports.find(|&port| TcpListener::bind((taken.ip(), port)).is_ok()).unwrap_or(taken.port())
}

/// What was asked for, on standard output. That nobody reads it is no reason to fail.
fn say(line: &str) {
    let mut output = io::stdout();
    let _ = writeln!(output, "{line}").and_then(|()| output.flush());
}

/// One line on standard error, for the operator: standard output is not for that. That nobody reads it is no reason to fail.
fn tell(mut stderr: Stderr, line: &str) {
    let _ = stderr.write_all(format!("{line}\n").as_bytes());
}

fn failed(code: u8, reason: &str) -> ExitCode {
    tell(Stderr::default(), reason);
    ExitCode::from(code)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_needs_a_right() {
        let any = Listen { address: "[::]:80".parse().unwrap(), any: true, kind: ListenerKind::Plain };
        let one = Listen { address: "127.0.0.1:80".parse().unwrap(), any: false, kind: ListenerKind::Proxy };
        for (address, listener, expected) in [
            ("[::]:80", any, "port 80 needs root or CAP_NET_BIND_SERVICE: try --listen 8080, or as root: setcap "),
            ("0.0.0.0:80", any, "port 80 needs root or CAP_NET_BIND_SERVICE: try --listen 8080, or as root: setcap "),
            (
                "127.0.0.1:80",
                one,
                "127.0.0.1:80 needs root or CAP_NET_BIND_SERVICE: try --listen-proxy 127.0.0.1:8080, or as root: setcap ",
            ),
        ] {
            let error = BindError::Other { address: address.parse().unwrap(), source: io::ErrorKind::PermissionDenied.into() };
            let line = advice(&error, &[listener]);
            assert!(line.starts_with(expected), "{line}");
        }
    }

    #[test]
    fn an_ipv6_address_where_ipv6_is_off() {
        let listener = Listen { address: "[::1]:80".parse().unwrap(), any: false, kind: ListenerKind::Proxy };
        let source = io::Error::from_raw_os_error(libc::EAFNOSUPPORT);
        let line = advice(&BindError::Other { address: listener.address, source }, &[listener]);
        assert_eq!(line, "[::1]:80 is not an address of this machine: try --listen-proxy 127.0.0.1:80");
    }
}
