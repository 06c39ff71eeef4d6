use super::*;

const TRUSTED: [&str; 3] = ["10.0.0.0/8", "2001:db8:a::/48", "192.0.2.1"];

fn rule(field: &str) -> Rule {
    Rule::new(TrustList::parse(TRUSTED).unwrap(), field.parse().unwrap())
}

fn fields<'b>(lines: &[(&'b str, &'b str)]) -> Vec<Field<'b>> {
    lines.iter().map(|&(name, value)| Field { name, value: value.as_bytes() }).collect()
}

/// `address port scheme` of the client, `-` for what is not known.
fn shown(client: Client) -> String {
    let or_dash = |text: Option<String>| text.unwrap_or("-".to_owned());
    let (address, port) = (client.address.map(|ip| ip.to_string()), client.port.map(|port| port.to_string()));
    format!("{} {} {}", or_dash(address), or_dash(port), client.scheme.map_or("-", Scheme::name))
}

/// Two letters for each hop, in the order received.
fn verdicts(rule: &Rule, peer: &Peer, fields: &[Field<'_>]) -> String {
    let mut letters = String::new();
    rule.explain(peer, fields, |hop| letters.push_str(&hop.verdict.name()[..2]));
    letters
}

#[track_caller]
fn row(field: &str, peer: &str, lines: &[(&str, &str)], client: &str, hops: &str) {
    let rule = rule(field);
    let peer = rule.peer(peer.parse().unwrap());
    let fields = fields(lines);
    assert_eq!(shown(rule.client(&peer, &fields)), client, "{lines:?}");
    assert_eq!(verdicts(&rule, &peer, &fields), hops, "{lines:?}");
}

#[test]
fn an_untrusted_peer_is_the_client_whatever_it_says() {
    let everything = [
        ("X-Forwarded-For", "6.6.6.6"),
        ("Forwarded", "for=6.6.6.6;proto=https"),
        ("X-Real-IP", "6.6.6.6"),
        ("X-Forwarded-Proto", "https"),
    ];
    for field in ["x-forwarded-for", "forwarded", "x-real-ip"] {
        row(field, "203.0.113.9:54321", &everything, "203.0.113.9 54321 -", "");
        row(field, "[::ffff:203.0.113.9]:54321", &everything, "203.0.113.9 54321 -", "");
        row(field, "[2001:db8:b::9]:1", &[], "2001:db8:b::9 1 -", "");
    }
}

#[test]
fn the_last_hop_that_a_trusted_proxy_saw() {
    for (values, client, hops) in [
        (&["203.0.113.9"][..], "203.0.113.9 - -", "cl"),
        (&["203.0.113.9:54321"], "203.0.113.9 54321 -", "cl"),
        (&["[2001:db8:b::9]:54321"], "2001:db8:b::9 54321 -", "cl"),
        (&["::ffff:203.0.113.9"], "203.0.113.9 - -", "cl"),
        (&["fe80::9%eth0"], "fe80::9 - -", "cl"),
        // What a client made up stands left of what the proxy saw, on the same line or another.
        (&["6.6.6.6, 203.0.113.9"], "203.0.113.9 - -", "igcl"),
        (&["6.6.6.6", "203.0.113.9"], "203.0.113.9 - -", "igcl"),
        (&["6.6.6.6, 7.7.7.7", "", "203.0.113.9"], "203.0.113.9 - -", "igigcl"),
        (&["garbage", "203.0.113.9"], "203.0.113.9 - -", "igcl"),
        (&["10.0.0.9, 203.0.113.9"], "203.0.113.9 - -", "igcl"),
        (&["\"", "203.0.113.9"], "203.0.113.9 - -", "igcl"),
        // A chain of proxies, in every spelling.
        (
            &["6.6.6.6, 203.0.113.9:54321, 10.0.0.2:8080", "::ffff:10.0.0.3,[2001:db8:a::1]:1"],
            "203.0.113.9 54321 -",
            "igcltrtrtr",
        ),
        (&["203.0.113.9,,192.0.2.1 ,\t"], "203.0.113.9 - -", "cltr"),
        (&["203.0.113.9", "192.0.2.2", "192.0.2.1"], "192.0.2.2 - -", "igcltr"),
        // All of them trusted: the leftmost.
        (&["10.0.0.9:54321, 10.0.0.2", "10.0.0.3"], "10.0.0.9 54321 -", "cltrtr"),
        // What is no address ends the walk at the last good hop.
        (&["203.0.113.9, unknown, 10.0.0.2:80, 10.0.0.3:81"], "10.0.0.2 80 -", "igincltr"),
        (&["203.0.113.9, unknown, _hidden, 10.0.0.2"], "10.0.0.2 - -", "igigincl"),
        // At the peer, whose port is no client's.
        (&["203.0.113.9, unknown"], "10.0.0.1 - -", "igin"),
        (&["203.0.113.9", "10.0.0.2 10.0.0.3"], "10.0.0.1 - -", "igin"),
        (&[""], "10.0.0.1 - -", ""),
        (&[" ,, ,"], "10.0.0.1 - -", ""),
        (&[], "10.0.0.1 40000 -", ""),
    ] {
        let lines: Vec<_> = values.iter().map(|&value| ("X-FORWARDED-for", value)).collect();
        row("x-forwarded-for", "10.0.0.1:40000", &lines, client, hops);
        row("x-forwarded-for", "[::ffff:10.0.0.1]:40000", &lines, client, hops);
    }
}

#[test]
fn only_the_one_field_is_read() {
    let lines = [
        ("X-Forwarded-For", "6.6.6.6"),
        ("X_Real_IP", "6.6.6.6"),
        ("X-Real-IP", "203.0.113.9"),
        ("Forwarded", "for=198.51.100.7;proto=https"),
    ];
    row("x-real-ip", "10.0.0.1:40000", &lines, "203.0.113.9 - -", "cl");
    row("forwarded", "10.0.0.1:40000", &lines, "198.51.100.7 - https", "cl");
    row("cf-connecting-ip", "10.0.0.1:40000", &lines, "10.0.0.1 40000 -", "");
}

#[test]
fn forwarded_elements() {
    for (values, client, hops) in [
        (&["for=203.0.113.9;proto=https"][..], "203.0.113.9 - https", "cl"),
        (&["proto=http;For=\"203.0.113.9:54321\""], "203.0.113.9 54321 http", "cl"),
        (&["for=6.6.6.6;proto=https, for=203.0.113.9"], "203.0.113.9 - -", "igcl"),
        (&["for=203.0.113.9;proto=https, for=10.0.0.2;proto=http"], "203.0.113.9 - https", "cltr"),
        (&["for=\"[2001:db8:b::9]:1\";host=\"a,b\"", "for=\"[2001:db8:a::2]\""], "2001:db8:b::9 1 -", "cltr"),
        // A quote that a client left open must not swallow what the proxy added.
        (&["for=\"6.6.6.6", "for=203.0.113.9"], "203.0.113.9 - -", "igcl"),
        (&["for=6.6.6.6;x=\", for=203.0.113.9"], "10.0.0.1 - -", "in"),
        (&["for=6.6.6.6, for=\", for=203.0.113.9", "for=10.0.0.2"], "10.0.0.2 - -", "incl"),
        (&["for=203.0.113.9, by=10.0.0.2;proto=https"], "10.0.0.1 - -", "igin"),
        (&["for=203.0.113.9, for=unknown;proto=https, for=10.0.0.2"], "10.0.0.2 - -", "igincl"),
        (&["for=203.0.113.9;for=6.6.6.6"], "10.0.0.1 - -", "in"),
        (&["203.0.113.9"], "10.0.0.1 - -", "in"),
        (&["", " , "], "10.0.0.1 - -", ""),
        (&[], "10.0.0.1 40000 -", ""),
    ] {
        let mut lines: Vec<_> = values.iter().map(|&value| ("forwarded", value)).collect();
        row("Forwarded", "10.0.0.1:40000", &lines, client, hops);
        lines.push(("X-Forwarded-Proto", "https"));
        row("Forwarded", "10.0.0.1:40000", &lines, client, hops);
    }
}

#[test]
fn the_scheme_is_the_last_value_of_x_forwarded_proto() {
    for (values, scheme) in [
        (&[][..], "-"),
        (&["https"], "https"),
        (&["HTTP"], "http"),
        (&["http, https"], "https"),
        (&["https", "http"], "http"),
        (&["https,", ""], "https"),
        (&["https", "ws"], "-"),
        (&["httpss"], "-"),
    ] {
        let mut lines: Vec<_> = values.iter().map(|&value| ("x-forwarded-PROTO", value)).collect();
        row("x-real-ip", "10.0.0.1:40000", &lines, &format!("10.0.0.1 40000 {scheme}"), "");
        lines.push(("X-Real-IP", "203.0.113.9"));
        row("x-real-ip", "10.0.0.1:40000", &lines, &format!("203.0.113.9 - {scheme}"), "cl");
    }
}

#[test]
fn hops_are_explained_as_they_were_sent_and_read() {
    let rule = rule("x-forwarded-for");
    let peer = rule.peer("10.0.0.1:40000".parse().unwrap());
    let mut hops = Vec::new();
    rule.explain(&peer, &fields(&[("x-forwarded-for", "nobody, [2001:DB8::1]:80 ,::ffff:10.0.0.2")]), |hop| hops.push(hop));
    let hop = |raw: &'static str, address: &str, verdict| Hop { raw: raw.as_bytes(), address: address.parse().ok(), verdict };
    assert_eq!(
        hops,
        [
            hop("nobody", "", Verdict::Ignored),
            hop("[2001:DB8::1]:80", "2001:db8::1", Verdict::Client),
            hop("::ffff:10.0.0.2", "10.0.0.2", Verdict::Trusted)
        ]
    );
}

#[test]
fn peers() {
    let rule = rule("forwarded");
    for (socket, address, port, trusted, watched) in [
        ("203.0.113.9:1", "203.0.113.9", Some(1), false, false),
        ("[::ffff:10.0.0.1]:2", "10.0.0.1", Some(2), true, true),
        ("192.168.0.1:3", "192.168.0.1", Some(3), false, true),
        ("[::1]:4", "::1", Some(4), false, true),
        ("203.0.113.9:0", "203.0.113.9", None, false, false),
    ] {
        let role = if trusted { Role::Proxy } else { Role::Client };
        let peer = Peer { address: address.parse().ok(), port, role, watched, via: None };
        assert_eq!(rule.peer(socket.parse().unwrap()), peer);
    }
}

#[test]
fn the_walk_ends_after_64_hops() {
    for (field, entry) in [("x-forwarded-for", "10.0.0."), ("forwarded", "for=10.0.0.")] {
        // The hops count from the right; the last digits tell them apart.
        let hops = |count: usize| (0..count).rev().map(|hop| format!("{entry}{hop}")).collect::<Vec<_>>().join(" ,, ");
        let stranger = entry.replace("10.0.0.", "203.0.113.9");
        let (all, past) = (format!("{stranger}, {}", hops(63)), format!("{stranger}, {}", hops(64)));
        row(field, "10.0.0.1:1", &[(field, &all)], "203.0.113.9 - -", &format!("cl{}", "tr".repeat(63)));
        row(field, "10.0.0.1:1", &[(field, &past)], "10.0.0.63 - -", &format!("cl{}", "tr".repeat(63)));
        // On lines of their own, and whatever stands left of them.
        let own = [(field, "unknown"), (field, all.as_str()), (field, &entry.replace("10.0.0.", "10.0.0.99"))];
        row(field, "10.0.0.1:1", &own, "10.0.0.62 - -", &format!("cl{}", "tr".repeat(63)));
        let rule = rule(field);
        let peer = rule.peer("10.0.0.1:1".parse().unwrap());
        for (count, more) in [(0, 0), (64, 0), (65, 1), (1000, 936)] {
            let many = "1.2.3.4, ".repeat(count).replace("1.2.3.4", &stranger);
            assert_eq!(rule.explain(&peer, &fields(&[(field, &many)]), |_| {}).more, more, "{count}");
        }
    }
}

#[test]
fn proxied_peers() {
    let mut rule = rule("x-forwarded-for");
    let source = |text: &str| Header::Source(text.parse().unwrap());
    let (trusted, stranger, here) = ("10.0.0.1:1", "203.0.113.1:1", "127.0.0.1:1");
    for (socket, header, peer) in [
        (trusted, source("203.0.113.9:54321"), Some(("203.0.113.9", Some(54321), false))),
        (trusted, source("[::ffff:203.0.113.9]:54321"), Some(("203.0.113.9", Some(54321), false))),
        (trusted, source("203.0.113.9:0"), Some(("203.0.113.9", None, false))),
        (trusted, source("10.0.0.2:5"), Some(("10.0.0.2", Some(5), true))),
        (trusted, Header::Local, Some(("10.0.0.1", Some(1), true))),
        (trusted, Header::Unknown, Some(("", None, false))),
        (stranger, source("10.0.0.2:5"), None),
        (stranger, Header::Local, None),
        (stranger, Header::Unknown, None),
        (here, source("10.0.0.2:5"), None),
        (here, Header::Unknown, None),
        (here, Header::Local, Some(("127.0.0.1", Some(1), false))),
        ("[::1]:1", Header::Local, Some(("::1", Some(1), false))),
        ("[::ffff:127.0.0.1]:1", Header::Local, Some(("127.0.0.1", Some(1), false))),
    ] {
        let peer_of_socket = rule.peer(socket.parse().unwrap());
        let found = rule.proxied(&peer_of_socket, header);
        let found = found.map(|peer| (peer.address.map_or(String::new(), |ip| ip.to_string()), peer.port, peer.is_trusted()));
        assert_eq!(found, peer.map(|(address, port, trusted)| (address.to_owned(), port, trusted)), "{socket} {header:?}");
    }
}

/// HAProxy sends LOCAL for a client that came through a Unix socket, too.
#[test]
fn of_a_peer_that_is_unknown_or_asks_for_itself_no_field_is_read() {
    let mut rule = rule("x-forwarded-for");
    let socket = rule.peer("10.0.0.1:1".parse().unwrap());
    let fields = fields(&[("x-forwarded-for", "6.6.6.6"), ("x-forwarded-proto", "https")]);
    for (header, client) in [(Header::Unknown, "- - -"), (Header::Local, "10.0.0.1 1 -")] {
        let peer = rule.proxied(&socket, header).unwrap();
        assert_eq!(shown(rule.client(&peer, &fields)), client);
        assert_eq!(verdicts(&rule, &peer, &fields), "");
        assert_eq!((rule.mistake(&peer, &fields), peer.watched), (None, false));
    }
}

#[test]
fn a_proxy_whose_header_named_a_peer_is_known_by_its_number() {
    let mut rule = rule("x-forwarded-for");
    let mut named = |proxy: IpAddr, header| {
        let socket = rule.peer((proxy, 1).into());
        let peer = rule.proxied(&socket, header).unwrap();
        rule.proxy(&peer)
    };
    let source = || Header::Source("203.0.113.9:5".parse().unwrap());
    let proxies: Vec<IpAddr> = (0..300u16).map(|number| [10, 0, (number / 256) as u8, number as u8].into()).collect();
    let all = |named: Vec<Option<IpAddr>>| named.iter().zip(&proxies).filter(|(named, proxy)| **named == Some(**proxy)).count();
    for _ in 0..2 {
        let found: Vec<_> = proxies.iter().map(|&proxy| named(proxy, source())).collect();
        assert!(found[255..].iter().all(Option::is_none), "there are no more numbers");
        assert_eq!(all(found), 255);
    }
    assert_eq!((named(proxies[0], Header::Unknown), named(proxies[0], Header::Local)), (Some(proxies[0]), None));
}

#[test]
fn forwarding_fields_are_recognized() {
    for (field, name, forwarded) in [
        ("x-forwarded-for", "X-Forwarded-For", true),
        ("x-forwarded-for", "FORWARDED", true),
        ("forwarded", "cf-connecting-ip", true),
        ("x-my-ip", "X-My-IP", true),
        ("x-forwarded-for", "X-My-IP", false),
        ("x-forwarded-for", "X_Forwarded_For", false),
        ("x-forwarded-for", "X-Forwarded-Proto", false),
    ] {
        let fields = fields(&[("host", "a"), (name, "1")]);
        assert_eq!(rule(field).forwarding_field(&fields).is_some(), forwarded, "{name}");
        assert!(rule(field).forwarding_field(&fields[..1]).is_none());
    }
}

#[test]
fn nobody_is_trusted_by_default() {
    let rule = Rule::default();
    assert_eq!(rule.field_name(), "x-forwarded-for");
    let peer = rule.peer("127.0.0.1:1".parse().unwrap());
    assert!(!peer.is_trusted() && peer.watched);
}
