//! `import --update` changes only what differs in a file that people keep, and `import --check` says what differs.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use iam_boundaries::config::{Comments, Comparison, Config, EditableFile, Live, file_of};
use iam_boundaries::iam::{Partition, PolicyArn, Principal, PrincipalKind, Timestamp};
use iam_boundaries::inventory::EveryPrincipal;
use iam_boundaries::sandbox::Fault;

use crate::support::Ran;
use crate::support::fixture::{DETAILS, Fixture};
use crate::support::fleet::until;
use crate::support::kept::{
    CONTRACTOR, DEVELOPER, KEPT, READ_ONLY, account, drifted, read, with, without,
};
use crate::support::tools::skip;

/// [`KEPT`] after an update from the account of [`drifted`].
fn updated() -> String {
    KEPT.replace("alice = 'developer'", &format!("alice = \"{CONTRACTOR}\""))
        .replace("\"b.c\" = false", &format!("\"b.c\" = \"{READ_ONLY}\""))
        .replace("# never one\n", &format!(
            "# never one\n\"a.new\" = \"{CONTRACTOR}\"\ntagged = \"developer\"  # /engineering/ evil=a\\u{{a}}[users]\\u{{a}}x team=payments\n"
        ))
        .replace("ci-deploy = 'developer'\n", "ci-deploy = 'developer'\nci-new = \"developer\"\n")
}

#[test]
fn an_update_changes_only_what_differs_and_says_what_it_did() {
    let binary = drifted(KEPT);
    let ran = binary.run(&["--sandbox", "import", "--update", "boundaries.toml"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{ran}");
    assert_eq!(read(&binary), updated());
    insta::assert_snapshot!("update_of_a_kept_file", ran.out);
    // The role that the account does not have is still reported, and nothing else.
    let again = binary.run(&["--sandbox", "import", "--update"]);
    assert_eq!(again.code, 0, "{again}");
    assert!(again.out.starts_with("boundaries.toml was not changed"), "{again}");
    assert!(again.out.contains("role/ci-deploy (line 12)"), "{again}");
    assert_eq!(read(&binary), updated());
    // Everything else is in sync.
    let plan = binary.run(&["--sandbox", "plan", "--detailed-exitcode"]);
    assert_eq!(plan.code, 3, "{plan}");
    let in_sync = "5 of 5 listed users and 1 of 2 listed roles in sync; 1 cannot";
    assert!(plan.out.contains(in_sync), "{plan}");
}

#[test]
fn windows_line_ends_and_a_byte_order_mark_stay() {
    let windows = |text: &str| format!("\u{feff}{}", text.replace('\n', "\r\n"));
    let binary = drifted(&windows(KEPT));
    let ran = binary.run(&["--sandbox", "import", "--update"]);
    assert_eq!(ran.code, 0, "{ran}");
    assert_eq!(read(&binary), windows(&updated()));
}

#[test]
fn a_file_that_does_not_differ_keeps_its_bytes_and_its_time() {
    let binary = account(
        KEPT,
        json!({ "zed": with(DEVELOPER), "alice": with(DEVELOPER), "b.c": without(), "x": without() }),
        json!({ "ci-deploy": with(DEVELOPER) }),
    );
    let path = binary.folder().join("boundaries.toml");
    let time = path.metadata().unwrap().modified().unwrap();
    let ran = binary.run(&["--sandbox", "import", "--update"]);
    assert_eq!(ran.code, 0, "{ran}");
    insta::assert_snapshot!("update_without_a_difference", ran.out);
    assert_eq!(
        (read(&binary), path.metadata().unwrap().modified().unwrap()),
        (KEPT.to_owned(), time)
    );
    let check = binary.run(&["--sandbox", "import", "--check"]);
    assert_eq!(check.code, 0, "{check}");
    insta::assert_snapshot!("check_without_a_difference", check.out);
}

#[test]
fn a_removed_boundary_becomes_false_and_names_are_never_added_twice_by_their_case() {
    let file = format!("[users]\nALICE = \"{DEVELOPER}\"\nbob = \"{DEVELOPER}\"");
    let binary = account(&file, json!({ "alice": with(CONTRACTOR), "bob": without() }), json!({}));
    let ran = binary.run(&["--sandbox", "import", "--update"]);
    assert_eq!(ran.code, 0, "{ran}");
    assert_eq!(read(&binary), format!("[users]\nALICE = \"{DEVELOPER}\"\nbob = false"));
    assert!(ran.out.contains("ALICE (line 2)") && ran.out.contains("it is alice"), "{ran}");
    let check = binary.run(&["--sandbox", "import", "--check"]);
    assert_eq!(check.code, 2, "{check}");
}

#[test]
fn kind_limits_an_update_and_a_check() {
    let binary = drifted(KEPT);
    let ran = binary.run(&["--sandbox", "import", "--kind", "role", "--update"]);
    assert_eq!(ran.code, 0, "{ran}");
    let only_role = KEPT
        .replace("ci-deploy = 'developer'\n", "ci-deploy = 'developer'\nci-new = \"developer\"\n");
    assert_eq!(read(&binary), only_role);
    let check = binary.run(&["--sandbox", "import", "--kind", "user", "--check"]);
    assert!(check.code == 2 && !check.out.contains("role"), "{check}");
}

#[test]
fn a_check_lists_what_differs_and_writes_nothing() {
    let binary = drifted(KEPT);
    let ran = binary.run(&["--sandbox", "import", "--check"]);
    assert_eq!((ran.code, ran.err.as_str()), (2, ""), "{ran}");
    insta::assert_snapshot!("check_of_a_kept_file", ran.out);
    assert_eq!(read(&binary), KEPT);
    // The file of -f, and of the option.
    std::fs::rename(binary.folder().join("boundaries.toml"), binary.folder().join("b.toml"))
        .unwrap();
    for arguments in [&["import", "--check", "b.toml"][..], &["-f", "b.toml", "import", "--check"]]
    {
        let ran = binary.run(&[&["--sandbox"], arguments].concat());
        assert!(ran.code == 2 && ran.out.starts_with("b.toml differs from account "), "{ran}");
    }
    let ran = binary.run(&["--sandbox", "import", "--check"]);
    assert!(ran.code == 1 && ran.err.contains("file not found"), "{ran}");
}

#[test]
fn a_file_with_errors_or_of_another_account_is_not_written() {
    for (file, expected) in [
        (KEPT.replace("'developer'\t", "'develper'\t"), "unknown short name \"develper\""),
        ("[users]\nalice = ".to_owned(), "invalid TOML"),
        (KEPT.replace("123456789012", "999999999999"), "999999999999"),
    ] {
        for option in ["--update", "--check"] {
            let binary = drifted(&file);
            let ran = binary.run(&["--sandbox", "import", option]);
            assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{ran}");
            assert!(ran.err.contains(expected), "{ran}");
            assert_eq!(read(&binary), file);
        }
    }
}

#[test]
fn a_boundary_of_another_account_is_not_written_into_a_file_but_is_a_difference() {
    let foreign = with("arn:aws:iam::999999999999:policy/Developer");
    let file = format!("[users]\nzed = \"{DEVELOPER}\"\n");
    let binary = account(&file, json!({ "zed": foreign }), json!({}));
    let ran = binary.run(&["--sandbox", "import", "--update"]);
    assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{ran}");
    assert!(ran.err.contains("zed: arn:aws:iam::999999999999:policy/Developer"), "{ran}");
    assert_eq!(read(&binary), file);
    let check = binary.run(&["--sandbox", "import", "--check"]);
    assert!(check.code == 2 && check.out.contains("arn:aws:iam::999999999999"), "{check}");
}

#[test]
fn a_missing_table_is_added_and_other_tables_stay() {
    let file = format!(
        "users = {{ zed = \"{DEVELOPER}\" }} # short\n[guard]\nprotected = [\n  'zed', # us\n]"
    );
    let binary = account(
        &file,
        json!({ "zed": with(DEVELOPER), "new": with(DEVELOPER) }),
        json!({ "ci": with(READ_ONLY) }),
    );
    let ran = binary.run(&["--sandbox", "import", "--update"]);
    assert_eq!(ran.code, 0, "{ran}");
    let expected = file.replace(" } # short", &format!(", new = \"{DEVELOPER}\" }} # short"));
    assert_eq!(read(&binary), format!("{expected}\n\n[roles]\nci = \"{READ_ONLY}\"\n"));
}

#[test]
fn rules_count_as_listing_and_entries_that_are_tables_keep_their_other_keys() {
    let file = "[boundaries]\ndeveloper = \"policy/Developer\"\ncontractor = 'policy/Contractor'\n\n[users]\n\
         dana = { reason = \"SEC-1\", boundary = 'contractor', until = 2999-01-31, then = false } # on loan\n\
         gone = { boundary = \"developer\", until = 2020-01-01, then = \"contractor\" }\n\
         open = { boundary = \"developer\", until = 2020-01-01 }\n\n\
         [[rules]] # the usual ones\npath = \"/engineering/*\"\nboundary = \"developer\"\n";
    let engineer =
        |boundary: Option<&str>| json!({ "path": "/engineering/", "boundary": boundary });
    let users = json!({
        "dana": with(DEVELOPER), "gone": with(DEVELOPER), "open": with(DEVELOPER),
        "e1": engineer(Some(DEVELOPER)), "e2": engineer(Some(CONTRACTOR)), "e3": engineer(None),
        "out": with(CONTRACTOR), "none": without(),
    });
    let binary = account(file, users, json!({}));
    let check = binary.run(&["--sandbox", "import", "--check"]);
    assert_eq!(check.code, 2, "{check}");
    insta::assert_snapshot!("check_of_rules_and_tables", check.out);
    let ran = binary.run(&["--sandbox", "import", "--update"]);
    assert_eq!(ran.code, 0, "{ran}");
    insta::assert_snapshot!("update_of_rules_and_tables", ran.out);
    let expected = file.replace("boundary = 'contractor'", "boundary = \"developer\"").replace(
        "\n\n[[rules]]",
        "\ne2 = \"contractor\"  # /engineering/\ne3 = false  # /engineering/\nout = \"contractor\"\n\n[[rules]]",
    );
    assert_eq!(read(&binary), expected);
    let plan = binary.run(&["--sandbox", "plan", "--format", "json"]);
    let plan: Value = serde_json::from_str(&plan.out).unwrap();
    // Only the two expired entries are left.
    assert_eq!((&plan["summary"]["in_sync"], &plan["summary"]["problems"]), (&json!(5), &json!(2)));
}

#[test]
fn a_check_reads_layers_and_an_update_only_one_file() {
    let binary = account(
        &format!("[users]\nzed = \"{DEVELOPER}\"\n"),
        json!({ "zed": with(CONTRACTOR) }),
        json!({}),
    );
    let layer = format!("[users]\nzed = \"{CONTRACTOR}\"\n");
    std::fs::write(binary.folder().join("layer.toml"), layer).unwrap();
    let files = ["--sandbox", "-f", "boundaries.toml", "-f", "layer.toml", "import"];
    let check = binary.run(&[&files[..], &["--check"]].concat());
    assert_eq!(check.code, 0, "{check}");
    let update = binary.run(&[&files[..], &["--update"]].concat());
    assert!(update.code == 1 && update.err.contains("several files"), "{update}");
}

#[cfg(unix)]
#[test]
fn a_symbolic_link_stays_and_the_file_keeps_its_owner_and_its_permissions() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
    let binary = drifted(KEPT);
    let at = |name: &str| binary.folder().join(name);
    std::fs::create_dir(at("real")).unwrap();
    std::fs::rename(at("boundaries.toml"), at("real/kept.toml")).unwrap();
    symlink("real/kept.toml", at("boundaries.toml")).unwrap();
    std::fs::set_permissions(at("real/kept.toml"), PermissionsExt::from_mode(0o640)).unwrap();
    // Only root can give a file to another owner.
    let _ = std::os::unix::fs::chown(at("real/kept.toml"), Some(54_321), Some(54_321));
    let owner = || at("real/kept.toml").metadata().map(|file| (file.uid(), file.gid())).unwrap();
    let before = owner();
    let ran = binary.run(&["--sandbox", "import", "--update"]);
    assert_eq!(ran.code, 0, "{ran}");
    assert!(at("boundaries.toml").symlink_metadata().unwrap().is_symlink());
    assert_eq!(std::fs::read_to_string(at("real/kept.toml")).unwrap(), updated());
    assert_eq!(at("real/kept.toml").metadata().unwrap().permissions().mode() & 0o777, 0o640);
    assert_eq!(owner(), before);
    let files: Vec<_> = std::fs::read_dir(at("real")).unwrap().collect();
    assert_eq!(files.len(), 1, "{files:?}");
}

#[cfg(unix)]
#[test]
fn a_file_that_cannot_be_replaced_stays_complete() {
    use std::os::unix::fs::PermissionsExt;
    let binary = drifted(KEPT);
    let folder = binary.folder().join("closed");
    std::fs::create_dir(&folder).unwrap();
    std::fs::rename(binary.folder().join("boundaries.toml"), folder.join("b.toml")).unwrap();
    std::fs::set_permissions(&folder, PermissionsExt::from_mode(0o555)).unwrap();
    let is_root = std::fs::write(folder.join("probe"), "").is_ok();
    let ran = binary.run(&["--sandbox", "import", "--update", "closed/b.toml"]);
    std::fs::set_permissions(&folder, PermissionsExt::from_mode(0o755)).unwrap();
    if is_root {
        return skip("unprivileged-user", "permissions do not apply to this user");
    }
    assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{ran}");
    assert!(ran.err.starts_with("error: cannot write "), "{ran}");
    assert_eq!(std::fs::read_to_string(folder.join("b.toml")).unwrap(), KEPT);
}

#[test]
fn options_that_make_no_sense_together_are_rejected() {
    let binary = drifted(KEPT);
    for arguments in [
        &["--update", "--check"][..],
        &["--update", "b.toml", "--out", "c.toml"],
        &["--check", "--out", "c.toml"],
        &["--check", "--force"],
        &["--update", "--force"],
        &["--from-csv", "a.csv", "--update"],
        &["--from-csv", "a.csv", "--check"],
        &["--from-csv", "a.csv", "--kind", "user"],
        &["--from-csv", "a.csv", "-f", "b.toml"],
        &["--update", "b.toml", "-f", "b.toml"],
        &["--update", "-"],
        &["-f", "-", "--update"],
    ] {
        let ran = binary.run(&[&["--sandbox", "import"], arguments].concat());
        assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{arguments:?} {ran}");
        assert!(
            ran.err.contains("cannot be") || ran.err.contains("required"),
            "{arguments:?} {ran}"
        );
    }
    assert_eq!(read(&binary), KEPT);
}

#[test]
fn the_imported_file_has_the_path_and_the_tags_of_each_principal() {
    let binary = drifted(KEPT);
    let ran = binary.run(&["--sandbox", "import"]);
    assert_eq!(ran.code, 0, "{ran}");
    let tagged =
        "tagged = \"developer\"  # /engineering/ evil=a\\u{a}[users]\\u{a}x team=payments\n";
    assert!(ran.out.contains(tagged), "{ran}");
    assert!(ran.out.contains("\n# nobody = false\n"), "{ran}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_changes_while_the_account_is_read_is_not_written() {
    let fixture = Fixture::users(3).listed_with("Developer").start().await;
    fixture.sandbox.faults().add(DETAILS, None, 1, Fault::Slow(Duration::from_secs(2)));
    let mut command = fixture.command(&["import", "--update"]);
    let running = tokio::task::spawn_blocking(move || Ran::of(command.output().unwrap()));
    // The file is read before the first call.
    until("no call", || fixture.calls("GetCallerIdentity") > 0).await;
    let path = fixture.folder().join("boundaries.toml");
    let newer = std::fs::read_to_string(&path).unwrap() + "# one more line\n";
    std::fs::write(&path, &newer).unwrap();
    let ran = running.await.unwrap();
    assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{ran}");
    assert!(ran.err.contains("was changed while the account was read"), "{ran}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), newer);
}

/// Whether `lines` occur in `all`, in this order.
fn are_in<'a>(lines: impl IntoIterator<Item = &'a str>, all: &str) -> bool {
    let mut all = all.split('\n');
    lines.into_iter().all(|line| all.any(|other| other == line))
}

#[test]
fn updates_of_random_files_give_the_account_and_keep_every_other_line() {
    let mut random = fastrand::Rng::with_seed(20_261_128);
    let policies = [DEVELOPER, CONTRACTOR, READ_ONLY];
    let arns: Vec<PolicyArn> = policies.iter().map(|arn| arn.parse().unwrap()).collect();
    let kinds: BTreeSet<PrincipalKind> = PrincipalKind::ALL.into();
    for round in 0..300 {
        let everyone = |random: &mut fastrand::Rng| -> EveryPrincipal {
            let mut of_kind = |kind, most| -> Vec<_> {
                let names = ["a", "b.c", "d@e", "f+g=h", "_", "i-j", "0", "k,l", "users", "m"];
                let count = random.usize(0..=most);
                let chosen = random.choose_multiple(names, count);
                let name = |name: &str| Principal { kind, name: name.parse().unwrap() };
                chosen
                    .into_iter()
                    .map(|it| (name(it), random.choice(&arns).filter(|_| random.u8(..4) > 0)))
                    .map(|(it, boundary)| (it, boundary.cloned()))
                    .collect()
            };
            let mut all = of_kind(PrincipalKind::User, 10);
            all.extend(of_kind(PrincipalKind::Role, 6));
            all.push((Principal::user("always".parse().unwrap()), Some(arns[0].clone())));
            all.into_iter().collect()
        };
        let (listed, live) = (everyone(&mut random), everyone(&mut random));
        let mut text = String::new();
        for line in file_of("123456789012".parse().unwrap(), &listed, &Comments::new()).lines() {
            match random.u8(..6) {
                0 => text.push_str("# a comment = \"with a value\"\n\n"),
                1 if line.contains("= \"") => text.push_str("\t "),
                _ => {}
            }
            text.push_str(line);
            text.push_str(
                ["\n", "\n", "  # why = 'x'\n"][usize::from(!line.is_empty()) * random.usize(..3)],
            );
        }
        if round % 3 == 0 {
            text = text.replace('\n', "\r\n");
        }
        if random.bool() {
            text.truncate(text.trim_end().len());
        }
        let file =
            EditableFile::parse("b.toml", &text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        let account = Live {
            account: "123456789012".parse().unwrap(),
            partition: Partition::Aws,
            now: Timestamp::now().unwrap(),
            kinds: &kinds,
            present: &live,
        };
        let comparison = Comparison::of(&file.config, &account, |_| None);
        let updated = file.updated(&comparison, &account, &Comments::new()).unwrap();
        let config = Config::parse("updated", &updated)
            .unwrap_or_else(|error| panic!("{error}\n{text}\n---\n{updated}"));
        let after = Comparison::of(&config, &account, |_| None);
        assert!(after.different.is_empty() && after.unlisted.is_empty(), "{text}\n---\n{updated}");
        assert_eq!(after.missing.len(), comparison.missing.len());
        assert_eq!(
            config.listed().total(),
            file.config.listed().total() + comparison.unlisted.len()
        );
        let changed: BTreeSet<usize> =
            comparison.different.iter().map(|it| it.position.line).collect();
        let lines = text.trim_end().split('\n').zip(1..);
        let kept = lines.filter(|(_, line)| !changed.contains(line)).map(|(text, _)| text);
        let kept = kept.map(|line| line.trim_end_matches('\r'));
        assert!(are_in(kept, &updated.replace("\r\n", "\n")), "{text}\n---\n{updated}");
        if comparison.different.is_empty() && comparison.unlisted.is_empty() {
            assert_eq!(updated, text);
        }
    }
}

#[test]
fn an_explanation_of_a_user_that_does_not_exist_does_not_say_that_it_matches() {
    let binary = account(KEPT, json!({ "alice": with(DEVELOPER) }), json!({}));
    let ran = binary.run(&["--sandbox", "plan", "--explain", "user/Alice"]);
    let result = "decides, but IAM has no such user: write the name as in the entry.";
    let said = ran.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains(result) && !said.contains("matches it"), "{ran}");
    let ran = binary.run(&["--sandbox", "plan", "--explain", "user/alice"]);
    assert!(ran.out.contains("and the user matches it"), "{ran}");
}
