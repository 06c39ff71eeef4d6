//! The bytes of RFC 9110 and RFC 9112: requests in, responses out.
//!
//! Knows no sockets, clock, routes or addresses. Every function here is pure; time is an argument.

pub mod refusal;

pub mod field;

pub mod method;

pub mod host;

pub mod target;

pub mod scan;

mod facts;

pub mod request_line;

pub mod request;

pub mod content;

pub mod media;

pub mod response;

pub use field::Field;
pub use method::Method;
pub use refusal::Refusal;
pub use request::Request;
