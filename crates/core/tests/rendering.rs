//! What rendering says of components that refuse.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value as Json, json};
use zonestack_core::component::{Component, ComponentType, RenderContext, Rendered, Requirement};
use zonestack_core::context::Context;
use zonestack_core::desired::{Desired, RenderError, render};
use zonestack_core::diagnostic::Finding;
use zonestack_core::parse::parse;
use zonestack_core::registry::Registry;
use zonestack_core::rename::Called;
use zonestack_core::wire::validate_and_wire;

/// Provides what the next requires, and exports nothing. Refuses when it is told to.
struct Link {
    name: &'static str,
    requires: &'static [&'static str],
    provides: &'static str,
    refuses: bool,
}

impl Component for Link {
    fn describe(&self) -> ComponentType {
        let requirement = |interface: &&'static str| Requirement { name: "before", interface };
        ComponentType {
            name: self.name,
            summary: "a link of a chain",
            provides: vec![self.provides],
            requires: self.requires.iter().map(requirement).collect(),
            advisories: Vec::new(),
            schema: json!({ "type": "object" }),
        }
    }

    fn check(&self, _: &Json) -> Vec<Finding> {
        Vec::new()
    }

    fn render(&self, _: &Json, _: &RenderContext<'_>) -> Rendered {
        let refusal = self.refuses.then(|| Finding::error("broken", "", "the plugin has ended"));
        Rendered { findings: refusal.into_iter().collect(), ..Rendered::default() }
    }
}

fn rendered(refuses: bool) -> Result<Desired, RenderError> {
    let link = |name, requires, provides, refuses| -> Arc<dyn Component> {
        Arc::new(Link { name, requires, provides, refuses })
    };
    let registry = Registry::new(vec![
        link("first", &[], "one/v1", refuses),
        link("second", &["one/v1"], "two/v1", false),
        link("third", &["two/v1"], "three/v1", false),
    ])
    .unwrap();
    let text = "apiVersion: zonestack/v1\nname: git\ncluster: k8s.example.net\nregion: eu-west-1\n\
                components: { a: { use: first }, b: { use: second }, c: { use: third } }\n";
    let wiring = validate_and_wire(&parse(text.as_bytes()).unwrap(), &registry).unwrap();
    let zones = ["eu-west-1a".parse().unwrap()];
    let context = Context::nominal("git".parse().unwrap(), "git", "eu-west-1", &zones);
    render(&wiring, &context, &BTreeMap::new(), &Called::new())
}

/// A component that cannot be rendered has no exports; its own words are what a person needs to read.
#[test]
fn what_requires_a_component_that_refuses_is_left_out() {
    let desired = rendered(true).unwrap();
    let told: Vec<&str> = desired.errors().map(|error| error.message.as_str()).collect();
    assert_eq!(told, ["the plugin has ended"]);
    assert_eq!(desired.resources, []);
}

#[test]
fn an_export_that_is_missing_without_a_word_is_a_mistake_of_the_plugin() {
    let missing = RenderError::MissingExport {
        component: "a".parse().unwrap(),
        interface: "one/v1".to_owned(),
    };
    assert_eq!(rendered(false).unwrap_err(), missing);
}
