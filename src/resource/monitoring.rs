//! What is answered on a listener for monitoring: `/metrics`, `/ready` and `/health`, and nothing of what clients ask.

use super::table::{NO_SUCH_METHOD, Segment};
use super::{Context, ResponseHead, status};
use crate::http::Method;
use crate::http::media::{Choice, preferred};

/// How metrics are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Prometheus's text format 0.0.4: for whoever asks for nothing else.
    Prometheus,
    /// OpenMetrics 1.0.
    OpenMetrics,
}

impl Format {
    /// In the order of preference between equals.
    const ALL: [Format; 2] = [Format::OpenMetrics, Format::Prometheus];

    /// The format of the metrics that follow this head, if any do.
    pub fn of(head: ResponseHead) -> Option<Format> {
        match head {
            ResponseHead::Metrics => Some(Format::Prometheus),
            ResponseHead::OpenMetrics => Some(Format::OpenMetrics),
            _ => None,
        }
    }
}

impl Choice for Format {
    fn name(self) -> &'static [u8] {
        match self {
            Format::Prometheus => b"text/plain",
            Format::OpenMetrics => b"application/openmetrics-text",
        }
    }

    fn version(self) -> Option<&'static [u8]> {
        match self {
            // 1.0.0 only allows more characters in names, and no name here has them.
            Format::Prometheus => None,
            Format::OpenMetrics => Some(b"1.0.0"),
        }
    }
}

/// Answers a request, all but the metrics themselves, for which [`Format::of`] the head asks.
pub fn answer(context: &Context<'_>, content: &mut Vec<u8>) -> ResponseHead {
    match context.request.method {
        Method::Get | Method::Head => {}
        Method::Options | Method::Connect | Method::NotAllowed => {
            return context.sentence(ResponseHead::MonitoringNotAllowed, "only GET and HEAD are answered here", content);
        }
        _ => return context.sentence(ResponseHead::NotImplemented, NO_SUCH_METHOD, content),
    }
    let is = |name| context.request.target.path.strip_prefix(b"/").is_some_and(|path| Segment(path).is(name));
    if is("metrics") {
        return match preferred(context.request.values(b"accept"), &Format::ALL) {
            Some(Format::OpenMetrics) => ResponseHead::OpenMetrics,
            Some(Format::Prometheus) | None => ResponseHead::Metrics,
        };
    }
    if is("ready") {
        return status::ready(context, content);
    }
    if is("health") {
        return status::health(context, content);
    }
    context.sentence(ResponseHead::NotFound, "not found: /metrics, /ready and /health are here", content)
}
