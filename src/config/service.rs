//! What a service manager says by the environment: the listeners that it hands down (sd_listen_fds(3)), where to tell it how this
//! server fares (sd_notify(3)), and how often (sd_watchdog_enabled(3)).

use super::given::{Environment, Given};
use super::{UsageError, value};
use crate::net::{Role, Supervision};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::SocketAddr;
use std::process;

/// What the listeners that are handed down are for, each with the variable that says so.
pub(super) fn inherited(environment: &Environment) -> Result<Vec<(Role, Given)>, UsageError> {
    let process = environment.variable("", "LISTEN_PID")?;
    let names = environment.variable("", "LISTEN_FDNAMES")?;
    let Some(given) = environment.variable("", "LISTEN_FDS")? else { return Ok(Vec::new()) };
    let count = given.read(value::descriptors)?;
    match process {
        Some(process) if process.text() != process::id().to_string() => {
            let cure =
                format_args!("is another process than this one, {}: start swagip by exec, or unset LISTEN_FDS", process::id());
            return Err(process.wrong(cure));
        }
        None if count > 0 => return Err(given.wrong("needs LISTEN_PID, which is not set: set that, or unset LISTEN_FDS")),
        _ => {}
    }
    let Some(names) = names else { return Ok(vec![(Role::Http, given); count]) };
    let roles = names.text().split(':').map(|name| Ok((role(name, &names)?, names.clone()))).collect::<Result<Vec<_>, _>>()?;
    match roles.len() == count {
        true => Ok(roles),
        false => Err(names.wrong(format_args!(
            "has {} names, and LISTEN_FDS is {count}: give each listener a name, with colons between them",
            roles.len()
        ))),
    }
}

fn role(name: &str, names: &Given) -> Result<Role, UsageError> {
    let known = Role::ALL.into_iter().find(|(known, _)| *known == name);
    let all = Role::ALL.map(|(known, _)| known).join(", ");
    let unknown =
        || names.wrong(format_args!("has {name:?}, which is none of {all}: try FileDescriptorName=http in the socket unit"));
    known.map(|(_, role)| role).ok_or_else(unknown)
}

/// Whom to tell how this server fares, and how often.
pub(super) fn supervision(environment: &Environment) -> Result<Option<Supervision>, UsageError> {
    let watchdog = environment.value(("", None), "WATCHDOG_USEC", value::watchdog)?;
    let process = environment.variable("", "WATCHDOG_PID")?;
    let address = environment.value(("", None), "NOTIFY_SOCKET", notify_socket)?;
    // It is inherited by whatever a service starts, and meant for one process of them.
    let is_ours = process.is_none_or(|process| process.text() == process::id().to_string());
    Ok(address.map(|address| Supervision { address, watchdog: watchdog.filter(|_| is_ours) }))
}

/// A path, or `@` and an abstract name.
fn notify_socket(text: &str) -> Result<SocketAddr, &'static str> {
    const REASON: &str = "is not a socket's path or @name: leave it to systemd, or unset it";
    let address = match text.strip_prefix('@') {
        Some(name) => SocketAddr::from_abstract_name(name),
        None if text.starts_with('/') => SocketAddr::from_pathname(text),
        None => return Err(REASON),
    };
    address.map_err(|_| REASON)
}
