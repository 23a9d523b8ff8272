//! What a plugin says of itself, in the words of core.
//!
//! Core keeps names of types as `&'static str`. Those of plugins are kept for the life of the process, each text once: a plugin
//! is never unloaded, and says the same every time.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use zonestack_core::component::{ComponentType, Requirement};
use zonestack_core::kind::{Identity, KindDeclaration, Model};
use zonestack_sdk::message::description::{
    ComponentMessage, IdentityMessage, KindMessage, ModelMessage,
};

/// Texts that are kept.
static KEPT: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());

/// The same text, kept.
pub(crate) fn keep(text: &str) -> &'static str {
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = kept.get(text) {
        return known;
    }
    let text: &'static str = Box::leak(text.into());
    kept.insert(text);
    text
}

fn keep_all(texts: &[String]) -> Vec<&'static str> {
    texts.iter().map(|text| keep(text)).collect()
}

pub(crate) fn component_type(message: &ComponentMessage) -> ComponentType {
    let requirements = message.requires.iter();
    ComponentType {
        name: keep(&message.name),
        summary: keep(&message.summary),
        provides: keep_all(&message.provides),
        requires: requirements
            .map(|requirement| Requirement {
                name: keep(&requirement.name),
                interface: keep(&requirement.interface),
            })
            .collect(),
        advisories: keep_all(&message.advisories),
        schema: message.schema.clone(),
    }
}

pub(crate) fn kind(message: &KindMessage) -> KindDeclaration {
    KindDeclaration {
        kind: message.kind.clone(),
        identity: match &message.identity {
            IdentityMessage::Name => Identity::Name,
            IdentityMessage::Token => Identity::Token,
            IdentityMessage::Parent { at } => Identity::Parent { at: keep(at) },
            IdentityMessage::ServerId => Identity::ServerId,
        },
        tagging: message.tagging,
        marks_at: message.marks_at.as_deref().map(keep),
        data: message.data,
        fields: message.fields.clone(),
        protection: message.protection.as_deref().map(keep),
        final_copy: message.final_copy,
        restores_from: message.restores_from.as_deref().map(keep),
        replaces_dependents: message.replaces_dependents,
        ready_within: Duration::from_millis(message.ready_within_ms),
        delete_within: Duration::from_millis(message.delete_within_ms),
        read_after_write: Duration::from_millis(message.read_after_write_ms),
        outputs: keep_all(&message.outputs),
        iam_actions: keep_all(&message.iam_actions),
        model: model(&message.model),
    }
}

fn model(message: &ModelMessage) -> Model {
    let outputs = message.outputs.iter();
    Model {
        id: keep(&message.id),
        outputs: outputs.map(|(name, text)| (keep(name), keep(text))).collect(),
        creating: keep_all(&message.creating),
        create: Duration::from_millis(message.create_ms),
        update: Duration::from_millis(message.update_ms),
        delete: Duration::from_millis(message.delete_ms),
    }
}
