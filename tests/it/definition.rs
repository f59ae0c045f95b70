//! What is made from the command line's own definition: completions and manual pages.
#![cfg(unix)]

use std::process::Command;

use crate::support::{Binary, Ran};

/// What bash offers for the last of `words`, with the script sourced as a user's shell does.
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

#[test]
fn every_command_has_a_page_with_its_options_and_examples() {
    let binary = Binary::with_own_file();
    let ran = binary.run(&["man", "--out", "share/man1"]);
    assert_eq!((ran.code, ran.out.as_str()), (0, ""), "{ran}");
    let page = |name: &str| {
        std::fs::read_to_string(binary.folder().join("share/man1").join(name)).unwrap()
    };
    for command in
        ["check", "plan", "apply", "import", "schema", "completions", "man", "sandbox-serve"]
    {
        let page = page(&format!("iam-boundaries-{command}.1"));
        assert!(page.contains(".SH SYNOPSIS") && page.contains("Example"), "{command}: {page}");
    }
    assert!(page("iam-boundaries-plan.1").contains("detailed\\-exitcode"));
    assert_eq!(binary.run(&["man"]).out, page("iam-boundaries.1"));

    // Where groff is, it must have nothing to complain about.
    for entry in std::fs::read_dir(binary.folder().join("share/man1")).unwrap() {
        let page = entry.unwrap().path();
        let Ok(typeset) = Command::new("groff").args(["-man", "-Tutf8", "-ww"]).arg(&page).output()
        else {
            println!("skipped: groff is not here, so no page was typeset");
            return;
        };
        let typeset = Ran::of(typeset);
        assert_eq!((typeset.code, typeset.err.as_str()), (0, ""), "{page:?}");
        assert!(typeset.out.contains("iam-boundaries"), "{page:?}");
    }
}

#[test]
fn pages_that_cannot_be_written_are_an_error() {
    let ran = Binary::with_own_file().run(&["man", "--out", "boundaries.toml"]);
    assert_eq!(ran.code, 1, "{ran}");
    assert!(ran.err.contains("cannot write the pages to boundaries.toml"), "{ran}");
}
