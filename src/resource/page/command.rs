//! Commands that ask this server for one thing, ready to be pasted into a shell.

use crate::client::Scheme;
use std::fmt::{self, Display, Formatter, Write};

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

/// One command. Its Display is safe in every shell: what a client chose is percent-encoded, save letters, digits and what means
/// nothing to a shell; and it cannot begin with a hyphen.
#[derive(Clone, Copy, Debug)]
pub struct Command<'a> {
    /// The program.
    pub tool: Tool,
    /// The server.
    pub origin: Origin<'a>,
    /// The resource.
    pub path: Path<'a>,
}

impl Display for Command<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Origin { scheme, host } = self.origin;
        // Brackets are a pattern to zsh. Double quotes mean the same to every shell, cmd.exe among them.
        let quote = if host.starts_with(b"[") { "\"" } else { "" };
        // wget takes `[::1]:80/` for FTP, and anything a leading hyphen for an option.
        let is_plain = host.first().is_some_and(u8::is_ascii_alphanumeric);
        let scheme = match scheme {
            Some(Scheme::Https) => "https://",
            _ if self.tool.needs_scheme() || !is_plain => "http://",
            _ => "",
        };
        write!(f, "{}{quote}{scheme}", self.tool.invocation())?;
        encode(host.iter().copied(), b":[]%", f)?;
        match self.path {
            Path::Fixed(path) => f.write_str(path)?,
            Path::Field { name, is_taken } => {
                f.write_str(if is_taken { "/headers/" } else { "/" })?;
                encode(name.bytes().map(|byte| byte.to_ascii_lowercase()), b"", f)?;
            }
        }
        f.write_str(quote)
    }
}

/// Percent-encodes all but RFC 3986's unreserved characters, for which it would change nothing (§2.3), and `also`.
fn encode(mut bytes: impl Iterator<Item = u8>, also: &[u8], f: &mut Formatter<'_>) -> fmt::Result {
    bytes.try_for_each(|byte| match byte {
        b'-' | b'.' | b'_' | b'~' => f.write_char(char::from(byte)),
        _ if byte.is_ascii_alphanumeric() || also.contains(&byte) => f.write_char(char::from(byte)),
        _ => write!(f, "%{byte:02X}"),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn commands(scheme: Option<Scheme>, host: &str, path: Path<'_>) -> Vec<String> {
        let origin = Origin { scheme, host: host.as_bytes() };
        Tool::ALL.map(|tool| Command { tool, origin, path }.to_string()).into()
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
}
