//! HAProxy's health checks on a PROXY listener: they are answered, and a server that is up stays up.

use super::network::{self, PROXY, SWAGIP};
use super::programs::HaProxy;
use super::{PROXIES, swagip};
use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

/// A check speaks for HAProxy itself and is told HAProxy's own address, or fails. In version 2 it is a `LOCAL`; version 1 has none,
/// so HAProxy names itself.
const CONFIGURATION: &str = r"
    defaults
        mode http
        timeout connect 5s
        timeout client 5s
        timeout server 5s
        option httpchk
        default-server inter 50ms fastinter 50ms fall 1 rise 1

    listen statistics
        bind 10.0.0.1:8404
        stats enable
        stats uri /

    backend version-1
        http-check send meth GET uri /ready ver HTTP/1.1 hdr Host a
        server swagip 10.0.0.80:81 send-proxy check check-send-proxy

    backend version-1-address
        http-check send meth GET uri /ip ver HTTP/1.1 hdr Host a
        http-check expect rstring ^10\.0\.0\.1$
        server swagip 10.0.0.80:81 send-proxy check check-send-proxy

    backend version-2
        http-check send meth GET uri /ready ver HTTP/1.1 hdr Host a
        server swagip 10.0.0.80:81 send-proxy-v2 check check-send-proxy

    backend version-2-address
        http-check send meth GET uri /ip ver HTTP/1.1 hdr Host a
        http-check expect rstring ^10\.0\.0\.1$
        server swagip 10.0.0.80:81 send-proxy-v2 check check-send-proxy

    backend version-2-address-ipv6
        http-check send meth GET uri /ip ver HTTP/1.1 hdr Host a
        http-check expect rstring ^2001:db8:a::1$
        server swagip [2001:db8:a::80]:81 send-proxy-v2 check check-send-proxy

    backend implied
        http-check send meth GET uri /ready ver HTTP/1.1 hdr Host a
        server swagip 10.0.0.80:81 send-proxy-v2 check
";

#[test]
fn checks_keep_the_server_up() {
    network::alone("checks::checks_keep_the_server_up", || {
        for haproxy in HaProxy::all() {
            let swagip = swagip(PROXIES, "x-forwarded-for");
            let entry = SocketAddr::new(PROXY[0], 8404);
            let _proxy = haproxy.start("checks", CONFIGURATION, entry);
            let servers = settled(entry);
            assert_eq!(servers.len(), CONFIGURATION.matches("server swagip").count());
            // Some twenty checks more.
            thread::sleep(Duration::from_secs(1));
            for server in statistics(entry) {
                let shown = ["pxname", "status", "check_status", "chkfail", "chkdown"].map(|name| server[name].as_str());
                // HAProxy puts "* " before the last result while the next check is under way.
                let [_, status, check, failed, down] = shown;
                let check = check.trim_start_matches("* ");
                assert_eq!([status, check, failed, down], ["UP", "L7OK", "0", "0"], "{shown:?}, {haproxy:?}");
            }
            // And that one would go down.
            drop(swagip);
            let began = Instant::now();
            while statistics(entry).iter().any(|server| server["status"] != "DOWN") {
                assert!(began.elapsed() < Duration::from_secs(10), "{SWAGIP:?} is gone");
                thread::sleep(Duration::from_millis(50));
            }
        }
    });
}

/// The servers, once each of them has been checked.
fn settled(entry: SocketAddr) -> Vec<HashMap<String, String>> {
    let began = Instant::now();
    loop {
        let servers = statistics(entry);
        let is_settled = |server: &HashMap<_, String>| !matches!(server["check_status"].as_str(), "" | "INI");
        if servers.iter().all(is_settled) || began.elapsed() > Duration::from_secs(10) {
            return servers;
        }
        thread::sleep(Duration::from_millis(50));
    }
}

/// HAProxy's own account of each server.
fn statistics(entry: SocketAddr) -> Vec<HashMap<String, String>> {
    let mut stream = TcpStream::connect(entry).unwrap();
    stream.write_all(b"GET /;csv HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (_, table) = answer.split_once("# ").unwrap();
    let mut lines = table.lines().map(|line| line.split(',').map(str::to_owned));
    let names: Vec<_> = lines.next().unwrap().collect();
    let rows = lines.map(|values| names.iter().cloned().zip(values).collect::<HashMap<_, _>>());
    rows.filter(|row| row.get("svname").is_some_and(|name| name == "swagip")).collect()
}
