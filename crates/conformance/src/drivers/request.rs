//! What is asked of a driver, as the engine would ask it.

use futures::FutureExt as _;
use futures::future::BoxFuture;
use serde_json::{Value as Json, json};
use zonestack_core::driver::{Owner, Target};
use zonestack_core::kind::{Identity, KindDeclaration};
use zonestack_core::name::ResourceId;
use zonestack_core::resource::Resource;
use zonestack_core::secret::{SecretError, SecretRef, SecretSource, Sensitive};
use zonestack_core::value::{is_marker, secret};

use crate::generate::SECRET;
use crate::subject::{REGION, STACK};
use crate::verdict::Stop;

/// The value of every secret: what must not be found anywhere.
pub(crate) const VALUE: &str = "kit-secret-value-5f2b90";

/// Secrets that all have the one value.
pub(crate) struct Marked;

impl SecretSource for Marked {
    fn resolve<'a>(
        &'a self,
        _: &'a SecretRef,
    ) -> BoxFuture<'a, Result<Sensitive<String>, SecretError>> {
        async { Ok(Sensitive::new(VALUE.to_owned())) }.boxed()
    }
}

/// Who asks.
pub(crate) fn owner() -> Owner {
    Owner {
        stack: STACK.to_owned(),
        uid: Some("0123456789abcdef".to_owned()),
        namespace: STACK.to_owned(),
        region: REGION.to_owned(),
    }
}

/// The target and specification as the engine would give them, with made-up ids in place of what is not there.
pub(crate) fn asked(
    kind: &KindDeclaration,
    rendered: Option<&Resource>,
) -> Result<(Target, Json), Stop> {
    let mut spec = rendered.map_or_else(
        || json!({}),
        |resource| {
            let resolved = resource.spec.resolve(&|at| Some(json!(made_up(&at.output))));
            resolved.to_json()
        },
    );
    let has_secret = rendered.is_some_and(|resource| !resource.spec.secrets().is_empty());
    if let Some(map) = spec.as_object_mut().filter(|_| !has_secret) {
        map.insert("kit_secret".to_owned(), secret(&SecretRef::Env(SECRET.to_owned())));
    }
    Ok((target_of(kind, rendered, &spec)?, spec))
}

/// The target of a resource with this specification: no two have the same key.
pub(crate) fn target_of(
    kind: &KindDeclaration,
    rendered: Option<&Resource>,
    spec: &Json,
) -> Result<Target, Stop> {
    let id = match rendered {
        Some(resource) => resource.id.clone(),
        None => "it/thing".parse().map_err(|error| Stop::Failed(format!("{error}")))?,
    };
    let parent = match kind.identity {
        Identity::Parent { at } => {
            let parent = spec.pointer(at).filter(|parent| !is_marker(parent));
            Some(parent.and_then(Json::as_str).map_or_else(|| made_up("parent"), str::to_owned))
        }
        _ => None,
    };
    let token = (kind.identity == Identity::Token).then(|| format!("kit-{:016x}", digest(&id)));
    let name = rendered
        .and_then(|resource| resource.name.clone())
        .or_else(|| (kind.identity == Identity::Name).then(|| "kit-it".to_owned()));
    Ok(Target { id, kind: kind.kind.clone(), name, token, remote_id: None, parent })
}

/// A number that follows from an id (FNV-1a).
fn digest(id: &ResourceId) -> u64 {
    let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    id.to_string().bytes().fold(0xcbf2_9ce4_8422_2325, mix)
}

/// The value of an output of what is not there.
pub(crate) fn made_up(output: &str) -> String {
    format!("{output}-0123456789abcdef0")
}
