//! The HTML page in Chromium: `tests/browser/report.mjs` clicks and types.

use std::path::Path;
use std::process::Command;

use crate::support::html::pages;
use crate::support::tools::{program, skip};

#[test]
fn a_reviewer_can_use_the_page_in_a_browser() {
    let Some(mut browser_test) = browser_test() else { return };
    let directory = tempfile::tempdir().unwrap();
    for (name, html) in pages() {
        std::fs::write(directory.path().join(name), html).unwrap();
    }
    let output = browser_test.arg(directory.path()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{errors}");
    println!("{said}");
}

/// `cargo test --test it html_browser::write -- --ignored`.
#[test]
#[ignore = "writes the pages to target/pages, for a look at them"]
fn write_the_pages() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/pages");
    std::fs::create_dir_all(&directory).unwrap();
    for (name, html) in pages() {
        std::fs::write(directory.join(name), html).unwrap();
    }
}

/// The command of the test; `None` if a program is missing.
fn browser_test() -> Option<Command> {
    program("chromium", "apt-get install chromium")?;
    let mut node = program("node", "apt-get install nodejs")?;
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser");
    if !scripts.join("node_modules/playwright-core").is_dir() {
        let install =
            "playwright-core is not installed; install it with `npm ci --prefix tests/browser`";
        skip("playwright-core", install);
        return None;
    }
    node.arg(scripts.join("report.mjs"));
    Some(node)
}
