//! Checks the properties of the fuzz targets on their corpus, without a fuzzer.

use std::path::Path;

#[path = "../../fuzz/src/lib.rs"]
pub mod properties;

/// Runs the target on every file of its corpus. Only files whose names start with `whole` are valid.
fn hold(target: &str, property: fn(&[u8]) -> bool) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let files = folder.read_dir().expect("there is a corpus").map(|file| file.unwrap().path());
    let mut files: Vec<_> = files.collect();
    files.sort();
    let (mut whole, mut broken) = (0, 0);
    for file in files {
        // Shown only if the test fails.
        println!("{}", file.display());
        let is_whole = property(&std::fs::read(&file).unwrap());
        let name = file.file_name().unwrap().to_str().unwrap();
        assert_eq!(is_whole, name.starts_with("whole"), "its name says otherwise");
        *if is_whole { &mut whole } else { &mut broken } += 1;
    }
    assert!(whole > 0 && broken > 0, "{whole} whole and {broken} broken files are no corpus");
}

#[test]
fn what_must_hold_for_any_file_holds_for_the_corpus() {
    hold("file", properties::file);
}

#[test]
fn what_must_hold_for_any_fleet_file_holds_for_the_corpus() {
    hold("fleet", properties::fleet);
}

#[test]
fn what_must_hold_for_any_spreadsheet_holds_for_the_corpus() {
    hold("csv", properties::csv);
}

#[test]
fn what_must_hold_for_any_plan_holds_for_the_corpus() {
    hold("plan", properties::plan);
}

#[test]
fn what_must_hold_for_any_journal_holds_for_the_corpus() {
    hold("journal", properties::journal);
}

#[test]
fn what_must_hold_for_any_answer_holds_for_the_corpus() {
    hold("answers", properties::answers);
}
