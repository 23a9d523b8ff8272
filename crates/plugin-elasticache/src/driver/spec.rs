//! Reading a resolved specification: what [`crate::render`] wrote.

use std::collections::BTreeSet;

use serde_json::Value as Json;
use zonestack_core::driver::Difference;

/// A specification, read by key. A key that is not there, or is something else, is `None`.
#[derive(Clone, Copy)]
pub(super) struct Spec<'a>(pub(super) &'a Json);

impl<'a> Spec<'a> {
    pub(super) fn str(self, key: &str) -> Option<&'a str> {
        self.0.get(key)?.as_str()
    }

    pub(super) fn text(self, key: &str) -> Option<String> {
        self.str(key).map(str::to_owned)
    }

    pub(super) fn int(self, key: &str) -> Option<i32> {
        self.0.get(key)?.as_i64()?.try_into().ok()
    }

    pub(super) fn flag(self, key: &str) -> Option<bool> {
        self.0.get(key)?.as_bool()
    }

    pub(super) fn texts(self, key: &str) -> Option<Vec<String>> {
        self.0.get(key)?.as_array().map(|list| texts(list))
    }
}

/// The texts of a list.
pub(super) fn texts(list: &[Json]) -> Vec<String> {
    list.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect()
}

/// The keys of a specification that differ: `/zones/0` is a difference of `zones`.
pub(super) fn changed_keys(differences: &[Difference]) -> BTreeSet<&str> {
    differences.iter().filter_map(|difference| difference.path.split('/').nth(1)).collect()
}

/// A list without an order, in the order that the specification has it in when the contents are the same, so that order
/// never counts as a difference.
pub(super) fn in_the_order_of(wanted: &Json, mut actual: Vec<String>) -> Json {
    actual.sort_unstable();
    actual.dedup();
    if let Some(list) = wanted.as_array() {
        let mut sorted = texts(list);
        sorted.sort_unstable();
        if sorted == actual && list.len() == actual.len() {
            return wanted.clone();
        }
    }
    Json::from(actual)
}
