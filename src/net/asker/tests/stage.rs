//! The asker in this thread, its resolver, and the hands of its clock.

use crate::net::asker::NetAsker;
use crate::net::deadlines::Millis;
use crate::net::queries::{Queries, Ticket};
use crate::net::sources::PerClient;
use crate::resource::{Question, Reply};
use mio::{Events, Poll};
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What real time a test may take to see what it waits for.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A datagram that the asker sent, and where it came from.
pub struct Asked {
    pub bytes: Vec<u8>,
    pub from: SocketAddr,
}

impl Asked {
    pub fn id(&self) -> [u8; 2] {
        [self.bytes[0], self.bytes[1]]
    }

    /// The reply to it with these flags and records: of each the owner, the kind and the data.
    pub fn reply(&self, flags: u16, records: &[(&str, u16, Vec<u8>)]) -> Vec<u8> {
        let mut message = self.bytes.clone();
        message[2..4].copy_from_slice(&(0x8180 | flags).to_be_bytes());
        message[7] = records.len() as u8;
        for (owner, kind, data) in records {
            message.extend(name(owner));
            message.extend([&kind.to_be_bytes()[..], &[0, 1, 0, 0, 0, 9], &(data.len() as u16).to_be_bytes(), data].concat());
        }
        message
    }

    pub fn names(&self, names: &[&str]) -> Vec<u8> {
        self.reply(0, &names.iter().map(|text| (super::OWN, super::PTR, name(text))).collect::<Vec<_>>())
    }
}

pub fn name(text: &str) -> Vec<u8> {
    let labels = text.split('.').filter(|label| !label.is_empty());
    labels.map(|label| [&[label.len() as u8], label.as_bytes()].concat()).chain([vec![0]]).collect::<Vec<_>>().concat()
}

pub struct Stage {
    pub poll: Poll,
    pub queries: Queries,
    pub resolver: UdpSocket,
    pub now: Millis,
}

impl Stage {
    pub fn new() -> Stage {
        let resolver = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        resolver.set_read_timeout(Some(PATIENCE)).unwrap();
        let asker = NetAsker::new(Some(resolver.local_addr().unwrap()));
        let queries = Queries::new(Box::new(asker), Arc::new(PerClient::new(1)));
        Stage { poll: Poll::new().unwrap(), queries, resolver, now: 1_000_000 }
    }

    pub fn ask(&mut self, question: Question) -> Ticket {
        self.queries.ask(0, question, self.poll.registry(), self.now).unwrap()
    }

    pub fn ask_for_name(&mut self) -> Asked {
        self.ask(Question::Hostname(super::CLIENT.into()));
        self.hear()
    }

    /// What the asker has sent.
    pub fn hear(&self) -> Asked {
        let mut buffer = [0; 512];
        let (length, from) = self.resolver.recv_from(&mut buffer).unwrap();
        Asked { bytes: buffer[..length].to_vec(), from }
    }

    pub fn hears_nothing(&self) -> bool {
        self.resolver.set_nonblocking(true).unwrap();
        let error = self.resolver.recv(&mut [0; 512]).unwrap_err();
        self.resolver.set_nonblocking(false).unwrap();
        error.kind() == ErrorKind::WouldBlock
    }

    pub fn say(&self, asked: &Asked, bytes: &[u8]) {
        self.resolver.send_to(bytes, asked.from).unwrap();
    }

    pub fn turn(&mut self) -> Option<Reply> {
        let mut events = Events::with_capacity(16);
        self.poll.poll(&mut events, Some(Duration::from_millis(1))).unwrap();
        events.iter().for_each(|event| self.queries.event(event.token()));
        self.queries.next_reply(self.poll.registry(), self.now).map(|replied| replied.reply)
    }

    /// The next reply, without time passing.
    pub fn reply(&mut self) -> Reply {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(reply) = self.turn() {
                return reply;
            }
            assert!(Instant::now() < end, "no reply comes");
        }
    }

    /// Turns until the asker has sent something.
    pub fn next_asked(&mut self) -> Asked {
        let end = Instant::now() + PATIENCE;
        loop {
            assert_eq!(self.turn(), None);
            self.resolver.set_read_timeout(Some(Duration::from_millis(5))).unwrap();
            let mut buffer = [0; 512];
            if let Ok((length, from)) = self.resolver.recv_from(&mut buffer) {
                self.resolver.set_read_timeout(Some(PATIENCE)).unwrap();
                return Asked { bytes: buffer[..length].to_vec(), from };
            }
            assert!(Instant::now() < end, "nothing is asked");
        }
    }

    /// What comes when this time has passed.
    pub fn after(&mut self, time: Millis) -> Option<Reply> {
        self.now += time;
        self.turn()
    }
}
