//! One address, or fifty, that want all the room there is: what becomes of the others.

use crate::attack::{self, ATTACKS, Attack, Family};
use crate::process::Process;
use std::env;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const ASK: &[u8] = b"GET /ip HTTP/1.1\r\nHost: a\r\n\r\n";

/// Addresses of honest clients, with a connection each.
const HONEST: u16 = 20;

/// Between two requests of a client.
const PACE: Duration = Duration::from_millis(500);

/// A request that has no answer by then is lost.
const LOST: Duration = Duration::from_secs(5);

/// What became of honest requests.
#[derive(Default)]
struct Tally {
    asked: usize,
    lost: usize,
    times: Vec<Duration>,
}

impl Tally {
    fn note(&mut self, began: Instant, outcome: &io::Result<()>) {
        self.asked += 1;
        match outcome {
            Ok(()) => self.times.push(began.elapsed()),
            Err(_) => self.lost += 1,
        }
    }

    fn merge(mut self, other: Tally) -> Tally {
        self.asked += other.asked;
        self.lost += other.lost;
        self.times.extend(other.times);
        self
    }

    /// The time within which this percentage of the answers came.
    fn within(&self, percent: usize) -> Duration {
        let mut times = self.times.clone();
        times.sort_unstable();
        times.get((times.len() * percent / 100).min(times.len().saturating_sub(1))).copied().unwrap_or_default()
    }
}

fn ask(stream: &mut TcpStream) -> io::Result<()> {
    stream.write_all(ASK)?;
    let mut answer = [0; 1024];
    let length = stream.read(&mut answer)?;
    if answer[..length].starts_with(b"HTTP/1.1 200 ") { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

fn connect(server: SocketAddr, family: Family, group: u8, number: u16) -> io::Result<TcpStream> {
    let stream = attack::connect(server, family.origin(group, number, 0))?;
    stream.set_read_timeout(Some(LOST))?;
    Ok(stream)
}

/// Keeps a connection and asks at a steady pace; reconnects if cut off.
fn regular(server: SocketAddr, family: Family, number: u16, is_over: &AtomicBool) -> Tally {
    let mut tally = Tally::default();
    let mut stream = None;
    while !is_over.load(Ordering::Relaxed) {
        let began = Instant::now();
        let outcome = match stream.take() {
            Some(stream) => Ok(stream),
            None => connect(server, family, 1, number),
        };
        let outcome = outcome.and_then(|mut connection| {
            ask(&mut connection)?;
            stream = Some(connection);
            Ok(())
        });
        tally.note(began, &outcome);
        thread::sleep(PACE.saturating_sub(began.elapsed()));
    }
    tally
}

/// Comes from another address each time.
fn newcomers(server: SocketAddr, family: Family, is_over: &AtomicBool) -> Tally {
    let mut tally = Tally::default();
    while !is_over.load(Ordering::Relaxed) {
        let began = Instant::now();
        let outcome = connect(server, family, 2, tally.asked as u16 % 1000).and_then(|mut stream| ask(&mut stream));
        tally.note(began, &outcome);
        thread::sleep(Duration::from_millis(50).saturating_sub(began.elapsed()));
    }
    tally
}

/// How long each attack goes on. In two seconds the table is turned over several times, and what is wrong shows; 30 are the full form.
fn seconds() -> Duration {
    Duration::from_secs(env::var("ABUSE_SECONDS").map_or(2, |seconds| seconds.parse().unwrap()))
}

fn start(family: Family) -> Process {
    let options: &[&str] = match family {
        Family::Peers => &["--listen", "127.0.0.1:0"],
        Family::Named4 | Family::Named6 => &["--listen-proxy", "127.0.0.1:0", "--trusted-proxy", "127.0.0.1"],
    };
    Process::start_at(&[options, &["--threads", "2", "--max-connections", "200"]].concat())
}

/// The regular clients' requests, and the newcomers'.
fn try_it(attack: &Attack, family: Family, addresses: u16) -> [Tally; 2] {
    let server = start(family);
    let is_over = &AtomicBool::new(false);
    thread::scope(|scope| {
        let regulars: Vec<_> = (0..HONEST)
            .map(|number| {
                thread::sleep(PACE / u32::from(HONEST));
                scope.spawn(move || regular(server.address, family, number, is_over))
            })
            .collect();
        scope.spawn(move || attack.run(server.address, family, addresses, is_over));
        let newcomers = scope.spawn(move || newcomers(server.address, family, is_over));
        thread::sleep(seconds());
        is_over.store(true, Ordering::Relaxed);
        let regulars = regulars.into_iter().map(|thread| thread.join().unwrap()).reduce(Tally::merge).unwrap();
        [regulars, newcomers.join().unwrap()]
    })
}

/// Some milliseconds on a machine that does nothing else; this one runs other tests meanwhile.
const SOON: Duration = Duration::from_millis(250);

/// This percentage of new clients is answered soon, whatever else this machine does.
const SOON_PERCENT: usize = 90;

/// Nobody loses anything to one address, and next to nothing to fifty.
fn check(family: Family, addresses: u16, lost_percent_max: usize) {
    crate::raise_descriptor_limit();
    let mut wrong = Vec::new();
    // Who it is counts the same for all of them.
    let attacks = ATTACKS.iter().filter(|attack| family == Family::Peers || attack.parts.len() > 1);
    for attack in attacks {
        let [regulars, newcomers] = try_it(attack, family, addresses);
        let line = format!(
            "{family:?}, {addresses} addresses, {}: lost {} of {}, {} of {} new ones; these answered within {:.1?}, {SOON_PERCENT} % \
             within {:.1?}",
            attack.name,
            regulars.lost,
            regulars.asked,
            newcomers.lost,
            newcomers.asked,
            newcomers.within(100),
            newcomers.within(SOON_PERCENT),
        );
        println!("{line}");
        let is_lost = |tally: &Tally| tally.lost * 100 > lost_percent_max * tally.asked;
        if is_lost(&regulars) || is_lost(&newcomers) || newcomers.within(SOON_PERCENT) > SOON {
            wrong.push(line);
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn one_address_keeps_nobody_out() {
    check(Family::Peers, 1, 0);
}

#[test]
fn fifty_addresses_keep_next_to_nobody_out() {
    check(Family::Peers, 50, 5);
}

#[test]
fn one_client_of_a_proxy_keeps_nobody_out() {
    check(Family::Named4, 1, 0);
}

#[test]
fn fifty_clients_of_a_proxy_keep_next_to_nobody_out() {
    check(Family::Named4, 50, 5);
}

#[test]
fn one_network_of_ipv6_keeps_nobody_out() {
    check(Family::Named6, 1, 0);
}

#[test]
fn fifty_networks_of_ipv6_keep_next_to_nobody_out() {
    check(Family::Named6, 50, 5);
}
