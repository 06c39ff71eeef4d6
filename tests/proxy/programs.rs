//! The proxies: which there are on this machine, and one of them as a child process.

use super::network;
use std::fs::{self, File};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Debian's `haproxy` and `nginx` are not on every user's PATH.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Where `tests/proxy/prepare` puts programs that no distribution has.
fn prepared(program: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("proxies/bin").join(program)
}

/// An image with a newer HAProxy than the distribution's, if there is Docker.
const IMAGE: &str = "haproxy:3.2";

/// Unpacks the image's file system, only once.
const UNPACK: &str = r#"
set -e
exec 9>"$2.lock"
flock 9
[ ! -e "$2" ] || exit 0
rm -rf "$2.part"; mkdir -p "$2.part"
id=$(docker create "$1")
docker export "$id" | tar -x -C "$2.part"
docker rm "$id" >/dev/null
mv "$2.part" "$2"
"#;

/// The first version with `option forwarded`.
pub const WITH_FORWARDED: Version = (2, 8);

pub type Version = (u32, u32);

#[derive(Clone, Debug)]
pub struct HaProxy {
    pub version: Version,
    binary: PathBuf,
    /// The file system that it runs in, where that is not the machine's.
    root: Option<PathBuf>,
}

impl HaProxy {
    /// Those to test with: `$SWAGIP_TEST_HAPROXY`, the distribution's, and, as long as neither has `option forwarded`, the image's
    /// or the one that was prepared.
    pub fn all() -> Vec<HaProxy> {
        let named = std::env::var_os("SWAGIP_TEST_HAPROXY").map(PathBuf::from);
        let binaries = named.into_iter().chain([PathBuf::from("haproxy")]);
        let mut found: Vec<_> = binaries.filter_map(|binary| HaProxy::at(binary, None)).collect();
        if found.iter().all(|haproxy| haproxy.version < WITH_FORWARDED) {
            let newer = HaProxy::of_image().or_else(|| HaProxy::at(prepared("haproxy"), None));
            found.push(
                newer.expect(
                    "NOT RUN: HAProxy 2.8 or later is needed: run tests/proxy/prepare, or name one by SWAGIP_TEST_HAPROXY",
                ),
            );
        }
        found.sort_by_key(|haproxy| haproxy.version);
        found.dedup_by_key(|haproxy| haproxy.version);
        found
    }

    fn of_image() -> Option<HaProxy> {
        let root = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("haproxy-3.2");
        let mut unpack = Command::new("sh");
        unpack.args(["-c", UNPACK, "sh", IMAGE]).arg(&root).stdout(Stdio::null()).stderr(Stdio::null());
        if unpack.status().unwrap().success() { HaProxy::at("haproxy".into(), Some(root)) } else { None }
    }

    fn at(binary: PathBuf, root: Option<PathBuf>) -> Option<HaProxy> {
        let mut haproxy = HaProxy { version: (0, 0), binary, root };
        let output = haproxy.command().arg("-v").output().ok().filter(|output| output.status.success())?;
        // HAProxy version 2.6.12-1+deb12u4 2026/10/17 - https://haproxy.org/
        let text = String::from_utf8(output.stdout).unwrap();
        let mut numbers = text.split_whitespace().nth(2)?.split('.').map(str::parse);
        haproxy.version = (numbers.next()?.ok()?, numbers.next()?.ok()?);
        Some(haproxy)
    }

    fn command(&self) -> Command {
        let mut command = match &self.root {
            Some(root) => {
                let mut command = Command::new("chroot");
                command.arg(root).arg(&self.binary);
                command
            }
            None => Command::new(&self.binary),
        };
        command.env("PATH", PATH);
        command
    }

    /// Starts it, and waits until it listens at `entry`.
    pub fn start(&self, name: &str, configuration: &str, entry: SocketAddr) -> Proxy {
        let folder = network::scratch();
        let name = format!("{name}.cfg");
        let (seen, file) = match &self.root {
            Some(root) => {
                let name = format!("tmp/{}-{name}", folder.file_name().unwrap().display());
                (Path::new("/").join(&name), root.join(name))
            }
            None => (folder.join(&name), folder.join(&name)),
        };
        fs::write(&file, configuration).unwrap();
        let mut command = self.command();
        Proxy::start(command.args(["-db", "-f"]).arg(seen), file, entry)
    }
}

/// A whole configuration around the lines of nginx's `http` block: one process, with its files in this test's folder.
pub fn nginx_basics(http: &str) -> String {
    let mut text = "user root; daemon off; master_process off; pid nginx.pid;\nevents { }\nhttp {\n".to_owned();
    for name in ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"] {
        text.push_str(&format!("{name}_temp_path {name};\n"));
    }
    text + http + "}\n"
}

/// Starts nginx, and waits until it listens at `entry`.
pub fn nginx(configuration: &str, entry: SocketAddr) -> Proxy {
    let folder = network::scratch();
    let file = folder.join("nginx.conf");
    fs::write(&file, configuration).unwrap();
    let mut command = Command::new("nginx");
    command.env("PATH", PATH).args(["-e", "stderr", "-p"]).arg(folder).arg("-c").arg(&file);
    Proxy::start(&mut command, file, entry)
}

/// Starts Caddy, and waits until it listens at `entry`.
pub fn caddy(configuration: &str, entry: SocketAddr) -> Proxy {
    let folder = network::scratch();
    let file = folder.join("Caddyfile");
    fs::write(&file, configuration).unwrap();
    let mut command = Command::new("caddy");
    command.env("XDG_CONFIG_HOME", &folder).env("XDG_DATA_HOME", &folder);
    Proxy::start(command.args(["run", "--adapter", "caddyfile", "--config"]).arg(&file), file, entry)
}

/// Starts Apache httpd as a single process, and waits until it listens at `entry`.
pub fn apache(configuration: &str, entry: SocketAddr) -> Proxy {
    let file = network::scratch().join("apache.conf");
    fs::write(&file, configuration).unwrap();
    let has = |name: &str| PATH.split(':').any(|folder| Path::new(folder).join(name).exists());
    let mut command = Command::new(if has("httpd") { "httpd" } else { "apache2" });
    Proxy::start(command.env("PATH", PATH).args(["-X", "-f"]).arg(&file), file, entry)
}

/// Starts Traefik with these files of `/etc/traefik`, and waits until it listens at `entry`.
pub fn traefik(configuration: &str, routes: &str, entry: SocketAddr) -> Proxy {
    let folder = network::scratch();
    let file = folder.join("traefik.yml");
    fs::write(&file, configuration.replace("/etc/traefik", folder.to_str().unwrap())).unwrap();
    fs::write(folder.join("swagip.yml"), routes).unwrap();
    Proxy::start(Command::new(prepared("traefik")).arg("--configFile").arg(&file), file, entry)
}

/// Starts Envoy, and waits until it listens at `entry`.
pub fn envoy(configuration: &str, entry: SocketAddr) -> Proxy {
    let file = network::scratch().join("envoy.yaml");
    fs::write(&file, configuration).unwrap();
    Proxy::start(Command::new(prepared("envoy")).args(["--use-dynamic-base-id", "-c"]).arg(&file), file, entry)
}

/// A proxy that is ended when it is dropped.
pub struct Proxy {
    child: Child,
    configuration: PathBuf,
}

impl Proxy {
    fn start(command: &mut Command, configuration: PathBuf, entry: SocketAddr) -> Proxy {
        let log = configuration.with_extension("log");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(&log).unwrap());
        let program = command.get_program().to_owned();
        let child = command.spawn().unwrap_or_else(|error| panic!("NOT RUN: {}: {error}", program.display()));
        let mut proxy = Proxy { child, configuration };
        let began = Instant::now();
        while TcpStream::connect(entry).is_err() {
            let ended = proxy.child.try_wait().unwrap();
            if ended.is_some() || began.elapsed() > Duration::from_secs(20) {
                let (text, log) = (fs::read_to_string(&proxy.configuration).unwrap(), fs::read(&log).unwrap());
                panic!("{program:?} does not listen at {entry}: {ended:?}\n{text}\n{}", String::from_utf8_lossy(&log));
            }
            thread::sleep(Duration::from_millis(20));
        }
        proxy
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // It fails only where the child has ended by itself.
        let _ = self.child.kill();
        self.child.wait().unwrap();
        fs::remove_file(&self.configuration).unwrap();
    }
}
