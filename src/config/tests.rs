use super::*;
use crate::net::ListenerKind;
use crate::observe::access_log::{Format, Options};
use crate::resource::ReverseDns;

fn command(line: &str, environment: &str) -> Result<Command, UsageError> {
    let arguments = line.split_whitespace().map(OsString::from);
    let variables = environment.split_whitespace().map(|variable| variable.split_once('=').unwrap());
    Command::new(
        [OsString::from("swagip")].into_iter().chain(arguments),
        variables.map(|(name, text)| (OsString::from(name), OsString::from(text))),
    )
}

fn served(line: &str, environment: &str) -> Config {
    match command(line, environment) {
        Ok(Command::Serve(config)) => *config,
        other => panic!("{line} {environment}: {other:?}"),
    }
}

fn described(listener: Listen) -> String {
    let any = if listener.any { "*" } else { "" };
    let kind = match listener.kind {
        ListenerKind::Plain => "",
        ListenerKind::Proxy => " PROXY",
        ListenerKind::Metrics => " metrics",
    };
    format!("{any}{}{kind}", listener.address)
}

/// As with --listen-metrics alone.
#[test]
fn what_is_handed_down_for_monitoring_alone_leaves_clients_the_default() {
    for (names, expected) in [("metrics", 1), ("http", 0), ("metrics:proxy", 0)] {
        let (count, process) = (names.split(':').count(), std::process::id());
        let environment = format!("LISTEN_FDS={count} LISTEN_PID={process} LISTEN_FDNAMES={names}");
        let listeners = served("--trusted-proxy ::1", &environment).settings.listeners;
        assert_eq!(listeners.len(), expected, "{names}");
    }
}

#[test]
fn where_to_listen() {
    for (line, environment, expected) in [
        ("", "", "*[::]:8080"),
        ("", "SWAGIP_LISTEN= PORT= SWAGIP_LISTEN_PROXY=,", "*[::]:8080"),
        ("", "PORT=3000", "*[::]:3000"),
        ("", "PORT=3000 SWAGIP_LISTEN=4000,127.0.0.1:5000,", "*[::]:4000, 127.0.0.1:5000"),
        ("-l 80", "PORT=x SWAGIP_LISTEN=x,y", "*[::]:80"),
        ("-l 80 --listen [::1]:81", "", "*[::]:80, [::1]:81"),
        ("--listen-proxy 80 --trusted-proxy ::1", "", "*[::]:80 PROXY"),
        ("--listen-proxy 80", "PORT=81 SWAGIP_TRUSTED_PROXIES=::1", "*[::]:81, *[::]:80 PROXY"),
        ("-l 81 --trusted-proxy ::1", "SWAGIP_LISTEN_PROXY=:80", "*[::]:81, *[::]:80 PROXY"),
        ("-l 0 -l 0", "", "*[::]:0, *[::]:0"),
        ("--listen-metrics 9090", "", "*[::]:8080, *[::]:9090 metrics"),
        ("-l 80", "SWAGIP_LISTEN_METRICS=127.0.0.1:81,[::1]:81", "*[::]:80, 127.0.0.1:81 metrics, [::1]:81 metrics"),
        (
            "--listen-metrics 82 --trusted-proxy ::1",
            "SWAGIP_LISTEN_METRICS=81 SWAGIP_LISTEN_PROXY=80",
            "*[::]:80 PROXY, *[::]:82 metrics",
        ),
        (
            "-l 127.0.0.1:80 -l 127.0.0.2:80 --listen-proxy [::1]:80 --trusted-proxy ::1",
            "",
            "127.0.0.1:80, 127.0.0.2:80, [::1]:80 PROXY",
        ),
    ] {
        let listeners: Vec<_> = served(line, environment).settings.listeners.into_iter().map(described).collect();
        assert_eq!(listeners.join(", "), expected, "{line} {environment}");
    }
}

#[test]
fn overlapping_listeners_are_refused() {
    for line in [
        "-l 80 -l 80",
        "-l 80 --listen-proxy :80",
        "-l [::]:80 -l 0.0.0.0:80",
        "-l 0.0.0.0:80 --listen-proxy [::]:80",
        "-l 127.0.0.1:80 -l 0.0.0.0:80",
        "-l [::1]:80 -l 80",
        "-l 127.0.0.1:80 --listen-proxy [::ffff:127.0.0.1]:80",
        "--listen-metrics 8080",
        "--listen-metrics 127.0.0.1:8080",
        "--listen-metrics 81 --listen-metrics 127.0.0.1:81",
        "--listen-proxy 80 --listen-metrics 80",
    ] {
        assert!(command(&format!("{line} --trusted-proxy ::1"), "").is_err(), "{line}");
    }
    assert!(command("-l [::1]:80 -l 0.0.0.0:80", "").is_ok());
}

#[test]
fn whom_the_healthcheck_asks() {
    for (line, environment, expected) in [
        ("healthcheck", "", "*[::]:8080"),
        ("healthcheck 9", "PORT=8", "*[::]:9"),
        ("healthcheck", "SWAGIP_LISTEN=127.0.0.1:5,6 SWAGIP_THREADS=x", "127.0.0.1:5"),
        ("healthcheck", "SWAGIP_LISTEN_PROXY=6", "*[::]:6 PROXY"),
        ("healthcheck 127.0.0.1:6", "SWAGIP_LISTEN_PROXY=6 PORT=7", "127.0.0.1:6 PROXY"),
        ("healthcheck 7", "SWAGIP_LISTEN_PROXY=6 PORT=7", "*[::]:7"),
        ("healthcheck --listen-proxy 6", "", "*[::]:6 PROXY"),
        ("-l 6 healthcheck", "PORT=7", "*[::]:6"),
        ("healthcheck --listen-metrics 6", "", "*[::]:8080"),
        ("healthcheck 6", "SWAGIP_LISTEN_METRICS=6", "*[::]:6 metrics"),
    ] {
        let Ok(Command::Healthcheck(listener)) = command(line, environment) else { panic!("{line} {environment}") };
        assert_eq!(described(listener), expected, "{line} {environment}");
    }
}

#[test]
fn whom_to_trust() {
    for (line, environment, expected) in [
        ("", "", "trusting no proxy"),
        ("-H x-real-ip", "SWAGIP_TRUSTED_PROXIES=", "trusting no proxy"),
        ("--trusted-proxy 10.0.0.1/32", "SWAGIP_TRUSTED_PROXIES=10.0.0.2", "trusting x-forwarded-for from 10.0.0.1/32"),
        ("-H Forwarded", "SWAGIP_TRUSTED_PROXIES=10.0.0.0/8,::1/128", "trusting forwarded from 10.0.0.0/8, ::1/128"),
        ("--trusted-proxy ::1/128", "SWAGIP_CLIENT_IP_HEADER=x-real-ip", "trusting x-real-ip from ::1/128"),
    ] {
        assert_eq!(served(line, environment).trusting, expected, "{line} {environment}");
    }
}

#[test]
fn what_is_logged() {
    let options = |format, health, mask| Some(Options { format, health, mask });
    for (line, environment, expected) in [
        ("", "", None),
        ("--access-log", "", options(Format::Combined, false, false)),
        ("--access-log=json --access-log-mask", "SWAGIP_ACCESS_LOG=combined", options(Format::Json, false, true)),
        ("--access-log=off", "SWAGIP_ACCESS_LOG=combined SWAGIP_ACCESS_LOG_HEALTH=on", None),
        ("", "SWAGIP_ACCESS_LOG=json SWAGIP_ACCESS_LOG_HEALTH=on", options(Format::Json, true, false)),
        ("--access-log-health=off", "SWAGIP_ACCESS_LOG=json SWAGIP_ACCESS_LOG_HEALTH=on", options(Format::Json, false, false)),
    ] {
        let config = served(line, environment);
        assert_eq!(config.access_log, expected, "{line} {environment}");
        assert_eq!(config.warnings, Vec::<String>::new(), "{line} {environment}");
    }
    let doubt = "--access-log-mask: \"on\" has no effect without an access log: add --access-log";
    assert_eq!(served("--access-log-mask", "").warnings, [doubt]);
}

#[test]
fn what_the_site_says() {
    let site = served("", "HOSTNAME=box").settings.site;
    assert_eq!((site.served_by, site.host, site.title.as_str(), site.explain), (None, None, "SwagIP", false));
    assert_eq!((site.path.as_str(), site.hidden), ("", vec![]));
    let variables = "SWAGIP_SERVED_BY=web-1 SWAGIP_HOSTNAME=ip.example.org SWAGIP_TITLE=Me SWAGIP_EXPLAIN=yes";
    let site = served("", variables).settings.site;
    assert_eq!((site.served_by.as_deref(), site.host.as_deref()), (Some("web-1"), Some("ip.example.org")));
    assert_eq!((site.title.as_str(), site.explain), ("Me", true));
    let site = served("--served-by off --site-host a --site-title b --explain=off", variables).settings.site;
    assert_eq!((site.served_by, site.host.as_deref(), site.title.as_str(), site.explain), (None, Some("a"), "b", false));
    let site = served("--site-host a.b/c/ --hide-field X-Secret --hide-field x-a", "SWAGIP_HIDE_FIELDS=y").settings.site;
    assert_eq!((site.host.as_deref(), site.path.as_str(), site.hidden.join(" ")), (Some("a.b"), "/c", "x-secret x-a".to_owned()));
    let site = served("--site-host-ipv4 V4.a", "SWAGIP_HOSTNAME_IPV4=b SWAGIP_HOSTNAME_IPV6=v6.a").settings.site;
    assert_eq!((site.family_hosts.ipv4.as_deref(), site.family_hosts.ipv6.as_deref()), (Some("v4.a"), Some("v6.a")));
    assert_eq!(served("", "SWAGIP_HOSTNAME_IPV4=").settings.site.family_hosts.names().next(), None);
    assert_eq!(served("", "SWAGIP_HIDE_FIELDS=x,Y").settings.site.hidden, ["x", "y"]);
    assert!(served("--explain", "SWAGIP_EXPLAIN=no").settings.site.explain);
    assert_eq!(served("--served-by auto", "HOSTNAME=box").settings.site.served_by.as_deref(), Some("box"));
    let kernel = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    assert_eq!(served("--served-by auto", "HOSTNAME=").settings.site.served_by.as_deref(), Some(kernel.trim()));
}

#[test]
fn what_is_looked_up() {
    for (line, environment, resolver, scope, port_test) in [
        ("", "SWAGIP_REVERSE_DNS= SWAGIP_PORT_TEST=", None, ReverseDns::Off, false),
        ("--reverse-dns 9.9.9.9", "SWAGIP_REVERSE_DNS=x", Some("9.9.9.9:53"), ReverseDns::Public, false),
        ("--port-test", "SWAGIP_REVERSE_DNS=[::1]:5353 SWAGIP_PORT_TEST=off", Some("[::1]:5353"), ReverseDns::All, true),
        ("--reverse-dns off --port-test=off", "SWAGIP_REVERSE_DNS=9.9.9.9 SWAGIP_PORT_TEST=on", None, ReverseDns::Off, false),
    ] {
        let settings = served(line, environment).settings;
        assert_eq!(settings.resolver, resolver.map(|text| text.parse().unwrap()), "{line} {environment}");
        assert_eq!((settings.site.reverse_dns, settings.site.port_test), (scope, port_test), "{line} {environment}");
    }
}

#[test]
fn how_long_and_how_much() {
    let settings = served("", "").settings;
    assert_eq!(settings.limits, Limits::default());
    assert_eq!(settings.threads, Threads::Spread(available_parallelism().unwrap()));
    let variables = "SWAGIP_MAX_CONNECTIONS=100 SWAGIP_MAX_CONNECTIONS_PER_CLIENT=9 SWAGIP_HEAD_TIMEOUT=1 SWAGIP_IDLE_TIMEOUT=2 SWAGIP_WRITE_TIMEOUT=3 \
                     SWAGIP_DRAIN_GRACE=4 SWAGIP_DRAIN_TIMEOUT=5";
    let seconds = Duration::from_secs;
    let mut limits = Limits {
        connections: NonZeroUsize::new(100),
        connections_per_client: NonZeroUsize::new(9),
        head: seconds(1),
        idle: seconds(2),
        write: seconds(3),
        drain_grace: seconds(4),
        drain_timeout: seconds(5),
    };
    assert_eq!(served("", variables).settings.limits, limits);
    (limits.connections, limits.head, limits.drain_grace) = (NonZeroUsize::new(3), seconds(60), Duration::ZERO);
    let settings = served("-t 3 --max-connections 3 --head-timeout 1m --drain-grace 0", variables).settings;
    assert_eq!((settings.limits, settings.threads.count().get()), (limits, 3));
    assert!(command("--drain-grace 5s --drain-timeout 5", "").is_ok());
}

#[test]
fn what_is_doubtful_is_a_warning() {
    for (line, environment, expected) in [
        ("", "SWAGIP_THREADS=1", &[][..]),
        ("--trusted-proxy 0.0.0.0/1 --trusted-proxy ::1 -H x-real-ip", "", &[]),
        (
            "-H x-real-ip",
            "",
            &[
                r#"--client-ip-header: "x-real-ip" is not read, because no proxy is trusted: add --trusted-proxy and the address of your proxy"#,
            ],
        ),
        (
            "",
            "SWAGIP_CLIENT_IP_HEADER=a SWAGIP_TRUSTED_PROXY=::1",
            &[
                r#"SWAGIP_CLIENT_IP_HEADER: "a" is not read, because no proxy is trusted: add --trusted-proxy and the address of your proxy"#,
                "SWAGIP_TRUSTED_PROXY is not a known variable: try SWAGIP_TRUSTED_PROXIES",
            ],
        ),
        (
            "--trusted-proxy 10.0.0.1 --trusted-proxy ::/0",
            "",
            &[r#"--trusted-proxy: "::/0" trusts every address, so clients can choose theirs: name only your proxies"#],
        ),
    ] {
        assert_eq!(served(line, environment).warnings, expected, "{line} {environment}");
    }
}

#[test]
fn the_help_names_every_variable_and_no_other() {
    let environment = Environment::new([("SWAGIP_SERVED_BY".into(), "auto".into())]);
    assert!(config(Flags::try_parse_from(["swagip"]).unwrap(), &environment).is_ok());
    let mut asked: Vec<_> = environment.known().iter().map(|known| known.variable.to_owned()).collect();
    let Ok(Command::Print(help)) = command("--help", "") else { panic!() };
    let is_name = |word: &&str| word.contains('_') || ["PORT", "HOSTNAME"].contains(word);
    let capitals = |c: char| !c.is_ascii_uppercase() && !c.is_ascii_digit() && c != '_';
    let mut told: Vec<_> = help.split(capitals).filter(is_name).filter(|word| word.len() > 3).map(str::to_owned).collect();
    for names in [&mut asked, &mut told] {
        names.sort_unstable();
        names.dedup();
    }
    assert_eq!(told, asked);
}

#[test]
fn help_and_version_are_printed() {
    for line in ["-h", "--help", "help", "--threads 0 -h"] {
        assert!(matches!(command(line, ""), Ok(Command::Print(text)) if text.starts_with("swagip tells")), "{line}");
    }
    for line in ["healthcheck -h", "healthcheck --help", "help healthcheck", "-l 0 healthcheck 80 -h"] {
        assert!(matches!(command(line, ""), Ok(Command::Print(text)) if text.starts_with("Asks a server")), "{line}");
    }
    assert!(
        matches!(command("-V", ""), Ok(Command::Print(text)) if text.trim() == concat!("swagip ", env!("CARGO_PKG_VERSION")))
    );
}
