//! Help, completions and manual pages, which are generated from the definition of the command line.
#![cfg(unix)]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use crate::support::tools::program;
use crate::support::{Binary, Ran};

/// The completions that bash suggests for the last of `words` after sourcing the script.
fn bash_offers(words: &[&str]) -> Vec<String> {
    let binary = Binary::with_own_file();
    let script = binary.run(&["completions", "bash"]);
    assert_eq!(script.code, 0, "{script}");
    std::fs::write(binary.folder().join("completions.bash"), &script.out).unwrap();
    let complete = r#"
        source completions.bash
        [[ $(complete -p iam-boundaries) =~ -F\ ([^ ]+) ]]
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
        "${BASH_REMATCH[1]}" "$1" "${@: -1}" "${@: -2:1}"
        printf '%s\n' "${COMPREPLY[@]}"
    "#;
    let ran = Command::new("bash")
        .args(["--norc", "-euc", complete, "bash"])
        .args(words)
        .current_dir(binary.folder())
        .output();
    let ran = Ran::of(ran.expect("bash runs"));
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{ran}");
    ran.out.lines().map(str::to_owned).collect()
}

#[test]
fn bash_completes_commands_options_and_values() {
    assert_eq!(bash_offers(&["iam-boundaries", "pl"]), ["plan"]);
    assert_eq!(bash_offers(&["iam-boundaries", "plan", "--detail"]), ["--detailed-exitcode"]);
    assert_eq!(bash_offers(&["iam-boundaries", "--color", "al"]), ["always"]);
    assert_eq!(bash_offers(&["iam-boundaries", "sandbox", "res"]), ["reset"]);
}

#[test]
fn every_shell_has_a_script_with_every_command() {
    let binary = Binary::with_own_file();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = binary.run(&["completions", shell]);
        assert_eq!(script.code, 0, "{script}");
        for word in [
            "check",
            "plan",
            "apply",
            "import",
            "schema",
            "completions",
            "man",
            "detailed-exitcode",
        ] {
            assert!(script.out.contains(word), "{shell} does not know {word}");
        }
    }
    assert_eq!(binary.run(&["completions", "cmd.exe"]).code, 1);
}

/// The manual pages, by file name.
fn pages() -> (Binary, BTreeMap<String, String>) {
    let binary = Binary::with_own_file();
    let ran = binary.run(&["man", "--out", "pages"]);
    assert_eq!((ran.code, ran.out.as_str()), (0, ""), "{ran}");
    let entries = std::fs::read_dir(binary.folder().join("pages")).unwrap();
    let pages = entries.map(|entry| {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        (name, std::fs::read_to_string(entry.path()).unwrap())
    });
    let pages = pages.collect();
    (binary, pages)
}

/// The page as plain text with 80 columns. `None` if groff is not installed.
fn typeset(path: &Path) -> Option<String> {
    let groff = ["-man", "-Tutf8", "-ww", "-rLL=80n", "-P-cbou"];
    let mut program = program("groff", "apt-get install groff")?;
    let ran = Ran::of(program.args(groff).arg(path).output().unwrap());
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{path:?}");
    Some(ran.out)
}

#[test]
fn every_command_has_a_page_with_its_options_and_examples() {
    let (binary, pages) = pages();
    for command in [
        "",
        "-check",
        "-plan",
        "-show",
        "-apply",
        "-rollback",
        "-permissions",
        "-permissions-apply",
        "-permissions-trust-github",
        "-import",
        "-schema",
        "-completions",
        "-man",
        "-report",
        "-report-merge",
        "-sandbox",
        "-sandbox-serve",
        "-sandbox-reset",
    ] {
        let page = &pages[&format!("iam-boundaries{command}.1")];
        for section in
            ["NAME", "SYNOPSIS", "OPTIONS", "\"EXIT STATUS\"", "EXAMPLES", "\"SEE ALSO\""]
        {
            assert!(page.contains(&format!("\n.SH {section}\n")), "{command} {section}: {page}");
        }
    }
    for section in ["ENVIRONMENT", "FILES"] {
        assert!(pages["iam-boundaries.1"].contains(&format!("\n.SH {section}\n")), "{section}");
    }
    assert!(pages["iam-boundaries-plan.1"].contains("detailed\\-exitcode"));
    assert_eq!(binary.run(&["man"]).out, pages["iam-boundaries.1"]);
    assert!(pages["boundaries.toml.5"].contains("\n.TH boundaries.toml 5 "));
    assert!(pages["fleet.toml.5"].contains("\n.TH fleet.toml 5 "));
    assert_eq!(pages.len(), 26);
}

#[test]
fn pages_are_typeset_without_warnings_and_without_lines_over_80_columns() {
    let (binary, pages) = pages();
    for name in pages.keys() {
        let Some(text) = typeset(&binary.folder().join("pages").join(name)) else { return };
        assert!(!text.contains('`'), "{name}: {text}");
        for line in text.lines() {
            assert!(line.chars().count() <= 80, "{name}: {line}");
        }
    }
}

#[test]
fn examples_in_pages_keep_one_command_a_line() {
    let (binary, _) = pages();
    let folder = binary.folder().join("pages");
    let Some(main) = typeset(&folder.join("iam-boundaries.1")) else { return };
    assert!(
        main.contains(
            "
       Save a plan for review, then apply exactly that plan:
           iam-boundaries plan --out plan.json
           iam-boundaries apply plan.json
"
        ),
        "{main}"
    );
    let file = typeset(&folder.join("boundaries.toml.5")).unwrap();
    assert!(
        file.contains(
            "
           [users]
           alice = \"developer\"
           \"john.doe\" = \"developer\"
"
        ),
        "{file}"
    );
}

#[test]
fn help_and_the_main_page_have_the_same_exit_codes() {
    let binary = Binary::with_own_file();
    let help = binary.run(&["--help"]).out;
    let (_, table) = help.split_once("\nExit codes:\n").unwrap();
    let codes: Vec<_> =
        table.lines().filter_map(|line| line.strip_prefix("  ")?.split_once(' ')).collect();
    let codes: Vec<_> =
        codes.into_iter().map(|(code, _)| code).filter(|code| !code.is_empty()).collect();
    assert_eq!(codes, ["0", "1", "2", "3", "4", "5", "130"]);
    let page = binary.run(&["man"]).out;
    let (_, status) = page.split_once(".SH \"EXIT STATUS\"\n").unwrap();
    let (status, _) = status.split_once("\n.SH ").unwrap();
    let in_page: Vec<_> = status
        .lines()
        .filter_map(|line| line.strip_prefix("\\fB")?.strip_suffix("\\fR")?.parse::<u8>().ok())
        .map(|code| code.to_string())
        .collect();
    assert_eq!(in_page, codes);
}

#[test]
fn no_help_text_is_wider_than_80_columns_where_the_terminal_is_not() {
    let binary = Binary::with_own_file().env("COLUMNS", "80");
    for command in [
        &[][..],
        &["check"],
        &["plan"],
        &["show"],
        &["apply"],
        &["rollback"],
        &["import"],
        &["schema"],
        &["completions"],
        &["man"],
        &["sandbox"],
        &["sandbox", "serve"],
        &["sandbox", "reset"],
    ] {
        let help = binary.run(&[command, &["--help"]].concat());
        assert_eq!(help.code, 0, "{help}");
        for line in help.out.lines() {
            assert!(line.chars().count() <= 80, "{command:?}: {line}");
        }
    }
}

#[test]
fn pages_that_cannot_be_written_are_an_error() {
    let ran = Binary::with_own_file().run(&["man", "--out", "boundaries.toml"]);
    assert_eq!(ran.code, 1, "{ran}");
    assert!(ran.err.contains("cannot write the pages to boundaries.toml"), "{ran}");
}
