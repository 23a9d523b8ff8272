//! Which fields of a live object zonestack has set, from `metadata.managedFields` (`FieldsV1`,
//! <https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management>).

use serde_json::{Map, Value as Json};

use crate::api::MANAGER;

/// A set of fields, as a tree: `f:name` for a field, `k:{…}` for an item of a list by its keys, `.` for the thing itself.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Fields(Map<String, Json>);

impl Fields {
    /// What zonestack has applied on an object. Entries of other operations do not count: they hold the server's defaults
    /// too, which nobody asked for.
    pub(crate) fn applied(object: &Json) -> Self {
        let entries = object["metadata"]["managedFields"].as_array();
        let mut fields = Map::new();
        for entry in entries.into_iter().flatten() {
            let ours = entry["manager"] == MANAGER
                && entry["operation"] == "Apply"
                && entry.get("subresource").is_none_or(|name| name == "");
            if let (true, Some(set)) = (ours, entry["fieldsV1"].as_object()) {
                merge(&mut fields, set);
            }
        }
        Self(fields)
    }

    /// The set below a field, when the field or something in it is ours.
    pub(crate) fn field(&self, name: &str) -> Option<Self> {
        let below = self.0.get(&format!("f:{name}"))?;
        Some(Self(below.as_object().cloned().unwrap_or_default()))
    }

    /// The set below the item of a list that is a map by `keys`, when the item or something in it is ours.
    pub(crate) fn item(&self, item: &Json) -> Option<Self> {
        self.0.iter().find_map(|(name, below)| {
            let keys: Map<String, Json> = serde_json::from_str(name.strip_prefix("k:")?).ok()?;
            let same = keys.iter().all(|(key, value)| item.get(key) == Some(value));
            same.then(|| Self(below.as_object().cloned().unwrap_or_default()))
        })
    }

    /// The part of a value that is in the set. A set without parts holds the whole value.
    pub(crate) fn owned(&self, value: &Json) -> Json {
        let has_parts = self.0.keys().any(|key| key != ".");
        match value {
            Json::Object(map) if has_parts => map
                .iter()
                .filter_map(|(key, value)| Some((key.clone(), self.field(key)?.owned(value))))
                .collect::<Map<_, _>>()
                .into(),
            Json::Array(items) if self.0.keys().any(|key| key.starts_with("k:")) => {
                items.iter().filter_map(|item| Some(self.item(item)?.owned(item))).collect()
            }
            _ => value.clone(),
        }
    }
}

fn merge(into: &mut Map<String, Json>, from: &Map<String, Json>) {
    for (key, value) in from {
        match (into.get_mut(key), value) {
            (Some(Json::Object(there)), Json::Object(more)) => merge(there, more),
            (Some(_), _) => {}
            (None, _) => {
                into.insert(key.clone(), value.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn entry(manager: &str, operation: &str, fields: &Json) -> Json {
        json!({ "manager": manager, "operation": operation, "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": fields })
    }

    #[test]
    fn only_what_zonestack_applied_counts() {
        let object = json!({ "metadata": { "managedFields": [
            entry("zonestack", "Apply", &json!({ "f:data": { "f:a": {} } })),
            entry("zonestack", "Update", &json!({ "f:data": { "f:b": {} } })),
            entry("kubectl-edit", "Update", &json!({ "f:data": { "f:c": {} } })),
        ] } });
        let data = Fields::applied(&object).field("data").unwrap();
        assert!(data.field("a").is_some());
        assert!(data.field("b").is_none() && data.field("c").is_none());
        assert_eq!(Fields::applied(&json!({})), Fields::default());
    }

    #[test]
    fn the_owned_part_of_a_keyed_list_is_its_owned_items() {
        let object = json!({ "metadata": { "managedFields": [entry("zonestack", "Apply", &json!({
            "f:env": {
                "k:{\"name\":\"A\"}": { ".": {}, "f:name": {}, "f:value": {} },
            },
        }))] } });
        let env = Fields::applied(&object).field("env").unwrap();
        let live = json!([{ "name": "A", "value": "1", "defaulted": true }, { "name": "B" }]);
        assert_eq!(env.owned(&live), json!([{ "name": "A", "value": "1" }]));
    }
}
