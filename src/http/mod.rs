//! The bytes of RFC 9110 and RFC 9112: requests in, responses out.
//!
//! Knows no sockets, no clock, no routes and nobody's address. Every function here is pure; time is an argument.

pub mod content;
pub mod field;
pub mod head;
pub mod host;
pub mod media;
pub mod refusal;
pub mod request;
pub mod response;
pub mod target;

pub use field::Field;
pub use refusal::Refusal;
pub use request::Request;
