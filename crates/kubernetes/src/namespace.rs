//! What else lives in a namespace: it is not deleted with things in it that zonestack did not make.

use futures::future::try_join_all;
use serde_json::Value as Json;

use crate::api::{ApiServer, Detail};
use crate::failure::ApiFailure;
use crate::marks;

/// What is looked at: path of the group, plural, kind.
const LOOKED_AT: [(&str, &str, &str); 7] = [
    ("/api/v1", "pods", "Pod"),
    ("/api/v1", "persistentvolumeclaims", "PersistentVolumeClaim"),
    ("/api/v1", "services", "Service"),
    ("/api/v1", "secrets", "Secret"),
    ("/api/v1", "configmaps", "ConfigMap"),
    ("/apis/apps/v1", "deployments", "Deployment"),
    ("/apis/apps/v1", "statefulsets", "StatefulSet"),
];

/// What every namespace is given by the cluster itself: certificates of the API server and of OpenShift's services.
const GIVEN: [&str; 2] = ["kube-root-ca.crt", "openshift-service-ca.crt"];

/// Things in the namespace that this stack did not make, as `Kind name`, in order. Metadata only: no value is read.
pub(crate) async fn strangers(
    api: &ApiServer,
    namespace: &str,
    stack: &str,
) -> Result<Vec<String>, ApiFailure> {
    let selector = format!("{}!={stack}", marks::STACK);
    let selector = selector.as_str();
    let lists = LOOKED_AT.map(|(group, plural, kind)| async move {
        let path = format!("{group}/namespaces/{namespace}/{plural}");
        let objects = api.list_path(&path, selector, Detail::Metadata).await?;
        let strange = objects.iter().filter(|object| !is_given(object) && !is_going(object));
        let names = strange.filter_map(|object| object["metadata"]["name"].as_str());
        Ok::<_, ApiFailure>(names.map(|name| format!("{kind} {name}")).collect::<Vec<_>>())
    });
    let mut found: Vec<String> = try_join_all(lists).await?.into_iter().flatten().collect();
    found.sort();
    Ok(found)
}

/// Made by the cluster for its own ends, or together with an object that is looked at itself.
fn is_given(object: &Json) -> bool {
    let metadata = &object["metadata"];
    let is_given = metadata["name"].as_str().is_some_and(|name| GIVEN.contains(&name));
    let is_token = !metadata["annotations"]["kubernetes.io/service-account.name"].is_null();
    is_given
        || is_token
        || controller(object).is_some_and(|kind| ["ReplicaSet", "StatefulSet"].contains(&kind))
}

/// Whether its deletion has begun.
pub(crate) fn is_going(object: &Json) -> bool {
    !object["metadata"]["deletionTimestamp"].is_null()
}

/// The kind of the controller that an object belongs to.
pub(crate) fn controller(object: &Json) -> Option<&str> {
    let owners = object["metadata"]["ownerReferences"].as_array()?;
    owners.iter().find(|owner| owner["controller"] == true)?["kind"].as_str()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_the_cluster_makes_by_itself_is_no_stranger() {
        let owned = |kind: &str| json!({ "metadata": { "name": "p", "ownerReferences": [{ "kind": kind, "controller": true }] } });
        assert!(is_given(&json!({ "metadata": { "name": "kube-root-ca.crt" } })));
        assert!(is_given(
            &json!({ "metadata": { "name": "t", "annotations": { "kubernetes.io/service-account.name": "default" } } })
        ));
        assert!(is_given(&owned("ReplicaSet")));
        assert!(!is_given(&owned("Job")));
        assert!(!is_given(&json!({ "metadata": { "name": "mine" } })));
    }
}
