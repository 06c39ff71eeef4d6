//! What is seen of the answers, for those who run the server: counts, and lines. All of it is off by default, and then no [`Record`] is made.
//!
//! Knows no clients' sockets; `net` tells it what happens to connections, and the time.

pub mod output;

pub mod access_log;

pub mod metrics;

use crate::exchange::{Record, Recorder};
use crate::http::Request;
use crate::http::response::Date;
use crate::resource::Resource;
use crate::resource::monitoring::Format;
use access_log::AccessLog;

/// Those who look at the answers of one thread; each is `None` where it is off.
#[derive(Debug, Default)]
pub struct Observers {
    /// Counts them.
    pub metrics: Option<metrics::Thread>,
    /// Writes a line for each.
    pub access_log: Option<AccessLog>,
}

impl Observers {
    /// For the thread's service: `None` where nobody looks, so that an answer costs one test of a pointer.
    pub fn boxed(self) -> Option<Box<Observers>> {
        let Observers { metrics, access_log } = &self;
        (metrics.is_some() || access_log.is_some()).then(|| Box::new(self))
    }
}

impl Recorder for Observers {
    fn keep(&self, request: &Request<'_, '_>, head: &[u8]) -> Box<[u8]> {
        self.access_log.as_ref().map(|_| access_log::kept(request, head)).unwrap_or_default()
    }

    fn set_date(&mut self, date: &Date) {
        if let Some(log) = &mut self.access_log {
            log.set_date(date);
        }
    }

    #[inline(always)] // So that no record is made for counting, which reads two fields: 32 instructions a request.
    fn record(&mut self, record: &Record<'_>) {
        if let Some(metrics) = &self.metrics {
            metrics.counters.answered(record);
        }
        if let Some(log) = &mut self.access_log
            && record.resource != Resource::Monitoring
        {
            let record = *record;
            log.record(&record);
        }
    }

    fn report(&self, format: Format, draining: bool, content: &mut Vec<u8>) {
        if let Some(metrics) = &self.metrics {
            metrics.report(format, draining, content);
        }
    }
}
