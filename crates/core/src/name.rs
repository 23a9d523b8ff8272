//! Names as types. Each carries its rule, so that a name which exists is a name that every service accepts.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Why a text is no name of the wanted sort.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} {text:?} {rule}")]
pub struct InvalidName {
    /// What the text should have been, such as `stack name`.
    pub what: &'static str,
    /// The text as written.
    pub text: String,
    /// The rule that it breaks, as the rest of a sentence.
    pub rule: String,
}

/// True for `[a-z][a-z0-9]*(-[a-z0-9]+)*`.
fn is_dashed_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.split('-').all(|part| {
            !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
        })
}

fn dashed_word(what: &'static str, text: &str, max: usize) -> Result<String, InvalidName> {
    let rule = if text.is_empty() {
        "is empty".to_owned()
    } else if text.len() > max {
        format!("has {} characters, at most {max} are allowed", text.len())
    } else if is_dashed_word(text) {
        return Ok(text.to_owned());
    } else {
        "must be lower-case letters, digits and single dashes, beginning with a letter".to_owned()
    };
    Err(InvalidName { what, text: text.to_owned(), rule })
}

/// In JSON a name is its text, and a text that breaks the rule is no name.
macro_rules! in_texts {
    ($name:ident) => {
        impl TryFrom<String> for $name {
            type Error = InvalidName;

            fn try_from(text: String) -> Result<Self, InvalidName> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.to_string()
            }
        }
    };
}

macro_rules! name_type {
    ($(#[$doc:meta])* $name:ident, $what:literal, $max:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        in_texts!($name);

        impl $name {
            /// The longest allowed text, in bytes.
            pub const MAX: usize = $max;

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidName;

            fn from_str(text: &str) -> Result<Self, InvalidName> {
                dashed_word($what, text, Self::MAX).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}

name_type! {
    /// The name of a stack: `[a-z][a-z0-9]*(-[a-z0-9]+)*`, at most 20 characters, so that every derived name fits its
    /// service's limit (design.md, section 1; ElastiCache's 40 is the narrowest).
    StackName, "stack name", 20
}
name_type! {
    /// The name of a component in a stack file, such as `data`. At most 20 characters, for the same reason as
    /// [`StackName`].
    ComponentName, "component name", 20
}
name_type! {
    /// The name of a component type, such as `efs`; what `use:` says.
    TypeName, "component type", 40
}

impl ComponentName {
    /// The component that holds what belongs to the stack as a whole, such as its namespace. No stack file may use the name.
    pub const STACK: &'static str = "stack";

    /// The component of the stack itself.
    pub fn stack() -> Self {
        Self(Self::STACK.to_owned())
    }
}

/// An availability zone by its name in this account, such as `eu-west-1a`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone(String);

in_texts!(Zone);

impl Zone {
    /// The zone's name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Zone {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        dashed_word("zone", text, 40).map(Self)
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// The identity of a resource in a stack: `component/name[@zone]`, such as `data/mount-target@eu-west-1a`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ResourceId {
    /// The component that renders it.
    pub component: ComponentName,
    /// Its name in the component.
    pub name: String,
    /// The zone it exists for, when there is one for each zone.
    pub zone: Option<Zone>,
}

in_texts!(ResourceId);

impl ResourceId {
    /// A resource of a component. The name is the plugin author's constant, such as `file-system`.
    pub fn new(component: &ComponentName, name: &str) -> Self {
        Self { component: component.clone(), name: name.to_owned(), zone: None }
    }

    /// The same resource for one zone.
    #[must_use]
    pub fn in_zone(mut self, zone: &Zone) -> Self {
        self.zone = Some(zone.clone());
        self
    }

    /// The stack's own Kubernetes namespace.
    pub fn namespace() -> Self {
        Self::new(&ComponentName::stack(), "namespace")
    }

    /// The part that its component's author chose, with the zone: `mount-target@eu-west-1a`.
    pub fn local(&self) -> String {
        match &self.zone {
            Some(zone) => format!("{}@{zone}", self.name),
            None => self.name.clone(),
        }
    }
}

impl fmt::Display for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}/{}", self.component, self.local()))
    }
}

impl FromStr for ResourceId {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let invalid = || InvalidName {
            what: "resource id",
            text: text.to_owned(),
            rule: "must be component/name or component/name@zone".to_owned(),
        };
        let (component, rest) = text.split_once('/').ok_or_else(invalid)?;
        let (name, zone) = match rest.split_once('@') {
            Some((name, zone)) => (name, Some(zone.parse()?)),
            None => (rest, None),
        };
        if !is_dashed_word(name) {
            return Err(invalid());
        }
        Ok(Self { component: component.parse()?, name: name.to_owned(), zone })
    }
}

/// A resource kind: `aws.efs.file-system`, `k8s.apps/v1.Deployment`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Kind(String);

impl Kind {
    /// A kind by its full name.
    pub fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The kind as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// For a Kubernetes kind, its API version and kind: `("apps/v1", "Deployment")`.
    pub fn kubernetes(&self) -> Option<(&str, &str)> {
        self.0.strip_prefix("k8s.")?.rsplit_once('.')
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_which_rule_they_break() {
        for (text, rule) in [
            ("", "is empty"),
            ("Git", "must be lower-case"),
            ("git-", "must be lower-case"),
            ("1git", "must be lower-case"),
            ("a-name-that-is-too-long", "has 23 characters, at most 20"),
        ] {
            let error = text.parse::<StackName>().unwrap_err().to_string();
            assert!(error.contains(rule), "{error}");
        }
    }

    #[test]
    fn a_resource_id_reads_what_it_writes() {
        for text in ["data/file-system", "data/mount-target@eu-west-1a"] {
            assert_eq!(text.parse::<ResourceId>().unwrap().to_string(), text);
        }
        assert!("data".parse::<ResourceId>().is_err());
    }

    #[test]
    fn a_kubernetes_kind_splits_into_version_and_kind() {
        assert_eq!(
            Kind::new("k8s.apps/v1.Deployment").kubernetes(),
            Some(("apps/v1", "Deployment"))
        );
        assert_eq!(Kind::new("k8s.v1.Secret").kubernetes(), Some(("v1", "Secret")));
        assert_eq!(Kind::new("aws.efs.file-system").kubernetes(), None);
    }
}
