//! Commands that ask this server for one thing, ready to be pasted into a shell.

use super::text::gather;
use crate::client::Scheme;
use crate::http::host::AUTHORITY_MAX;
use std::fmt::{self, Display, Formatter};

/// A program that people have at hand, in the order of the page's tabs.
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

    fn invocation(self) -> &'static str {
        match self {
            Tool::Wget => "wget -qO - ",
            Tool::Curl => "curl ",
            Tool::Fetch => "fetch -qo - ",
            Tool::PowerShell => "Invoke-RestMethod ",
        }
    }

    /// fetch(1) guesses a scheme only for names that begin with `www.` or `ftp.`; `Invoke-RestMethod` of PowerShell 5 never.
    fn needs_scheme(self) -> bool {
        matches!(self, Tool::Fetch | Tool::PowerShell)
    }
}

/// Where the client reached this server.
#[derive(Clone, Copy, Debug)]
pub struct Origin<'a> {
    /// `None` where no one told.
    pub scheme: Option<Scheme>,
    /// `uri-host [ ":" port ]`.
    pub host: &'a [u8],
    /// [`Site::path`](crate::resource::Site::path).
    pub path: &'a str,
}

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub enum Path<'a> {
    /// `/all`, or another path that is known to be safe.
    Fixed(&'static str),
    /// `/<name>`, or, where something else has that name, `/headers/<name>`.
    Field {
        /// As the client wrote it.
        name: &'a str,
        /// Something else has the name.
        is_taken: bool,
    },
}

impl<'a> Origin<'a> {
    /// The commands' host. One whose percent-encoded form no longer fits is no name that DNS has, and the page says it in each
    /// row: then the reader has to know better.
    pub fn new(scheme: Option<Scheme>, host: Option<&'a [u8]>, path: &'a str) -> Origin<'a> {
        let shown = host.filter(|host| host.iter().map(|&byte| encoded_length(byte, OF_HOST)).sum::<usize>() <= AUTHORITY_MAX);
        Origin { scheme, host: shown.unwrap_or(HOST_UNKNOWN), path }
    }

    /// Brackets are a pattern to zsh. Double quotes mean the same to every shell, cmd.exe among them.
    fn quote(self) -> &'static str {
        if self.host.starts_with(b"[") { "\"" } else { "" }
    }
}

/// Where no Host was sent (HTTP/1.0) and none is configured.
const HOST_UNKNOWN: &[u8] = b"HOST";

/// What all commands of one tool begin with: the program and the scheme.
///
/// A command is made of this, the host, and what is asked for. It is safe in every shell: what a client chose is
/// percent-encoded, save letters, digits and what means nothing to a shell; and it cannot begin with a hyphen.
#[derive(Clone, Copy, Debug)]
pub struct Beginning<'a>(pub Tool, pub Origin<'a>);

impl Display for Beginning<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Beginning(tool, origin) = *self;
        // wget takes `[::1]:80/` for FTP, and anything a leading hyphen for an option.
        let is_plain = origin.host.first().is_some_and(u8::is_ascii_alphanumeric);
        let scheme = match origin.scheme {
            Some(Scheme::Https) => "https://",
            _ if tool.needs_scheme() || !is_plain => "http://",
            _ => "",
        };
        [tool.invocation(), origin.quote(), scheme].iter().try_for_each(|part| f.write_str(part))
    }
}

/// The host of all commands, and the path below which they ask.
#[derive(Clone, Copy, Debug)]
pub struct Host<'a>(pub Origin<'a>);

impl Display for Host<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        encode(self.0.host.iter().copied(), OF_HOST, f)?;
        f.write_str(self.0.path)
    }
}

/// What a command ends in: what is asked for.
#[derive(Clone, Copy, Debug)]
pub struct End<'a>(pub Path<'a>, pub Origin<'a>);

impl Display for End<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let End(path, origin) = self;
        path.fmt(f)?;
        f.write_str(origin.quote())
    }
}

impl Display for Path<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match *self {
            Path::Fixed(path) => f.write_str(path),
            Path::Field { name, is_taken } => {
                f.write_str(if is_taken { "/headers/" } else { "/" })?;
                encode(name.bytes().map(|byte| byte.to_ascii_lowercase()), b"", f)
            }
        }
    }
}

/// What stays as it is in a host, besides the unreserved characters.
const OF_HOST: &[u8] = b":[]%";

/// Percent-encodes all but RFC 3986's unreserved characters, for which it would change nothing (§2.3), and `also`.
fn encode(bytes: impl Iterator<Item = u8>, also: &[u8], f: &mut Formatter<'_>) -> fmt::Result {
    gather(f, bytes, |gathered, byte| {
        if encoded_length(byte, also) == 1 {
            return gathered.put([byte]);
        }
        let digit = |value: u8| b"0123456789ABCDEF"[usize::from(value)];
        gathered.put([b'%', digit(byte >> 4), digit(byte & 15)])
    })
}

/// The bytes that a byte becomes.
pub fn encoded_length(byte: u8, also: &[u8]) -> usize {
    let is_kept = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || also.contains(&byte);
    if is_kept { 1 } else { "%00".len() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn commands(scheme: Option<Scheme>, host: &str, path: Path<'_>) -> Vec<String> {
        commands_below(scheme, host, "", path)
    }

    fn commands_below(scheme: Option<Scheme>, host: &str, below: &str, path: Path<'_>) -> Vec<String> {
        let origin = Origin::new(scheme, Some(host.as_bytes()), below);
        Tool::ALL.map(|tool| format!("{}{}{}", Beginning(tool, origin), Host(origin), End(path, origin))).into()
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
                let url = command.strip_prefix(tool.invocation()).unwrap();
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
