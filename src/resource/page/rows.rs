//! The page's table: a row for each name, and one for all of them as JSON.
//!
//! A row has its name and its command in one cell. The command has the starts for all four tools; the radio buttons decide which one is
//! shown, in page.css. Class "item" is for the Browser tab alone, "tool" for the others, and in rows of
//! class "but-powershell" the PowerShell tab has no command. Rows of fields that only browsers send come twice: among the others on the
//! Browser tab, and without a command, under a heading of their own, on the tools' tabs.

use super::budget;
use super::command::{self, BaseUrl, Path};
use super::text::{self, Text};
use crate::http::response::decimal;
use crate::resource::address;
use crate::resource::endpoint::Endpoint;
use crate::resource::fields::{self, Listing, ROWS_MAX, Value};
use std::ops::Range;

/// Fields whose values are hidden until asked for: somebody may be looking over your shoulder, or at your screenshot.
const SECRETS: [&str; 3] = ["authorization", "cookie", "proxy-authorization"];

/// What browsers send and curl doesn't: the request fields that MDN lists for browsers, and some that they no longer send. So are all
/// fields that begin with `sec-`. Some tools send some of these (Wget `Connection`, PowerShell 7 `Accept-Encoding`).
const OF_BROWSERS: [&str; 47] = [
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "access-control-request-headers",
    "access-control-request-method",
    "alt-used",
    "attribution-reporting-eligible",
    "attribution-reporting-support",
    "authorization",
    "available-dictionary",
    "cache-control",
    "connection",
    "cookie",
    "device-memory",
    "dictionary-id",
    "dnt",
    "downlink",
    "dpr",
    "ect",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "keep-alive",
    "last-event-id",
    "origin",
    "ping-from",
    "ping-to",
    "pragma",
    "priority",
    "proxy-authorization",
    "purpose",
    "range",
    "referer",
    "rtt",
    "save-data",
    "service-worker",
    "service-worker-navigation-preload",
    "te",
    "upgrade-insecure-requests",
    "viewport-width",
    "width",
    "x-client-data",
    "x-moz",
    "x-purpose",
    "x-requested-with",
];

/// Has every name and value, however long.
const HEADERS: &str = "/headers";

/// All rows, and as much of each as fits.
pub struct Rows<'l> {
    listing: &'l Listing<'l>,
    base: BaseUrl<'l>,
    facts: [Facts; ROWS_MAX],
    /// The most bytes of a name that are shown, and of a value.
    shown: usize,
}

/// What is needed more than once about a row.
#[derive(Clone, Copy, Default)]
pub struct Facts {
    /// The value waits until it is asked for.
    pub is_secret: bool,
    /// Tools may not send the field: a command for it would get a 404.
    pub is_of_browsers: bool,
    /// The same of PowerShell alone.
    is_but_powershell: bool,
    /// An endpoint has the name.
    is_taken: bool,
    /// The bytes of the value.
    pub length: usize,
}

impl Facts {
    fn of(row: &fields::Row<'_>, endpoints: &[Endpoint]) -> Facts {
        let name = row.name();
        let is_among = |names: &[&str]| names.iter().any(|other| other.eq_ignore_ascii_case(name));
        let begins_with_sec = name.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("sec-"));
        let length = match row.value() {
            Value::Lines(lines) => lines.map(|line| line.len() + ", ".len()).sum::<usize>() - ", ".len(),
            Value::Address(_) | Value::Port(_) => 0,
        };
        let is_of_browsers = begins_with_sec || is_among(&OF_BROWSERS);
        Facts {
            is_secret: is_of_browsers && is_among(&SECRETS),
            is_of_browsers,
            // Invoke-RestMethod of any version sends no Accept.
            is_but_powershell: name.eq_ignore_ascii_case("accept"),
            is_taken: endpoints.iter().any(|endpoint| endpoint.segment.eq_ignore_ascii_case(name)),
            length,
        }
    }
}

/// One row as it is shown.
#[derive(Clone, Copy)]
struct Shown<'l> {
    row: fields::Row<'l>,
    facts: Facts,
    shown: usize,
}

impl<'l> Rows<'l> {
    /// The rows of a listing, in at most `room` bytes. The names of these endpoints are taken.
    pub fn new(listing: &'l Listing<'l>, endpoints: &[Endpoint], base: BaseUrl<'l>, room: usize) -> Rows<'l> {
        let mut rows = Rows { listing, base, facts: [Facts::default(); ROWS_MAX], shown: 0 };
        for (place, row) in rows.facts.iter_mut().zip(listing.rows()) {
            *place = Facts::of(&row, endpoints);
        }
        rows.shown = budget::shown(&rows, room);
        rows
    }

    /// The URL in the commands.
    pub fn base(&self) -> BaseUrl<'l> {
        self.base
    }

    /// The rows with their facts.
    pub fn iter(&self) -> impl Iterator<Item = (fields::Row<'l>, Facts)> {
        self.listing.rows().zip(self.facts.iter().copied())
    }

    fn shown(&self) -> impl Iterator<Item = Shown<'l>> {
        self.iter().map(|(row, facts)| Shown { row, facts, shown: self.shown })
    }

    /// Appends the bodies of the table.
    pub fn write(&self, content: &mut Vec<u8>) {
        let mut code = Code::new(self.base);
        content.extend_from_slice(b"\n<tbody>");
        for row in self.shown() {
            match row.facts.is_of_browsers {
                true => row.write_without_command(content, b"\n<tr class=\"item\"><th>"),
                false => row.write(content, &mut code),
            }
        }
        if self.shown().any(|row| row.facts.is_of_browsers) {
            content.extend_from_slice(b"\n</tbody>\n<tbody class=\"tool\">\n<tr>\n<th colspan=\"2\" scope=\"rowgroup\">");
            content.extend_from_slice(b"Browsers send these, tools may not</th>\n</tr>");
            self.shown().filter(|row| row.facts.is_of_browsers).for_each(|row| row.write_without_command(content, b"\n<tr><th>"));
        }
        content.extend_from_slice(b"\n</tbody>\n<tbody>\n<tr><th><span>JSON</span>");
        code.write(content, Path::Fixed("/all"));
        content.extend_from_slice(b"</th>\n<td>");
        self.write_json(content);
        content.extend_from_slice(b"</td></tr>\n</tbody>\n");
    }

    /// All rows as one JSON object, for people: `/all` with line breaks.
    fn write_json(&self, content: &mut Vec<u8>) {
        let has_secrets = self.shown().any(|row| row.facts.is_secret);
        content.extend_from_slice(if has_secrets { b"<details><summary>Private, too</summary>\n" } else { b"" });
        content.extend_from_slice(b"<pre>{");
        for (index, row) in self.shown().enumerate() {
            content.extend_from_slice(if index > 0 { b",\n  &#34;" } else { b"\n  &#34;" });
            row.write_member(content);
        }
        content.extend_from_slice(b"\n}</pre>");
        content.extend_from_slice(if has_secrets { b"</details>" } else { b"" });
        if self.shown().any(Shown::is_cut) {
            content.extend_from_slice(b"<a href=\"all\">All of it</a>");
        }
    }
}

/// The commands of a row.
pub struct Code<'l> {
    base: BaseUrl<'l>,
    /// The start of the first row's commands in the content, to copy from.
    beginnings: Range<usize>,
}

impl<'l> Code<'l> {
    /// Commands that ask there, of which none is written yet.
    pub fn new(base: BaseUrl<'l>) -> Code<'l> {
        Code { base, beginnings: 0..0 }
    }

    /// Appends the commands for one path.
    pub fn write(&mut self, content: &mut Vec<u8>, path: Path<'_>) {
        content.extend_from_slice(b"\n<code>");
        if self.beginnings.is_empty() {
            let start = content.len();
            command::write_beginnings(content, self.base);
            self.beginnings = start..content.len();
        } else {
            content.extend_from_within(self.beginnings.clone());
        }
        command::write_end(content, path, self.base);
        content.extend_from_slice(b"</code>");
    }
}

impl<'l> Shown<'l> {
    /// Appends a row that has no command on any tab that shows it.
    fn write_without_command(self, content: &mut Vec<u8>, start: &[u8]) {
        content.extend_from_slice(start);
        self.write_name(content);
        content.extend_from_slice(b"</th>");
        self.write_result(content);
    }

    /// Appends a row that all tabs share, with its name and its command.
    fn write(self, content: &mut Vec<u8>, code: &mut Code<'_>) {
        content.extend_from_slice(match self.facts.is_but_powershell {
            true => b"\n<tr class=\"but-powershell\"><th><span>",
            false => b"\n<tr><th><span>",
        });
        self.write_name(content);
        content.extend_from_slice(b"</span>");
        code.write(content, self.path());
        content.extend_from_slice(b"</th>");
        self.write_result(content);
    }

    /// The name in lower case.
    fn write_name(self, content: &mut Vec<u8>) {
        text::ascii(content, self.row.name().bytes().take(self.shown).map(|byte| byte.to_ascii_lowercase()));
        self.write_link(content, self.more_of_name());
    }

    fn write_result(self, content: &mut Vec<u8>) {
        let is_secret = self.facts.is_secret;
        content.extend_from_slice(if is_secret { b"\n<td><details><summary>Private</summary>" } else { b"\n<td>" });
        let more = self.write_value(content, text::html);
        self.write_link(content, more);
        content.extend_from_slice(if is_secret { b"</details></td></tr>" } else { b"</td></tr>" });
    }

    /// The name and the value as a member of a JSON object, without the first quotation mark.
    fn write_member(self, content: &mut Vec<u8>) {
        text::ascii(content, self.row.key().take(self.shown));
        write_more(content, self.more_of_name());
        let is_number = matches!(self.row.value(), Value::Port(_));
        content.extend_from_slice(if is_number { b"&#34;: " } else { b"&#34;: &#34;" });
        let more = self.write_value(content, text::json);
        write_more(content, more);
        content.extend_from_slice(if is_number { b"" } else { b"&#34;" });
    }

    /// Appends as much of the value as is shown; the lines of a field are joined with `, `, each read as UTF-8 or Latin-1. Returns the
    /// number of bytes that are not shown.
    fn write_value(self, content: &mut Vec<u8>, write: fn(&mut Vec<u8>, Text<'_>)) -> usize {
        let mut more = self.facts.length;
        match self.row.value() {
            Value::Address(ip) => address::write(content, &ip),
            Value::Port(port) => decimal(content, port.into()),
            Value::Lines(lines) => {
                let mut room = self.shown;
                for (index, line) in lines.enumerate() {
                    let separator: &[u8] = if index > 0 { b", " } else { b"" };
                    for piece in [separator, line] {
                        if room == 0 || piece.is_empty() {
                            continue;
                        }
                        let first = Text::new(piece).first(room);
                        write(content, first);
                        more -= first.len();
                        // Nothing after a cut is shown.
                        room = if first.len() < piece.len() { 0 } else { room - first.len() };
                    }
                }
            }
        }
        more
    }

    /// The resource that answers with the value.
    fn path(self) -> Path<'l> {
        match self.row.value() {
            Value::Address(_) => Path::Fixed("/"),
            Value::Port(_) => Path::Fixed("/source-port"),
            // A name that is cut in its cell has no command of its own.
            Value::Lines(_) if self.more_of_name() > 0 => Path::Fixed(HEADERS),
            // Clients resolve dot segments (RFC 3986 §5.2.4).
            Value::Lines(_) if matches!(self.row.name(), "." | "..") => Path::Fixed(HEADERS),
            Value::Lines(_) => Path::Field { name: self.row.name(), is_taken: self.facts.is_taken },
        }
    }

    /// The bytes of the name that are not shown.
    fn more_of_name(self) -> usize {
        self.row.name().len().saturating_sub(self.shown)
    }

    fn is_cut(self) -> bool {
        self.facts.length > self.shown || self.more_of_name() > 0
    }

    /// A link to what is not shown.
    fn write_link(self, content: &mut Vec<u8>, more: usize) {
        if more > 0 {
            content.extend_from_slice(b"<a href=\".");
            command::write_path(content, self.path());
            content.extend_from_slice(b"\">");
            write_more(content, more);
            content.extend_from_slice(b"</a>");
        }
    }
}

/// Says how many bytes are not shown, if any.
fn write_more(content: &mut Vec<u8>, more: usize) {
    if more > 0 {
        content.extend_from_slice("… ".as_bytes());
        decimal(content, more as u64);
        content.extend_from_slice(if more > 1 { b" bytes more" } else { b" byte more" });
    }
}
