//! Files that are layered.

use iam_boundaries::config::Config;
use iam_boundaries::iam::{Partition, PrincipalName};

use crate::support::fixture::Fixture;

fn parse(files: &[(&str, &str)]) -> Config {
    Config::parse_layers(files).unwrap_or_else(|errors| panic!("{errors}"))
}

fn boundary(config: &Config, user: &str) -> Option<String> {
    let user: PrincipalName = user.parse().unwrap();
    config.users[&user].boundary.as_ref().map(ToString::to_string)
}

const BASE: &str = "[account]\nid = \"123456789012\"\n[boundaries]\ndev = \"policy/Dev\"\nops = \"policy/Ops\"\n\
                    [guard]\nmax_changes = 5\nprotected = [\"root-*\"]\n[users]\nalice = \"dev\"\nbob = \"ops\"\n\
                    [[rules]]\npath = \"/a/\"\nboundary = \"dev\"\n[unlisted]\nusers = \"error\"\nroles = \"warn\"\n";

#[test]
fn later_files_replace_keys_and_their_rules_are_tried_first() {
    let team = "[guard]\nmax_changes = 9\n[users]\nbob = { boundary = \"dev\", reason = \"R\" }\ncarol = \"ops\"\n\
                [[rules]]\npath = \"/b/\"\nboundary = \"ops\"\n[unlisted]\nusers = \"ignore\"\n";
    let config = parse(&[("base.toml", BASE), ("team.toml", team)]);
    assert_eq!(boundary(&config, "alice").as_deref(), Some("policy/Dev"));
    assert_eq!(boundary(&config, "bob").as_deref(), Some("policy/Dev"));
    let bob = &config.users[&"bob".parse().unwrap()].position;
    assert_eq!((bob.file.as_str(), bob.line), ("team.toml", 4));
    let rules: Vec<_> = config.rules.iter().map(|rule| rule.position.file.as_str()).collect();
    assert_eq!(rules, ["team.toml", "base.toml"]);
    assert_eq!(config.guard.max_changes.unwrap().to_string(), "9");
    assert_eq!(config.guard.protected.len(), 1, "a key that only the earlier file sets stays");
    assert_eq!(config.unlisted.roles.unwrap().position.file.as_str(), "base.toml");
    assert_eq!(config.unlisted.users.unwrap().position.file.as_str(), "team.toml");
}

#[test]
fn a_short_name_is_known_in_all_files_and_the_last_definition_applies() {
    let redefined = "[boundaries]\ndev = \"policy/NewDev\"\n";
    let config = parse(&[("base.toml", BASE), ("new.toml", redefined)]);
    assert_eq!(boundary(&config, "alice").as_deref(), Some("policy/NewDev"));
    let only_names = "[boundaries]\nx = \"policy/X\"\n";
    let config = parse(&[("users.toml", "[users]\na = \"x\"\n"), ("names.toml", only_names)]);
    assert_eq!(boundary(&config, "a").as_deref(), Some("policy/X"));
}

#[test]
fn the_errors_of_all_files_are_shown_together_each_with_its_file() {
    let errors = Config::parse_layers(&[
        ("a.toml", "[account]\nid = \"123456789012\"\n[users]\nalice = \"nope\"\n"),
        ("b.toml", "[account]\nid = \"999999999999\"\n[users]\nALICE = \"nope\"\nbob = 7\n"),
    ])
    .unwrap_err();
    insta::assert_snapshot!(errors.to_string());
}

#[test]
fn a_policy_that_is_relative_belongs_to_the_account_of_the_run() {
    let config = parse(&[("f.toml", "[users]\na = \"policy/path/Dev\"\n")]);
    assert_eq!((config.partition(), config.policy_account()), (None, None));
    assert!(!config.names_account());
    let policy = config.users[&"a".parse().unwrap()].boundary.clone().unwrap();
    let arn = policy.in_account("999999999999".parse().unwrap(), Partition::AwsCn);
    assert_eq!(arn.as_str(), "arn:aws-cn:iam::999999999999:policy/path/Dev");
}

#[tokio::test]
async fn layers_are_planned_applied_and_compared_with_a_base_of_layers() {
    let fixture = Fixture::users(3).start().await;
    let write = |name: &str, text: &str| std::fs::write(fixture.folder().join(name), text).unwrap();
    write(
        "base.toml",
        "[account]\nid = \"123456789012\"\n[boundaries]\ndev = \"policy/Developer\"\nother = \"policy/Other\"\n[users]\nuser-0000 = \"dev\"\nuser-0001 = \"dev\"\n",
    );
    write("team.toml", "[users]\nuser-0001 = \"other\"\nuser-0002 = \"other\"\n");
    write("old.toml", "[users]\nuser-0001 = \"other\"\n");
    let layers = ["-f", "base.toml", "-f", "team.toml"];
    let args = |more: &[&'static str]| [&layers[..], more].concat();
    let plan = fixture
        .run(&args(&["plan", "--base", "base.toml", "--base", "old.toml", "--format", "github"]))
        .await;
    assert_eq!(plan.code, 0, "{}", plan.err);
    assert!(plan.out.contains("file=team.toml,line=3"), "{}", plan.out);
    assert!(plan.out.contains("1 from this change, 2 drift"), "{}", plan.out);
    let applied = fixture.run(&args(&["apply", "--yes", "--max-changes", "3"])).await;
    assert_eq!(applied.code, 0, "{}", applied.err);
    assert!(fixture.has(0, "Developer") && fixture.has(1, "Other") && fixture.has(2, "Other"));
    let missing =
        fixture.run(&["-f", "base.toml", "-f", "nope.toml", "-f", "no.toml", "check"]).await;
    assert_eq!(missing.code, 1);
    assert!(
        missing.err.contains("nope.toml") && missing.err.contains("no.toml: file not found"),
        "{}",
        missing.err
    );
}

#[test]
fn standard_input_is_one_layer_at_most() {
    let errors = Config::read(&["-", "base.toml", "-"]).unwrap_err();
    assert!(errors.to_string().contains("specified more than once"), "{errors}");
}
