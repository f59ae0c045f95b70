//! Compares `docs/architecture.md` with the imports between modules, and finds cycles between files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The imports of every file: module paths such as `plan::saved::check`, without `crate::`.
type Graph = BTreeMap<String, BTreeSet<String>>;

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// Every source file: its module path and its text without tests.
fn files() -> BTreeMap<String, String> {
    fn collect(directory: &Path, module: &str, files: &mut BTreeMap<String, String>) {
        for entry in fs::read_dir(directory).unwrap().map(Result::unwrap) {
            let (path, name) = (entry.path(), entry.file_name().into_string().unwrap());
            let child = |name: &str| match module {
                "" => name.to_owned(),
                parent => format!("{parent}::{name}"),
            };
            if path.is_dir() {
                collect(&path, &child(&name), files);
            } else if let Some(stem) = name.strip_suffix(".rs")
                && !["lib", "main"].contains(&stem)
            {
                let module = if stem == "mod" { module.to_owned() } else { child(stem) };
                let text = fs::read_to_string(&path).unwrap();
                let code = text.split("#[cfg(test)]").next().unwrap_or_default();
                files.insert(module, code.to_owned());
            }
        }
    }
    let mut files = BTreeMap::new();
    collect(&source(), "", &mut files);
    files
}

/// The names that `use` declarations import, as paths from the crate root. Re-exports are included only if
/// `of_public` is set.
fn imported(module: &str, text: &str, is_directory: bool, of_public: bool) -> Vec<Vec<String>> {
    let mut paths = Vec::new();
    let code: String = code_lines(text).collect::<Vec<_>>().join("\n");
    for declaration in code.split(';') {
        let lines: Vec<&str> = declaration.lines().collect();
        let Some(first) = lines.iter().rposition(|line| is_use(line)) else { continue };
        let tail = lines[first..].join("\n");
        if tail.trim_start().starts_with("pub") == of_public {
            let tree = tail.split_once("use ").map_or("", |(_, tree)| tree);
            expand(tree, &mut Vec::new(), &mut paths);
        }
    }
    paths.into_iter().filter_map(|path| absolute(module, &path, is_directory)).collect()
}

/// The lines without comments.
fn code_lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.trim_start().starts_with("//"))
}

fn is_use(line: &str) -> bool {
    // A line inside a string can also start with `use`.
    let indentation = line.len() - line.trim_start().len();
    let line = line.trim_start();
    let declared = match line.strip_prefix("pub") {
        // Visibility, such as `pub(crate)`.
        Some(rest) => rest.trim_start_matches(|c| c != ' ').trim_start(),
        None => line,
    };
    declared.starts_with("use ") && indentation.is_multiple_of(4)
}

/// Expands `a::{b, c::d}` into `a::b` and `a::c::d`.
fn expand(tree: &str, prefix: &mut Vec<String>, paths: &mut Vec<Vec<String>>) {
    let tree = tree.trim();
    if let Some(open) = tree.find('{') {
        let length = prefix.len();
        prefix.extend(tree[..open].split("::").filter(|it| !it.is_empty()).map(str::to_owned));
        let close = tree.rfind('}').expect("braces of a use declaration are closed");
        let inner = &tree[open + 1..close];
        let (mut depth, mut start) = (0, 0);
        for (at, c) in inner.char_indices() {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    expand(&inner[start..at], prefix, paths);
                    start = at + 1;
                }
                _ => {}
            }
        }
        expand(&inner[start..], prefix, paths);
        prefix.truncate(length);
    } else if !tree.is_empty() {
        let name = tree.split(" as ").next().unwrap_or(tree);
        let mut path = prefix.clone();
        path.extend(name.split("::").map(|part| part.trim().to_owned()));
        paths.push(path);
    }
}

/// The path from the crate root. `None` for other crates.
fn absolute(module: &str, path: &[String], is_directory: bool) -> Option<Vec<String>> {
    let mut base: Vec<String> = module.split("::").map(str::to_owned).collect();
    if path.first()? == "crate" {
        return Some(path[1..].to_vec());
    }
    let supers = path.iter().take_while(|part| *part == "super").count();
    if supers == 0 {
        // A submodule of a module that is a directory.
        let first = if path[0] == "self" { path.get(1)? } else { &path[0] };
        let rest = if path[0] == "self" { &path[1..] } else { path };
        let child = source().join(base.join("/")).join(first);
        let is_child = is_directory && (child.with_extension("rs").exists() || child.is_dir());
        return is_child.then(|| base.into_iter().chain(rest.iter().cloned()).collect());
    }
    base.truncate(base.len().saturating_sub(supers));
    Some(base.into_iter().chain(path[supers..].iter().cloned()).collect())
}

/// The file that defines an imported item. Follows re-exports.
fn definition(path: &[String], files: &BTreeMap<String, String>, depth: usize) -> Option<String> {
    let module_length =
        (1..=path.len()).rev().find(|&length| files.contains_key(&path[..length].join("::")))?;
    let module = path[..module_length].join("::");
    let Some(item) = path.get(module_length) else { return Some(module) };
    let is_directory = source().join(module.replace("::", "/")).is_dir();
    let re_exported = imported(&module, &files[&module], is_directory, true)
        .into_iter()
        .find(|path| path.last() == Some(item));
    match re_exported {
        Some(path) if depth < 5 => definition(&path, files, depth + 1),
        _ => Some(module),
    }
}

fn graph(files: &BTreeMap<String, String>) -> Graph {
    let edges = |(module, text): (&String, &String)| {
        let is_directory = source().join(module.replace("::", "/")).is_dir();
        // A re-exported item is also an import if the code of the module uses it.
        let is_named = |path: &Vec<String>| {
            let item = path.last().expect("a path has an end");
            let is_code = |piece: &&str| {
                let last = piece.trim_end().lines().last().unwrap_or_default();
                !piece.contains("use ") && !last.starts_with("mod ")
            };
            text.split(';').filter(is_code).any(|piece| {
                piece.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == item)
            })
        };
        let re_exported = imported(module, text, is_directory, true).into_iter().filter(is_named);
        let targets: BTreeSet<String> = imported(module, text, is_directory, false)
            .into_iter()
            .chain(re_exported)
            .collect::<Vec<_>>()
            .iter()
            .filter_map(|path| definition(path, files, 0))
            .filter(|target| target != module)
            .collect();
        (module.clone(), targets)
    };
    files.iter().map(edges).collect()
}

/// The first part of a module path: a directory of `src`.
fn top_level(module: &str) -> &str {
    module.split("::").next().unwrap_or(module)
}

/// The table of modules: the modules that each one may import.
fn documented() -> BTreeMap<String, BTreeSet<String>> {
    let page = include_str!("../../docs/architecture.md");
    let table = page.split("| module | what it contains | may import |").nth(1).expect("a table");
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    let names = |cell: &str| -> Vec<String> {
        cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
    };
    rows.map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split('|').collect();
        (names(cells[0]).remove(0), names(cells[2]).into_iter().collect())
    })
    .collect()
}

#[test]
fn every_module_imports_only_what_the_architecture_page_lists() {
    let (files, documented) = (files(), documented());
    let modules: BTreeSet<&str> = files.keys().map(|module| top_level(module)).collect();
    let listed: BTreeSet<&str> = documented.keys().map(String::as_str).collect();
    assert_eq!(modules, listed, "the modules of src and those of docs/architecture.md");
    let mut undocumented = Vec::new();
    for (module, text) in &files {
        // Every path to another module counts, not only `use` declarations.
        for other in listed.iter().filter(|other| **other != top_level(module)) {
            let is_mentioned = text.lines().any(|line| {
                !line.trim_start().starts_with("//") && line.contains(&format!("crate::{other}::"))
            });
            if is_mentioned && !documented[top_level(module)].contains(*other) {
                undocumented.push(format!("{module} imports {other}"));
            }
        }
    }
    assert!(undocumented.is_empty(), "{undocumented:#?}");
}

#[test]
fn every_listed_import_exists() {
    let files = files();
    let graph = graph(&files);
    for (from, allowed) in documented() {
        let used: BTreeSet<String> = graph
            .iter()
            .filter(|(module, _)| top_level(module) == from)
            .flat_map(|(_, targets)| targets.iter().map(|target| top_level(target).to_owned()))
            .filter(|target| *target != from)
            .collect();
        let unused: Vec<_> = allowed.difference(&used).collect();
        assert!(unused.is_empty(), "{from} does not import {unused:?}");
    }
}

#[test]
fn only_the_aws_module_names_a_crate_of_the_sdk() {
    for (module, text) in files() {
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        let names_sdk = code
            .flat_map(|line| line.split(|c: char| !c.is_alphanumeric() && c != '_'))
            .any(|word| word.starts_with("aws_"));
        assert!(!names_sdk || top_level(&module) == "aws", "{module} names a crate of the SDK");
    }
}

#[test]
fn the_only_writes_are_those_of_the_boundary_of_a_user_or_role() {
    // The verbs of the actions of IAM and AWS Organizations that change something, as methods of the SDK's clients.
    const VERBS: [&str; 26] = [
        "accept",
        "add",
        "attach",
        "cancel",
        "change",
        "close",
        "create",
        "deactivate",
        "decline",
        "delete",
        "deregister",
        "detach",
        "disable",
        "enable",
        "invite",
        "leave",
        "move",
        "put",
        "register",
        "remove",
        "set",
        "tag",
        "terminate",
        "untag",
        "update",
        "upload",
    ];
    let mut writes = BTreeSet::new();
    for (_, text) in files().into_iter().filter(|(module, _)| top_level(module) == "aws") {
        // A method of the client has no argument. Methods that build a request have one.
        for call in text.split('.').filter_map(|code| code.split_once("()")).map(|(call, _)| call) {
            let is_write =
                |verb: &&str| call.strip_prefix(*verb).is_some_and(|it| it.starts_with('_'));
            if VERBS.iter().any(is_write) {
                writes.insert(call.to_owned());
            }
        }
    }
    let expected = [
        "delete_role_permissions_boundary",
        "delete_user_permissions_boundary",
        "put_role_permissions_boundary",
        "put_user_permissions_boundary",
    ];
    assert!(writes.iter().eq(&expected), "{writes:?}");
}

#[test]
fn no_files_import_each_other_in_a_cycle() {
    let graph = graph(&files());
    // Repeatedly removing files without imports leaves only cycles and their dependents.
    let mut left = graph.clone();
    loop {
        let leaves: Vec<String> = left
            .iter()
            .filter(|(_, targets)| !targets.iter().any(|target| left.contains_key(target)))
            .map(|(module, _)| module.clone())
            .collect();
        if leaves.is_empty() {
            break;
        }
        leaves.iter().for_each(|leaf| drop(left.remove(leaf)));
    }
    // Repeatedly removing files that no file imports leaves only cycles and files between them.
    loop {
        let imported: BTreeSet<&String> = left.values().flatten().collect();
        let roots: Vec<String> =
            left.keys().filter(|module| !imported.contains(module)).cloned().collect();
        if roots.is_empty() {
            break;
        }
        roots.iter().for_each(|root| drop(left.remove(root)));
    }
    let cycles: Vec<String> = left
        .iter()
        .map(|(module, targets)| {
            let inside: Vec<_> =
                targets.iter().filter(|target| left.contains_key(*target)).cloned().collect();
            format!("{module} -> {}", inside.join(", "))
        })
        .collect();
    assert!(cycles.is_empty(), "{cycles:#?}");
}

#[test]
fn no_file_is_longer_than_about_500_lines() {
    fn check(directory: &Path) {
        for path in fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                check(&path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let lines = fs::read_to_string(&path).unwrap().lines().count();
                assert!(lines <= 520, "{} has {lines} lines", path.display());
            }
        }
    }
    for directory in ["src", "tests", "benches", "fuzz/src"] {
        check(&Path::new(env!("CARGO_MANIFEST_DIR")).join(directory));
    }
}

#[test]
fn only_the_gates_use_what_clippy_rejects_elsewhere() {
    // Clippy rejects unescaped paths and the streams of the process (clippy.toml). These files may use them.
    let expected = ["cli::output", "cli::stream", "iam::text", "report::bar"];
    let using: Vec<String> = files()
        .into_iter()
        .filter(|(_, text)| text.contains("clippy::disallowed_methods"))
        .map(|(module, _)| module)
        .collect();
    assert_eq!(using, expected);
    let clippy = include_str!("../../clippy.toml");
    for method in ["Path::display", "Path::to_string_lossy", "io::stdout", "io::stderr"] {
        assert!(clippy.contains(&format!("::{method}\"")), "{method}");
    }
}
