//! Proxies in front of swagip, each with its configuration.

use super::network::{OUTER, PROXY, SWAGIP};
use super::programs::{self, HaProxy, Proxy, Version, WITH_FORWARDED};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// Where swagip listens: for each way, plain, and with PROXY headers one port above.
pub const PORTS: [u16; 3] = [80, 80, 9080];

/// A proxy that is configured by these lines.
#[derive(Clone, Copy)]
pub enum Program {
    /// `lines` of a `listen` section, and the parameters of its `bind` and `server` lines.
    HaProxy { lines: &'static str, bind: &'static str, server: &'static str },
    /// `lines` of a `location`, and those of the `http` block.
    Nginx { lines: &'static str, http: &'static str },
    /// `lines` of a `reverse_proxy` block.
    Caddy { lines: &'static str },
}

use Program::{Caddy, Nginx};

pub struct Arrangement {
    pub name: &'static str,
    /// The first HAProxy that can do it.
    pub since: Version,
    pub outer: Option<Program>,
    pub proxy: Program,
    /// `--client-ip-header`.
    pub field: &'static str,
    /// swagip wants PROXY headers.
    pub proxied: bool,
    /// The proxy tells the client's port.
    pub tells_port: bool,
    /// The proxy tells the scheme.
    pub tells_scheme: bool,
}

const fn haproxy(lines: &'static str) -> Program {
    Program::HaProxy { lines, bind: "", server: "" }
}

const fn sending(lines: &'static str, server: &'static str) -> Program {
    Program::HaProxy { lines, bind: "", server }
}

const fn accepting(lines: &'static str, server: &'static str) -> Program {
    Program::HaProxy { lines, bind: "accept-proxy", server }
}

const fn by_field(name: &'static str, proxy: Program) -> Arrangement {
    let (field, since) = ("x-forwarded-for", (2, 6));
    Arrangement { name, since, outer: None, proxy, field, proxied: false, tells_port: false, tells_scheme: false }
}

const fn by_forwarded(name: &'static str, proxy: Program) -> Arrangement {
    Arrangement { field: "forwarded", tells_port: true, tells_scheme: true, ..by_field(name, proxy) }
}

const fn by_header(name: &'static str, proxy: Program) -> Arrangement {
    Arrangement { proxied: true, tells_port: true, ..by_field(name, proxy) }
}

pub const APPENDING: Arrangement = by_field("option forwardfor", haproxy("option forwardfor"));

pub const OVERWRITING: Arrangement = Arrangement {
    tells_scheme: true,
    ..by_field(
        "del-header, option forwardfor",
        haproxy(
            "http-request del-header X-Forwarded-For
             option forwardfor
             http-request set-header X-Forwarded-Proto %[ssl_fc,iif(https,http)]",
        ),
    )
};

/// Only clients that send none themselves get a line from this proxy.
pub const KEEPING: Arrangement = by_field("option forwardfor if-none", haproxy("option forwardfor if-none"));

const FORWARDED: Program = haproxy("option forwarded proto for for_port");

pub const APPENDING_FORWARDED: Arrangement = Arrangement { since: WITH_FORWARDED, ..by_forwarded("option forwarded", FORWARDED) };

pub const OVERWRITING_FORWARDED: Arrangement = Arrangement {
    since: WITH_FORWARDED,
    ..by_forwarded(
        "del-header, option forwarded",
        haproxy(
            "http-request del-header Forwarded
             option forwarded proto for for_port",
        ),
    )
};

const NGINX_APPENDING: Program = Nginx { lines: "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;", http: "" };

pub const ARRANGEMENTS: [Arrangement; 24] = [
    APPENDING,
    OVERWRITING,
    by_field("set-header X-Forwarded-For", haproxy("http-request set-header X-Forwarded-For %[src]")),
    Arrangement {
        tells_port: true,
        ..by_field(
            "set-header X-Forwarded-For, port",
            haproxy(
                "http-request set-header X-Forwarded-For %[src]:%[src_port]
                 http-request set-header X-Forwarded-For [%[src]]:%[src_port] if { src -m sub : }",
            ),
        )
    },
    Arrangement {
        field: "X-Client-IP",
        ..by_field("set-header X-Client-IP", haproxy("http-request set-header X-Client-IP %[src]"))
    },
    APPENDING_FORWARDED,
    OVERWRITING_FORWARDED,
    by_header("send-proxy", sending("", "send-proxy")),
    by_header("send-proxy-v2", sending("option forwardfor", "send-proxy-v2")),
    by_header("mode tcp, send-proxy", sending("mode tcp", "send-proxy")),
    by_header("mode tcp, send-proxy-v2, TLVs", sending("mode tcp", "send-proxy-v2 proxy-v2-options crc32c,unique-id")),
    Arrangement {
        outer: Some(haproxy("option forwardfor")),
        ..by_field("forwardfor → forwardfor", haproxy("option forwardfor"))
    },
    Arrangement {
        outer: Some(sending("mode tcp", "send-proxy")),
        ..by_field("send-proxy → forwardfor", accepting("option forwardfor", ""))
    },
    Arrangement {
        outer: Some(haproxy("option forwardfor")),
        tells_port: false,
        ..by_header("forwardfor → send-proxy-v2", sending("mode tcp", "send-proxy-v2"))
    },
    Arrangement {
        outer: Some(sending("", "send-proxy-v2")),
        ..by_header("send-proxy-v2 → send-proxy-v2", accepting("", "send-proxy-v2"))
    },
    Arrangement { since: WITH_FORWARDED, outer: Some(FORWARDED), ..by_forwarded("forwarded → forwarded", FORWARDED) },
    Arrangement {
        field: "x-real-ip",
        ..by_field("X-Real-IP", Nginx { lines: "proxy_set_header X-Real-IP $remote_addr;", http: "" })
    },
    by_field("X-Forwarded-For, added to", NGINX_APPENDING),
    Arrangement {
        tells_scheme: true,
        ..by_field(
            "X-Forwarded-For, overwritten",
            Nginx {
                lines: "proxy_set_header X-Forwarded-For $remote_addr;
                        proxy_set_header X-Forwarded-Proto $scheme;",
                http: "",
            },
        )
    },
    by_forwarded(
        "Forwarded",
        Nginx {
            lines: "proxy_set_header Forwarded 'for=\"$forwarded_for\";proto=$scheme';",
            http: "map $remote_addr $forwarded_for {
                       ~: [$remote_addr]:$remote_port;
                       default $remote_addr:$remote_port;
                   }",
        },
    ),
    Arrangement {
        outer: Some(haproxy("option forwardfor")),
        ..by_field("forwardfor → X-Forwarded-For, added to", NGINX_APPENDING)
    },
    Arrangement { tells_scheme: true, ..by_field("reverse_proxy", Caddy { lines: "" }) },
    Arrangement {
        tells_port: true,
        tells_scheme: true,
        ..by_field("reverse_proxy, port", Caddy { lines: "header_up X-Forwarded-For {http.request.remote}" })
    },
    Arrangement {
        tells_port: true,
        ..by_forwarded(
            "reverse_proxy, Forwarded",
            Caddy { lines: "header_up Forwarded `for=\"{http.request.remote}\";proto={http.request.scheme}`" },
        )
    },
];

/// How a client's connection comes in, and where it goes on to.
struct Way {
    /// `None`: every address, of both families.
    address: Option<IpAddr>,
    port: u16,
    next: SocketAddr,
}

impl Way {
    /// Through the proxy in front of swagip: IPv4 to IPv4, IPv6 to IPv6, and both to a dual-stack socket over IPv4.
    fn inner(proxied: bool) -> [Way; 3] {
        let next = |at: usize, address| SocketAddr::new(address, PORTS[at] + u16::from(proxied));
        [
            Way { address: Some(PROXY[0]), port: 80, next: next(0, SWAGIP[0]) },
            Way { address: Some(PROXY[1]), port: 80, next: next(1, SWAGIP[1]) },
            Way { address: None, port: 8080, next: next(2, SWAGIP[0]) },
        ]
    }

    /// Through the proxy in front of that one, in the same three ways.
    fn outer() -> [Way; 3] {
        [
            Way { address: Some(OUTER[0]), port: 80, next: SocketAddr::new(PROXY[0], 80) },
            Way { address: Some(OUTER[1]), port: 80, next: SocketAddr::new(PROXY[1], 80) },
            Way { address: None, port: 8081, next: SocketAddr::new(PROXY[0], 8080) },
        ]
    }
}

impl Arrangement {
    /// The name, with who stands there.
    pub fn title(&self, haproxy: Option<&HaProxy>) -> String {
        let chain: Vec<_> = [self.outer, Some(self.proxy)].iter().flatten().map(|program| program.title(haproxy)).collect();
        format!("{}: {}", chain.join(" → "), self.name)
    }

    /// Whether HAProxy has a part in it, which is played by each version there is.
    pub fn has_haproxy(&self) -> bool {
        [Some(self.proxy), self.outer].iter().flatten().any(|program| matches!(program, Program::HaProxy { .. }))
    }

    /// Starts the proxies, and tells where clients connect to: IPv4, IPv6, then both to a dual-stack socket.
    pub fn start(&self, haproxy: Option<&HaProxy>) -> (Vec<Proxy>, [SocketAddr; 4]) {
        let mut proxies = vec![self.proxy.start("inner", haproxy, &Way::inner(self.proxied))];
        let (addresses, port) = match self.outer {
            None => (PROXY, 8080),
            Some(outer) => {
                proxies.push(outer.start("outer", haproxy, &Way::outer()));
                (OUTER, 8081)
            }
        };
        let [four, six] = addresses;
        (proxies, [(four, 80), (six, 80), (four, port), (six, port)].map(SocketAddr::from))
    }
}

impl Program {
    fn title(&self, haproxy: Option<&HaProxy>) -> String {
        match (self, haproxy) {
            (Program::HaProxy { .. }, Some(HaProxy { version: (major, minor), .. })) => format!("HAProxy {major}.{minor}"),
            (Program::HaProxy { .. }, None) => "HAProxy".to_owned(),
            (Nginx { .. }, _) => "nginx".to_owned(),
            (Caddy { .. }, _) => "Caddy".to_owned(),
        }
    }

    fn start(&self, name: &str, haproxy: Option<&HaProxy>, ways: &[Way]) -> Proxy {
        let entry = SocketAddr::new(ways[0].address.unwrap_or(Ipv4Addr::LOCALHOST.into()), ways[0].port);
        match *self {
            Program::HaProxy { lines, bind, server } => {
                haproxy.unwrap().start(name, &haproxy_configuration(lines, bind, server, ways), entry)
            }
            Nginx { lines, http } => programs::nginx(&nginx_configuration(lines, http, ways), entry),
            Caddy { lines } => programs::caddy(&caddy_configuration(lines, ways), entry),
        }
    }
}

fn haproxy_configuration(lines: &str, bind: &str, server: &str, ways: &[Way]) -> String {
    let mut text =
        "defaults\nmode http\ntimeout connect 5s\ntimeout client 30s\ntimeout server 30s\nhttp-reuse always\n".to_owned();
    for (number, Way { address, port, next }) in ways.iter().enumerate() {
        let own = address.map_or(format!(":::{port} v4v6"), |address| SocketAddr::new(address, *port).to_string());
        text.push_str(&format!("listen way-{number}\nbind {own} {bind}\n{lines}\nserver swagip {next} {server}\n"));
    }
    text
}

fn nginx_configuration(lines: &str, http: &str, ways: &[Way]) -> String {
    let mut text = format!("access_log off;\n{http}");
    for Way { address, port, next } in ways {
        let own = address.map_or(format!("[::]:{port} ipv6only=off"), |address| SocketAddr::new(address, *port).to_string());
        let location = format!("proxy_http_version 1.1;\nproxy_set_header Connection '';\n{lines}\nproxy_pass http://{next};");
        text.push_str(&format!("server {{\nlisten {own};\nlocation / {{\n{location}\n}}\n}}\n"));
    }
    programs::nginx_basics(&text)
}

fn caddy_configuration(lines: &str, ways: &[Way]) -> String {
    let mut text = "{\nadmin off\nauto_https off\n}\n".to_owned();
    for Way { address, port, next } in ways {
        let own = address.map_or("tcp/::".to_owned(), |address| address.to_string());
        text.push_str(&format!("http://:{port} {{\nbind {own}\nreverse_proxy {next} {{\n{lines}\n}}\n}}\n"));
    }
    text
}
