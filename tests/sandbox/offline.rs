//! What needs no world at all.

use serde::Deserialize;
use serde_json::Value;

use crate::harness::{EXAMPLE, EXAMPLE_ON_KOPS, Program};

#[test]
fn the_examples_are_valid() {
    for example in [EXAMPLE, EXAMPLE_ON_KOPS] {
        Program::offline(example).run(&["validate"]).exits(0);
    }
}

#[test]
fn manifests_are_yaml_without_a_secret_and_the_same_every_time() {
    let program = Program::offline(EXAMPLE);
    let outcome = program.run(&["render", "--offline"]).exits(0);
    let objects: Vec<Value> = documents(&outcome.stdout);
    let mut kinds: Vec<&str> =
        objects.iter().map(|object| object["kind"].as_str().unwrap()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    insta::assert_snapshot!(kinds.join("\n"));
    for object in &objects {
        assert!(object["apiVersion"].is_string(), "{object}");
        assert!(object["metadata"]["name"].is_string(), "{object}");
    }
    assert_eq!(program.run(&["render", "--offline"]).exits(0).stdout, outcome.stdout);
}

/// Invariant 3: the order of YAML maps changes nothing.
#[test]
fn the_order_of_settings_changes_nothing() {
    let one = "with: { host: git.example.com, signup: false, timezone: Europe/Paris }";
    let other = "with: { timezone: Europe/Paris, host: git.example.com, signup: false }";
    let rendered = |with: &str| {
        let stack = crate::harness::replaced(EXAMPLE, "with: { host: git.example.com }", with);
        Program::offline(stack).run(&["render", "--offline"]).exits(0).stdout
    };
    assert_eq!(rendered(one), rendered(other));
}

#[test]
fn the_graph_has_four_formats() {
    let program = Program::in_sandbox(EXAMPLE);
    let graph = |format: &str| program.run(&["graph", "--format", format]).exits(0).stdout;
    let components = program.run(&["graph", "--components"]).exits(0).stdout;
    insta::assert_snapshot!(components);
    assert!(graph("text").contains("data/mount-target@eu-west-1b"));
    let dot = graph("dot");
    assert!(dot.starts_with("digraph") && dot.trim_end().ends_with('}'), "{dot}");
    assert_eq!(dot.matches('{').count(), dot.matches('}').count());
    let mermaid = graph("mermaid");
    assert!(mermaid.starts_with("graph") || mermaid.starts_with("flowchart"), "{mermaid}");
    let svg = graph("svg");
    assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"), "{svg}");
}

#[test]
fn the_schema_knows_every_component_type() {
    let schema = Program::offline("").run(&["schema"]).exits(0).json();
    let definitions = schema["$defs"].as_object().unwrap();
    for name in ["efs", "fsx-openzfs", "gitlab", "rds", "redis"] {
        assert!(definitions.contains_key(&format!("with.{name}")), "{name}");
    }
    assert_eq!(schema["properties"]["apiVersion"]["const"], "zonestack/v1");
}

#[test]
fn every_shell_gets_its_completions() {
    let program = Program::offline("");
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let outcome = program.run(&["completions", shell]).exits(0);
        assert!(outcome.stdout.contains("sandbox"), "{shell}: {outcome}");
    }
}

#[test]
fn a_value_of_the_file_can_be_set_on_the_command_line() {
    let program = Program::offline(EXAMPLE);
    let set = ["render", "--offline", "--set", "gitlab.host=code.example.org"];
    let rendered = program.run(&set).exits(0).stdout;
    assert!(rendered.contains("code.example.org"), "{rendered}");
    assert!(!rendered.contains("git.example.com"), "{rendered}");
}

fn documents(text: &str) -> Vec<Value> {
    let documents = serde_yaml::Deserializer::from_str(text);
    documents.map(|document| Value::deserialize(document).unwrap()).collect()
}
