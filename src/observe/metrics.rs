//! Counting: each thread has counters of its own, which it alone writes and anybody reads.

use crate::resource::{Resource, ResponseHead};
use std::array::from_fn;
use std::sync::atomic::{AtomicU64, Ordering};

/// Two cache lines, because processors fetch them in pairs: no thread's counting slows another one down.
#[derive(Debug)]
#[repr(align(128))]
pub struct Counters {
    /// Answers, by what answered and how.
    answers: [[Count; HEADS]; RESOURCES],
}

const RESOURCES: usize = Resource::ALL.len();
const HEADS: usize = ResponseHead::TEXTS.len();

impl Default for Counters {
    fn default() -> Counters {
        Counters { answers: from_fn(|_| from_fn(|_| Count::default())) }
    }
}

impl Counters {
    /// An answer was given.
    #[inline]
    pub fn answered(&self, resource: Resource, head: ResponseHead) {
        self.answers[resource as usize][head as usize].add(1);
    }

    /// The answers that were given with this head.
    pub fn answers(&self, resource: Resource, head: ResponseHead) -> u64 {
        self.answers[resource as usize][head as usize].value()
    }
}

/// A number that one thread counts up.
#[derive(Debug, Default)]
struct Count(AtomicU64);

impl Count {
    /// Not `fetch_add`, which locks the memory, and is for those who share a counter.
    #[inline]
    fn add(&self, number: u64) {
        self.0.store(self.value().wrapping_add(number), Ordering::Relaxed);
    }

    #[inline]
    fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_counted_where_it_belongs() {
        let counters = Counters::default();
        counters.answered(Resource::Root, ResponseHead::RootText);
        counters.answered(Resource::Refused, ResponseHead::VersionNotSupported);
        counters.answered(Resource::Refused, ResponseHead::VersionNotSupported);
        for &name in Resource::ALL {
            for (index, _) in ResponseHead::TEXTS.iter().enumerate() {
                let expected = match (name, index) {
                    (Resource::Root, index) if index == ResponseHead::RootText as usize => 1,
                    (Resource::Refused, index) if index == ResponseHead::VersionNotSupported as usize => 2,
                    _ => 0,
                };
                assert_eq!(counters.answers[name as usize][index].value(), expected, "{name:?} {index}");
            }
        }
    }
}
