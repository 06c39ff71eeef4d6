//! Which of the media types on offer a client prefers (RFC 9110 §12.5.1).

/// What a client can choose between.
pub trait Choice: Copy {
    /// Its media type, in lower case.
    fn name(self) -> &'static [u8];

    /// Its version, where it has one: an element that names another one names something else.
    fn version(self) -> Option<&'static [u8]> {
        None
    }
}

/// The media types of the resources.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MediaType {
    /// `text/html`
    Html,
    /// `application/json`
    Json,
    /// `text/plain`
    Text,
}

impl MediaType {
    /// All three, in the order of preference between equals.
    pub const ALL: [MediaType; 3] = [MediaType::Html, MediaType::Json, MediaType::Text];

    /// The ones that programs read.
    pub const DATA: [MediaType; 2] = [MediaType::Json, MediaType::Text];
}

impl Choice for MediaType {
    fn name(self) -> &'static [u8] {
        match self {
            MediaType::Html => b"text/html",
            MediaType::Json => b"application/json",
            MediaType::Text => b"text/plain",
        }
    }
}

/// The one of `offered` that the Accept lines name with the highest weight above 0, of equals the first. Ranges such as `*/*` name nothing,
/// and neither does an element whose weight is malformed.
pub fn preferred<'a, C: Choice>(lines: impl Iterator<Item = &'a [u8]>, offered: &[C]) -> Option<C> {
    let mut best: Option<(u16, usize)> = None;
    // A line may have 8,000 elements of one byte: what is too short to name anything offered is not parsed.
    let shortest = offered.iter().map(|choice| choice.name().len()).min().unwrap_or(0);
    for element in lines.flat_map(|line| split_quoted(line, b',')).filter(|element| element.len() >= shortest) {
        let Some((weight, place)) = named(element, offered) else { continue };
        if weight > 0 && best.is_none_or(|(other, held)| weight > other || (weight == other && place < held)) {
            best = Some((weight, place));
        }
    }
    best.map(|(_, place)| offered[place])
}

/// The position in `offered` of what an element names, and its weight in thousandths.
fn named<C: Choice>(element: &[u8], offered: &[C]) -> Option<(u16, usize)> {
    let mut parts = split_quoted(element, b';');
    let name = parts.next()?.trim_ascii();
    let place = offered.iter().position(|choice| name.eq_ignore_ascii_case(choice.name()))?;
    let known = offered[place].version();
    let mut weight = Some(1000);
    for parameter in parts.map(<[u8]>::trim_ascii) {
        match parameter {
            [b'q' | b'Q', b'=', value @ ..] => {
                weight = self::weight(value);
                break;
            }
            _ if known.is_some_and(|known| is_other_version(parameter, known)) => return None,
            _ => {}
        }
    }
    Some((weight?, place))
}

/// Whether a parameter is a version, and not this one.
fn is_other_version(parameter: &[u8], known: &[u8]) -> bool {
    const NAME: &[u8] = b"version=";
    let value = parameter.split_at_checked(NAME.len()).filter(|(name, _)| name.eq_ignore_ascii_case(NAME));
    value.is_some_and(|(_, value)| {
        let unquoted = value.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")).unwrap_or(value);
        unquoted != known
    })
}

/// `qvalue` in thousandths: 0 to 1 with at most three decimals (RFC 9110 §12.4.2).
fn weight(value: &[u8]) -> Option<u16> {
    let (&whole, rest) = value.split_first()?;
    let decimals = match rest {
        [] => rest,
        [b'.', decimals @ ..] if decimals.len() <= 3 => decimals,
        _ => return None,
    };
    let mut thousandths = match whole {
        b'0' => 0,
        b'1' => 1000,
        _ => return None,
    };
    for (digit, unit) in decimals.iter().zip([100, 10, 1]) {
        thousandths += u16::from(digit.is_ascii_digit().then(|| digit - b'0')?) * unit;
    }
    (thousandths <= 1000).then_some(thousandths)
}

/// Splits at `separator` outside quoted strings; an unclosed quote runs to the end.
fn split_quoted(value: &[u8], separator: u8) -> impl Iterator<Item = &[u8]> {
    let mut quoted = false;
    let mut escaped = false;
    value.split(move |&byte| {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            byte if byte == separator => return !quoted,
            _ => {}
        }
        false
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn preferences() {
        for (accept, media) in [
            ("", None),
            ("*/*", None),
            ("text/*", None),
            ("image/png", None),
            ("text/html", Some(MediaType::Html)),
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", Some(MediaType::Html)),
            ("application/json", Some(MediaType::Json)),
            ("text/html;q=0.9, text/plain;q=1", Some(MediaType::Text)),
            (r#"text/html;q=0.5;a=",application/json,""#, Some(MediaType::Html)),
            (r#"text/html;q=0.5;a="\",application/json,""#, Some(MediaType::Html)),
            ("APPLICATION/JSON; charset=utf-8", Some(MediaType::Json)),
            ("text/plain, application/json", Some(MediaType::Json)),
            ("text/plain,text/html,application/json", Some(MediaType::Html)),
            ("text/html;q=0.5, text/plain;q=0.6", Some(MediaType::Text)),
            ("text/html;q=0", None),
            ("text/html;q=0.000", None),
            ("text/html;q=0.001", Some(MediaType::Html)),
            ("text/html ; Q=1.000", Some(MediaType::Html)),
            ("text/html;q=1.001", None),
            ("text/html;q=2", None),
            ("text/html;q=", None),
            ("text/html;q=0.1234", None),
            ("text/html;q=.5", None),
            ("text/html;q=a", None),
            ("text/html;a=\"b,c;q=0\";q=0.3, text/plain;q=0.2", Some(MediaType::Html)),
            ("text/html;a=\"\\\",text/plain\"", Some(MediaType::Html)),
            (",, text/plain ,", Some(MediaType::Text)),
            ("text/htmlx", None),
            ("text/html;q=0, text/html;q=0.1", Some(MediaType::Html)),
        ] {
            assert_eq!(preferred([accept.as_bytes()].into_iter(), &MediaType::ALL), media, "{accept:?}");
        }
        assert_eq!(
            preferred([&b"text/plain;q=0.5"[..], b"application/json;q=0.6"].into_iter(), &MediaType::ALL),
            Some(MediaType::Json)
        );
        for (accept, media) in [("text/html", None), ("text/html,text/plain;q=0.1", Some(MediaType::Text))] {
            assert_eq!(preferred([accept.as_bytes()].into_iter(), &MediaType::DATA), media, "{accept:?}");
        }
    }
}
