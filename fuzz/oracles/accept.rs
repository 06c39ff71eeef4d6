//! Accept (RFC 9110 §12.5.1), read naively: taken apart into strings, sorted, the first one taken.

use crate::quoted::split;
use swagip::http::media::MediaType;

/// Which of those that are counted the lines want most.
pub fn preferred<'a>(lines: impl Iterator<Item = &'a [u8]>, counted: &[MediaType]) -> Option<MediaType> {
    let elements = lines.flat_map(|line| split(line, b','));
    let mut named: Vec<(u32, MediaType)> =
        elements.filter_map(|element| named(&element)).filter(|(weight, media)| *weight > 0 && counted.contains(media)).collect();
    named.sort_by_key(|&(weight, media)| (std::cmp::Reverse(weight), media));
    named.first().map(|&(_, media)| media)
}

fn named(element: &[u8]) -> Option<(u32, MediaType)> {
    let parts: Vec<String> = split(element, b';').iter().map(|part| latin(part.trim_ascii()).to_ascii_lowercase()).collect();
    let media = match parts[0].as_str() {
        "text/html" => MediaType::Html,
        "application/json" => MediaType::Json,
        "text/plain" => MediaType::Text,
        _ => return None,
    };
    let weight = parts[1..].iter().find_map(|part| part.strip_prefix("q="));
    Some((weight.map_or(Some(1000), thousandths)?, media))
}

/// `( "0" [ "." 0*3DIGIT ] ) / ( "1" [ "." 0*3("0") ] )`
fn thousandths(weight: &str) -> Option<u32> {
    let (whole, decimals) = weight.split_once('.').unwrap_or((weight, ""));
    let padded = format!("{decimals:0<3}");
    let is_right = matches!(whole, "0" | "1") && padded.len() == 3 && padded.chars().all(|digit| digit.is_ascii_digit());
    let value: u32 = if is_right { format!("{whole}{padded}").parse().ok()? } else { return None };
    (value <= 1000).then_some(value)
}

fn latin(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}
