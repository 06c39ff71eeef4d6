//! The two readers of a head are of one mind: the parser makes a request of exactly those heads that the strict scan finds
//! complete, and where both refuse, they give the same reason.
#![no_main]

use libfuzzer_sys::fuzz_target;
use swagip::http::request;
use swagip::http::scan::Scan;

fuzz_target!(|input: &[u8]| {
    // The scan reads minor versions above 1 as 1, in place; the parser comes after it.
    let mut bytes = input.to_vec();
    let scanned = Scan::default().look(&mut bytes);
    let mut storage = request::storage();
    match (scanned, request::parse(&bytes, &mut storage)) {
        (Ok(Some(complete)), Ok(Some(request))) => assert_eq!(complete.length, request.length),
        // The syntax is right, what it says is not.
        (Ok(Some(_)), Err(_)) => {}
        (Ok(None) | Err(_), Ok(None)) => {}
        (Err(scanned), Err(parsed)) => assert_eq!(scanned, parsed),
        (scanned, parsed) => panic!("the scan says {scanned:?}, the parser {parsed:?}"),
    }
});
