//! The settings of a `redis` component, and every check of them.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize};
use zonestack_core::diagnostic::Finding;
use zonestack_core::name::Zone;

/// The code of every advisory of this component.
pub(crate) const ADVISORIES: [&str; 1] = ["single-redis"];

/// The smallest `memory` that makes sense: an idle GitLab keeps some 20 MiB in Redis.
const MEMORY_MIN: u64 = 64 << 20;

/// Settings of a `redis` component.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Settings {
    /// What serves it: `valkey` (BSD licence, wanted by GitLab 19 and later) or `redis`.
    pub engine: Engine,
    /// The engine's version: major and minor, or with a patch, such as `8.1` or `7.2.5`. Default: 8.1 for Valkey, 7.2 for Redis.
    pub version: Option<String>,
    /// A full image reference with a tag or digest, such as a mirror of your own. It must contain the version that `version`
    /// says, and the same programs as the official image.
    pub image: Option<String>,
    /// How much data it may hold, such as `512Mi`. The container's limit is half as much again. Nothing is evicted when it
    /// is full: writes fail, because evicting would lose queued jobs.
    pub memory: Memory,
    /// The CPU request of the pod, such as `100m`.
    pub cpu: String,
    /// Where to keep the data over restarts. Without it, nothing is kept.
    pub storage: Option<Storage>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            engine: Engine::Valkey,
            version: None,
            image: None,
            memory: Memory(512 << 20),
            cpu: "100m".to_owned(),
            storage: None,
        }
    }
}

/// What serves the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    /// Valkey.
    Valkey,
    /// Redis.
    Redis,
}

impl Engine {
    /// The engine as exported: `valkey` or `redis`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Valkey => "valkey",
            Self::Redis => "redis",
        }
    }

    pub(crate) fn default_version(self) -> &'static str {
        match self {
            Self::Valkey => "8.1",
            Self::Redis => "7.2",
        }
    }

    pub(crate) fn repository(self) -> &'static str {
        match self {
            Self::Valkey => "valkey/valkey",
            Self::Redis => "redis",
        }
    }
}

/// A volume that keeps the data over restarts, in one zone.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Storage {
    /// The volume's size, such as `8Gi`: at least twice `memory`, because the log is rewritten beside itself.
    pub size: Memory,
    /// The StorageClass, such as `gp3`. Default: the cluster's default class.
    pub class: Option<String>,
    /// The zone that the volume and the pod live in. Default: the stack's first zone.
    pub zone: Option<String>,
}

/// A number of bytes, written as Kubernetes does: `512Mi`, `8Gi`, `1G`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Memory(pub u64);

const UNITS: [(&str, u64); 8] = [
    ("Ki", 1 << 10),
    ("Mi", 1 << 20),
    ("Gi", 1 << 30),
    ("Ti", 1 << 40),
    ("k", 1_000),
    ("M", 1_000_000),
    ("G", 1_000_000_000),
    ("", 1),
];

impl Memory {
    fn parse(text: &str) -> Option<Self> {
        let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let (_, factor) = UNITS.iter().find(|(unit, _)| *unit == &text[digits.len()..])?;
        digits.parse::<u64>().ok()?.checked_mul(*factor).map(Self)
    }
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = UNITS[..3].iter().rev().find(|(_, factor)| self.0.is_multiple_of(*factor));
        match unit {
            Some((unit, factor)) if self.0 > 0 => write!(f, "{}{unit}", self.0 / factor),
            _ => write!(f, "{}", self.0),
        }
    }
}

impl Serialize for Memory {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

struct MemoryVisitor;

impl Visitor<'_> for MemoryVisitor {
    type Value = Memory;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number with a unit, such as 512Mi or 8Gi, or a number of bytes")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Memory, E> {
        Memory::parse(text).ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
    }

    fn visit_u64<E: de::Error>(self, bytes: u64) -> Result<Memory, E> {
        Ok(Memory(bytes))
    }

    fn visit_i64<E: de::Error>(self, bytes: i64) -> Result<Memory, E> {
        let unexpected = de::Unexpected::Signed(bytes);
        u64::try_from(bytes).map(Memory).map_err(|_| E::invalid_value(unexpected, &self))
    }
}

impl<'de> Deserialize<'de> for Memory {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(MemoryVisitor)
    }
}

impl JsonSchema for Memory {
    fn schema_name() -> Cow<'static, str> {
        "Memory".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A number of bytes, such as 512Mi, 8Gi or 1G.",
            "type": ["string", "integer"],
            "pattern": "^[0-9]+(Ki|Mi|Gi|Ti|k|M|G)?$",
            "examples": ["512Mi"],
            "minimum": 0
        })
    }
}

/// Major and minor of `8.1` or `8.1.4`.
pub(crate) fn major_minor(version: &str) -> Option<(u32, u32)> {
    let parts: Vec<u32> = version
        .split('.')
        .map(|part| part.chars().all(|c| c.is_ascii_digit()).then(|| part.parse().ok())?)
        .collect::<Option<_>>()?;
    match parts[..] {
        [major, minor] | [major, minor, _] => Some((major, minor)),
        _ => None,
    }
}

/// Whether a text is a CPU quantity: `2`, `0.5`, `250m`.
fn is_cpu(text: &str) -> bool {
    let number = text.strip_suffix('m').unwrap_or(text);
    number.starts_with(|c: char| c.is_ascii_digit()) && number.parse::<f64>().is_ok_and(|n| n > 0.0)
}

/// Whether an image reference names one image for good enough: it has a tag other than `latest`, or a digest.
fn is_pinned(image: &str) -> bool {
    if image.contains("@sha256:") {
        return true;
    }
    let last = image.rsplit('/').next().unwrap_or_default();
    last.split_once(':').is_some_and(|(_, tag)| !tag.is_empty() && tag != "latest")
}

impl Settings {
    /// The engine's version as text, as configured or by default.
    pub fn version(&self) -> &str {
        self.version.as_deref().unwrap_or_else(|| self.engine.default_version())
    }

    pub(crate) fn check(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        match major_minor(self.version()) {
            None => findings.push(
                Finding::error(
                    "invalid-version",
                    "version",
                    format!("{:?} is no version of {}", self.version(), self.engine.as_str()),
                )
                .hint("write major and minor, such as \"8.1\", in quotes"),
            ),
            Some((7, 2) | (8.., _)) => {}
            Some(_) if self.engine == Engine::Valkey => findings.push(
                Finding::error(
                    "invalid-version",
                    "version",
                    format!("Valkey {} does not exist: the first version was 7.2", self.version()),
                )
                .hint("leave `version` out for 8.1"),
            ),
            Some(_) => {}
        }
        if let Some(image) = &self.image
            && !is_pinned(image)
        {
            findings.push(
                Finding::error(
                    "unpinned-image",
                    "image",
                    format!("{image:?} names another image after each release: a restart would change the version"),
                )
                .hint("add a tag other than latest, or a digest"),
            );
        }
        if self.memory.0 < MEMORY_MIN {
            findings.push(Finding::error(
                "invalid-memory",
                "memory",
                format!("{} is less than 64Mi, which GitLab fills while it starts", self.memory),
            ));
        }
        if !is_cpu(&self.cpu) {
            findings.push(
                Finding::error("invalid-cpu", "cpu", format!("{:?} is no amount of CPU", self.cpu))
                    .hint("write cores such as 0.5, or thousandths such as 250m"),
            );
        }
        if let Some(storage) = &self.storage
            && storage.size.0 < self.memory.0.saturating_mul(2)
        {
            findings.push(
                Finding::error(
                    "storage-too-small",
                    "storage.size",
                    format!(
                        "{} cannot hold the log of {} of data, which is rewritten beside itself",
                        storage.size, self.memory
                    ),
                )
                .hint(format!("at least {}", Memory(self.memory.0.saturating_mul(2)))),
            );
        }
        if let Some(zone) = self.storage.as_ref().and_then(|storage| storage.zone.as_ref())
            && let Err(error) = zone.parse::<Zone>()
        {
            findings.push(Finding::error("invalid-zone", "storage.zone", error.to_string()));
        }
        findings
    }
}
