#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    iam_boundaries_fuzz::fleet(input);
});
