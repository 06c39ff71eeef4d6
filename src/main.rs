//! swagip

fn main() {
    let mut args = std::env::args().skip(1);
    let (mut listen, mut threads) = ("[::]:8080".to_owned(), 2);
    while let Some(a) = args.next() {
        let v = args.next().unwrap_or_default();
        if a == "--listen" { listen = v } else { threads = v.parse().unwrap_or(2) }
    }
    let settings = swagip::net::Settings {
        listeners: vec![swagip::net::Listen { address: listen.parse().expect("addr"), any: true, proxy: false }],
        threads: std::num::NonZeroUsize::new(threads).expect("nonzero"),
        limits: swagip::net::Limits::default(),
        rule: swagip::client::Rule::default(),
        site: swagip::resource::Site { served_by: None, host: None, title: "SwagIP".into(), explain: false },
    };
    let server = swagip::net::Server::bind(&settings).expect("bind");
    server.start().expect("start").join().expect("join");
}
