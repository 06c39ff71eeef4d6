//! `/openapi.json` and the server agree: each path of the one is a path of the other, every answer is described, and every
//! example is an answer.
#![allow(clippy::unwrap_used)]

#[path = "support/mmdb.rs"]
mod mmdb;
#[path = "support/network.rs"]
mod network;
#[path = "support/resolver.rs"]
mod resolver;
mod support;

use mmdb::Mmdb;
use resolver::{A, PTR, Resolver};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::net::IpAddr;
use std::thread;
use support::{Answer, TestServer};
use swagip::client::{ForwardingField, Rule, TrustList};
use swagip::net::{DatabaseFiles, ListenerKind, Settings};
use swagip::resource::ReverseDns;
use swagip::resource::table::ENDPOINTS;

/// Who asks in the document's examples.
const CURL: &str = "Host: ip.example.org\r\nUser-Agent: curl/8.5.0\r\nX-Forwarded-For: 203.0.113.9:54321\r\n";

fn configured(settings: &mut Settings) {
    settings.rule = Rule::new(TrustList::parse(["loopback"]).unwrap(), ForwardingField::default());
    settings.site.served_by = Some("web-3".to_owned());
    settings.site.explain = true;
}

fn with_databases(settings: &mut Settings) {
    configured(settings);
    let files = [Mmdb::city().file(), Mmdb::asn().file()];
    settings.databases = Some(DatabaseFiles::open(files.to_vec(), "en".to_owned()).unwrap().into());
    files.iter().for_each(|file| fs::remove_file(file).unwrap());
}

fn get(path: &str, fields: &str) -> String {
    format!("GET {} HTTP/1.1\r\n{fields}\r\n", path.replace("{name}", "user-agent").replace("{port}", "9"))
}

fn answer(server: &TestServer, request: &str) -> Answer {
    let answers = Answer::all(&server.ask(request));
    assert_eq!(answers.len(), 1, "{request}");
    answers.into_iter().next().unwrap()
}

/// The document, and which of the answers that it describes have been seen.
struct Description {
    document: Value,
    seen: BTreeSet<(String, u16, String)>,
}

impl Description {
    fn new() -> Description {
        let document = serde_json::from_slice(&TestServer::start().get("/openapi.json", "").content).unwrap();
        Description { document, seen: BTreeSet::new() }
    }

    /// Every response that is described: its path, its status and a media type, which is empty where there is no content.
    fn responses(&self) -> BTreeSet<(String, u16, String)> {
        let mut responses = BTreeSet::new();
        for (path, operations) in self.document["paths"].as_object().unwrap() {
            for (status, response) in operations["get"]["responses"].as_object().unwrap() {
                let content = self.resolve(response)["content"].as_object();
                let media = content.map_or(vec![String::new()], |content| content.keys().cloned().collect());
                responses.extend(media.into_iter().map(|media| (path.clone(), status.parse().unwrap(), media)));
            }
        }
        responses
    }

    /// Holds an answer against what is said of this path. `is_example`: it answers [`CURL`], so it is the example.
    fn check(&mut self, path: &str, answer: &Answer, is_example: bool) {
        let status = answer.status.to_string();
        let response = self.resolve(&self.document["paths"][path]["get"]["responses"][&status]);
        assert!(response.is_object(), "{path}: {status} is not described");
        let fields = response["headers"].as_object();
        assert!(fields.iter().flat_map(|fields| fields.keys()).all(|name| answer.field(name).is_some()), "{path}: {answer:?}");
        if response["content"].is_null() {
            assert_eq!(answer.content, b"", "{path}: {status} has no content");
            self.seen.insert((path.to_owned(), answer.status, String::new()));
            return;
        }
        let media = answer.field("Content-Type").unwrap().split(';').next().unwrap();
        let described = &response["content"][media];
        assert!(described.is_object(), "{path}: {status} as {media} is not described");
        let content = match media {
            "application/json" => serde_json::from_slice(&answer.content).unwrap(),
            _ => Value::String(answer.text()),
        };
        self.conforms(&content, &described["schema"]).unwrap_or_else(|why| panic!("{path}: {content}: {why}"));
        let example = &described["example"];
        assert!(!is_example || example.is_null() || *example == content, "{path}: {content} is not the example {example}");
        self.seen.insert((path.to_owned(), answer.status, media.to_owned()));
    }

    fn resolve<'d>(&'d self, value: &'d Value) -> &'d Value {
        match value["$ref"].as_str() {
            Some(reference) => self.document.pointer(reference.strip_prefix('#').unwrap()).unwrap(),
            None => value,
        }
    }

    /// JSON Schema 2020-12, as much of it as the document uses; a keyword that is not known here fails the test.
    fn conforms(&self, value: &Value, schema: &Value) -> Result<(), String> {
        let empty = serde_json::Map::new();
        let object = value.as_object().unwrap_or(&empty);
        for (keyword, rule) in schema.as_object().unwrap() {
            let number = rule.as_f64().unwrap_or_default();
            let length = || value.as_str().map(|text| text.chars().count() as f64);
            let holds = match keyword.as_str() {
                "description" => true,
                "$ref" => return self.conforms(value, self.resolve(schema)),
                "type" => match rule {
                    Value::Array(types) => types.iter().any(|name| is_type(value, name)),
                    name => is_type(value, name),
                },
                "const" => value == rule,
                "enum" => rule.as_array().unwrap().contains(value),
                "oneOf" => rule.as_array().unwrap().iter().filter(|rule| self.conforms(value, rule).is_ok()).count() == 1,
                "format" => match (rule.as_str().unwrap(), value.as_str().and_then(|text| text.parse().ok())) {
                    ("ipv4", address) => matches!(address, Some(IpAddr::V4(_))),
                    ("ipv6", address) => matches!(address, Some(IpAddr::V6(_))),
                    (other, _) => panic!("the format {other} is not known here"),
                },
                "minLength" => length().is_none_or(|length| length >= number),
                "maxLength" => length().is_none_or(|length| length <= number),
                "minimum" => value.as_f64().is_none_or(|value| value >= number),
                "maximum" => value.as_f64().is_none_or(|value| value <= number),
                "required" => rule.as_array().unwrap().iter().all(|name| object.contains_key(name.as_str().unwrap())),
                "properties" => {
                    for (name, rule) in rule.as_object().unwrap() {
                        object.get(name).map_or(Ok(()), |value| self.conforms(value, rule))?;
                    }
                    true
                }
                "additionalProperties" => {
                    for (_, value) in object.iter().filter(|(name, _)| schema["properties"].get(name).is_none()) {
                        match rule {
                            Value::Bool(allowed) => allowed.then_some(()).ok_or(format!("{value} is too much"))?,
                            rule => self.conforms(value, rule)?,
                        }
                    }
                    true
                }
                "items" => {
                    value.as_array().into_iter().flatten().try_for_each(|value| self.conforms(value, rule))?;
                    true
                }
                other => panic!("the keyword {other} is not known here"),
            };
            if !holds {
                return Err(format!("{value} against {keyword}: {rule}"));
            }
        }
        Ok(())
    }
}

fn is_type(value: &Value, name: &Value) -> bool {
    match name.as_str().unwrap() {
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("the type {other} is not known here"),
    }
}

#[test]
fn every_path_is_described_and_there_are_no_others() {
    let Description { document, .. } = Description::new();
    let described: BTreeSet<String> = document["paths"].as_object().unwrap().keys().cloned().collect();
    let routed = ENDPOINTS.iter().map(|endpoint| format!("/{}", endpoint.segment));
    let beside = ["/", "/headers/{name}", "/port/{port}", "/{name}"].map(str::to_owned);
    assert_eq!(described, routed.chain(beside).collect());
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
}

#[test]
fn every_answer_is_described_and_every_example_is_an_answer() {
    network::alone("every_answer_is_described_and_every_example_is_an_answer", &["9.9.9.9/32"], every_answer);
}

fn every_answer() {
    let mut description = Description::new();

    let resolver = Resolver::start(|name, kind| match (name, kind) {
        ("9.113.0.203.in-addr.arpa", PTR) => Some(resolver::name("dialup-9.example.net")),
        ("dialup-9.example.net", A) => Some(vec![203, 0, 113, 9]),
        ("1.0.0.10.in-addr.arpa", _) => None,
        _ => Some(Vec::new()),
    });
    let server = TestServer::with(|settings| {
        configured(settings);
        settings.resolver = Some(resolver.address);
        settings.site.reverse_dns = ReverseDns::All;
        settings.site.port_test = true;
    });
    look_ups(&mut description, &server, &resolver);
    let located = TestServer::with(with_databases);
    let needs_databases =
        |path: &str| ENDPOINTS.iter().any(|endpoint| endpoint.segment == &path[1..] && endpoint.needs.is_some());
    for (path, status, media) in description.responses().into_iter().filter(|(_, status, _)| *status == 200) {
        let others = description.document["paths"][&path]["get"]["responses"]["200"]["content"].as_object().unwrap().len();
        // Whoever has no choice asks as curl does.
        let accept = if others > 1 && !(path == "/all" && media == "application/json") { media.as_str() } else { "*/*" };
        let server = if needs_databases(&path) { &located } else { &server };
        // Only public addresses are tested.
        let curl = if path == "/port/{port}" { CURL.replace("203.0.113.9", "9.9.9.9") } else { CURL.to_owned() };
        let answer = answer(server, &get(&path, &format!("{curl}Accept: {accept}\r\n")));
        assert_eq!(answer.status, status, "{path}");
        description.check(&path, &answer, true);
        if let Some(validator) = answer.field("ETag") {
            let same = self::answer(server, &get(&path, &format!("{CURL}If-None-Match: {validator}\r\n")));
            description.check(&path, &same, true);
        }
    }
    for path in ["/port", "/source-port", "/{name}", "/headers/{name}", "/json", "/all", "/explain"] {
        let unknown = answer(&server, &get(path, "Host: a\r\nX-Forwarded-For: 2001:db8::1\r\n"));
        description.check(path, &unknown, false);
    }
    for path in ["/json", "/explain"] {
        let json = answer(&server, &get(path, "Host: a\r\nAccept: application/json\r\nX-Forwarded-For: 6.6.6.6, unknown\r\n"));
        description.check(path, &json, false);
    }

    for path in description.document["paths"].as_object().unwrap().clone().keys() {
        let ask = |query| answer(&located, &get(&format!("{path}?ip={query}"), CURL));
        if description.document["paths"][path]["get"]["responses"].get("400").is_some() {
            description.check(path, &ask("x"), true);
            description.check(path, &ask("203.0.113.9"), path != "/json");
        }
        if needs_databases(path) {
            description.check(path, &ask("192.0.2.1"), true);
        }
    }
    description.check("/json", &answer(&located, &get("/json", CURL)), false);

    let hops = "203.0.113.9, ".repeat(65);
    let long = answer(&server, &get("/explain", &format!("Host: a\r\nAccept: application/json\r\nX-Forwarded-For: {hops}\r\n")));
    assert!(long.text().contains(r#""more":1,"#), "{}", long.text());
    description.check("/explain", &long, false);

    let plain = TestServer::start();
    for path in ["/replica", "/explain", "/port/{port}"] {
        description.check(path, &answer(&plain, &get(path, "Host: a\r\n")), true);
    }

    let behind = TestServer::with(|settings| {
        configured(settings);
        settings.listeners[0].kind = ListenerKind::Proxy;
    });
    for path in ["/", "/ip", "/source-ip", "/json", "/all"] {
        let unknown = answer(&behind, &format!("PROXY UNKNOWN\r\n{}", get(path, "Host: a\r\n")));
        description.check(path, &unknown, false);
    }

    let stopping = TestServer::start();
    stopping.drain();
    while stopping.get("/ready", "").status == 200 {
        thread::yield_now();
    }
    for path in ["/ready", "/readyz"] {
        description.check(path, &stopping.get(path, ""), true);
    }

    assert_eq!(description.seen, description.responses(), "all that is described was seen");
}

/// What is answered of look-ups where nothing is found, or nothing is done.
fn look_ups(description: &mut Description, server: &TestServer, resolver: &Resolver) {
    for accept in ["*/*", "application/json"] {
        let fields = format!("Host: a\r\nAccept: {accept}\r\nX-Forwarded-For: 198.51.100.7\r\n");
        let unknown = answer(server, &get("/hostname", &fields));
        assert_eq!(unknown.status, 404);
        description.check("/hostname", &unknown, false);
    }
    let forbidden = answer(server, &get("/port/{port}", CURL));
    let wrong = answer(server, &get("/port/65536", CURL));
    for (status, answer) in [(403, forbidden), (400, wrong)] {
        assert_eq!(answer.status, status);
        description.check("/port/{port}", &answer, false);
    }
    while resolver.heard.try_recv().is_ok() {}
    let mut waiting = server.connect();
    waiting.write_all(get("/hostname", "Host: a\r\nX-Forwarded-For: 10.0.0.1\r\n").as_bytes()).unwrap();
    resolver.heard.recv().unwrap();
    let busy = answer(server, &get("/hostname", "Host: a\r\nX-Forwarded-For: 10.0.0.1\r\n"));
    assert_eq!(busy.status, 503);
    description.check("/hostname", &busy, false);
    description.check("/port/{port}", &busy, false);
}

#[test]
fn the_check_of_schemas_finds_what_is_wrong() {
    let description = Description::new();
    let rows = [
        (r#"{"type":"string"}"#, r#""a""#, "1"),
        (r#"{"type":["integer","null"]}"#, "null", "1.5"),
        (r#"{"const":"ok\n"}"#, r#""ok\n""#, r#""ok""#),
        (r#"{"enum":["http",null]}"#, "null", r#""https""#),
        (r##"{"$ref":"#/components/schemas/Address"}"##, r#""2001:db8::1""#, r#""2001:db8::1::""#),
        (r##"{"$ref":"#/components/schemas/Address"}"##, r#""203.0.113.9""#, r#""203.0.113.9:1""#),
        (r#"{"minLength":2,"maxLength":3}"#, r#""äöü""#, r#""ä""#),
        (r#"{"minimum":1,"maximum":65535}"#, "65535", "65536"),
        (r#"{"required":["a"]}"#, r#"{"a":1}"#, "{}"),
        (r#"{"properties":{"a":{"type":"null"}}}"#, r#"{"a":null,"b":1}"#, r#"{"a":1}"#),
        (r#"{"properties":{"a":{}},"additionalProperties":false}"#, r#"{"a":1}"#, r#"{"b":1}"#),
        (r#"{"additionalProperties":{"type":"string"}}"#, r#"{"a":"b"}"#, r#"{"a":1}"#),
        (r#"{"items":{"type":"string"}}"#, r#"["a"]"#, r#"["a",1]"#),
    ];
    for (schema, right, wrong) in rows {
        let [schema, right, wrong] = [schema, right, wrong].map(|text| serde_json::from_str::<Value>(text).unwrap());
        assert_eq!(description.conforms(&right, &schema), Ok(()), "{schema}");
        assert!(description.conforms(&wrong, &schema).is_err(), "{schema} takes {wrong}");
    }
}
