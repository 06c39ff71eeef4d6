//! Request fields: names compared without case, values as the bytes they came as (RFC 9110 §5).

/// One field line of a request; the value without the white space around it.
pub use httparse::Header as Field;

/// The values of all lines of the field `name`, in the order received. Names are compared without regard to case.
pub fn values<'f, 'b>(fields: &'f [Field<'b>], name: &'f [u8]) -> impl DoubleEndedIterator<Item = &'b [u8]> + Clone + 'f {
    fields.iter().filter(move |field| field.name.as_bytes().eq_ignore_ascii_case(name)).map(|field| field.value)
}

/// The elements of a comma-separated list without quoted strings (RFC 9110 §5.6.1): trimmed, empty ones left out.
pub fn elements(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|&byte| byte == b',').map(<[u8]>::trim_ascii).filter(|element| !element.is_empty())
}
