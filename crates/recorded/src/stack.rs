//! The stack `git` in three zones.

use std::collections::BTreeMap;

use futures::future::{BoxFuture, FutureExt};
use serde_json::{Value as Json, json};
use zonestack_core::component::{RenderContext, Rendered};
use zonestack_core::context::Context;
use zonestack_core::driver::{CallContext, Difference, Owner, Query, Target};
use zonestack_core::secret::{SecretError, SecretRef, SecretSource, Sensitive};
use zonestack_core::value::is_marker;

/// The password that must appear nowhere but in the call that sends it.
pub const PASSWORD: &str = "Tr0ub4dorPlainAsDay";

/// Secrets that are there: every reference but `{ env: MISSING }` and `{ env: BAD }`.
#[derive(Debug)]
pub struct Secrets;

impl SecretSource for Secrets {
    fn resolve<'a>(
        &'a self,
        reference: &'a SecretRef,
    ) -> BoxFuture<'a, Result<Sensitive<String>, SecretError>> {
        let value = match reference {
            SecretRef::Env(name) if name == "MISSING" => {
                Err(SecretError::Missing(reference.clone()))
            }
            SecretRef::Env(name) if name == "BAD" => {
                Ok(Sensitive::new(format!("{PASSWORD}@{PASSWORD}")))
            }
            _ => Ok(Sensitive::new(PASSWORD.to_owned())),
        };
        async move { value }.boxed()
    }
}

/// The owner.
pub fn owner() -> Owner {
    Owner {
        stack: "git".to_owned(),
        uid: Some("u1".to_owned()),
        namespace: "git".to_owned(),
        region: "eu-west-1".to_owned(),
    }
}

/// A call for the owner.
pub fn cx(owner: &Owner) -> CallContext<'_> {
    CallContext::new(owner, &Secrets)
}

/// A question about something that is wanted.
pub fn query(target: Target, spec: Json) -> Query {
    Query { target, spec: Some(spec) }
}

/// The specification of a kind as a component renders it, with every reference resolved and a tag as the core adds it.
#[track_caller]
pub fn spec_of(
    kind: &str,
    component: &str,
    render: impl FnOnce(&RenderContext<'_>) -> Rendered,
) -> Json {
    let zones = ["eu-west-1a", "eu-west-1b", "eu-west-1c"].map(|zone| zone.parse().unwrap());
    let context = Context::nominal("git".parse().unwrap(), "git", "eu-west-1", &zones);
    let name = component.parse().unwrap();
    let requirements = BTreeMap::new();
    let rendered = render(&RenderContext {
        component: &name,
        called: &name,
        context: &context,
        requirements: &requirements,
        consumers: 1,
    });
    let resource = rendered.resources.into_iter().find(|r| r.kind.as_str() == kind).unwrap();
    let mut spec = resource.spec.resolve(&|_| Some(json!("sg-1"))).to_json();
    spec["tags"]["Name"] = json!(format!("git-{component}"));
    spec
}

/// What differs between a specification and attributes, path by path, as the core finds it: maps by key, the rest whole.
pub fn differences(wanted: &Json, actual: &Json) -> Vec<Difference> {
    let mut found = Vec::new();
    compare("", wanted, Some(actual), &mut found);
    found
}

fn compare(path: &str, wanted: &Json, actual: Option<&Json>, found: &mut Vec<Difference>) {
    if let (Some(map), Some(there)) = (wanted.as_object(), actual.and_then(Json::as_object))
        && !is_marker(wanted)
    {
        for (key, value) in map {
            compare(&format!("{path}/{key}"), value, there.get(key), found);
        }
        for (key, value) in there.iter().filter(|(key, _)| !map.contains_key(*key)) {
            let path = format!("{path}/{key}");
            found.push(Difference { path, from: Some(value.clone()), to: None });
        }
    } else if Some(wanted) != actual {
        let (from, to) = (actual.cloned(), Some(wanted.clone()));
        found.push(Difference { path: path.to_owned(), from, to });
    }
}

/// The paths of differences.
pub fn paths(differences: &[Difference]) -> Vec<&str> {
    differences.iter().map(|difference| difference.path.as_str()).collect()
}
