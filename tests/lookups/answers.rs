//! What is answered over a socket.

use crate::mmdb::{Mmdb, Value, berlin, map, names, text};
use crate::support::{Answer, TestServer};
use serde_json::{Value as Json, json};
use std::fs;
use std::path::PathBuf;
use swagip::client::{ForwardingField, Rule, TrustList};
use swagip::net::{DatabaseFiles, Settings};

/// Settings with these databases, in English, where the client is whoever X-Forwarded-For says.
fn with(files: &[Mmdb]) -> impl FnOnce(&mut Settings) {
    let paths: Vec<PathBuf> = files.iter().map(Mmdb::file).collect();
    move |settings| {
        settings.rule = Rule::new(TrustList::parse(["loopback"]).unwrap(), ForwardingField::default());
        settings.databases = Some(DatabaseFiles::open(paths.clone(), "en".to_owned()).unwrap().into());
        // A mapping needs no name.
        paths.iter().for_each(|path| fs::remove_file(path).unwrap());
    }
}

fn server() -> TestServer {
    TestServer::with(with(&[Mmdb::city(), Mmdb::asn()]))
}

fn get_as(server: &TestServer, client: &str, target: &str) -> Answer {
    server.get(target, &format!("X-Forwarded-For: {client}\r\nUser-Agent: curl/8.5.0\r\n"))
}

fn json(answer: &Answer) -> Json {
    assert_eq!(answer.field("Content-Type"), Some("application/json"));
    serde_json::from_slice(&answer.content).unwrap()
}

const TEXTS: [(&str, &str); 7] = [
    ("/country", "Germany"),
    ("/country-iso", "DE"),
    ("/city", "Berlin"),
    ("/coordinates", "52.5200,13.4050"),
    ("/time-zone", "Europe/Berlin"),
    ("/asn", "AS64500"),
    ("/asn-org", "Example Net \"A\""),
];

#[test]
fn one_thing_at_a_time() {
    let server = server();
    for (path, expected) in TEXTS {
        for client in ["203.0.113.9", "2001:db8::1", "::ffff:203.0.113.9"] {
            let answer = get_as(&server, client, path);
            assert_eq!((answer.status, answer.text()), (200, format!("{expected}\n")), "{path} {client}");
            assert_eq!(answer.field("Access-Control-Allow-Origin"), Some("*"));
            assert_eq!(answer.field("Content-Type"), Some("text/plain; charset=utf-8"));
            assert_eq!(answer.field("Cache-Control"), Some("no-store"));
        }
        let unknown = get_as(&server, "192.0.2.1", path);
        assert_eq!((unknown.status, unknown.content.len()), (404, 0), "{path}");
        assert_eq!(unknown.field("Access-Control-Allow-Origin"), Some("*"));
        let powershell = server.get(path, "X-Forwarded-For: 203.0.113.9\r\nUser-Agent: PowerShell/7.4\r\n");
        assert_eq!(powershell.text(), expected);
    }
    assert_eq!(get_as(&server, "203.0.113.9", "/Country-ISO").text(), "DE\n");
    assert_eq!(get_as(&server, "203.0.113.9", "/country%2Diso").text(), "DE\n");
    let head = server.ask("HEAD /city HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 203.0.113.9\r\n\r\n");
    assert!(String::from_utf8_lossy(&head).contains("Content-Length: 7\r\n"));
}

/// A name and its code are of one file, whether they are asked for together or apart.
#[test]
fn parts_of_two_files_are_never_mixed() {
    let area = |code, names| map([("country", map([("iso_code", text(code)), ("names", names)]))]);
    let codes = Mmdb::new("City").with("203.0.113.0/24", area("DE", map([])));
    let numbers = Mmdb::new("ASN").with("203.0.113.0/24", map([("autonomous_system_number", Value::U32(64500))]));
    let country = Mmdb::new("Country").with("203.0.113.0/24", area("FR", names([("en", "France")])));
    let server = TestServer::with(with(&[codes, numbers, country, Mmdb::asn()]));
    let answer = json(&get_as(&server, "203.0.113.9", "/json"));
    let keys = ["country", "country_iso", "asn", "asn_org"].map(|key| answer.get(key).and_then(Json::as_str));
    assert_eq!(keys, [None, Some("DE"), Some("AS64500"), None]);
    for (path, known) in ["/country", "/country-iso", "/asn", "/asn-org"].into_iter().zip(keys) {
        let answer = get_as(&server, "203.0.113.9", path);
        assert_eq!(answer.text(), known.map(|text| format!("{text}\n")).unwrap_or_default(), "{path}");
    }
}

/// A field of that name keeps its own path.
#[test]
fn fields_with_the_same_names() {
    let fields = "X-Forwarded-For: 203.0.113.9\r\nCountry: A\r\nCity: B\r\n";
    let with = server();
    assert_eq!(with.get("/country", fields).text(), "Germany\n");
    assert_eq!(with.get("/headers/country", fields).text(), "A\n");
    let without = TestServer::start();
    assert_eq!(without.get("/country", fields).text(), "A\n");
    assert_eq!(without.get("/city", fields).text(), "B\n");
    for (path, _) in TEXTS {
        let answer = without.get(path, "");
        assert_eq!((answer.status, answer.content.len()), (404, 0), "{path}");
        assert_eq!(answer.field("Access-Control-Allow-Origin"), None, "a field is for its own origin");
    }
}

#[test]
fn preflights_from_a_public_site() {
    let request = "OPTIONS /city HTTP/1.1\r\nHost: a\r\nAccess-Control-Request-Private-Network: true\r\n\r\n";
    let is_allowed =
        |server: &TestServer| Answer::head(&server.ask(request)).0.field("Access-Control-Allow-Private-Network").is_some();
    assert!(is_allowed(&server()));
    assert!(!is_allowed(&TestServer::start()));
}

#[test]
fn json_has_all_of_it_in_order() {
    let server = server();
    let answer = get_as(&server, "203.0.113.9:54321", "/json");
    assert_eq!(
        json(&answer),
        json!({
            "ip": "203.0.113.9", "ip_decimal": 3_405_803_785_u32, "port": 54321,
            "country": "Germany", "country_iso": "DE", "country_eu": true,
            "region_name": "State of Berlin", "region_code": "BE", "zip_code": "10117", "city": "Berlin",
            "latitude": 52.52, "longitude": 13.405, "time_zone": "Europe/Berlin",
            "asn": "AS64500", "asn_org": "Example Net \"A\"",
            "user_agent": {"product": "curl", "version": "8.5.0", "comment": "", "raw_value": "curl/8.5.0"},
        })
    );
    let text = answer.text();
    let keys: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("  \"")?.split('"').next()).collect();
    assert_eq!(
        keys,
        [
            "ip",
            "ip_decimal",
            "port",
            "country",
            "country_iso",
            "country_eu",
            "region_name",
            "region_code",
            "zip_code",
            "city",
            "latitude",
            "longitude",
            "time_zone",
            "asn",
            "asn_org",
            "user_agent"
        ]
    );
    let root = server.get("/", "X-Forwarded-For: 203.0.113.9\r\nAccept: application/json\r\n");
    assert_eq!(json(&root)["city"], "Berlin");
    let unknown = json(&get_as(&server, "192.0.2.1", "/json"));
    assert_eq!(unknown.as_object().unwrap().keys().collect::<Vec<_>>(), ["ip", "ip_decimal", "port", "user_agent"]);
}

#[test]
fn json_of_the_united_states() {
    let record = map([
        ("city", map([("names", names([("en", "Springfield")]))])),
        ("country", map([("iso_code", text("US"))])),
        (
            "location",
            map([("latitude", Value::Double(-37.0)), ("longitude", Value::Double(0.0)), ("metro_code", Value::U16(807))]),
        ),
    ]);
    let server = TestServer::with(with(&[Mmdb::new("City").with("203.0.113.0/24", record)]));
    let answer = json(&get_as(&server, "203.0.113.9", "/json"));
    let known = json!({"country_iso": "US", "country_eu": false, "metro_code": 807, "city": "Springfield", "latitude": -37, "longitude": 0});
    for (key, value) in known.as_object().unwrap() {
        assert_eq!(answer[key], *value, "{key}");
    }
    assert_eq!(answer.get("country"), None);
    assert_eq!(get_as(&server, "203.0.113.9", "/asn").status, 404);
}

#[test]
fn asked_about_another_address() {
    let server = server();
    let ask = |target: &str| get_as(&server, "192.0.2.1:5", target);
    for (path, expected) in TEXTS.into_iter().chain([("/ip", "203.0.113.9"), ("/source-ip", "203.0.113.9")]) {
        assert_eq!(ask(&format!("{path}?ip=203.0.113.9")).text(), format!("{expected}\n"), "{path}");
        assert_eq!(ask(&format!("{path}?ip=198.51.100.1")).status, if path.ends_with("ip") { 200 } else { 404 });
    }
    for (query, expected) in [
        ("ip=2001:db8::0:1", "2001:db8::1"),
        ("ip=2001%3Adb8%3A%3A1", "2001:db8::1"),
        ("IP=203.0.113.9", "203.0.113.9"),
        ("a=b&ip=203.0.113.9&ip=x", "203.0.113.9"),
        ("ip=::ffff:203.0.113.9", "203.0.113.9"),
        ("ip=%3200.0.113.9", "200.0.113.9"),
        ("ip=ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("i=203.0.113.9", "192.0.2.1"),
        ("ips=203.0.113.9", "192.0.2.1"),
        ("", "192.0.2.1"),
    ] {
        assert_eq!(ask(&format!("/ip?{query}")).text(), format!("{expected}\n"), "{query}");
    }
    let other = json(&ask("/json?ip=203.0.113.9"));
    assert_eq!((&other["ip"], &other["city"]), (&json!("203.0.113.9"), &json!("Berlin")));
    assert_eq!((other.get("port"), other.get("user_agent")), (None, None));
    assert_eq!(ask("/?ip=203.0.113.9").text(), "192.0.2.1\n", "the root is for whoever asks");
}

/// An answer, and the connection goes on.
#[test]
fn asked_about_no_address() {
    let server = server();
    let long = "1".repeat(8000);
    for value in ["", "x", "203.0.113.9:80", "[::1]", "1.2.3", "1.2.3.4%20", "fe80::1%25eth0", "%ff", "%", "203.0.113.9+", &long]
    {
        for path in ["/ip", "/json", "/city", "/asn"] {
            let answer = get_as(&server, "203.0.113.9", &format!("{path}?ip={value}"));
            assert_eq!(
                (answer.status, answer.text()),
                (400, "?ip= takes an IPv4 or IPv6 address\n".to_owned()),
                "{path} {value}"
            );
            assert_eq!((answer.field("Access-Control-Allow-Origin"), answer.field("Connection")), (Some("*"), None));
        }
    }
    let both = server.ask("GET /ip?ip=x HTTP/1.1\r\nHost: a\r\n\r\nGET /ip?ip=::1 HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(Answer::all(&both).iter().map(|answer| answer.status).collect::<Vec<_>>(), [400, 200]);
}

#[test]
fn without_databases_the_query_means_nothing() {
    let server = TestServer::start();
    for query in ["ip=203.0.113.9", "ip=x"] {
        assert_eq!(server.get(&format!("/ip?{query}"), "").text(), "127.0.0.1\n");
        assert_eq!(json(&server.get(&format!("/json?{query}"), ""))["ip"], "127.0.0.1");
    }
}

#[test]
fn a_client_whose_address_is_not_known() {
    let server = TestServer::with(|settings| {
        with(&[Mmdb::city()])(settings);
        settings.listeners[0].kind = swagip::net::ListenerKind::Proxy;
    });
    let ask =
        |target: &str| Answer::all(&server.ask(format!("PROXY UNKNOWN\r\nGET {target} HTTP/1.1\r\nHost: a\r\n\r\n"))).remove(0);
    assert_eq!((ask("/city").status, ask("/json").status), (404, 200));
    assert_eq!(ask("/city?ip=203.0.113.9").text(), "Berlin\n");
}

#[test]
fn the_page_has_a_row_for_each_and_names_the_files() {
    let page = |server: &TestServer, client: &str| get_as(server, client, "/?format=html").text();
    let server = server();
    let known = page(&server, "203.0.113.9");
    for (path, expected) in TEXTS {
        let expected = expected.replace('"', "&#34;");
        assert!(known.contains(&format!("<tr><th><span>{}</span>", &path[1..])), "{path}");
        assert!(known.contains(&format!("a{path}</code></th>\n<td>{expected}</td></tr>")), "{path}: {known}");
        assert!(known.contains(&format!("<dt><a href=\"{}\">{path}</a></dt>", &path[1..])), "{path}");
    }
    let sources = "<p>Places and networks: GeoLite2-City of the tests, 2026-11-20; GeoLite2-ASN of the tests, 2026-11-20</p>";
    assert!(known.contains(sources), "{known}");
    let unknown = page(&server, "192.0.2.1");
    assert!(!unknown.contains("<span>country</span>") && unknown.contains(sources) && unknown.contains("href=\"country\""));
    let without = TestServer::start().get("/?format=html", "").text();
    assert!(!without.contains("country") && !without.contains("Places"));
    let asn = page(&TestServer::with(with(&[Mmdb::asn()])), "203.0.113.9");
    assert!(!asn.contains("href=\"city\"") && asn.contains("href=\"asn\""), "only what a file may know is listed");
    let evil = Mmdb { description: "<b>".to_owned(), ..Mmdb::city() };
    assert!(page(&TestServer::with(with(&[evil])), "192.0.2.1").contains("networks: &#60;b&#62;, 2026"));
}

/// The texts of a record are as long as they may be, and each byte of them is escaped.
#[test]
fn the_largest_answers() {
    let worst = text(&"\"".repeat(256));
    let area = map([("names", map([("en", worst.clone())])), ("iso_code", worst.clone())]);
    let record = map([
        ("city", area.clone()),
        ("country", area.clone()),
        ("subdivisions", Value::List(vec![area])),
        (
            "location",
            map([
                ("time_zone", worst.clone()),
                ("latitude", Value::Double(-89.999_999)),
                ("longitude", Value::Double(-179.999_999)),
            ]),
        ),
        ("postal", map([("code", worst.clone())])),
        ("autonomous_system_number", Value::U32(u32::MAX)),
        ("autonomous_system_organization", worst.clone()),
    ]);
    let file = Mmdb { description: "<".repeat(256), ..Mmdb::new("City") }.with("203.0.113.0/24", record);
    let server = TestServer::with(with(&[(); 8].map(|()| file.clone())));
    let agent = format!("User-Agent: {}\r\nX-Forwarded-For: 203.0.113.9\r\n", "\"".repeat(15_000));
    let answer = server.get("/json", &agent);
    assert_eq!(answer.status, 200);
    assert!(answer.content.len() < 32 * 1024 + 6 * 15_000, "{}", answer.content.len());
    let lines: String = (0..90).map(|index| format!("{}{index}: {}\r\n", "'".repeat(50), "&".repeat(100))).collect();
    let page = server.get("/?format=html", &format!("{lines}X-Forwarded-For: 203.0.113.9\r\n"));
    assert!(page.status == 200 && page.content.len() <= 128 * 1024, "{} {}", page.status, page.content.len());
}

#[test]
fn a_language() {
    let path = Mmdb::city().file();
    let server = TestServer::with(|settings| {
        with(&[])(settings);
        settings.databases = Some(DatabaseFiles::open(vec![path.clone()], "de".to_owned()).unwrap().into());
    });
    fs::remove_file(path).unwrap();
    assert_eq!(get_as(&server, "203.0.113.9", "/country").text(), "Deutschland\n");
    assert_eq!(json(&get_as(&server, "203.0.113.9", "/json"))["region_name"], "Land Berlin");
}

/// A record that is broken is as one that is not there.
#[test]
fn a_broken_record() {
    let broken = map([("country", map([("iso_code", Value::Raw(b"\x5f\xff\xff\xff".to_vec()))]))]);
    let file = Mmdb::new("City").with("203.0.113.0/24", broken).with("198.51.100.0/24", berlin());
    let server = TestServer::with(with(&[file, Mmdb::asn()]));
    assert_eq!(get_as(&server, "203.0.113.9", "/country").status, 404);
    let json = json(&get_as(&server, "203.0.113.9", "/json"));
    assert_eq!((json.get("country"), &json["asn"]), (None, &json!("AS64500")));
    assert_eq!(get_as(&server, "198.51.100.9", "/city").text(), "Berlin\n");
}
