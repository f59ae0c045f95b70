//! Updates of files in every form that TOML has for the same tables: the new text has exactly the intended difference.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use toml_edit::{Document, Item};

use iam_boundaries::config::{Comments, Comparison, EditableFile, Live};
use iam_boundaries::iam::{Partition, PolicyArn, Principal, PrincipalKind, Timestamp};
use iam_boundaries::inventory::EveryPrincipal;

use crate::support::kept::{CONTRACTOR, DEVELOPER, READ_ONLY};

const POLICIES: [&str; 3] = [DEVELOPER, CONTRACTOR, READ_ONLY];
const NAMES: [&str; 9] = ["a", "b.c", "d@e", "f+g=h", "_", "i-j", "0", "k,l", "users"];
/// Text that looks like TOML, in comments.
const COMMENTS: [&str; 7] =
    ["", "", "", "  # why = \"x\"", " #", "\t# [users] '''", " # \u{e9} {a = false}"];

/// The values of a text, without its form.
fn values(text: &str) -> Map<String, Value> {
    let document = Document::parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    document.iter().map(|(key, item)| (key.to_owned(), value(item))).collect()
}

fn value(item: &Item) -> Value {
    if let Some(tables) = item.as_array_of_tables() {
        let plain = |table: &toml_edit::Table| value(&Item::Table(table.clone()));
        return tables.iter().map(plain).collect();
    }
    if let Some(table) = item.as_table_like() {
        let entries = table.iter().map(|(key, item)| (key.to_owned(), value(item)));
        return Value::Object(entries.collect());
    }
    match (item.as_str(), item.as_bool(), item.as_datetime()) {
        (Some(text), ..) => json!(text),
        (_, Some(flag), _) => json!(flag),
        (.., Some(date)) => json!(date.to_string()),
        _ => panic!("the files have no other values"),
    }
}

/// Files of random form, from a seed.
struct Writer(fastrand::Rng);

impl Writer {
    fn one_of(&mut self, of: &[&str]) -> String {
        self.0.choice(of).copied().unwrap_or_default().to_owned()
    }

    fn string(&mut self, text: &str) -> String {
        match self.0.u8(..10) {
            0..5 => format!("\"{text}\""),
            5..8 => format!("'{text}'"),
            8 => format!("\"\"\"\\\n   {text}\"\"\""),
            _ => format!("\"\\u{:04x}{}\"", u32::from(text.as_bytes()[0]), &text[1..]),
        }
    }

    fn key(&mut self, name: &str) -> String {
        let is_bare = name.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c));
        match self.0.u8(..4) {
            0 => format!("'{name}'"),
            1 => format!("\"{name}\""),
            _ if is_bare => name.to_owned(),
            _ => format!("\"{name}\""),
        }
    }

    fn boundary(&mut self) -> String {
        match self.0.u8(..6) {
            0 => "false".to_owned(),
            1..4 => self.string("dev"),
            _ => {
                let policy = self.one_of(&POLICIES);
                self.string(&policy)
            }
        }
    }

    /// The keys of an entry that is a table, in any order.
    fn keys_of_entry(&mut self) -> Vec<String> {
        let space = self.one_of(&["", " ", "\t "]);
        let mut keys = vec![format!("boundary{space}={space}{}", self.boundary())];
        if self.0.bool() {
            keys.push("reason = 'SEC-1, x = {y} # z'".to_owned());
        }
        if self.0.u8(..3) == 0 {
            keys.push(self.one_of(&["until = 2199-01-31", "until = 2020-01-01"]));
        }
        self.0.shuffle(&mut keys);
        keys
    }

    /// A table of entries: before all headers, and below a header.
    fn entries(&mut self, kind: PrincipalKind) -> [String; 2] {
        let (table, count) = (kind.plural(), self.0.usize(..NAMES.len()));
        let names = self.0.choose_multiple(NAMES, count);
        let [mut top, mut below, mut headers] = [const { String::new() }; 3];
        let form = self.0.u8(..6);
        if form == 0 {
            let mut entries = Vec::new();
            for name in names {
                let key = self.key(name);
                entries.push(match self.0.u8(..3) {
                    0 => format!("{key}={{ {} }}", self.keys_of_entry().join(", ")),
                    _ => format!("{key} = {}", self.boundary()),
                });
            }
            let comment = self.one_of(&COMMENTS);
            let space = self.one_of(&["", " "]);
            return [
                format!("{table} = {{{space}{}{space}}}{comment}\n", entries.join(",")),
                below,
            ];
        }
        for name in names {
            let (key, comment) = (self.key(name), self.one_of(&COMMENTS));
            match (form, self.0.u8(..5)) {
                (1, 0) => {
                    for line in self.keys_of_entry() {
                        top += &format!("{table}.{key}.{line}{comment}\n");
                    }
                }
                (1, _) => top += &format!("{table} . {key}={}{comment}\n", self.boundary()),
                (2, _) | (3, 0) => {
                    let lines = self.keys_of_entry().join(&format!("{comment}\n  "));
                    headers += &format!("[{table}.{key}]{comment}\n{lines}\n");
                }
                (_, 1) => {
                    for line in self.keys_of_entry() {
                        below += &format!("{key}.{line}{comment}\n");
                    }
                }
                (_, 2) => {
                    below +=
                        &format!("\t{key} = {{{}}}{comment}\n", self.keys_of_entry().join(", "));
                }
                _ => below += &format!("{key}={}{comment}\n", self.boundary()),
            }
            // A table with dotted keys cannot have a header.
            if form != 1 && self.0.u8(..5) == 0 {
                below += &self.one_of(&["\n", "# c\n", "# m = false\n\n"]);
            }
        }
        if !below.is_empty() || (form > 3 && self.0.bool()) {
            below = format!("[{table}]{}\n{below}", self.one_of(&COMMENTS));
        }
        [top, below + &headers]
    }

    fn file(&mut self) -> String {
        let mut tables = vec![
            format!("[boundaries]\ndev = '{DEVELOPER}'\n"),
            "[guard] # tight\nmax_changes = \"10%\"\n".to_owned(),
            format!("[[rules]]\npath = \"/a/*\"\nboundary = '{READ_ONLY}'\n"),
            "[unlisted]\nusers = 'warn'\n".to_owned(),
        ];
        let mut text = self.one_of(&["", "# head\n", "\n"]);
        for kind in PrincipalKind::ALL {
            let [top, below] = self.entries(kind);
            text += &top;
            tables.push(below);
        }
        self.0.shuffle(&mut tables);
        text += &tables.join(&self.one_of(&["", "\n", "# c\n\n"]));
        match self.0.u8(..4) {
            0 => text = text.replace('\n', "\r\n"),
            1 => {
                let lines = text.split('\n').map(str::to_owned).collect::<Vec<_>>();
                text = lines.into_iter().fold(String::new(), |all, line| match all.is_empty() {
                    true => line,
                    false => all + &self.one_of(&["\n", "\r\n"]) + &line,
                });
            }
            _ => {}
        }
        if self.0.u8(..3) == 0 {
            text.truncate(text.trim_end().len());
        }
        if self.0.u8(..5) == 0 {
            text.insert(0, '\u{feff}');
        }
        text
    }

    fn account(&mut self) -> EveryPrincipal {
        let mut everyone = BTreeMap::new();
        for kind in PrincipalKind::ALL {
            for name in NAMES.into_iter().chain(["new", "x.y"]) {
                let policy = self.one_of(&POLICIES).parse::<PolicyArn>().unwrap();
                let boundary = (self.0.u8(..4) > 0).then_some(policy);
                if self.0.u8(..4) > 0 {
                    everyone.insert(Principal { kind, name: name.parse().unwrap() }, boundary);
                }
            }
        }
        everyone.into_iter().collect()
    }
}

/// Changes the values as the comparison says.
fn intended(values: &mut Map<String, Value>, comparison: &Comparison) {
    let boundary = |arn: &Option<PolicyArn>| match arn.as_ref().map(PolicyArn::as_str) {
        None => json!(false),
        Some(DEVELOPER) => json!("dev"),
        Some(arn) => json!(arn),
    };
    let changed = comparison.different.iter().filter(|it| !it.is_expired);
    for (principal, arn) in changed
        .map(|it| (&it.principal, &it.account))
        .chain(comparison.unlisted.iter().map(|it| (&it.principal, &it.account)))
    {
        let table = values.entry(principal.kind.plural()).or_insert_with(|| json!({}));
        let name = principal.name.as_str();
        match table.get_mut(name).and_then(Value::as_object_mut) {
            Some(entry) => entry.insert("boundary".to_owned(), boundary(arn)),
            None => table.as_object_mut().unwrap().insert(name.to_owned(), boundary(arn)),
        };
    }
}

#[test]
fn an_update_of_any_form_of_a_file_changes_the_intended_values_and_nothing_else() {
    let kinds: BTreeSet<PrincipalKind> = PrincipalKind::ALL.into();
    let mut updates = 0;
    for seed in 0..3_000 {
        let mut writer = Writer(fastrand::Rng::with_seed(seed));
        let (text, present) = (writer.file(), writer.account());
        let file = EditableFile::parse("b.toml", &text)
            .unwrap_or_else(|error| panic!("{seed}: {error}\n{text}"));
        let live = Live {
            account: "123456789012".parse().unwrap(),
            partition: Partition::Aws,
            now: Timestamp::now().unwrap(),
            kinds: &kinds,
            present: &present,
        };
        let comparison = Comparison::of(&file.config, &live, |_| None);
        let updated = file.updated(&comparison, &live, &Comments::new()).unwrap();
        let mut expected = values(&text);
        intended(&mut expected, &comparison);
        assert_eq!(values(&updated), expected, "{seed}\n{text}\n---\n{updated}");
        let comments = |text: &str| text.matches(['#', '\u{feff}']).count();
        assert_eq!(comments(&updated), comments(&text), "{seed}\n{text}\n---\n{updated}");
        let only = |text: &str, end: &str| text.matches('\n').count() == text.matches(end).count();
        let is_windows = text.contains("\r\n") && only(&text, "\r\n");
        assert!(!is_windows || only(&updated, "\r\n"), "{seed}\n{text:?}\n---\n{updated:?}");
        assert!(text.contains('\r') || !updated.contains('\r'), "{seed}\n{updated:?}");
        let again = EditableFile::parse("b.toml", &updated).unwrap();
        assert!(!Comparison::of(&again.config, &live, |_| None).is_update_needed(), "{seed}");
        updates += usize::from(updated != text);
    }
    assert!(updates > 2_500, "{updates}");
}
