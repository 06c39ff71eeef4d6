//! The clients: what starts each, as it is typed or as its library is used, and what it must get of `/`.

use crate::Gets::{self, Json, NotFound, Page, Text};

pub struct Client {
    pub name: &'static str,
    /// A shell command that tells whether it is there.
    pub needs: &'static str,
    /// Where it comes from, where it is not.
    pub source: &'static str,
    /// A shell command that asks `$URL` and writes what it got to stdout. It runs in an empty folder.
    pub asks: &'static str,
    pub gets: Gets,
}

macro_rules! clients {
    ($($gets:ident $name:literal, $source:literal, $needs:literal: $asks:literal;)*) => {
        pub const CLIENTS: &[Client] =
            &[$(Client { name: $name, source: $source, needs: $needs, asks: $asks, gets: $gets }),*];
    };
}

clients! {
    // Programs that print what they get.
    Text "curl", "Debian: curl", "command -v curl": r#"curl -s "$URL""#;
    Text "GNU Wget", "Debian: wget", "wget --version | grep -q 'Wget 1'": r#"wget -qO - "$URL""#;
    Text "GNU Wget2", "Debian: wget2", "command -v wget2": r#"wget2 -qO - "$URL""#;
    Text "BusyBox wget", "Debian: busybox", "command -v busybox": r#"busybox wget -qO - "$URL""#;
    Text "NetBSD ftp", "Debian: tnftp", "command -v tnftp": r#"tnftp -V -o - "$URL""#;
    Text "FreeBSD fetch", "FreeBSD", "fetch --help 2>&1 | grep -q no-sslv": r#"fetch -qo - "$URL""#;
    Text "aria2", "Debian: aria2", "command -v aria2c": r#"aria2c -q --no-conf -o got "$URL" && cat got"#;
    Text "HTTPie", "PyPI: httpie", "command -v http": r#"http --ignore-stdin --body --pretty none "$URL""#;
    Text "xh", "crates.io: xh", "command -v xh": r#"xh --ignore-stdin --body --pretty none "$URL""#;
    Text "lwp-request", "Debian: libwww-perl", "command -v lwp-request": r#"lwp-request "$URL""#;
    Text "ddclient", "Debian: ddclient", "command -v ddclient":
        r#"ddclient -daemon=0 -query -use=web -web="$URL" | sed -n 's/^use=web, web=.* address is //p'"#;
    Text "PowerShell", "Microsoft", "command -v pwsh": r#"pwsh -NoProfile -Command 'Invoke-RestMethod $env:URL'"#;
    Text "a shell alone", "Debian: bash", "command -v bash": r#"bash -c '
        rest=${URL#http://} authority=${rest%%/*}
        exec 3<>"/dev/tcp/${authority%:*}/${authority#*:}"
        printf "GET %s HTTP/1.0\r\n\r\n" "/${rest#*/}" >&3
        sed "1,/^\r\$/d" <&3'"#;

    // Libraries.
    Text "Python urllib", "Debian: python3", "command -v python3":
        r#"python3 -c 'import os, urllib.request as client; print(end=client.urlopen(os.environ["URL"]).read().decode())'"#;
    Text "Python urllib3", "PyPI: urllib3", "python3 -c 'import urllib3'":
        r#"python3 -c 'import os, urllib3 as client; print(end=client.request("GET", os.environ["URL"]).data.decode())'"#;
    Text "Python requests", "PyPI: requests", "python3 -c 'import requests'":
        r#"python3 -c 'import os, requests as client; print(end=client.get(os.environ["URL"]).text)'"#;
    Text "Python httpx", "PyPI: httpx", "python3 -c 'import httpx'":
        r#"python3 -c 'import os, httpx as client; print(end=client.get(os.environ["URL"]).text)'"#;
    Text "Python aiohttp", "PyPI: aiohttp", "python3 -c 'import aiohttp'": r#"python3 -c '
import aiohttp, asyncio, os
async def main():
    async with aiohttp.request("GET", os.environ["URL"]) as answer:
        print(end=await answer.text())
asyncio.run(main())'"#;
    Text "Java URLConnection", "Debian: default-jdk-headless", "command -v javac": r#"java "$HERE/Connection.java""#;
    Text "Java HttpClient", "Debian: default-jdk-headless", "command -v javac": r#"java "$HERE/Client.java""#;
    Text "Go", "Debian: golang-go", "command -v go": r#"go run "$HERE/client.go""#;
    Text "Node.js fetch", "Debian: nodejs", "node -e 'fetch'":
        r#"node -e 'fetch(process.env.URL).then(async answer => process.stdout.write(await answer.text()))'"#;
    Text "Node.js http", "Debian: nodejs", "command -v node":
        r#"node -e 'require("http").get(process.env.URL, answer => answer.pipe(process.stdout))'"#;
    // Its stock Accept asks for it.
    Json "axios", "npm: axios", "node -e 'require(\"axios\")'":
        r#"node -e 'require("axios").get(process.env.URL).then(({ data }) => console.log(JSON.stringify(data)))'"#;
    Text "Perl HTTP::Tiny", "Debian: perl", "perl -MHTTP::Tiny -e 1":
        r#"perl -MHTTP::Tiny -e 'print HTTP::Tiny->new->get($ENV{URL})->{content}'"#;
    Text "PHP", "Debian: php-cli", "command -v php": r#"php -r 'echo file_get_contents(getenv("URL"));'"#;
    Text "Ruby", "Debian: ruby", "command -v ruby": r#"ruby -rnet/http -e 'print Net::HTTP.get(URI(ENV["URL"]))'"#;

    // Browsers.
    Page "Chromium", "Debian: chromium", "command -v chromium":
        r#"chromium --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --user-data-dir=. --dump-dom "$URL""#;
    Page "Lynx", "Debian: lynx", "command -v lynx": r#"lynx -source "$URL""#;
    Page "w3m", "Debian: w3m", "command -v w3m": r#"w3m -dump_source "$URL""#;
    // They accept anything alike, and show text as well.
    Text "Links", "Debian: links", "command -v links": r#"links -source "$URL""#;
    Text "ELinks", "Debian: elinks", "command -v elinks": r#"elinks -source "$URL""#;

    // It asks for a path of its own, and is told that there is none.
    NotFound "git", "Debian: git", "command -v git": r#"git ls-remote "$URL""#;
}
