//! (types being written)
use super::Field;

/// How the request names what it wants.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// The path as sent, not decoded; `/` where an absolute target has none. Begins with `/`, or is `*`.
    pub path: &'a [u8],
    /// What stands behind the first `?`.
    pub query: Option<&'a [u8]>,
}

/// A request head that has passed every check of syntax and framing.
#[derive(Clone, Copy, Debug)]
pub struct Request<'h, 'b> {
    /// See [`Target`].
    pub target: Target<'b>,
    /// Of the Host field, or the authority of an absolute target: `uri-host [":" port]`, checked. `None` only on HTTP/1.0.
    pub host: Option<&'b str>,
    /// All field lines, in the order received.
    pub fields: &'h [Field<'b>],
}
