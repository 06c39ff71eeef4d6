//! Commands for one row each, ready to be pasted into a shell.

use crate::client::Scheme;
use crate::http::host::AUTHORITY_MAX;
use crate::resource::address::Family;

/// A tool, in the order of the page's tabs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    /// GNU Wget.
    Wget,
    /// curl.
    Curl,
    /// FreeBSD's fetch(1).
    Fetch,
    /// PowerShell, any version.
    PowerShell,
}

impl Tool {
    /// All of them.
    pub const ALL: [Tool; 4] = [Tool::Wget, Tool::Curl, Tool::Fetch, Tool::PowerShell];

    /// PowerShell has no option for a family.
    fn invocation(self, family: Option<Family>) -> &'static str {
        match (self, family) {
            (Tool::Wget, None) => "wget -qO - ",
            (Tool::Wget, Some(Family::V4)) => "wget -4qO - ",
            (Tool::Wget, Some(Family::V6)) => "wget -6qO - ",
            (Tool::Curl, None) => "curl ",
            (Tool::Curl, Some(Family::V4)) => "curl -4 ",
            (Tool::Curl, Some(Family::V6)) => "curl -6 ",
            (Tool::Fetch, None) => "fetch -qo - ",
            (Tool::Fetch, Some(Family::V4)) => "fetch -4qo - ",
            (Tool::Fetch, Some(Family::V6)) => "fetch -6qo - ",
            (Tool::PowerShell, _) => "Invoke-RestMethod ",
        }
    }

    /// fetch(1) guesses a scheme only for names that begin with `www.` or `ftp.`; `Invoke-RestMethod` of PowerShell 5 never does.
    fn needs_scheme(self) -> bool {
        matches!(self, Tool::Fetch | Tool::PowerShell)
    }
}

/// The URL at which the client reached this server.
#[derive(Clone, Copy, Debug)]
pub struct BaseUrl<'a> {
    /// `None` if it is not known.
    pub scheme: Option<Scheme>,
    /// `uri-host [ ":" port ]`.
    pub host: &'a [u8],
    /// `":" port`, where it is not in `host`, or nothing.
    pub port: &'a [u8],
    /// [`Site::path`](crate::resource::Site::path).
    pub path: &'a str,
    /// The one that is to be used, if not any.
    pub family: Option<Family>,
}

/// The path in a command.
#[derive(Clone, Copy, Debug)]
pub enum Path<'a> {
    /// `/all`, or another path that needs no encoding.
    Fixed(&'static str),
    /// `/<name>`, or `/headers/<name>` if an endpoint has that name.
    Field {
        /// As the client wrote it.
        name: &'a str,
        /// An endpoint has the name.
        is_taken: bool,
    },
}

impl<'a> BaseUrl<'a> {
    /// The commands' host. If its percent-encoded form is too long it can't be a DNS name, and the page would repeat it in each row: then
    /// the page says `HOST`.
    pub fn new(scheme: Option<Scheme>, host: Option<&'a [u8]>, path: &'a str) -> BaseUrl<'a> {
        let shown = host.filter(|host| encoded_host_length(host) <= AUTHORITY_MAX);
        BaseUrl { scheme, host: shown.unwrap_or(HOST_UNKNOWN), port: b"", path, family: None }
    }

    /// The same at a name that has addresses of this family alone.
    pub fn by(self, family: Family, name: &'a str) -> BaseUrl<'a> {
        // The colons in an IPv6 address are before its bracket.
        let end = memchr::memrchr(b']', self.host).unwrap_or(0);
        let port = memchr::memrchr(b':', &self.host[end..]).map_or(&b""[..], |colon| &self.host[end + colon..]);
        BaseUrl { host: name.as_bytes(), port, family: Some(family), ..self }
    }

    /// Brackets are a pattern in zsh. Double quotes mean the same in every shell, even cmd.exe.
    fn quote(self) -> &'static str {
        if self.host.starts_with(b"[") { "&#34;" } else { "" }
    }
}

/// If no Host was sent (HTTP/1.0) and none is configured.
const HOST_UNKNOWN: &[u8] = b"HOST";

/// Without a scheme, curl(1) asks a host whose name begins so by that protocol.
const OTHER_PROTOCOLS: [&[u8]; 6] = [b"ftp.", b"dict.", b"ldap.", b"imap.", b"smtp.", b"pop3."];

/// Appends the start of every row's commands: for each tool the program and the scheme; then the host, and the site's path.
///
/// With its [end](write_end) that makes a command that is safe in every shell: what a client chose is percent-encoded, except letters,
/// digits and what means nothing to a shell; and it cannot begin with a hyphen.
pub fn write_beginnings(content: &mut Vec<u8>, base: BaseUrl<'_>) {
    // wget takes `[::1]:80/` for FTP, and any tool takes a leading hyphen for an option.
    let is_plain = base.host.first().is_some_and(u8::is_ascii_alphanumeric);
    let is_other =
        OTHER_PROTOCOLS.iter().any(|start| base.host.get(..start.len()).is_some_and(|host| host.eq_ignore_ascii_case(start)));
    for tool in Tool::ALL {
        let scheme = match base.scheme {
            Some(Scheme::Https) => "https://",
            _ if tool.needs_scheme() || !is_plain || (tool == Tool::Curl && is_other) => "http://",
            _ => "",
        };
        for part in ["<i>", tool.invocation(base.family), base.quote(), scheme, "</i>"] {
            content.extend_from_slice(part.as_bytes());
        }
    }
    encode(content, base.host.iter().copied(), OF_HOST);
    content.extend_from_slice(base.port);
    content.extend_from_slice(base.path.as_bytes());
}

/// An upper bound on the bytes of the start of a row's commands.
pub fn beginnings_length(base: BaseUrl<'_>) -> usize {
    const MARKUP: usize = "<i></i>".len() + "&#34;".len() + "https://".len();
    let tools: usize = Tool::ALL.iter().map(|tool| MARKUP + tool.invocation(base.family).len()).sum();
    tools + encoded_host_length(base.host) + base.port.len() + base.path.len()
}

fn encoded_host_length(host: &[u8]) -> usize {
    host.iter().map(|&byte| usize::from(encoded_length(byte, OF_HOST))).sum()
}

/// Appends the end of a command: the path.
pub fn write_end(content: &mut Vec<u8>, path: Path<'_>, base: BaseUrl<'_>) {
    write_path(content, path);
    content.extend_from_slice(base.quote().as_bytes());
}

/// Appends a path.
pub fn write_path(content: &mut Vec<u8>, path: Path<'_>) {
    match path {
        Path::Fixed(path) => content.extend_from_slice(path.as_bytes()),
        Path::Field { name, is_taken } => {
            content.extend_from_slice(if is_taken { b"/headers/" } else { b"/" });
            encode(content, name.bytes().map(|byte| byte.to_ascii_lowercase()), b"");
        }
    }
}

/// What is not encoded in a host, besides the unreserved characters.
const OF_HOST: &[u8] = b":[]%";

/// Percent-encodes everything but RFC 3986's unreserved characters (§2.3) and `also`. The result contains no markup.
fn encode(content: &mut Vec<u8>, bytes: impl Iterator<Item = u8>, also: &[u8]) {
    for byte in bytes {
        if is_kept(byte, also) {
            content.push(byte);
            continue;
        }
        let digit = |value: u8| b"0123456789ABCDEF"[usize::from(value)];
        content.extend_from_slice(&[b'%', digit(byte >> 4), digit(byte & 15)]);
    }
}

/// The length of a byte in a path, or in a host.
pub const fn encoded_length(byte: u8, also: &[u8]) -> u8 {
    if is_kept(byte, also) { 1 } else { 3 }
}

const fn is_kept(byte: u8, also: &[u8]) -> bool {
    let mut index = 0;
    while index < also.len() {
        if byte == also[index] {
            return true;
        }
        index += 1;
    }
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn commands(scheme: Option<Scheme>, host: &str, path: Path<'_>) -> Vec<String> {
        commands_below(scheme, host, "", path)
    }

    fn commands_below(scheme: Option<Scheme>, host: &str, below: &str, path: Path<'_>) -> Vec<String> {
        commands_of(BaseUrl::new(scheme, Some(host.as_bytes()), below), path)
    }

    fn commands_of(base: BaseUrl<'_>, path: Path<'_>) -> Vec<String> {
        let mut content = Vec::new();
        write_beginnings(&mut content, base);
        write_end(&mut content, path, base);
        let code = String::from_utf8(content).unwrap().replace("&#34;", "\"");
        let parts: Vec<&str> = code.split("</i>").collect();
        let (url, beginnings) = parts.split_last().unwrap();
        beginnings.iter().map(|beginning| beginning.strip_prefix("<i>").unwrap().to_owned() + url).collect()
    }

    #[test]
    fn a_host_whose_name_says_another_protocol_to_curl_has_a_scheme() {
        let all = commands(None, "FTP.example.org", field("dnt"));
        assert_eq!((&*all[0], &*all[1]), ("wget -qO - FTP.example.org/dnt", "curl http://FTP.example.org/dnt"));
    }

    fn field(name: &str) -> Path<'_> {
        Path::Field { name, is_taken: false }
    }

    #[test]
    fn as_people_type_them() {
        let plain = [
            "wget -qO - ip.example.org/user-agent",
            "curl ip.example.org/user-agent",
            "fetch -qo - http://ip.example.org/user-agent",
            "Invoke-RestMethod http://ip.example.org/user-agent",
        ];
        assert_eq!(commands(None, "ip.example.org", field("User-Agent")), plain);
        assert_eq!(commands(Some(Scheme::Http), "ip.example.org", field("user-agent")), plain);
        assert_eq!(
            commands(Some(Scheme::Https), "ip.example.org:8443", Path::Fixed("/")),
            [
                "wget -qO - https://ip.example.org:8443/",
                "curl https://ip.example.org:8443/",
                "fetch -qo - https://ip.example.org:8443/",
                "Invoke-RestMethod https://ip.example.org:8443/",
            ]
        );
        let taken = Path::Field { name: "Port", is_taken: true };
        assert_eq!(commands(None, "ip.example.org", taken)[1], "curl ip.example.org/headers/port");
    }

    #[test]
    fn below_a_path() {
        let below = |path| commands_below(Some(Scheme::Https), "[2001:db8::1]", "/a/b", path).swap_remove(1);
        assert_eq!(below(Path::Fixed("/")), r#"curl "https://[2001:db8::1]/a/b/""#);
        assert_eq!(below(field("DNT")), r#"curl "https://[2001:db8::1]/a/b/dnt""#);
        assert_eq!(below(Path::Field { name: "ip", is_taken: true }), r#"curl "https://[2001:db8::1]/a/b/headers/ip""#);
    }

    #[test]
    fn by_one_family() {
        let base = |host: &'static str| BaseUrl::new(Some(Scheme::Https), Some(host.as_bytes()), "/a");
        assert_eq!(
            commands_of(base("ip.example.org:8443").by(Family::V4, "v4.example.org"), Path::Fixed("/")),
            [
                "wget -4qO - https://v4.example.org:8443/a/",
                "curl -4 https://v4.example.org:8443/a/",
                "fetch -4qo - https://v4.example.org:8443/a/",
                "Invoke-RestMethod https://v4.example.org:8443/a/",
            ]
        );
        for (host, url) in [
            ("[2001:db8::1]", "https://v6.example.org/a/"),
            ("[2001:db8::1]:81", "https://v6.example.org:81/a/"),
            ("192.0.2.1", "https://v6.example.org/a/"),
            ("a:00080", "https://v6.example.org:00080/a/"),
        ] {
            let by_ipv6 = base(host).by(Family::V6, "v6.example.org");
            let beginnings = ["wget -6qO - ", "curl -6 ", "fetch -6qo - ", "Invoke-RestMethod "];
            assert_eq!(commands_of(by_ipv6, Path::Fixed("/")), beginnings.map(|beginning| beginning.to_owned() + url), "{host}");
        }
    }

    #[test]
    fn an_ipv6_host_is_quoted_and_has_a_scheme() {
        assert_eq!(commands(None, "[::1]:8080", field("dnt"))[0], r#"wget -qO - "http://[::1]:8080/dnt""#);
        assert_eq!(commands(Some(Scheme::Https), "[::1]", field("dnt"))[1], r#"curl "https://[::1]/dnt""#);
    }

    #[test]
    fn nothing_that_a_client_chose_reaches_the_shell() {
        let hosts =
            ["a;id", "$(id)", "a'b", "a&b", "a|b", "`id`", "a b", "!!", "a*", "-o.bashrc", "~root", "%24x", r"a\b", r#"a"b"#];
        let names = ["`id`", "a'b", "a&b", "a|b", "#", "!", "$x", "*", "%41", "~root", "-x", "a^b", "a+b"];
        let is_inert = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~%:/".contains(&byte);
        for (host, name) in hosts.iter().flat_map(|host| names.map(|name| (host, name))) {
            for (tool, command) in Tool::ALL.iter().zip(commands(None, host, field(name))) {
                let url = command.strip_prefix(tool.invocation(None)).unwrap();
                assert!(url.bytes().all(is_inert) && url.as_bytes()[0].is_ascii_alphanumeric(), "{command}");
            }
        }
        assert_eq!(commands(None, "h", field("%41`"))[1], "curl h/%2541%60");
    }

    #[test]
    fn no_host_is_longer_than_one_that_needs_no_encoding() {
        let (longest, encoded) = ("a".repeat(AUTHORITY_MAX), "!".repeat(AUTHORITY_MAX / 3));
        assert_eq!(commands(None, &longest, Path::Fixed("/"))[1], format!("curl {longest}/"));
        assert_eq!(commands(None, &encoded, Path::Fixed("/"))[1], format!("curl http://{}/", "%21".repeat(AUTHORITY_MAX / 3)));
        assert_eq!(commands(None, &(encoded + "!"), Path::Fixed("/"))[1], "curl HOST/");
    }
}
