//! What is seen of the answers, for those who run the server: counts. All of it is off by default, and then no [`Record`] is made.
//!
//! Knows no sockets; `net` tells it what happens to connections.

pub mod access_log;

pub mod metrics;

use crate::exchange::{Record, Recorder};
use metrics::Counters;
use std::sync::Arc;

/// Those who look at the answers of one thread; each is `None` where it is off.
#[derive(Debug, Default)]
pub struct Observers {
    /// Counts them.
    pub metrics: Option<Arc<Counters>>,
}

impl Observers {
    /// For the thread's service: `None` where nobody looks, so that an answer costs one test of a pointer.
    pub fn boxed(self) -> Option<Box<Observers>> {
        let Observers { metrics } = &self;
        metrics.is_some().then(|| Box::new(self))
    }
}

impl Recorder for Observers {
    #[inline(always)] // So that counting reads the two fields that it needs, and no record is made for it.
    fn record(&mut self, record: &Record<'_>) {
        if let Some(counters) = &self.metrics {
            counters.answered(record.resource, record.head);
        }
    }
}
