//! The two readers of a head are of one mind: the parser makes a request of exactly those heads that the strict scan finds
//! complete, and where both refuse, they give the same reason.
#![no_main]

use libfuzzer_sys::fuzz_target;
use swagip::http::field::FIELDS_MAX;
use swagip::http::request::{self, Parsed};
use swagip::http::scan::Scan;

fuzz_target!(|input: &[u8]| {
    let scanned = Scan::default().resume(input);
    let mut storage = request::storage::<FIELDS_MAX>();
    match (scanned, request::parse(input, &mut storage).map(Parsed::request)) {
        (Ok(Some(complete)), Ok(Some(request))) => assert_eq!(complete.length, request.length),
        // The syntax is right, what it says is not.
        (Ok(Some(_)), Err(_)) => {}
        (Ok(None) | Err(_), Ok(None)) => {}
        (Err(scanned), Err(parsed)) => assert_eq!(scanned, parsed),
        (scanned, parsed) => panic!("the scan says {scanned:?}, the parser {parsed:?}"),
    }
});
