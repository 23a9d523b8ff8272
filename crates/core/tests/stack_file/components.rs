//! Component types to write stack files with: small, but with every sort of setting that the real ones have.

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;
use zonestack_core::component::{
    Component, ComponentType, RenderContext, Rendered, Requirement, TypedComponent,
};
use zonestack_core::diagnostic::Finding;
use zonestack_core::registry::Registry;
use zonestack_core::secret::SecretRef;

pub(crate) fn registry() -> Registry {
    let components: Vec<Arc<dyn Component>> = vec![
        Arc::new(Storage),
        Arc::new(Database("rds")),
        Arc::new(Database("aurora")),
        Arc::new(Cache),
        Arc::new(Proxy),
        Arc::new(App),
    ];
    Registry::new(components).unwrap_or_default()
}

fn described(
    name: &'static str,
    provides: &[&'static str],
    requires: &[(&'static str, &'static str)],
) -> ComponentType {
    ComponentType {
        name,
        summary: "a type for tests",
        provides: provides.to_vec(),
        requires: requires
            .iter()
            .map(|(name, interface)| Requirement { name, interface })
            .collect(),
        advisories: Vec::new(),
        schema: serde_json::Value::Null,
    }
}

/// Settings of the storage.
#[derive(Deserialize, JsonSchema, Default)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(crate) struct StorageSettings {
    /// How throughput is paid for.
    throughput: Throughput,
    /// Transition to cheaper storage.
    lifecycle: Option<Lifecycle>,
    encrypted: Option<bool>,
}

/// How throughput is paid for.
#[derive(Deserialize, JsonSchema, Default)]
#[serde(rename_all = "kebab-case")]
enum Throughput {
    /// What is used.
    #[default]
    Elastic,
    /// By size.
    Bursting,
    /// A fixed rate.
    Provisioned {
        /// MiB per second.
        #[expect(dead_code, reason = "only its schema matters")]
        #[schemars(range(min = 1, max = 3414))]
        mibps: u32,
    },
}

#[derive(Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "kebab-case", deny_unknown_fields)]
#[expect(dead_code, reason = "only its schema matters")]
enum Lifecycle {
    Never,
    After { days: u16 },
}

struct Storage;

impl TypedComponent for Storage {
    type Settings = StorageSettings;

    fn describe(&self) -> ComponentType {
        ComponentType {
            advisories: vec!["not-encrypted", "one-zone"],
            ..described("efs", &["shared-filesystem/v1"], &[])
        }
    }

    fn check(&self, settings: &StorageSettings) -> Vec<Finding> {
        if settings.encrypted == Some(false) {
            vec![Finding::advisory("not-encrypted", "encrypted", "the files are not encrypted")]
        } else {
            Vec::new()
        }
    }

    fn render(&self, _: &StorageSettings, _: &RenderContext<'_>) -> Rendered {
        Rendered::default()
    }
}

/// Settings of the database.
#[derive(Deserialize, JsonSchema, Default)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct DatabaseSettings {
    version: Option<String>,
    multi_az: Option<bool>,
    #[schemars(range(min = 20, max = 65536))]
    storage_gib: Option<u32>,
    backup: Option<Window>,
    maintenance: Option<Window>,
    password: Option<SecretRef>,
    parameters: BTreeMap<String, String>,
}

/// A daily window.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Window {
    /// Hours of the day in UTC, such as `03:00-04:00`.
    #[schemars(regex(pattern = r"^\d\d:\d\d-\d\d:\d\d$"), example = &"03:00-04:00")]
    window: String,
}

struct Database(&'static str);

impl TypedComponent for Database {
    type Settings = DatabaseSettings;

    fn describe(&self) -> ComponentType {
        described(self.0, &["postgres/v1"], &[])
    }

    fn check(&self, settings: &DatabaseSettings) -> Vec<Finding> {
        let mut findings = Vec::new();
        if let (Some(backup), Some(maintenance)) = (&settings.backup, &settings.maintenance) {
            // Texts of one form compare as times do.
            let halves =
                |window: &str| window.split_once('-').map(|(a, b)| (a.to_owned(), b.to_owned()));
            let overlap = halves(&backup.window).zip(halves(&maintenance.window));
            if overlap.is_some_and(|(a, b)| a.0 < b.1 && b.0 < a.1) {
                let message = format!(
                    "the backup window {} overlaps the maintenance window {}",
                    backup.window, maintenance.window
                );
                let hint = "leave half an hour between them";
                findings
                    .push(Finding::error("window-overlap", "backup.window", message).hint(hint));
            }
        }
        if settings.version.as_deref() == Some("9.4") {
            let message = "PostgreSQL 9.4 has not been offered since 2020";
            findings.push(Finding::error("version-gone", "version", message).hint("write \"17\""));
        }
        findings
    }

    fn render(&self, _: &DatabaseSettings, _: &RenderContext<'_>) -> Rendered {
        Rendered::default()
    }
}

#[derive(Deserialize, JsonSchema, Default)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoSettings {}

struct Cache;

impl TypedComponent for Cache {
    type Settings = NoSettings;

    fn describe(&self) -> ComponentType {
        described("redis", &["redis/v1"], &[])
    }

    fn check(&self, _: &NoSettings) -> Vec<Finding> {
        Vec::new()
    }

    fn render(&self, _: &NoSettings, _: &RenderContext<'_>) -> Rendered {
        Rendered::default()
    }
}

/// Provides what it requires: what circles are made of.
struct Proxy;

impl TypedComponent for Proxy {
    type Settings = NoSettings;

    fn describe(&self) -> ComponentType {
        described("pgbouncer", &["postgres/v1"], &[("upstream", "postgres/v1")])
    }

    fn check(&self, _: &NoSettings) -> Vec<Finding> {
        Vec::new()
    }

    fn render(&self, _: &NoSettings, _: &RenderContext<'_>) -> Rendered {
        Rendered::default()
    }
}

/// Settings of the application.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AppSettings {
    /// The host name under which users reach it.
    #[expect(dead_code, reason = "only its schema matters")]
    #[schemars(example = &"git.example.com")]
    host: String,
    #[serde(default)]
    version: Option<String>,
    #[serde(default)]
    database_version: Option<String>,
    #[expect(dead_code, reason = "only its schema matters")]
    #[serde(default)]
    replicas: Option<u16>,
    #[expect(dead_code, reason = "only its schema matters")]
    #[serde(default)]
    names: Vec<String>,
}

struct App;

impl TypedComponent for App {
    type Settings = AppSettings;

    fn describe(&self) -> ComponentType {
        described(
            "gitlab",
            &[],
            &[
                ("storage", "shared-filesystem/v1"),
                ("database", "postgres/v1"),
                ("cache", "redis/v1"),
            ],
        )
    }

    fn check(&self, settings: &AppSettings) -> Vec<Finding> {
        match (settings.version.as_deref(), settings.database_version.as_deref()) {
            (Some(app @ "18"), Some(database @ "14")) => {
                let message = format!("version {app} does not run on PostgreSQL {database}");
                let hint = "write database_version: \"16\" or newer";
                vec![Finding::error("version-pair", "database_version", message).hint(hint)]
            }
            _ => Vec::new(),
        }
    }

    fn render(&self, _: &AppSettings, _: &RenderContext<'_>) -> Rendered {
        Rendered::default()
    }
}
