//! Unknown variables that look like ours: probably a typing mistake, which would otherwise go unnoticed.

use super::given::{Environment, Known};
use super::printable;
use std::ffi::OsStr;

const PREFIX: &str = "SWAGIP_";

/// docker-compose.yml reads these from the shell or from `.env`; here they are ignored.
const OF_COMPOSE: [&str; 6] = ["CLIENT_CONNECTIONS", "HTTP_PORT", "STATS_PORT", "PROMETHEUS_PORT", "IPV4_NET", "IPV6_NET"];

/// Names that other programs use, and ours.
const FOREIGN: [(&str, &str); 4] =
    [("PORT", "SWAGIP_LISTEN"), ("BIND", "SWAGIP_LISTEN"), ("HOST", "SWAGIP_LISTEN"), ("LOG", "RUST_LOG")];

/// How similar a name must be to be suggested, from 0 to 1; clap's value for flags.
const LIKENESS_MIN: f64 = 0.7;

/// A warning for each, sorted by name.
pub(super) fn warnings(environment: &Environment) -> Vec<String> {
    let known = environment.known();
    let mut lines: Vec<_> = environment
        .set()
        .filter_map(|(name, text)| {
            let shown = name.to_string_lossy();
            let rest = shown.strip_prefix(PREFIX)?;
            let is_ours = known.iter().any(|known| known.variable == shown) || OF_COMPOSE.contains(&rest);
            if is_ours || is_of_kubernetes(&shown, text) {
                return None;
            }
            let cure = nearest(rest, &known).map_or("see swagip --help".to_owned(), |name| format!("try {name}"));
            Some(printable(&format!("{shown} is not a known variable: {cure}")))
        })
        .collect();
    lines.sort_unstable();
    lines
}

/// What Kubernetes sets in every container of a namespace with a service called `swagip`, `swagip-metrics` and the like:
/// `SWAGIP_SERVICE_HOST`, `…_SERVICE_PORT`, `…_SERVICE_PORT_HTTP`, and as Docker's links did, `…_PORT=tcp://10.0.0.1:80` and
/// `…_PORT_80_TCP`, `…_PORT_80_TCP_ADDR`, `…_PROTO` and `…_PORT`.
fn is_of_kubernetes(name: &str, text: &OsStr) -> bool {
    let is_link = |rest: &str| {
        let mut words = rest.split('_');
        let is_number = words.next().is_some_and(|port| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()));
        let is_protocol = matches!(words.next(), Some("TCP" | "UDP" | "SCTP"));
        is_number && is_protocol && matches!((words.next(), words.next()), (None | Some("ADDR" | "PORT" | "PROTO"), None))
    };
    name.ends_with("_SERVICE_HOST")
        || name.ends_with("_SERVICE_PORT")
        || name.contains("_SERVICE_PORT_")
        // A person would write a number.
        || (name.ends_with("_PORT") && text.to_string_lossy().contains("://"))
        || name.match_indices("_PORT_").any(|(start, found)| is_link(&name[start + found.len()..]))
}

/// The variable that was probably meant: that of the flag with this name, else the most similar one.
fn nearest(rest: &str, known: &[Known]) -> Option<&'static str> {
    if let Some((_, variable)) = FOREIGN.iter().find(|(name, _)| *name == rest) {
        return Some(variable);
    }
    let candidates = known.iter().filter_map(|known| Some((known, known.variable.strip_prefix(PREFIX)?)));
    let likeness = |(known, variable): (&Known, &str)| {
        let flag = known.flag.trim_start_matches('-').replace('-', "_").to_ascii_uppercase();
        (strsim::jaro(rest, variable).max(strsim::jaro(rest, &flag)), known.variable)
    };
    let (alike, variable) = candidates.map(likeness).max_by(|(one, _), (other, _)| one.total_cmp(other))?;
    (alike > LIKENESS_MIN).then_some(variable)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(variables: &str) -> Vec<String> {
        let variables = variables.split_whitespace().map(|pair| pair.split_once('=').unwrap_or((pair, "x")));
        let environment = Environment::new(variables.map(|(name, text)| (name.into(), text.into())));
        let known = [
            ("--listen", "SWAGIP_LISTEN"),
            ("--listen-proxy", "SWAGIP_LISTEN_PROXY"),
            ("--threads", "SWAGIP_THREADS"),
            ("--trusted-proxy", "SWAGIP_TRUSTED_PROXIES"),
            ("--client-ip-header", "SWAGIP_CLIENT_IP_HEADER"),
            ("--site-host", "SWAGIP_HOSTNAME"),
            ("--site-title", "SWAGIP_TITLE"),
        ];
        for (flag, variable) in known {
            assert!(environment.variable(flag, variable).is_ok());
        }
        warnings(&environment)
    }

    #[test]
    fn what_means_nothing_is_told_with_what_was_meant() {
        for (name, cure) in [
            ("SWAGIP_TRUSTED_PROXY", "try SWAGIP_TRUSTED_PROXIES"),
            ("SWAGIP_TRUST_PROXIES", "try SWAGIP_TRUSTED_PROXIES"),
            ("SWAGIP_SITE_HOST", "try SWAGIP_HOSTNAME"),
            ("SWAGIP_SITE_TITLE", "try SWAGIP_TITLE"),
            ("SWAGIP_THREAD", "try SWAGIP_THREADS"),
            ("SWAGIP_LISTEN_PROXIES", "try SWAGIP_LISTEN_PROXY"),
            ("SWAGIP_PORT=8080", "try SWAGIP_LISTEN"),
            ("SWAGIP_BIND", "try SWAGIP_LISTEN"),
            ("SWAGIP_LOG", "try RUST_LOG"),
            ("SWAGIP_XYZZY", "see swagip --help"),
            ("SWAGIP_", "see swagip --help"),
            ("SWAGIP_SERVICE", "see swagip --help"),
            ("SWAGIP_PORT_X_TCP", "see swagip --help"),
        ] {
            let shown = name.split('=').next().unwrap_or_default();
            assert_eq!(told(name), [format!("{shown} is not a known variable: {cure}")], "{name}");
        }
        assert_eq!(told("SWAGIP_B SWAGIP_A").len(), 2);
        assert!(told("SWAGIP_B SWAGIP_A").is_sorted());
        assert_eq!(told("SWAGIP_A\u{1b}"), [r"SWAGIP_A\u{1b} is not a known variable: see swagip --help"]);
    }

    #[test]
    fn what_others_set_is_not_told() {
        for name in [
            "SWAGIP_LISTEN",
            "SWAGIP_TRUSTED_PROXIES=",
            "SWAGIP_UNKNOWN=",
            "SWAGIP",
            "SWAGIPS_THREADS",
            "SWAGIP_HTTP_PORT=8080",
            "SWAGIP_IPV6_NET",
            "SWAGIP_PORT=tcp://10.0.0.1:80",
            "SWAGIP_PORT_8080_TCP=tcp://10.0.0.1:8080",
            "SWAGIP_PORT_8080_TCP_ADDR=10.0.0.1",
            "SWAGIP_PORT_8080_TCP_PORT=8080",
            "SWAGIP_PORT_8080_UDP_PROTO=udp",
            "SWAGIP_SERVICE_HOST=10.0.0.1",
            "SWAGIP_SERVICE_PORT=80",
            "SWAGIP_SERVICE_PORT_HTTP=80",
            "SWAGIP_METRICS_SERVICE_HOST=10.0.0.1",
            "SWAGIP_METRICS_SERVICE_PORT_PROMETHEUS=9000",
            "SWAGIP_METRICS_PORT=tcp://10.0.0.1:9000",
            "SWAGIP_METRICS_PORT_9000_TCP_ADDR=10.0.0.1",
        ] {
            assert_eq!(told(name), [""; 0], "{name}");
        }
    }

    /// A new variable of the Compose file must be added here, too.
    #[test]
    fn what_the_compose_file_reads_is_not_told() {
        let file = include_str!("../../docker-compose.yml");
        let names = file.split("${").skip(1).filter_map(|rest| rest.split([':', '}', '-', '?']).next());
        let mut seen = 0;
        for name in names {
            assert_eq!(told(name), [""; 0], "{name}");
            seen += 1;
        }
        assert!(seen > 4);
    }
}
