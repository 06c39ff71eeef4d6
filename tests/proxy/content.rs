//! Content behind a proxy. nginx and HAProxy pass content on while swagip has answered already, and take a connection that is
//! reset meanwhile for a dead server.

use super::deployment;
use super::network::{self, CLIENT, PROXY, SWAGIP};
use super::programs::{self, nginx_basics};
use super::support::{Answer, TestServer};
use socket2::{Domain, Socket, Type};
use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;
use swagip::net::Listen;

/// nginx as one installs it, but that it keeps connections to its servers and takes large content. Its defaults are what matters:
/// after one failure (`max_fails=1`) a server is left out for 10 seconds.
const NGINX: &str = r#"
    access_log off;
    upstream web {
        server 10.0.0.80:9001;
        server 10.0.0.80:9002;
        keepalive 16;
    }
    server {
        listen 10.0.0.1:80;
        client_max_body_size 100m;
        location / {
            proxy_pass http://web;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
        }
    }
"#;

const SIZES: [usize; 5] = [100_000, 400_000, 1_000_000, 5_000_000, 20_000_000];

/// How often each is sent.
const TIMES: usize = 10;

/// Longer than swagip waits for content, which is 2 seconds.
const SLOWLY: Duration = Duration::from_millis(2600);

/// How a client says how long its content is.
#[derive(Clone, Copy, Debug)]
enum Framing {
    Length,
    Chunked,
}

/// Two replicas, where the proxies look for them.
fn replicas() -> [TestServer; 2] {
    deployment::PORTS.map(|port| {
        TestServer::with(|settings| {
            let address = SocketAddr::new(SWAGIP[0], port);
            settings.listeners = vec![Listen { address, ..settings.listeners[0] }];
        })
    })
}

#[test]
fn large_content_behind_nginx() {
    network::alone("content::large_content_behind_nginx", || {
        let _replicas = replicas();
        let entry = SocketAddr::new(PROXY[0], 80);
        let _proxy = programs::nginx(&nginx_basics(NGINX), entry);
        large("nginx", entry);
        slow("nginx", entry);
    });
}

#[test]
fn large_content_behind_the_haproxy_of_the_deployment() {
    network::alone("content::large_content_behind_the_haproxy_of_the_deployment", || {
        let _replicas = replicas();
        let _proxy = deployment::haproxy(deployment::ENTRY);
        large("HAProxy", deployment::ENTRY);
        slow("HAProxy", deployment::ENTRY);
    });
}

/// Content of all sizes in all ways; a plain request after each shows that no replica was given up.
fn large(proxy: &str, entry: SocketAddr) {
    for size in SIZES {
        for framing in [Framing::Length, Framing::Chunked] {
            for (method, status) in [("GET", 200), ("POST", 405)] {
                for time in 0..TIMES {
                    let name = format!("{proxy}: {method}, {size} bytes, {framing:?}, {time}");
                    assert_eq!(send(entry, method, framing, size, Duration::ZERO).unwrap(), status, "{name}");
                    assert_eq!(plain(entry), 200, "after {name}");
                }
            }
        }
    }
}

/// Content of all sizes that arrives slowly, at the same time.
fn slow(proxy: &str, entry: SocketAddr) {
    thread::scope(|scope| {
        for size in [1_000, 20_000, 60_000].into_iter().chain(SIZES) {
            for framing in [Framing::Length, Framing::Chunked] {
                for (method, status) in [("GET", 200), ("POST", 405)] {
                    scope.spawn(move || {
                        let name = format!("{proxy}: {method}, {size} bytes, {framing:?}, slowly");
                        assert_eq!(send(entry, method, framing, size, SLOWLY).unwrap(), status, "{name}");
                        assert_eq!(plain(entry), 200, "after {name}");
                    });
                }
            }
        }
    });
}

/// Sends all of a request, if need be slowly, then reads, as simple clients do. The answer's status.
///
/// # Errors
/// No answer is left to be read.
fn send(entry: SocketAddr, method: &str, framing: Framing, size: usize, slowly: Duration) -> io::Result<u16> {
    let mut stream = connect(CLIENT[0], entry)?;
    let field = match framing {
        Framing::Length => format!("Content-Length: {size}"),
        Framing::Chunked => "Transfer-Encoding: chunked".to_owned(),
    };
    stream.write_all(format!("{method} / HTTP/1.1\r\nHost: a\r\n{field}\r\n\r\n").as_bytes())?;
    let piece = vec![b'x'; size / 20];
    for _ in 0..20 {
        thread::sleep(slowly / 20);
        // Whoever answered may have stopped reading; what counts is whether the answer is there.
        let sent = match framing {
            Framing::Length => stream.write_all(&piece),
            Framing::Chunked => stream
                .write_all(format!("{:x}\r\n", piece.len()).as_bytes())
                .and_then(|()| stream.write_all(&[&piece[..], b"\r\n"].concat())),
        };
        if sent.is_err() {
            break;
        }
    }
    if matches!(framing, Framing::Chunked) {
        let _ = stream.write_all(b"0\r\n\r\n");
    }
    status(stream)
}

/// The status of a request without content, on a connection of its own.
fn plain(entry: SocketAddr) -> u16 {
    let mut stream = connect(CLIENT[0], entry).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
    status(stream).unwrap()
}

fn connect(source: IpAddr, entry: SocketAddr) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(entry), Type::STREAM, None)?;
    socket.bind(&SocketAddr::new(source, 0).into())?;
    socket.connect(&entry.into())?;
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    Ok(stream)
}

/// Reads a head to its end.
fn status(mut stream: TcpStream) -> io::Result<u16> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    while !bytes.windows(4).any(|window| window == b"\r\n\r\n") {
        match stream.read(&mut buffer)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            length => bytes.extend_from_slice(&buffer[..length]),
        }
    }
    Ok(Answer::head(&bytes).0.status)
}
