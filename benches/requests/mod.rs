//! What is asked in the benches: the heads of real clients as they come, on a server that trusts one proxy.
#![allow(dead_code)]

pub mod counted;
pub mod law;

use law::mmdb::Mmdb;
use std::sync::Arc;
use swagip::client::{ForwardingField, Peer, Rule, TrustList};
use swagip::exchange::Service;
use swagip::mmdb::{Database, Databases, ENGLISH};
use swagip::resource::Site;

/// Who asks whenever nobody else is named.
const CLIENT: [u8; 4] = [203, 0, 113, 9];
const PROXY: [u8; 4] = [10, 0, 0, 1];

/// A request of a real client.
#[derive(Clone, Copy)]
pub struct Row {
    pub name: &'static str,
    /// The address at the other end of the connection.
    pub from: [u8; 4],
    pub bytes: &'static [u8],
}

impl Row {
    const fn new(name: &'static str, from: [u8; 4], bytes: &'static str) -> Row {
        Row { name, from, bytes: bytes.as_bytes() }
    }

    pub fn peer(&self) -> Peer {
        rule().peer((self.from, 54321).into())
    }
}

/// curl 8.5 as it is typed.
pub const CURL: Row =
    Row::new("curl", CLIENT, "GET / HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nUser-Agent: curl/8.5.0\r\nAccept: */*\r\n\r\n");

/// GNU Wget 1.21 as it is typed.
pub const WGET: Row = Row::new(
    "wget",
    CLIENT,
    "GET / HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nUser-Agent: Wget/1.21.3\r\nAccept: */*\r\nAccept-Encoding: identity\r\n\
      Connection: Keep-Alive\r\n\r\n",
);

/// wrk as it is typed.
pub const WRK: Row = Row::new("wrk", CLIENT, "GET / HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n");

/// curl's request as HAProxy sends it on with `option forwardfor`.
pub const HAPROXY: Row = Row::new(
    "haproxy",
    PROXY,
    "GET / HTTP/1.1\r\nhost: example.org\r\nuser-agent: curl/8.5.0\r\naccept: */*\r\nx-forwarded-for: 203.0.113.9\r\n\
      x-forwarded-proto: https\r\n\r\n",
);

macro_rules! browser {
    ($path:literal) => {
        concat!(
            "GET ",
            $path,
            " HTTP/1.1\r\nHost: example.org\r\nConnection: keep-alive\r\nCache-Control: max-age=0\r\n",
            "sec-ch-ua: \"Chromium\";v=\"140\", \"Not=A?Brand\";v=\"24\", \"Google Chrome\";v=\"140\"\r\n",
            "sec-ch-ua-mobile: ?0\r\nsec-ch-ua-platform: \"Linux\"\r\nUpgrade-Insecure-Requests: 1\r\n",
            "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36\r\n",
            "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8\r\n",
            "Sec-Fetch-Site: none\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-User: ?1\r\nSec-Fetch-Dest: document\r\n",
            "Accept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en-US,en;q=0.9\r\n\r\n"
        )
    };
}

/// Chrome at `/ip`.
pub const BROWSER: Row = Row::new("browser", CLIENT, browser!("/ip"));

/// Chrome at `/all`.
pub const BROWSER_ALL: Row = Row::new("browser-all", CLIENT, browser!("/all"));

/// Chrome at `/`, which is the page.
pub const BROWSER_PAGE: Row = Row::new("browser-page", CLIENT, browser!("/"));

pub fn rule() -> Rule {
    Rule::new(TrustList::parse(["10.0.0.1"]).expect("an address"), ForwardingField::default())
}

pub fn site() -> Site {
    Site { title: "SwagIP".to_owned(), ..Site::default() }
}

/// curl at `/json`.
pub const JSON: Row =
    Row::new("json", CLIENT, "GET /json HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nUser-Agent: curl/8.5.0\r\nAccept: */*\r\n\r\n");

/// A City and an ASN database that know [`CLIENT`].
pub fn databases() -> Arc<Databases> {
    let files = [Mmdb::city(), Mmdb::asn()].map(|file| Database::new(file.bytes()).expect("a database"));
    Databases::new(files.into(), ENGLISH.to_owned()).into()
}

pub fn service() -> Service {
    Service::new(rule(), site())
}
