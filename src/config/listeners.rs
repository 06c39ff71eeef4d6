//! The addresses to listen on, and what each is for.

use super::flags::ListenFlags;
use super::given::{Environment, Given};
use super::{UsageError, address};
use crate::net::{DEFAULT_PORT, Listen, ListenerKind};
use std::ffi::OsString;
use std::net::IpAddr;

/// The listeners: at least one, unless some are inherited.
pub(super) struct Listeners {
    /// The plain ones first, those for monitoring last.
    pub(super) all: Vec<Listen>,
    /// What named the first PROXY listener.
    pub(super) proxy: Option<Given>,
}

impl Listeners {
    /// `has_inherited`: listeners for clients are handed down, so that only what is named is opened besides.
    pub(super) fn new(flags: ListenFlags, environment: &Environment, has_inherited: bool) -> Result<Listeners, UsageError> {
        let mut named = Vec::new();
        for given in environment.list(("--listen", flags.listen), "SWAGIP_LISTEN")? {
            named.push((given.read(address::listen)?, given));
        }
        let port = environment.variable("--listen", "PORT");
        if named.is_empty()
            && let Some(given) = port?
        {
            named.push((given.read(address::port)?, given));
        }
        let proxies = environment.list(("--listen-proxy", flags.listen_proxy), "SWAGIP_LISTEN_PROXY")?;
        for given in &proxies {
            named.push((Listen { kind: ListenerKind::Proxy, ..given.read(address::listen)? }, given.clone()));
        }
        // Where nobody said where clients are answered.
        let default = (named.is_empty() && !has_inherited).then(|| address::any(DEFAULT_PORT));
        for given in environment.list(("--listen-metrics", flags.listen_metrics), "SWAGIP_LISTEN_METRICS")? {
            let listener = Listen { kind: ListenerKind::Metrics, ..given.read(address::listen)? };
            if default.is_some_and(|default| overlap(&listener, &default)) {
                let next = another_port(&listener);
                return Err(
                    given.wrong(format_args!("overlaps with --listen, by default {DEFAULT_PORT}: try another port, like {next}"))
                );
            }
            named.push((listener, given));
        }
        refuse_overlap(&named)?;
        let all = default.into_iter().chain(named.into_iter().map(|(listener, _)| listener)).collect();
        Ok(Listeners { all, proxy: proxies.into_iter().next() })
    }

    /// The listener that the healthcheck asks: the one at this address, which may be a PROXY listener, else the first one.
    pub(super) fn target(&self, address: Option<OsString>) -> Result<Listen, UsageError> {
        let Some(address) = address else { return Ok(self.all[0]) };
        let named = Given::new("healthcheck", address)?.read(address::listen)?;
        let known = self.all.iter().find(|listener| overlap(listener, &named));
        Ok(Listen { kind: known.map_or(ListenerKind::Plain, |listener| listener.kind), ..named })
    }
}

/// No two listeners may overlap: SO_REUSEPORT would allow it, and the kernel would choose who gets a connection (any of two equal ones,
/// `0.0.0.0` before `[::]`, one address before all).
fn refuse_overlap(named: &[(Listen, Given)]) -> Result<(), UsageError> {
    for (index, (listener, given)) in named.iter().enumerate() {
        let Some((other, other_given)) = named[..index].iter().find(|(other, _)| overlap(listener, other)) else { continue };
        let (ip, other_ip) = (listener.address.ip(), other.address.ip());
        let reason = if listener.kind != other.kind {
            format!("overlaps with {other_given}: try another port, like {}", another_port(listener))
        } else if ip == other_ip {
            format!("is the same as {other_given}: leave one of them out")
        } else if covers(ip, other_ip) {
            format!("includes {other_given}: leave that one out")
        } else {
            format!("is included in {other_given}: leave it out")
        };
        return Err(given.wrong(reason));
    }
    Ok(())
}

fn another_port(listener: &Listen) -> u16 {
    listener.address.port().checked_add(1).unwrap_or(DEFAULT_PORT)
}

/// Whether some connections would fit both.
fn overlap(one: &Listen, other: &Listen) -> bool {
    let (one, other) = (one.address, other.address);
    // Port 0 is any free port, a different one each time.
    let same_port = one.port() == other.port() && one.port() != 0;
    same_port && (one == other || covers(one.ip(), other.ip()) || covers(other.ip(), one.ip()))
}

fn covers(wide: IpAddr, narrow: IpAddr) -> bool {
    wide.is_unspecified() && (wide.is_ipv6() || narrow.is_ipv4())
}
