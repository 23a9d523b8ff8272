//! The stack files of these tests, read and wired once, and what the plugins declare.

use std::fmt;
use std::sync::{Arc, LazyLock, OnceLock};

use zonestack_core::component::Component;
use zonestack_core::kind::KindDeclaration;
use zonestack_core::parse::parse;
use zonestack_core::registry::Registry;
use zonestack_core::wire::{Wiring, validate_and_wire};

use crate::harness::{self, replaced};

/// A stack file.
pub(crate) struct StackFile {
    name: &'static str,
    text: Text,
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

/// The example in two of the three zones.
pub(crate) static TWO_ZONES: StackFile = StackFile::new("two zones", || {
    replaced(
        harness::EXAMPLE,
        "region: eu-west-1\n",
        "region: eu-west-1\nzones: [eu-west-1a, eu-west-1b]\n",
    )
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
        Self { name, text: Text::Made(text), wiring: OnceLock::new() }
    }

    /// A stack file for as long as the tests run.
    pub(crate) fn leaked(text: String) -> &'static Self {
        Box::leak(Box::new(Self {
            name: "random",
            text: Text::Written(text),
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

fn registry() -> Registry {
    let components: Vec<Arc<dyn Component>> = vec![
        Arc::new(zonestack_plugin_efs::Efs),
        Arc::new(zonestack_plugin_rds::Rds),
        Arc::new(zonestack_plugin_redis::Redis),
        Arc::new(zonestack_plugin_gitlab::Gitlab),
    ];
    Registry::new(components).unwrap()
}

/// What the drivers of the plugins and of Kubernetes declare.
pub(crate) static KINDS: LazyLock<Vec<KindDeclaration>> = LazyLock::new(|| {
    let mut kinds = zonestack_kubernetes::driver::KubernetesDriver::declarations();
    kinds.push(zonestack_aws::security_group::declaration());
    kinds.extend(zonestack_plugin_efs::EfsDriver::declarations());
    kinds.extend(zonestack_plugin_rds::RdsDriver::declarations());
    kinds
});
