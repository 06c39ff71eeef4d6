//! The configurations of docs/behind-a-proxy.md, as they stand there, each with the command below it.

use super::clients::{CLIENTS, Connection, REFUSED, Report, Seen};
use super::network::{self, CLIENT, PROXY};
use super::programs::{self, HaProxy, Proxy};
use std::collections::HashSet;
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const PAGE: &str = include_str!("../../docs/behind-a-proxy.md");

/// What the page promises of each of its recipes, in their order: the program, whether it tells the client's port and the scheme.
const RECIPES: [(&str, bool, bool); 10] = [
    ("HAProxy", true, true),
    ("HAProxy", false, true),
    ("HAProxy", true, false),
    ("nginx", false, true),
    ("nginx", true, true),
    ("Apache httpd", false, true),
    ("Caddy", false, true),
    ("Caddy", true, true),
    ("Traefik", false, true),
    ("Envoy", false, true),
];

/// Clients that get no answer: the proxy refuses them itself, or swagip does because the proxy sends on what they forge.
const REFUSALS: [(&str, &str); 7] = [
    ("HAProxy", REFUSED.name),
    ("nginx", REFUSED.name),
    ("Apache httpd", REFUSED.name),
    ("Caddy", REFUSED.name),
    ("Traefik", REFUSED.name),
    ("Envoy", REFUSED.name),
    ("Envoy", "Connection names the fields"),
];

/// For the proxy to close an idle connection of a second. HAProxy looks for some every 5 seconds, and closes half of them.
const PATIENCE: Duration = Duration::from_secs(60);

/// For a proxy that closes it only when it would be used again.
const EXPIRED: Duration = Duration::from_secs(3);

/// Files, then the command that starts swagip.
struct Recipe {
    section: &'static str,
    files: Vec<String>,
    command: &'static str,
}

/// All that are on the page: fenced blocks, of which one that begins with `swagip` ends a recipe.
fn recipes() -> Vec<Recipe> {
    let mut recipes = Vec::new();
    for section in PAGE.split("\n## ").skip(1) {
        let (title, text) = section.split_once('\n').unwrap();
        let mut files = Vec::new();
        // Behind every second fence there is a block: its language, and its lines.
        for block in text.split("```").skip(1).step_by(2) {
            let (language, lines) = block.split_once('\n').unwrap();
            match language {
                "sh" => recipes.push(Recipe { section: title, files: std::mem::take(&mut files), command: lines.trim_end() }),
                _ => files.push(lines.to_owned()),
            }
        }
        assert_eq!(files, [""; 0], "{title} has a file without a command");
    }
    recipes
}

/// One of the page's recipes by its place there.
macro_rules! recipes {
    ($($name:ident: $index:literal;)*) => {
        $(#[test]
        fn $name() {
            network::alone(concat!("recipes::", stringify!($name)), || follow($index));
        })*
        const TESTED: &[usize] = &[$($index),*];
    };
}

recipes! {
    haproxy_forwarded: 0;
    haproxy_x_forwarded_for: 1;
    haproxy_proxy_protocol: 2;
    nginx_x_forwarded_for: 3;
    nginx_forwarded: 4;
    apache: 5;
    caddy: 6;
    caddy_with_the_port: 7;
    traefik: 8;
    envoy: 9;
}

#[test]
fn every_recipe_is_tested() {
    let sections: Vec<_> = recipes().iter().map(|recipe| recipe.section).collect();
    assert_eq!(sections, RECIPES.map(|(program, ..)| program));
    assert_eq!(TESTED, (0..RECIPES.len()).collect::<Vec<_>>());
}

/// Starts both programs, and looks at all that the page promises.
fn follow(index: usize) {
    let recipe = &recipes()[index];
    let (_, tells_port, tells_scheme) = RECIPES[index];
    let _swagip = Swagip::start(recipe.command);
    let proxy = recipe.start(|text| text.to_owned());
    for (address, proxy) in CLIENT.into_iter().zip(PROXY) {
        let entry = SocketAddr::new(proxy, 80);
        for client in &CLIENTS {
            let what = format!("{}, {}, {address}", recipe.section, client.name);
            let Report { seen, port, scheme, explained } = client.ask(address, entry);
            if seen == Seen::Refused && REFUSALS.contains(&(recipe.section, client.name)) {
                continue;
            }
            let expected = Seen::As { address, port: tells_port.then_some(port) };
            assert_eq!(seen, expected, "{what}\n{explained}");
            if tells_scheme {
                assert_eq!(scheme.as_deref(), Some("http"), "{what}\n{explained}");
            }
        }
        check_host(entry);
    }
    drop(proxy);

    // The same, but for how long a connection may be idle.
    let _proxy = recipe.start(|text| text.replace("60s", "1s").replace("ttl=60", "ttl=1"));
    check_idle(recipe, SocketAddr::new(PROXY[0], 80));
}

/// The Host that the client asked for comes through, with its port, and so into the page's commands.
fn check_host(entry: SocketAddr) {
    let get = |target: &str| {
        let mut stream = TcpStream::connect(entry).unwrap();
        let request = format!("GET {target} HTTP/1.1\r\nHost: ip.example.org:8081\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    assert!(get("/host").ends_with("\r\n\r\nip.example.org:8081\n"), "{}", get("/host"));
    assert!(get("/?format=html").contains("ip.example.org:8081/host<"), "{}", get("/?format=html"));
}

/// Checks that a connection to swagip which was idle for too long is not used again: nothing is sent to one that swagip closes.
fn check_idle(recipe: &Recipe, entry: SocketAddr) {
    let ask = || assert!(Connection::open(CLIENT[0], entry).serves());
    let began = Instant::now();
    let mut kept = HashSet::new();
    // Where each client has its own connection to swagip, it ends with the client's.
    while kept.is_empty() && !recipe.files[0].contains("mode tcp") {
        assert!(began.elapsed() < PATIENCE, "{} keeps no connection for the next request", recipe.section);
        ask();
        kept = connections();
    }
    // httpd closes it only when it would use it again.
    if recipe.section == "Apache httpd" {
        thread::sleep(EXPIRED);
        ask();
        return assert!(!connections().is_subset(&kept), "httpd uses a connection that was idle for too long");
    }
    while !connections().is_disjoint(&kept) {
        assert!(began.elapsed() < PATIENCE, "{} keeps a connection that was idle for too long", recipe.section);
        thread::sleep(Duration::from_millis(100));
    }
}

/// The proxy's ports of its open connections to swagip.
fn connections() -> HashSet<u16> {
    // As the kernel writes 10.0.0.80:8080, and the state ESTABLISHED.
    let swagip = format!("{:08X}:1F90", u32::from_ne_bytes([10, 0, 0, 80]));
    let port = |line: &str| {
        let [_, local, remote, state, ..] = line.split_whitespace().collect::<Vec<_>>()[..] else { return None };
        let is_wanted = remote == swagip && state == "01";
        is_wanted.then(|| u16::from_str_radix(local.rsplit(':').next().unwrap(), 16).unwrap())
    };
    fs::read_to_string("/proc/net/tcp").unwrap().lines().filter_map(port).collect()
}

impl Recipe {
    /// Starts the proxy with the recipe's files, changed, and waits until it listens.
    fn start(&self, change: impl Fn(&str) -> String) -> Proxy {
        let entry = SocketAddr::new(PROXY[0], 80);
        let files: Vec<String> = self.files.iter().map(|file| change(file)).collect();
        let [first, rest @ ..] = &files[..] else { panic!("{} has no file", self.section) };
        let proxy = match self.section {
            "HAProxy" => {
                let all = HaProxy::all();
                // The newest, which can do all that the page says.
                all.last().unwrap().start("recipe", first, entry)
            }
            "nginx" => programs::nginx(&with_base_of_nginx(first), entry),
            "Apache httpd" => programs::apache(&with_base_of_apache(first), entry),
            "Caddy" => programs::caddy(first, entry),
            "Traefik" => programs::traefik(first, &rest[0], entry),
            "Envoy" => programs::envoy(first, entry),
            program => panic!("nobody knows how {program} is started"),
        };
        // Traefik listens before it knows where to send what.
        let began = Instant::now();
        while !Connection::open(CLIENT[0], entry).serves() {
            assert!(began.elapsed() < Duration::from_secs(20), "{} does not find swagip", self.section);
            thread::sleep(Duration::from_millis(20));
        }
        proxy
    }
}

/// Around a file of `conf.d`, what `nginx.conf` has.
fn with_base_of_nginx(file: &str) -> String {
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(|name| format!("{name}_temp_path {name};\n"));
    format!(
        "user root; daemon off; master_process off; pid nginx.pid;\nevents {{ }}\nhttp {{\naccess_log off;\n{}\n{file}\n}}\n",
        temporary.concat()
    )
}

/// Around a site, what Debian's `apache2.conf` and `a2enmod proxy_http headers` have.
fn with_base_of_apache(file: &str) -> String {
    let folder = ["/usr/lib/apache2/modules", "/usr/lib64/httpd/modules"].into_iter().find(|folder| Path::new(folder).exists());
    let modules = Path::new(folder.expect("NOT RUN: Apache httpd has no modules here"));
    // Some distributions build one or the other in.
    let names = ["mpm_event", "unixd", "authz_core", "headers", "proxy", "proxy_http"];
    let found = names.map(|name| (name, modules.join(format!("mod_{name}.so")))).into_iter().filter(|(_, file)| file.exists());
    let load: String = found.map(|(name, file)| format!("LoadModule {name}_module {}\n", file.display())).collect();
    let root = network::scratch();
    let root = root.display();
    format!(
        "ServerRoot {root}\nPidFile {root}/apache.pid\nErrorLog {root}/apache.log\nServerName localhost\nListen 80\n{load}{file}"
    )
}

/// The program itself, as a recipe starts it.
struct Swagip(Child);

impl Swagip {
    fn start(command: &str) -> Swagip {
        let mut words = command.split(' ');
        assert_eq!(words.next(), Some("swagip"), "{command}");
        let mut program = Command::new(env!("CARGO_BIN_EXE_swagip"));
        program.args(words).env_clear().env("SWAGIP_EXPLAIN", "on").stdin(Stdio::null()).stdout(Stdio::null());
        let swagip = Swagip(program.spawn().unwrap());
        let began = Instant::now();
        while TcpStream::connect("10.0.0.80:8080").is_err() {
            assert!(began.elapsed() < Duration::from_secs(20), "{command} does not listen");
            thread::sleep(Duration::from_millis(20));
        }
        swagip
    }
}

impl Drop for Swagip {
    fn drop(&mut self) {
        // It fails only where the child has ended by itself.
        let _ = self.0.kill();
        self.0.wait().unwrap();
    }
}
