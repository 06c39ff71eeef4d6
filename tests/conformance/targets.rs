//! The four forms of a target (RFC 9112 §3.2).

use crate::row::{HEAD, MUST, OURS, Row, SHOULD, closes, refused, rows, stays};
use swagip::http::Refusal;

rows! {
    MUST "9112 3.2.1" "a path":
        "GET /ip HTTP/1.1\r\nHost: a\r\n\r\n" => stays([200]);
    MUST "9112 3.2.1" "a path and a query":
        "GET /ip?a=b&c HTTP/1.1\r\nHost: a\r\n\r\n" => stays([200]);
    MUST "9112 3.2.1" "an empty query":
        "GET /? HTTP/1.1\r\nHost: a\r\n\r\n" => stays([200]);
    MUST "3986 6.2.2.2" "a percent-encoded letter is the letter":
        "GET /%69p HTTP/1.1\r\nHost: a\r\n\r\n" => stays([200]);
    OURS "3986 3.3" "names of resources in upper case":
        "GET /IP HTTP/1.1\r\nHost: a\r\n\r\n" => stays([200]);
    OURS "3986 2.1" "a percent sign that encodes nothing stays one":
        "GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n" => stays([404]);
    OURS "3986 2.1" "a percent sign at the end":
        "GET /% HTTP/1.1\r\nHost: a\r\n\r\n" => stays([404]);
    MUST "3986 2.2" "an encoded slash separates nothing":
        "GET /headers%2Fhost HTTP/1.1\r\nHost: a\r\n\r\n" => stays([404]);
    OURS "3986 2" "visible marks that should have been encoded":
        "GET /\"<>[\\]^`{|}?\"<>[\\]^`{|} HTTP/1.1\r\nHost: a\r\n\r\n" => stays([404]);
    OURS "3986 3.3" "two slashes":
        "GET //ip HTTP/1.1\r\nHost: a\r\n\r\n" => stays([404]);
    MUST "9112 3.2" "a fragment":
        "GET /#" => refused(Refusal::TARGET_BYTE);
    MUST "9112 3.2" "a fragment after the query":
        "GET /?a#" => refused(Refusal::TARGET_BYTE);
    MUST "3986 2" "NUL":
        "GET /\0" => refused(Refusal::TARGET_BYTE);
    MUST "3986 2" "a control byte in the query":
        "GET /?\x01" => refused(Refusal::TARGET_BYTE);
    MUST "3986 2" "DEL":
        "GET /\x7f" => refused(Refusal::TARGET_BYTE);
    MUST "3986 2" "UTF-8":
        b"GET /\xc3" => refused(Refusal::TARGET_BYTE);
    MUST "3986 2" "a single byte above ASCII":
        b"GET /\xff" => refused(Refusal::TARGET_BYTE);
    MUST "9112 3.2" "no slash":
        "GET i" => refused(Refusal::TARGET_FORM);
    MUST "9112 3.2" "only a query":
        "GET ?" => refused(Refusal::TARGET_FORM);
    MUST "9112 3.2" "a backslash":
        "GET \\" => refused(Refusal::TARGET_FORM);
    MUST "9112 3.2" "a fragment and nothing else":
        "GET #" => refused(Refusal::TARGET_FORM);

    MUST "9112 3.2.2" "a URI":
        "GET http://b/ip HTTP/1.1\r\nHost: b\r\n\r\n" => stays([200]);
    MUST "9112 3.2.2" "a URI goes before Host, which is ignored":
        "GET http://b/ip HTTP/1.1\r\nHost: c\r\n\r\n" => stays([200]);
    MUST "9112 3.2.2" "a URI without a path":
        "GET http://b HTTP/1.1\r\nHost: b\r\n\r\n" => stays([200]);
    MUST "9112 3.2.2" "a URI with a query and no path":
        "GET http://b?format=text HTTP/1.1\r\nHost: b\r\n\r\n" => stays([200]);
    MUST "9112 3.2.2" "an https URI":
        "GET https://b:443/ip HTTP/1.1\r\nHost: b:443\r\n\r\n" => stays([200]);
    MUST "3986 3.1" "a scheme in upper case":
        "GET HTTP://b/ip HTTP/1.1\r\nHost: b\r\n\r\n" => stays([200]);
    MUST "9112 3.2.2" "a URI with an IPv6 address":
        "GET http://[::1]:80/ip HTTP/1.1\r\nHost: [::1]:80\r\n\r\n" => stays([200]);
    MUST "9112 3.2.2" "a URI to HEAD":
        "HEAD http://b/ip HTTP/1.1\r\nHost: b\r\n\r\n" => stays([200 | HEAD]);
    MUST "9112 3.2.2" "a URI in OPTIONS":
        "OPTIONS http://b HTTP/1.1\r\nHost: b\r\n\r\n" => stays([204]);
    MUST "9112 3.2.2" "a URI on 1.0 without Host":
        "GET http://b/ip HTTP/1.0\r\n\r\n" => closes([200]);
    MUST "9112 3.2" "a URI on 1.1 without Host":
        "GET http://b/ip HTTP/1.1\r\n\r\n" => refused(Refusal::HOST_MISSING);
    MUST "9112 3.2" "a URI and a Host that is none":
        "GET http://b/ip HTTP/1.1\r\nHost: a/b\r\n\r\n" => refused(Refusal::HOST);
    MUST "9112 3.2" "a URI and two Hosts":
        "GET http://b/ip HTTP/1.1\r\nHost: b\r\nHost: b\r\n\r\n" => refused(Refusal::HOST_REPEATED);
    MUST "9110 4.2.1" "a URI with an empty host":
        "GET http:///ip HTTP/1.1\r\nHost: b\r\n\r\n" => refused(Refusal::HOST);
    MUST "9110 4.2.1" "a URI that is its scheme":
        "GET http:// HTTP/1.1\r\nHost: b\r\n\r\n" => refused(Refusal::HOST);
    SHOULD "9110 4.2.4" "a URI with user information":
        "GET http://u:p@b/ip HTTP/1.1\r\nHost: b\r\n\r\n" => refused(Refusal::HOST);
    MUST "3986 3.2.3" "a URI with a port that is none":
        "GET http://b:port/ip HTTP/1.1\r\nHost: b\r\n\r\n" => refused(Refusal::HOST);
    OURS "3986 3.2.3" "a URI with a port above 65535":
        "GET http://b:65536/ip HTTP/1.1\r\nHost: b\r\n\r\n" => refused(Refusal::HOST);
    MUST "3986 3" "a URI with a fragment":
        "GET http://b/#" => refused(Refusal::TARGET_BYTE);
    MUST "3986 3" "a URI with one slash":
        "GET http:/b" => refused(Refusal::TARGET_FORM);
    MUST "3986 3" "a URI that ends within its scheme":
        "GET http:/ " => refused(Refusal::TARGET_FORM);
    OURS "9112 3.2.2" "another scheme":
        "GET f" => refused(Refusal::TARGET_FORM);
    OURS "9112 3.2.2" "a scheme that begins like http":
        "GET httpx" => refused(Refusal::TARGET_FORM);
    OURS "9112 3.2.2" "a host that begins like http":
        "GET h:" => refused(Refusal::TARGET_FORM);

    MUST "9112 3.2.4" "an asterisk with OPTIONS":
        "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n" => stays([204]);
    MUST "9112 3.2.4" "an asterisk with GET":
        "GET *" => refused(Refusal::TARGET_FORM);
    MUST "9112 3.2.4" "an asterisk with HEAD":
        "HEAD *" => refused(Refusal::TARGET_FORM).for_head();
    MUST "9112 3.2.4" "more than an asterisk":
        "OPTIONS *a" => refused(Refusal::TARGET_FORM);
    MUST "9112 3.2.4" "an asterisk and a query":
        "OPTIONS *?" => refused(Refusal::TARGET_FORM);
    MUST "9112 3.2.4" "an asterisk without Host":
        "OPTIONS * HTTP/1.1\r\n\r\n" => refused(Refusal::HOST_MISSING);

    MUST "9112 3.2.3" "an authority with CONNECT":
        "CONNECT b:443 HTTP/1.1\r\nHost: b:443\r\n\r\n" => stays([405]);
    MUST "9112 3.2.3" "an IPv6 authority with CONNECT":
        "CONNECT [::1]:443 HTTP/1.1\r\nHost: [::1]:443\r\n\r\n" => stays([405]);
    MUST "9110 9.3.6" "an authority without a port":
        "CONNECT b HTTP/1.1\r\nHost: b\r\n\r\n" => refused(Refusal::HOST);
    MUST "9110 9.3.6" "an authority with an empty port":
        "CONNECT b: HTTP/1.1\r\nHost: b\r\n\r\n" => refused(Refusal::HOST);
    MUST "9110 9.3.6" "an IPv6 authority without a port":
        "CONNECT [::1] HTTP/1.1\r\nHost: b\r\n\r\n" => refused(Refusal::HOST);
    MUST "9112 3.2.3" "a path with CONNECT":
        "CONNECT /" => refused(Refusal::TARGET_FORM);
    MUST "9112 3.2.3" "an asterisk with CONNECT":
        "CONNECT *" => refused(Refusal::TARGET_FORM);
    MUST "9112 3.2.3" "a URI with CONNECT":
        "CONNECT http://b:80/ HTTP/1.1\r\nHost: b\r\n\r\n" => refused(Refusal::HOST);
    MUST "9112 3.2.3" "an authority with GET":
        "GET b" => refused(Refusal::TARGET_FORM);
}
