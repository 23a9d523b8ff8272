//! A plugin as people and programs see it.

use std::fmt::Write as _;

use serde_json::{Value as Json, json};
use zonestack_core::kind::KindDeclaration;
use zonestack_host::card::Identity;
use zonestack_host::lock::Offer;

/// What a plugin brings, with what it will want to be allowed.
pub(super) struct Brought {
    pub(super) offer: Offer,
    pub(super) iam_actions: Vec<String>,
}

impl Brought {
    pub(super) fn new(version: &str, components: &[&str], kinds: &[KindDeclaration]) -> Self {
        let actions = kinds.iter().flat_map(|kind| kind.iam_actions.iter());
        let mut iam_actions: Vec<String> = actions.map(|action| (*action).to_owned()).collect();
        iam_actions.sort_unstable();
        iam_actions.dedup();
        Self {
            offer: Offer {
                version: version.to_owned(),
                components: components.iter().map(|name| (*name).to_owned()).collect(),
                kinds: kinds.iter().map(|kind| kind.kind.to_string()).collect(),
            },
            iam_actions,
        }
    }
}

/// The card, as lines.
pub(super) fn card(identity: &Identity, file: &str, sha256: &str) -> String {
    let mut text = format!("Plugin {} {}\n", identity.name, identity.version);
    let built: Vec<&str> = [identity.sdk.as_str(), &identity.rustc]
        .into_iter()
        .filter(|word| !word.is_empty())
        .collect();
    let glibc = match identity.min_glibc.as_str() {
        "" => String::new(),
        version => format!(", glibc {version} or newer"),
    };
    let Identity { abi_major, abi_minor, proto_min, proto_max, target, .. } = identity;
    let lines = [
        ("library", file.to_owned()),
        ("sha256", sha256.to_owned()),
        ("built with", built.join(", ")),
        ("built for", format!("{target}{glibc}")),
        ("interface", format!("{abi_major}.{abi_minor}, messages {proto_min} to {proto_max}")),
    ];
    rows(&mut text, &lines);
    text
}

/// What it brings, as lines.
pub(super) fn brings(offer: &Offer, iam_actions: Option<&[String]>) -> String {
    let listed = |words: Vec<&str>| {
        if words.is_empty() { "none".to_owned() } else { words.join(", ") }
    };
    let mut lines = vec![
        ("components", listed(offer.components.iter().map(String::as_str).collect())),
        ("kinds", listed(offer.kinds.iter().map(String::as_str).collect())),
    ];
    if let Some(actions) = iam_actions {
        lines.push(("IAM actions", listed(actions.iter().map(String::as_str).collect())));
    }
    let mut text = String::new();
    rows(&mut text, &lines);
    text
}

fn rows(text: &mut String, lines: &[(&str, String)]) {
    for (label, value) in lines.iter().filter(|(_, value)| !value.is_empty()) {
        // Writing to a string does not fail.
        let _ = writeln!(text, "  {label:11}  {value}");
    }
}

/// The same for programs. What is not known is null.
pub(super) fn json(
    name: &str,
    state: &str,
    file: Option<&str>,
    sha256: Option<&str>,
    offer: Option<&Offer>,
) -> Json {
    json!({
        "name": name,
        "version": offer.map(|offer| &offer.version),
        "state": state,
        "file": file,
        "sha256": sha256,
        "components": offer.map(|offer| &offer.components),
        "kinds": offer.map(|offer| &offer.kinds),
    })
}
