//! `swagip healthcheck`: asks `/ready` as a load balancer would, for containers that have neither shell nor curl.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};
use swagip::net::{Listen, ListenerKind};

/// For the whole exchange, however slow. Docker gives a check 30 s by default, Kubernetes 1 s: an exec probe needs `timeoutSeconds: 3`.
const TIME_MAX: Duration = Duration::from_secs(2);

/// The answer is one word and its head.
const ANSWER_MAX: usize = 4096;

const QUESTION: &[u8] = b"GET /ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

/// PROXY protocol v2, LOCAL: this connection is the sender's own, and relays no client.
const LOCAL: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00";

/// Asks the server that has `listener`.
///
/// # Errors
/// One line that says why it is not ready, or why nobody knows.
pub(crate) fn ask(listener: &Listen) -> Result<(), String> {
    let deadline = Instant::now() + TIME_MAX;
    let mut outcome = Ok(());
    for address in candidates(listener.address) {
        match connect(address, deadline) {
            Ok(stream) => {
                let answer = converse(stream, address, listener.kind == ListenerKind::Proxy, deadline);
                return judge(&answer.map_err(|error| explain(address, &error))?, address);
            }
            Err(error) => outcome = Err(explain(address, &error)),
        }
    }
    outcome
}

/// The answer. If the server closes without one, this may be a PROXY listener that the options here don't name: it is asked again as
/// one.
fn converse(stream: TcpStream, address: SocketAddr, proxy: bool, deadline: Instant) -> io::Result<Vec<u8>> {
    if !proxy {
        let answer = exchange(stream, QUESTION, deadline)?;
        return if answer.is_empty() { converse(connect(address, deadline)?, address, true, deadline) } else { Ok(answer) };
    }
    exchange(stream, &[LOCAL, QUESTION].concat(), deadline)
}

/// Where a listener is reached from this machine: a wildcard at the loopback address of its family, `[::]` at IPv4's too, where
/// IPv6 is off.
fn candidates(address: SocketAddr) -> Vec<SocketAddr> {
    let (v4, v6) = (IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST));
    let ips = match address.ip() {
        ip if !ip.is_unspecified() => return vec![address],
        IpAddr::V4(_) => vec![v4],
        IpAddr::V6(_) => vec![v6, v4],
    };
    ips.into_iter().map(|ip| SocketAddr::new(ip, address.port())).collect()
}

fn connect(address: SocketAddr, deadline: Instant) -> io::Result<TcpStream> {
    TcpStream::connect_timeout(&address, left(deadline)?)
}

/// Sends, and receives until the server closes; nothing where it closes at once.
fn exchange(mut stream: TcpStream, question: &[u8], deadline: Instant) -> io::Result<Vec<u8>> {
    stream.set_write_timeout(Some(left(deadline)?))?;
    stream.write_all(question)?;
    let mut answer = Vec::new();
    let mut buffer = [0; 1024];
    while answer.len() < ANSWER_MAX {
        stream.set_read_timeout(Some(left(deadline)?))?;
        match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => answer.extend_from_slice(&buffer[..length]),
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset && answer.is_empty() => break,
            Err(error) => return Err(error),
        }
    }
    Ok(answer)
}

fn left(deadline: Instant) -> io::Result<Duration> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
}

fn explain(address: SocketAddr, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => format!("{address}: connection refused: nothing is listening"),
        // A socket's timeout ends a call with EAGAIN.
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => format!("{address}: no answer within {TIME_MAX:?}"),
        _ => format!("{address}: {error}"),
    }
}

fn judge(answer: &[u8], address: SocketAddr) -> Result<(), String> {
    if answer.starts_with(b"HTTP/1.1 200 ") {
        return Ok(());
    }
    if answer.is_empty() {
        return Err(format!(
            "{address} closed the connection without an answer: a PROXY listener answers loopback addresses and trusted proxies only"
        ));
    }
    let answer = String::from_utf8_lossy(answer);
    let (head, content) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    Err(format!("{address} answers {:?}, {:?}", head.lines().next().unwrap_or_default(), content.trim_end()))
}
