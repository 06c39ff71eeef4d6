//! A DNS resolver in this process, which says what the test wants.
#![allow(dead_code, clippy::unwrap_used, missing_docs)]

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

pub const A: u16 = 1;
pub const PTR: u16 = 12;

/// It ends with the process.
pub struct Resolver {
    pub address: SocketAddr,
    /// The names that were asked for.
    pub heard: Receiver<String>,
}

impl Resolver {
    /// `answer`: the data of the one record of this name and kind; an empty one if there is none, and `None` to say nothing at all.
    pub fn start(answer: impl Fn(&str, u16) -> Option<Vec<u8>> + Send + 'static) -> Resolver {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = socket.local_addr().unwrap();
        let (hear, heard) = channel();
        thread::spawn(move || {
            let mut buffer = [0; 512];
            while let Ok((length, from)) = socket.recv_from(&mut buffer) {
                let (name, kind) = question(&buffer[12..length]);
                let data = answer(&name, kind);
                let _ = hear.send(name);
                if let Some(data) = data {
                    let _ = socket.send_to(&reply(&buffer[..length], kind, &data), from);
                }
            }
        });
        Resolver { address, heard }
    }
}

/// A name on the wire.
pub fn name(text: &str) -> Vec<u8> {
    let labels = text.split('.').map(|label| [&[label.len() as u8], label.as_bytes()].concat());
    labels.chain([vec![0]]).collect::<Vec<_>>().concat()
}

fn question(mut bytes: &[u8]) -> (String, u16) {
    let mut labels = Vec::new();
    while bytes[0] > 0 {
        let (label, rest) = bytes[1..].split_at(bytes[0].into());
        labels.push(String::from_utf8_lossy(label).into_owned());
        bytes = rest;
    }
    (labels.join("."), u16::from_be_bytes([bytes[1], bytes[2]]))
}

fn reply(query: &[u8], kind: u16, data: &[u8]) -> Vec<u8> {
    let mut message = query.to_vec();
    message[2..4].copy_from_slice(&[0x81, 0x80]);
    if !data.is_empty() {
        message[7] = 1;
        message.extend(
            [&[0xc0, 12][..], &kind.to_be_bytes(), &[0, 1, 0, 0, 0, 9], &(data.len() as u16).to_be_bytes(), data].concat(),
        );
    }
    message
}
