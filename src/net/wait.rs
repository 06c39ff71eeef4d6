//! What a connection is to be given time for next.

use super::deadlines::Wait;

/// What a connection is doing, as far as its deadlines care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    /// No byte of a request has arrived.
    Idle,
    /// A head, or a PROXY header, has come in part.
    Head,
    /// Content has come in part.
    Content,
    /// A reply is awaited.
    Asking,
    /// Answers wait until the client reads, or until other connections have had their turn.
    Answering,
    /// All is said; what the client still sends is dropped.
    Lingering,
}

/// The wait to begin now; `None` where the `current` one goes on. `progress`: something was answered, or some output went out.
///
/// Drips restart no wait. The one for a connection's first head begins when it is accepted, with whatever comes of it.
pub fn next(activity: Activity, current: Option<Wait>, progress: bool) -> Option<Wait> {
    let wait = match (activity, current) {
        (Activity::Idle, None | Some(Wait::Head)) if !progress => Wait::Head,
        (Activity::Idle, _) => Wait::Idle,
        (Activity::Head, _) => Wait::Head,
        (Activity::Content, _) => Wait::Content,
        (Activity::Asking, _) => Wait::Reply,
        (Activity::Answering, _) => Wait::Write,
        // The short wait goes on until the client sends something, perhaps before it has seen our FIN.
        (Activity::Lingering, Some(Wait::Farewell)) if !progress => Wait::Farewell,
        (Activity::Lingering, _) => Wait::Linger,
    };
    (progress || current != Some(wait)).then_some(wait)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits() {
        use Activity::*;
        for (activity, current, progress, expected) in [
            // A new connection that has sent nothing, part of a head, or a whole request.
            (Idle, None, false, Some(Wait::Head)),
            (Head, None, false, Some(Wait::Head)),
            (Idle, None, true, Some(Wait::Idle)),
            (Answering, None, true, Some(Wait::Write)),
            (Content, None, true, Some(Wait::Content)),
            (Lingering, None, false, Some(Wait::Linger)),
            // Drips.
            (Head, Some(Wait::Head), false, None),
            (Idle, Some(Wait::Head), false, None),
            (Content, Some(Wait::Content), false, None),
            (Answering, Some(Wait::Write), false, None),
            (Idle, Some(Wait::Idle), false, None),
            // The next request.
            (Head, Some(Wait::Idle), false, Some(Wait::Head)),
            (Idle, Some(Wait::Idle), true, Some(Wait::Idle)),
            (Idle, Some(Wait::Head), true, Some(Wait::Idle)),
            (Head, Some(Wait::Head), true, Some(Wait::Head)),
            (Content, Some(Wait::Head), true, Some(Wait::Content)),
            (Idle, Some(Wait::Content), true, Some(Wait::Idle)),
            // A look-up.
            (Asking, Some(Wait::Idle), true, Some(Wait::Reply)),
            (Asking, None, false, Some(Wait::Reply)),
            (Asking, Some(Wait::Reply), false, None),
            (Answering, Some(Wait::Reply), true, Some(Wait::Write)),
            (Idle, Some(Wait::Reply), true, Some(Wait::Idle)),
            // A reader that reads on.
            (Answering, Some(Wait::Write), true, Some(Wait::Write)),
            (Idle, Some(Wait::Write), true, Some(Wait::Idle)),
            // The end.
            (Lingering, Some(Wait::Idle), false, Some(Wait::Linger)),
            (Lingering, Some(Wait::Linger), false, None),
            (Lingering, Some(Wait::Farewell), true, Some(Wait::Linger)),
            (Lingering, Some(Wait::Linger), true, Some(Wait::Linger)),
            (Lingering, Some(Wait::Farewell), false, None),
        ] {
            assert_eq!(next(activity, current, progress), expected, "{activity:?} {current:?} {progress}");
        }
    }
}
