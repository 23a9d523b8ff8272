//! Tags, on every kind alike. Kinds are told apart by their ARN, which is the remote id of all of them.

use std::collections::BTreeMap;

use aws_sdk_elasticache::types::Tag;
use serde_json::Value as Json;
use zonestack_aws::tags;
use zonestack_core::driver::{CallContext, Difference, DriverError, ErrorClass, Target};

use super::ElastiCacheDriver;
use super::failure::{changing, reading};
use super::spec::changed_keys;

/// Whether tags are among the differences.
pub(super) fn differs(differences: &[Difference]) -> bool {
    changed_keys(differences).contains("tags")
}

/// In the service's form.
pub(super) fn to_service(tags: BTreeMap<String, String>) -> Vec<Tag> {
    tags.into_iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}

/// From the service's form.
pub(super) fn from_service(tags: &[Tag]) -> BTreeMap<String, String> {
    tags.iter()
        .filter_map(|tag| Some((tag.key()?.to_owned(), tag.value().unwrap_or_default().to_owned())))
        .collect()
}

impl ElastiCacheDriver {
    /// Writes all tags of the specification and the marks of ownership. Other tags stay.
    pub(super) async fn tag(
        &self,
        cx: CallContext<'_>,
        target: &Target,
        spec: &Json,
    ) -> Result<(), DriverError> {
        let arn = target.remote_id.as_deref().ok_or_else(|| {
            DriverError::new(ErrorClass::Bug, format!("the ARN of {} is not known", target.id))
        })?;
        self.client
            .add_tags_to_resource()
            .resource_name(arn)
            .set_tags(Some(to_service(tags::at_creation(spec, cx.owner, &target.id))))
            .send()
            .await
            .map_err(|error| changing("AddTagsToResource", error))?;
        Ok(())
    }

    /// The tags of what has no tags in its description.
    pub(super) async fn tags_of(&self, arn: &str) -> Result<BTreeMap<String, String>, DriverError> {
        let answer = self
            .client
            .list_tags_for_resource()
            .resource_name(arn)
            .send()
            .await
            .map_err(|error| reading("ListTagsForResource", error))?;
        Ok(from_service(answer.tag_list()))
    }
}
