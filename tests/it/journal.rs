//! The journal: reading returns exactly the written records, even if a crash truncated the file.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::support::plans::{self, arn};
use iam_boundaries::apply::Summary;
use iam_boundaries::iam::{BoundaryChange, Digest, Partition, PrincipalCounts, UniqueId};
use iam_boundaries::inventory::{
    ApiError, CallOutcome, CallerIdentity, ErrorClass, Reading, StopReason,
};
use iam_boundaries::journal::{
    Correction, End, Entry, Found, Header, Intent, Journal, JournalError, Outcome, RunRecord,
    RunRecordError,
};
use iam_boundaries::plan::{Change, Guard, Plan};
use tempfile::TempDir;

fn change(n: usize) -> Change {
    let boundary = match n % 3 {
        0 => BoundaryChange::Add { to: arn("Developer") },
        1 => BoundaryChange::Change { from: arn("Developer"), to: arn("Ops") },
        _ => BoundaryChange::Remove { from: arn("Ops") },
    };
    plans::change(&format!("user-{n}"), n + 10, boundary)
}

fn intent(n: usize) -> Intent {
    Intent::from(&change(n))
}

fn plan(changes: usize) -> Plan {
    Plan {
        changes: (0..changes).map(change).collect(),
        in_sync: PrincipalCounts { users: 7, roles: 0 },
        names: BTreeMap::from([(arn("Developer"), "developer".to_owned())]),
        guard: Guard { protected: vec!["root-*".parse().unwrap()], ..Guard::default() },
        ..plans::empty_plan()
    }
}

fn header(changes: usize) -> Header {
    let caller = CallerIdentity {
        account: "123456789012".parse().unwrap(),
        partition: Partition::Aws,
        arn: "arn:aws:sts::123456789012:assumed-role/ci/run-7".into(),
    };
    Header { plan: Digest::of("plan"), ..plans::header(&plan(changes), &caller) }
}

fn applied(n: u32) -> CallOutcome {
    CallOutcome::Applied { attempts: n, request_id: Some(format!("request-{n}").into()) }
}

fn failed(class: ErrorClass, code: &str, attempts: u32, may_be_done: bool) -> CallOutcome {
    let error = ApiError {
        action: "iam:PutUserPermissionsBoundary".into(),
        class,
        code: code.into(),
        message: "a \"message\" with quotes".into(),
        request_id: Some("request-id".into()),
    };
    CallOutcome::Failed { attempts, error, may_be_done }
}

fn denied() -> CallOutcome {
    failed(ErrorClass::Denied, "AccessDenied", 1, false)
}

fn timed_out() -> CallOutcome {
    failed(ErrorClass::Transient, "TimedOut", 6, true)
}

fn throttled_until_stop() -> CallOutcome {
    match failed(ErrorClass::Throttled, "Throttling", 3, false) {
        CallOutcome::Failed { attempts, error, .. } => {
            CallOutcome::ThrottledUntilStop { attempts, error }
        }
        other => other,
    }
}

fn new_file() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.jsonl");
    (folder, path)
}

/// A journal with every kind of record.
async fn rich() -> Vec<u8> {
    let (_folder, path) = new_file();
    let journal = Journal::create(&path, &header(7)).unwrap();
    for n in 0..5 {
        journal.record_intent(&intent(n)).await.unwrap();
    }
    journal.record_outcome(&change(1).principal, &denied());
    journal.record_outcome(&change(0).principal, &applied(1));
    journal.record_outcome(&change(3).principal, &CallOutcome::NotAttempted);
    journal.record_outcome(&change(2).principal, &timed_out());
    let found = plans::found(Some(arn("Other")));
    let correction = Correction::between(&intent(0), &applied(1), Outcome::NotAsWritten, &found);
    let correction = correction.unwrap();
    journal.record_correction(&change(0).principal, &correction);
    let to = change(2).boundary.to().cloned();
    let correction = Correction::to_boundary(&timed_out(), Outcome::Applied, to).unwrap();
    journal.record_correction(&change(2).principal, &correction);
    journal.record_outcome(&change(4).principal, &timed_out());
    let found = plans::found(change(4).boundary.from().cloned());
    let correction = Correction::between(&intent(4), &timed_out(), Outcome::Failed, &found);
    journal.record_correction(&change(4).principal, &correction.unwrap());
    // Verification that shows what IAM's response said is not a correction.
    assert_eq!(Correction::between(&intent(1), &denied(), Outcome::Failed, &found), None);
    journal.finish(&end()).await.unwrap();
    std::fs::read(&path).unwrap()
}

fn end() -> End {
    End {
        applied: 1,
        not_as_written: 1,
        failed: 2,
        not_attempted: 3,
        not_verified: 1,
        stopped_by: Some(StopReason::Interrupted),
    }
}

fn lines(text: &[u8]) -> Vec<String> {
    std::str::from_utf8(text).unwrap().lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn a_journal_records_each_intent_and_its_outcome() {
    let text = rich().await;
    insta::assert_snapshot!("journal", std::str::from_utf8(&text).unwrap());
    let record = RunRecord::parse(&text).unwrap();
    assert_eq!(record.header, header(7));
    assert_eq!(record.digest, Digest::of(&text));
    let entries: Vec<_> =
        record.entries.iter().map(|entry| (entry.line, entry.intent.clone())).collect();
    assert_eq!(entries, (0..5).map(|n| (n + 2, intent(n))).collect::<Vec<_>>());
    let outcomes = record.entries.iter().map(|entry| entry.outcome.clone()).collect::<Vec<_>>();
    let not_attempted = Some(CallOutcome::NotAttempted);
    assert_eq!(
        outcomes,
        [Some(applied(1)), Some(denied()), Some(timed_out()), not_attempted, Some(timed_out())]
    );
    let classes: Vec<_> = record.entries.iter().map(Entry::outcome).collect();
    use Outcome::*;
    assert_eq!(
        classes,
        [Some(NotAsWritten), Some(Failed), Some(Applied), Some(NotAttempted), Some(Failed)]
    );
    let found = Found::Boundary(Some(arn("Other")));
    let correction = Correction { outcome: NotAsWritten, found };
    assert_eq!(record.entries[0].correction, Some(correction));
    let not_made: Vec<_> = record.entries.iter().map(Entry::verified_as_not_made).collect();
    let found = Found::Boundary(change(4).boundary.from().cloned());
    assert_eq!(not_made, [None, None, None, None, Some(&found)]);
    assert_eq!([Applied, Failed].map(|class| record.count(class)), [1, 2]);
    assert_eq!((record.unfinished().count(), record.end), (0, Some(end())));
    let without_the_last_three_lines = lines(&text)[..12].join("\n");
    let record = RunRecord::parse(without_the_last_three_lines.as_bytes()).unwrap();
    let unfinished: Vec<_> = record.unfinished().map(ToString::to_string).collect();
    assert_eq!((unfinished, record.end), (vec!["user-4".to_owned()], None));
}

#[tokio::test]
async fn an_intent_is_in_the_file_when_the_call_returns_and_outcomes_follow_with_the_next_intent() {
    let (_folder, path) = new_file();
    let journal = Journal::create(&path, &header(2)).unwrap();
    assert_eq!(RunRecord::read(&path).unwrap().entries, []);
    journal.record_intent(&intent(0)).await.unwrap();
    assert_eq!(RunRecord::read(&path).unwrap().unfinished().count(), 1);
    journal.record_outcome(&change(0).principal, &applied(1));
    journal.record_intent(&intent(1)).await.unwrap();
    let record = RunRecord::read(&path).unwrap();
    assert_eq!((record.unfinished().count(), record.count(Outcome::Applied)), (1, 1));
    assert_eq!(record.end, None);
}

#[tokio::test]
async fn a_user_that_was_created_again_with_the_new_boundary_is_not_as_written() {
    let (_folder, path) = new_file();
    let journal = Journal::create(&path, &header(1)).unwrap();
    let planned: UniqueId = "AIDAPLANNED0000000000".parse().unwrap();
    let intent = Intent { unique_id: Some(planned), ..intent(0) };
    journal.record_intent(&intent).await.unwrap();
    journal.record_outcome(&intent.principal, &applied(1));
    let boundary = intent.boundary.to().cloned();
    let unique_id: UniqueId = "AIDARECREATED00000000".parse().unwrap();
    let reading = Reading::Found { unique_id: unique_id.clone(), boundary: boundary.clone() };
    let correction = Correction::between(&intent, &applied(1), Outcome::NotAsWritten, &reading);
    journal.record_correction(&intent.principal, &correction.unwrap());
    let not_as_written = End { not_as_written: 1, ..Summary::default().end() };
    journal.finish(&not_as_written).await.unwrap();
    let record = RunRecord::read(&path).unwrap();
    let found = Found::Recreated { unique_id, boundary };
    let expected = Correction { outcome: Outcome::NotAsWritten, found };
    assert_eq!(record.entries[0].correction, Some(expected));
}

#[tokio::test]
async fn a_change_that_was_throttled_until_the_stop_is_recorded_as_not_attempted_with_its_error() {
    let (_folder, path) = new_file();
    let journal = Journal::create(&path, &header(2)).unwrap();
    let throttled = throttled_until_stop();
    journal.record_intent(&intent(0)).await.unwrap();
    journal.record_outcome(&change(0).principal, &throttled);
    journal.finish(&End { not_attempted: 2, ..Summary::default().end() }).await.unwrap();
    let record = RunRecord::read(&path).unwrap();
    let [entry] = &record.entries[..] else { panic!("{record:?}") };
    assert_eq!(entry.outcome, Some(throttled));
    assert_eq!((entry.outcome(), entry.may_be_done()), (Some(Outcome::NotAttempted), false));
    assert_eq!(record.unfinished().count(), 0);

    let text = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    for (from, to) in [
        ("\"class\":\"throttled\"", "\"class\":\"denied\""),
        ("\"may_be_done\":null", "\"may_be_done\":false"),
        ("\"attempts\":3", "\"attempts\":0"),
        ("\"request_id\":\"request-id\",\"may", "\"request_id\":null,\"may"),
        // Without a request ID, the response may not be from AWS.
        ("\"request_id\":\"request-id\"", "\"request_id\":null"),
    ] {
        assert!(lines[2].contains(from), "{from}: {}", lines[2]);
        let edited = [lines[0], lines[1], &lines[2].replace(from, to), lines[3]].join("\n");
        let error = RunRecord::parse(edited.as_bytes()).unwrap_err().to_string();
        assert!(error.contains("the outcome of user-0 is not consistent"), "{to}: {error}");
    }
}

#[tokio::test]
async fn concurrent_intents_are_all_written() {
    let (_folder, path) = new_file();
    let journal = Journal::create(&path, &header(500)).unwrap();
    let intents: Vec<Intent> = (0..500).map(intent).collect();
    let intended = futures::future::join_all(intents.iter().map(|it| journal.record_intent(it)));
    assert!(intended.await.iter().all(Result::is_ok));
    let record = RunRecord::read(&path).unwrap();
    assert!(record.entries.iter().map(|entry| &entry.intent).eq(&intents));
}

#[cfg(unix)]
#[tokio::test]
async fn a_journal_is_readable_only_by_its_owner_and_never_replaces_another_file() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, path) = new_file();
    Journal::create(&path, &header(1)).unwrap();
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let before = std::fs::read(&path).unwrap();
    let again = Journal::create(&path, &header(2)).unwrap_err();
    assert!(matches!(again, JournalError::Exists(_)), "{again}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
    let nowhere = Journal::create(&folder.path().join("none/run.jsonl"), &header(1)).unwrap_err();
    assert!(matches!(nowhere, JournalError::Unwritable { .. }), "{nowhere}");
}

#[tokio::test]
async fn a_journal_truncated_anywhere_reads_as_the_beginning_of_the_whole() {
    let text = rich().await;
    let whole = RunRecord::parse(&text).unwrap();
    let first_line = text.iter().position(|&byte| byte == b'\n').unwrap();
    for end in 0..text.len() {
        // A crash leaves a partial line, or zeros instead of the rest.
        for tail in [&b""[..], b"\0\0\0\0\0\0\0\0", b"\0\n\0\n", b"\xff{\"type\":"] {
            let cut = [&text[..end], tail].concat();
            let record = match RunRecord::parse(&cut) {
                Ok(record) => record,
                Err(error) => {
                    assert!(end <= first_line, "at {end}: {error}");
                    assert!(
                        !tail.is_empty() || error == RunRecordError::Headless,
                        "{end}: {error}"
                    );
                    continue;
                }
            };
            assert!(end >= first_line, "at {end}");
            let lines = text[..end].iter().filter(|&&byte| byte == b'\n').count();
            assert!(record.entries.len() >= lines.saturating_sub(1).min(5), "at {end}");
            assert_eq!(record.header, whole.header);
            for (entry, later) in record.entries.iter().zip(&whole.entries) {
                assert_eq!((entry.line, &entry.intent), (later.line, &later.intent));
                assert!(entry.outcome.is_none() || entry.outcome == later.outcome, "at {end}");
                let Entry { correction, .. } = entry;
                assert!(correction.is_none() || *correction == later.correction, "at {end}");
            }
            assert!(record.end.is_none() || record.end == whole.end, "at {end}");
        }
    }
    assert_eq!(RunRecord::parse(text.trim_ascii_end()).unwrap().end, whole.end);
}

#[tokio::test]
async fn each_reason_to_reject_a_journal_has_its_own_message() {
    let text = rich().await;
    let written = lines(&text);
    let edited = |edit: &dyn Fn(&mut Vec<String>)| {
        let mut lines = written.clone();
        edit(&mut lines);
        lines.join("\n")
    };
    let replaced = |at: usize, from: &str, to: &str| {
        assert!(written[at].contains(from), "{from} is not in {}", written[at]);
        edited(&|lines| lines[at] = lines[at].replacen(from, to, 1))
    };
    let said: Vec<String> = [
        "[users]\nalice = false\n".to_owned(),
        "{\"format\": \"iam-boundaries/plan\"}".to_owned(),
        "\u{feff}".to_owned(),
        String::new(),
        written[0][..40].to_owned(),
        replaced(0, "\"format_version\":2", "\"format_version\":3,\"new\":{}"),
        replaced(0, "\"format_version\":2", "\"format_version\":0"),
        replaced(0, "\"format_version\":2", "\"format_version\":1e999"),
        replaced(0, "\"account\":\"123456789012\"", "\"account\":\"1\""),
        replaced(0, "\"caller\":\"arn", "\"caller\":\"\\u001b[2J"),
        replaced(0, "\"developer\"", "\"arn:x\""),
        replaced(0, "policy/Developer", "role/Developer"),
        replaced(0, "\"aws\"", "\"aws-cn\""),
        replaced(0, "\"changes\":7", "\"changes\":7,\"note\":\"\\u001b[2J\""),
        replaced(0, "\"changes\":7", "\"changes\":4"),
        replaced(2, "\"intent\"", "\"intent\",\"\\u001b[2J\":1"),
        replaced(2, "\"change\"", "\"add\""),
        replaced(2, "policy/Ops", "policy/Developer"),
        replaced(2, "123456789012:policy/Ops", "999999999999:policy/Ops"),
        replaced(2, "\"line\":11", "\"line\":0"),
        replaced(2, "\"line\":11", "\"line\":1e99"),
        replaced(2, "user-1", "user 1"),
        replaced(2, "user-1", "USER-0"),
        replaced(6, "user-1", "user-6"),
        replaced(6, "user-1", "User-1"),
        replaced(6, "\"failed\"", "\"applied\""),
        replaced(6, "AccessDenied", "\\u202e"),
        replaced(6, "\"may_be_done\":false", "\"may_be_done\":null"),
        replaced(6, ",\"may_be_done\":false", ""),
        replaced(7, "user-0", "user-1"),
        replaced(7, "\"attempts\":1", "\"attempts\":0"),
        replaced(10, "user-0", "user-6"),
        replaced(10, "user-0", "user-4"),
        replaced(10, "policy/Other", "policy/Developer"),
        replaced(10, "123456789012", "999999999999"),
        replaced(11, "\"applied\"", "\"failed\""),
        replaced(11, "user-2", "user-0"),
        replaced(10, "user-0", "user-3"),
        replaced(9, "request-id", "request-i"),
        replaced(6, "with quotes", "without quotes"),
        replaced(13, "\"failed\"", "\"not_as_written\""),
        replaced(13, "policy/Developer", "policy/Ops"),
        replaced(13, "user-4", "user-1"),
        replaced(14, "\"applied\":1", "\"applied\":2"),
        edited(&|lines| {
            let (before, _) = lines[14].split_once("\"lines\":").unwrap();
            lines[14] = format!("{before}\"lines\":null}}");
        }),
        edited(&|lines| drop(lines.remove(11))),
        edited(&|lines| drop(lines.remove(12))),
        edited(&|lines| lines.push("\0\0".to_owned())),
        edited(&|lines| lines.swap(1, 7)),
        edited(&|lines| lines[3] = "\0\0\0".to_owned()),
        edited(&|lines| lines[3] = String::new()),
        edited(&|lines| lines[3] = format!("{}1", "[".repeat(100_000))),
        edited(&|lines| lines.push(lines[1].replace("user-0", "user-6"))),
    ]
    .iter()
    .enumerate()
    .map(|(n, text)| match RunRecord::parse(text.as_bytes()) {
        Ok(_) => panic!("text {n} is read: {text}"),
        Err(error) => error.to_string(),
    })
    .collect();
    insta::assert_snapshot!(said.join("\n"));
}

#[tokio::test]
async fn no_mutated_journal_causes_a_panic_or_puts_control_characters_into_a_message() {
    let text = rich().await;
    let mut random = fastrand::Rng::with_seed(20_261_125);
    for _ in 0..3_000 {
        let mut bytes = text.clone();
        for _ in 0..random.usize(1..4) {
            let at = random.usize(..bytes.len());
            match random.u8(..4) {
                0 => bytes[at] = random.u8(..),
                1 => drop(bytes.remove(at)),
                2 => bytes.truncate(at + 1),
                _ => bytes.insert(at, *random.choice(b"{}[]\",:0n\\ \xff\x1b\n").unwrap()),
            }
        }
        match RunRecord::parse(&bytes) {
            Ok(record) => {
                assert!(record.entries.len() <= 5);
                assert!(
                    !format!("{} {:?}", record.header.caller, record.header.source)
                        .contains('\x1b')
                );
            }
            Err(error) => assert!(!error.to_string().contains(char::is_control), "{error}"),
        }
    }
}
