//! What is written as a JSON string is read back as what was sent: UTF-8 where the bytes are valid UTF-8, else Latin-1.
#![no_main]

use libfuzzer_sys::fuzz_target;
use swagip::resource::json;

fuzz_target!(|value: &[u8]| {
    let mut written = Vec::new();
    json::string(&mut written, value);
    let sent = match std::str::from_utf8(value) {
        Ok(text) => text.to_owned(),
        Err(_) => value.iter().copied().map(char::from).collect(),
    };
    assert_eq!(serde_json::from_slice::<String>(&written).expect("a JSON string"), sent);
});
