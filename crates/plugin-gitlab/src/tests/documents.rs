//! The stacks of the documentation and of `examples/` are right.

use serde_json::Value as Json;
use zonestack_core::component::Component;

use crate::Gitlab;

/// The stack in the crate's documentation.
fn documented() -> String {
    let lines = include_str!("../lib.rs").lines().filter_map(|line| line.strip_prefix("//!"));
    let block = lines.skip_while(|line| line.trim() != "```yaml").skip(1);
    block
        .take_while(|line| line.trim() != "```")
        .map(|line| format!("{}\n", line.strip_prefix(' ').unwrap_or(line)))
        .collect::<Vec<_>>()
        .concat()
}

#[track_caller]
fn check(stack: &str) {
    let stack: Json = serde_yaml::from_str(stack).unwrap();
    assert_eq!(stack["apiVersion"], "zonestack/v1");
    let components = stack["components"].as_object().unwrap();
    let gitlab = components.values().find(|c| c["use"] == "gitlab").unwrap();
    assert_eq!(Gitlab.check(&gitlab["with"]), []);
}

#[test]
fn the_documented_stack() {
    check(&documented());
}

#[test]
fn the_examples() {
    check(include_str!("../../../../examples/gitlab/stack.yaml"));
    check(include_str!("../../../../examples/gitlab-on-kops/stack.yaml"));
}

#[test]
fn the_schema_documents_every_setting() {
    let schema = Component::describe(&Gitlab).schema;
    let properties = schema["properties"].as_object().unwrap();
    assert_eq!(schema["required"], serde_json::json!(["host"]));
    for (name, property) in properties {
        assert!(
            property["description"].is_string() || property["$ref"].is_string(),
            "{name} has no description"
        );
    }
}
