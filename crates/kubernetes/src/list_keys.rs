//! Which lists are maps: the merge keys of server-side apply (`x-kubernetes-list-map-keys` of Kubernetes 1.36's OpenAPI).
//! Every other list is one value, whose order counts.

use serde_json::Value as Json;

/// A merge key and the value that an item has when it leaves it out.
pub(crate) type MergeKey = (&'static str, Option<&'static str>);

/// The merge keys of the list at a path; `*` stands for an item of a list. Empty when the list is one value.
pub(crate) fn merge_keys(path: &[&str]) -> &'static [MergeKey] {
    let container = path.iter().rev().nth(2).is_some_and(|name| name.ends_with("ontainers"));
    match path {
        ["spec", "ports"] => &[("port", None), ("protocol", Some("TCP"))],
        [.., "ports"] if container => &[("containerPort", None), ("protocol", Some("TCP"))],
        [.., "env"] if container => &[("name", None)],
        [.., "volumeMounts"] => &[("mountPath", None)],
        [.., "volumeDevices"] => &[("devicePath", None)],
        [.., "hostAliases"] => &[("ip", None)],
        [.., "topologySpreadConstraints"] => &[("topologyKey", None), ("whenUnsatisfiable", None)],
        [
            ..,
            "containers"
            | "initContainers"
            | "ephemeralContainers"
            | "volumes"
            | "imagePullSecrets",
        ]
        | ["secrets"] => &[("name", None)],
        _ => &[],
    }
}

/// Whether two items are the same one.
pub(crate) fn same_item(keys: &[MergeKey], a: &Json, b: &Json) -> bool {
    keys.iter().all(|(key, default)| {
        let value = |item: &Json| {
            let given = item.get(key).filter(|value| !value.is_null()).cloned();
            given.or_else(|| default.map(Json::from))
        };
        value(a).is_some() && value(a) == value(b)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn ports_have_the_keys_of_their_place() {
        let key = |path: &[&str]| merge_keys(path).first().map(|(key, _)| *key);
        assert_eq!(key(&["spec", "ports"]), Some("port"));
        let container = ["spec", "template", "spec", "containers", "*", "ports"];
        assert_eq!(key(&container), Some("containerPort"));
        assert_eq!(key(&["spec", "ingress", "*", "ports"]), None);
        assert_eq!(key(&["spec", "template", "spec", "tolerations"]), None);
    }

    #[test]
    fn a_left_out_protocol_is_tcp() {
        let keys = merge_keys(&["spec", "ports"]);
        let http = json!({ "port": 80 });
        assert!(same_item(keys, &http, &json!({ "port": 80, "protocol": "TCP" })));
        assert!(!same_item(keys, &http, &json!({ "port": 80, "protocol": "UDP" })));
        assert!(!same_item(keys, &json!({}), &json!({})));
    }
}
