//! The top-level keys of a stack file. Their types are checked already; what is of the wrong type is passed over here.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;

use crate::diagnostic::{Diagnostic, Span};
use crate::name::{StackName, TypeName, Zone};
use crate::stack::Network;
use crate::stack_file::API_VERSION;
use crate::yaml::{Node, fault};

/// AWS allows 50 tags on a resource; zonestack keeps ten of them for its own.
const MAX_TAGS: usize = 40;

/// The top-level keys of a well-formed stack file.
pub(super) struct Head {
    pub(super) name: StackName,
    pub(super) namespace: String,
    pub(super) cluster: String,
    pub(super) region: String,
    pub(super) zones: Option<Vec<Zone>>,
    pub(super) network: Network,
    pub(super) tags: BTreeMap<String, String>,
}

/// Reads the head; `None` when a required key is missing or wrong, and then the diagnostics say so.
pub(super) fn read(root: &Node, faults: &mut Vec<Diagnostic>) -> Option<Head> {
    api_version(root, faults);
    let name = text(root, "name")
        .and_then(|(text, span)| named("invalid-name", text.parse::<StackName>(), span, faults));
    let cluster = text(root, "cluster").filter(|(text, span)| {
        let right = text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'));
        if !right {
            let message = format!(
                "cluster {text:?} must be letters, digits, dots, dashes and underscores, \
                 beginning with a letter or digit"
            );
            let hint = "write the name as `kops get clusters` or `aws eks list-clusters` shows it";
            faults.push(fault("invalid-name", *span, message).hint(hint));
        }
        right
    });
    let region = text(root, "region").filter(|(text, span)| region(text, *span, faults));
    let namespace = text(root, "namespace");
    if let Some((text, span)) = namespace {
        dns_label(text, span, faults);
    }
    let zones = zones(root, region.map(|(text, _)| text), faults);
    let network = network(root, faults);
    let tags = tags(root, faults);
    plugins(root, faults);
    let name = name?;
    Some(Head {
        namespace: namespace.map_or_else(|| name.to_string(), |(text, _)| text.to_owned()),
        name,
        cluster: cluster?.0.to_owned(),
        region: region?.0.to_owned(),
        zones,
        network,
        tags,
    })
}

fn text<'n>(root: &'n Node, key: &str) -> Option<(&'n str, Option<Span>)> {
    let (key, node) = root.entry(key)?;
    Some((node.text()?, node.place(key.span)))
}

fn named<T: FromStr<Err = impl Display>>(
    code: &'static str,
    parsed: Result<T, T::Err>,
    span: Option<Span>,
    faults: &mut Vec<Diagnostic>,
) -> Option<T> {
    parsed.map_err(|error| faults.push(fault(code, span, error.to_string()))).ok()
}

fn api_version(root: &Node, faults: &mut Vec<Diagnostic>) {
    let Some((found, span)) = text(root, "apiVersion").filter(|(text, _)| *text != API_VERSION)
    else {
        return;
    };
    let message = format!("`apiVersion` is {found:?}; this zonestack reads {API_VERSION:?}");
    let newer = found.strip_prefix("zonestack/v").is_some_and(|version| version > "1");
    let hint = if newer {
        "update zonestack, or go back to the older format".to_owned()
    } else {
        format!("write `apiVersion: {API_VERSION}`")
    };
    faults.push(fault("api-version", span, message).hint(hint));
}

/// `eu-west-1`, `us-gov-west-1`, `eusc-de-east-1`. Which regions there are is for AWS to say: the list grows every year.
fn region(text: &str, span: Option<Span>, faults: &mut Vec<Diagnostic>) -> bool {
    let is_region = |text: &str| {
        let parts: Vec<&str> = text.split('-').collect();
        let (Some(number), Some(words)) = (parts.last(), parts.get(..parts.len() - 1)) else {
            return false;
        };
        words.len() >= 2
            && words[0].len() >= 2
            && words
                .iter()
                .all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase()))
            && !number.is_empty()
            && number.bytes().all(|byte| byte.is_ascii_digit())
    };
    if is_region(text) {
        return true;
    }
    let message = format!("region {text:?} is no AWS region");
    let without_letter = text.trim_end_matches(|c: char| c.is_ascii_lowercase());
    let hint = if is_region(without_letter) {
        format!("that is a zone: write `region: {without_letter}`")
    } else {
        "write it as in `region: eu-west-1`".to_owned()
    };
    faults.push(fault("invalid-region", span, message).hint(hint));
    false
}

/// A name of a Kubernetes namespace (RFC 1123 label).
fn dns_label(text: &str, span: Option<Span>, faults: &mut Vec<Diagnostic>) {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let rule = if text.is_empty() {
        "is empty".to_owned()
    } else if text.len() > 63 {
        format!("has {} characters, at most 63 are allowed", text.len())
    } else if text.chars().all(allowed) && !text.starts_with('-') && !text.ends_with('-') {
        return;
    } else {
        "must be lower-case letters, digits and dashes, with no dash at either end".to_owned()
    };
    faults.push(fault("invalid-name", span, format!("namespace {text:?} {rule}")));
}

fn zones(root: &Node, region: Option<&str>, faults: &mut Vec<Diagnostic>) -> Option<Vec<Zone>> {
    let (key, node) = root.entry("zones").filter(|(_, node)| !node.is_null())?;
    if matches!(&node.value, crate::yaml::NodeValue::List(items) if items.is_empty()) {
        let message = "`zones` is an empty list".to_owned();
        let hint = "remove the key to use every zone with worker nodes";
        faults.push(fault("no-zones", node.place(key.span), message).hint(hint));
    }
    let mut zones: Vec<Zone> = Vec::new();
    for item in node.items() {
        let Some(text) = item.text() else { continue };
        let span = item.place(None);
        let outside = region.filter(|region| {
            let rest = text.strip_prefix(region).unwrap_or_default();
            !rest.starts_with(|c: char| c == '-' || c.is_ascii_lowercase())
        });
        if let Some(region) = outside {
            let message = format!("zone {text:?} is not in region {region}");
            let letter = text.chars().last().filter(char::is_ascii_lowercase).unwrap_or('a');
            let hint = format!("write it as in `{region}{letter}`");
            faults.push(fault("zone-outside-region", span, message).hint(hint));
        } else if let Some(zone) = named("invalid-name", text.parse::<Zone>(), span, faults) {
            if zones.contains(&zone) {
                let message = format!("zone {text:?} is given twice");
                faults.push(fault("given-twice", span, message).hint("remove one of them"));
            } else {
                zones.push(zone);
            }
        }
    }
    Some(zones)
}

fn network(root: &Node, faults: &mut Vec<Diagnostic>) -> Network {
    let Some(node) = root.get("network") else { return Network::default() };
    let vpc = text(node, "vpc").map(|(text, span)| {
        id("vpc", text, span, faults);
        text.to_owned()
    });
    let mut ids = |key: &str, prefix: &str| {
        let mut ids: Vec<String> = Vec::new();
        for item in node.get(key).map(Node::items).unwrap_or_default() {
            let Some(text) = item.text() else { continue };
            let span = item.place(None);
            if ids.iter().any(|have| have == text) {
                let message = format!("{text} is given twice in `{key}`");
                faults.push(fault("given-twice", span, message).hint("remove one of them"));
            } else {
                id(prefix, text, span, faults);
                ids.push(text.to_owned());
            }
        }
        ids
    };
    let subnets = ids("subnets", "subnet");
    let security_groups = ids("securityGroups", "sg");
    Network { vpc, subnets, security_groups }
}

/// An id of EC2: a prefix and 8 or 17 hexadecimal digits
/// (docs.aws.amazon.com/AWSEC2/latest/UserGuide/resource-ids.html).
fn id(prefix: &str, text: &str, span: Option<Span>, faults: &mut Vec<Diagnostic>) {
    let digits = text.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('-'));
    let right = digits.is_some_and(|digits| {
        matches!(digits.len(), 8 | 17)
            && digits.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f'))
    });
    if !right {
        let message =
            format!("{text:?} must be `{prefix}-` and 8 or 17 hexadecimal digits in lower case");
        let hint = format!("write the id, such as {prefix}-0123456789abcdef0, not a name");
        faults.push(fault("invalid-id", span, message).hint(hint));
    }
}

/// The rules of AWS for tags (docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html).
fn tags(root: &Node, faults: &mut Vec<Diagnostic>) -> BTreeMap<String, String> {
    let mut tags = BTreeMap::new();
    let Some((at, node)) = root.entry("tags") else { return tags };
    if node.entries().len() > MAX_TAGS {
        let message = format!("{} tags are given, at most {MAX_TAGS} fit", node.entries().len());
        let hint = "AWS allows 50 tags on a resource, and zonestack adds its own";
        faults.push(fault("too-many-tags", at.span, message).hint(hint));
    }
    let allowed = |c: char| c.is_alphanumeric() || " _.:/=+-@".contains(c);
    for (key, node) in node.entries() {
        let mut refuse = |span, message| faults.push(fault("invalid-tag", span, message));
        let tag = &key.text;
        let lower = tag.to_lowercase();
        if lower.starts_with("aws:") || lower.starts_with("zonestack:") {
            let owner = if lower.starts_with("aws:") { "AWS" } else { "zonestack" };
            refuse(key.span, format!("the tag key {tag:?} is kept for {owner}"));
        } else if tag.is_empty() || tag.chars().count() > 128 || !tag.chars().all(allowed) {
            let message = format!(
                "the tag key {:?} must be 1 to 128 letters, digits, spaces and _ . : / = + - @",
                crate::yaml::excerpt(tag)
            );
            refuse(key.span, message);
        }
        let Some(value) = node.text() else { continue };
        if value.chars().count() > 256 || !value.chars().all(allowed) {
            let message = format!(
                "the value of tag {:?} must be at most 256 letters, digits, spaces and _ . : / = + - @",
                crate::yaml::excerpt(tag)
            );
            refuse(node.place(key.span), message);
        }
        tags.insert(tag.clone(), value.to_owned());
    }
    tags
}

/// Names of plugins follow the rule of component types: both are words of a stack file, and a file is found by one.
fn plugins(root: &Node, faults: &mut Vec<Diagnostic>) {
    let mut names: Vec<&str> = Vec::new();
    for item in root.get("plugins").map(Node::items).unwrap_or_default() {
        let node = item.get("name").unwrap_or(item);
        let (Some(text), span) = (node.text(), node.place(None)) else { continue };
        if names.contains(&text) {
            let message = format!("plugin {text:?} is given twice");
            faults.push(fault("given-twice", span, message).hint("remove one of them"));
        } else if let Err(mut error) = text.parse::<TypeName>() {
            error.what = "plugin";
            faults.push(
                fault("invalid-name", span, error.to_string())
                    .hint("write the NAME of libzonestack_plugin_NAME.so, with dashes; a file goes under `path`"),
            );
        } else {
            names.push(text);
        }
        let path = item.get("path").and_then(|path| Some((path.text()?, path.place(None))));
        if let Some((_, span)) = path.filter(|(path, _)| path.is_empty()) {
            let message = format!("`path` of plugin {text:?} is empty");
            faults.push(fault("empty-path", span, message).hint("leave it out, or name the file"));
        }
    }
}
