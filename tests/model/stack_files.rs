//! The stack files of these tests, read and wired once, and what the plugins declare.

use std::fmt;
use std::sync::{Arc, LazyLock, OnceLock};

use serde_json::{Value as Json, json};
use zonestack_core::component::{Component, ComponentType, RenderContext, Rendered};
use zonestack_core::diagnostic::Finding;
use zonestack_core::kind::KindDeclaration;
use zonestack_core::parse::parse;
use zonestack_core::registry::Registry;
use zonestack_core::resource::Resource;
use zonestack_core::wire::{Wiring, validate_and_wire};

use crate::harness::{self, replaced};

/// A stack file.
pub(crate) struct StackFile {
    name: &'static str,
    text: Text,
    /// Resources whose replacement is named on the command line.
    replaces: &'static [&'static str],
    wiring: OnceLock<Wiring>,
}

/// The README's example: GitLab in every zone of three.
pub(crate) static EXAMPLE: StackFile = StackFile::new("example", || harness::EXAMPLE.to_owned());

/// The example at the version that [`UPGRADED`] comes from.
pub(crate) static PINNED: StackFile = StackFile::new("19.2.0", || of_version("19.2.0"));

/// The example after an upgrade to the next required stop.
pub(crate) static UPGRADED: StackFile = StackFile::new("19.5.0", || of_version("19.5.0"));

/// The example with volumes of another server: each is replaced, with its claim and its pods.
pub(crate) static REGIONAL: StackFile = StackFile::new("regional", || {
    replaced(harness::EXAMPLE, "{ use: efs }", "{ use: efs, with: { endpoint: regional } }")
});

/// The example with a database that has to be made again for it, which is named.
pub(crate) static OTHER_DATABASE: StackFile = StackFile {
    replaces: &["db/instance"],
    name: "another database",
    text: Text::Made(|| {
        replaced(harness::EXAMPLE, "{ use: rds }", "{ use: rds, with: { database: other } }")
    }),
    wiring: OnceLock::new(),
};

/// The example in two of the three zones.
pub(crate) static TWO_ZONES: StackFile = StackFile::new("two zones", || {
    replaced(
        harness::EXAMPLE,
        "region: eu-west-1\n",
        "region: eu-west-1\nzones: [eu-west-1a, eu-west-1b]\n",
    )
});

/// A database on Aurora alone: a cluster, which keeps the data, and its instances, which do not.
pub(crate) static AURORA: StackFile = StackFile::new("aurora", || {
    let (head, _) = harness::EXAMPLE.split_once("components:\n").unwrap();
    format!("{head}components:\n  db: {{ use: aurora }}\n")
});

fn of_version(version: &str) -> String {
    let with = |more: &str| format!("{{ host: git.example.com{more} }}");
    replaced(harness::EXAMPLE, &with(""), &with(&format!(", version: {version}")))
}

enum Text {
    Made(fn() -> String),
    Written(String),
}

impl StackFile {
    const fn new(name: &'static str, text: fn() -> String) -> Self {
        Self { name, text: Text::Made(text), replaces: &[], wiring: OnceLock::new() }
    }

    pub(crate) fn replaces(&self) -> &'static [&'static str] {
        self.replaces
    }

    /// A stack file for as long as the tests run.
    pub(crate) fn leaked(text: String) -> &'static Self {
        Box::leak(Box::new(Self {
            name: "random",
            text: Text::Written(text),
            replaces: &[],
            wiring: OnceLock::new(),
        }))
    }

    pub(crate) fn text(&self) -> String {
        match &self.text {
            Text::Made(text) => text(),
            Text::Written(text) => text.clone(),
        }
    }

    pub(crate) fn wiring(&self) -> &Wiring {
        self.wiring.get_or_init(|| {
            let raw = parse(self.text().as_bytes()).unwrap();
            validate_and_wire(&raw, &registry()).unwrap()
        })
    }
}

impl fmt::Debug for StackFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// A component type of a broken plugin: it asks for something, or for nothing when it is told so.
struct Hollow;

impl Component for Hollow {
    fn describe(&self) -> ComponentType {
        ComponentType {
            name: "hollow",
            summary: "Something, or nothing",
            provides: Vec::new(),
            requires: Vec::new(),
            advisories: Vec::new(),
            schema: json!({ "type": "object", "properties": { "empty": { "type": "boolean" } } }),
        }
    }

    fn check(&self, _: &Json) -> Vec<Finding> {
        Vec::new()
    }

    fn render(&self, settings: &Json, cx: &RenderContext<'_>) -> Rendered {
        if settings["empty"] == true {
            return Rendered::default();
        }
        let manifest = json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": { "name": "something", "namespace": cx.context.namespace },
        });
        let resources = vec![Resource::manifest(cx.id("something"), manifest)];
        Rendered { resources, ..Rendered::default() }
    }
}

/// The example with a component that asks for one thing.
pub(crate) static FULL: StackFile = StackFile::new("full", || with_hollow("hollow"));

/// The same, but its plugin asks for nothing any more.
pub(crate) static EMPTIED: StackFile =
    StackFile::new("emptied", || with_hollow("hollow, with: { empty: true }"));

fn with_hollow(used: &str) -> String {
    replaced(harness::EXAMPLE, "components:\n", &format!("components:\n  it: {{ use: {used} }}\n"))
}

fn registry() -> Registry {
    let components: Vec<Arc<dyn Component>> = vec![
        Arc::new(zonestack_plugin_efs::Efs),
        Arc::new(zonestack_plugin_rds::Rds),
        Arc::new(zonestack_plugin_aurora::Aurora),
        Arc::new(zonestack_plugin_redis::Redis),
        Arc::new(zonestack_plugin_gitlab::Gitlab),
        Arc::new(Hollow),
    ];
    Registry::new(components).unwrap()
}

/// What the drivers of the plugins and of Kubernetes declare.
pub(crate) static KINDS: LazyLock<Vec<KindDeclaration>> = LazyLock::new(|| {
    let mut kinds = zonestack_kubernetes::driver::KubernetesDriver::declarations();
    kinds.push(zonestack_aws::security_group::declaration());
    kinds.extend(zonestack_plugin_efs::EfsDriver::declarations());
    kinds.extend(zonestack_plugin_rds::RdsDriver::declarations());
    kinds.extend(zonestack_plugin_aurora::AuroraDriver::declarations());
    kinds
});
