//! A driver whose service answers from a list and remembers what was sent.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use zonestack_core::driver::Target;
use zonestack_core::name::Kind;
pub(crate) use zonestack_recorded::*;

use super::{ElastiCacheDriver, REPLICATION_GROUP};

pub(crate) const ARN: &str =
    "arn:aws:elasticache:eu-west-1:111122223333:replicationgroup:git-cache";

/// A driver that gets these answers, in this order.
pub(crate) fn driver(answers: Vec<Answer>) -> (ElastiCacheDriver, Calls) {
    let (config, calls) = in_order(answers);
    (ElastiCacheDriver::new(&config), calls)
}

/// A driver whose every call is answered by its parameters: for calls that run at the same time.
pub(crate) fn answering(
    answer: impl Fn(&BTreeMap<String, String>) -> Answer + Send + Sync + 'static,
) -> (ElastiCacheDriver, Calls) {
    let (config, calls) = zonestack_recorded::answering(answer);
    (ElastiCacheDriver::new(&config), calls)
}

pub(crate) fn target(kind: &str, id: &str, name: &str) -> Target {
    Target {
        id: id.parse().unwrap(),
        kind: Kind::new(kind),
        name: Some(name.to_owned()),
        token: None,
        remote_id: Some(ARN.to_owned()),
        parent: None,
    }
}

pub(crate) fn group() -> Target {
    target(REPLICATION_GROUP, "cache/replication-group", "git-cache")
}

/// The specification of a kind as the component renders it, with every reference resolved and a tag as the core adds it.
pub(crate) fn spec_of(kind: &str, settings: Json) -> Json {
    let settings = serde_json::from_value(settings).unwrap();
    zonestack_recorded::spec_of(kind, "cache", |cx| crate::render::render(&settings, cx))
}

/// DescribeReplicationGroups with these.
pub(crate) fn described(groups: &str) -> Answer {
    ok("DescribeReplicationGroups", &format!("<ReplicationGroups>{groups}</ReplicationGroups>"))
}

/// DescribeCacheClusters with these.
pub(crate) fn clusters(clusters: &str) -> Answer {
    ok("DescribeCacheClusters", &format!("<CacheClusters>{clusters}</CacheClusters>"))
}

/// ListTagsForResource with the marks of a stack's resource.
pub(crate) fn tagged(uid: &str, node: &str) -> Answer {
    ok(
        "ListTagsForResource",
        &format!(
            "<TagList><Tag><Key>Name</Key><Value>git-cache</Value></Tag>\
             <Tag><Key>zonestack:stack</Key><Value>git</Value></Tag>\
             <Tag><Key>zonestack:uid</Key><Value>{uid}</Value></Tag>\
             <Tag><Key>zonestack:node</Key><Value>{node}</Value></Tag></TagList>"
        ),
    )
}

/// The tags of `git-cache`.
pub(crate) fn tags() -> Answer {
    tagged("u1", "cache/replication-group")
}

/// All answers to one observation of `git-cache`, which is as it was made, but for what is replaced.
pub(crate) fn seen(edits: &[(&str, &str)]) -> Vec<Answer> {
    let (group, nodes) = edited(edits);
    vec![described(&group), clusters(&nodes), tags()]
}

/// The descriptions of `git-cache` and of its nodes with some of their text replaced.
#[track_caller]
pub(crate) fn edited(edits: &[(&str, &str)]) -> (String, String) {
    let (mut group, mut nodes) = (GIT_CACHE.to_owned(), nodes(&["a", "b", "c"]));
    for (from, to) in edits {
        assert!(group.contains(from) || nodes.contains(from), "{from} is not in the description");
        group = group.replace(from, to);
        nodes = nodes.replace(from, to);
    }
    (group, nodes)
}

/// The nodes of `git-cache`, as clusters of one, in these zones.
pub(crate) fn nodes(zones: &[&str]) -> String {
    let node = |(index, zone): (usize, &&str)| {
        GIT_CACHE_NODE
            .replace("git-cache-001", &format!("git-cache-00{}", index + 1))
            .replace("eu-west-1a", &format!("eu-west-1{zone}"))
    };
    zones.iter().enumerate().map(node).collect()
}

/// The members of `git-cache`'s node group in these zones. The first is the primary.
pub(crate) fn members(zones: &[&str]) -> String {
    let member = |(index, zone): (usize, &&str)| {
        let role = if index == 0 { "primary" } else { "replica" };
        format!(
            "<NodeGroupMember><CacheClusterId>git-cache-00{}</CacheClusterId><CacheNodeId>0001</CacheNodeId>\
             <PreferredAvailabilityZone>eu-west-1{zone}</PreferredAvailabilityZone>\
             <CurrentRole>{role}</CurrentRole></NodeGroupMember>",
            index + 1
        )
    };
    zones.iter().enumerate().map(member).collect()
}

/// The replication group `git-cache` as AWS describes it, as the default settings want it.
pub(crate) const GIT_CACHE: &str = "<ReplicationGroup>
  <ReplicationGroupId>git-cache</ReplicationGroupId>
  <ARN>arn:aws:elasticache:eu-west-1:111122223333:replicationgroup:git-cache</ARN>
  <Description>Cache, sessions and queues of git-cache zonestack:stack=git zonestack:uid=u1 zonestack:node=cache/replication-group</Description>
  <Status>available</Status>
  <Engine>valkey</Engine>
  <CacheNodeType>cache.m7g.large</CacheNodeType>
  <ClusterEnabled>false</ClusterEnabled>
  <ClusterMode>disabled</ClusterMode>
  <AutomaticFailover>enabled</AutomaticFailover>
  <MultiAZ>enabled</MultiAZ>
  <SnapshotRetentionLimit>7</SnapshotRetentionLimit>
  <SnapshotWindow>03:00-04:00</SnapshotWindow>
  <AuthTokenEnabled>false</AuthTokenEnabled>
  <TransitEncryptionEnabled>false</TransitEncryptionEnabled>
  <AtRestEncryptionEnabled>true</AtRestEncryptionEnabled>
  <KmsKeyId>arn:aws:kms:eu-west-1:111122223333:key/0000-1111</KmsKeyId>
  <AutoMinorVersionUpgrade>true</AutoMinorVersionUpgrade>
  <PendingModifiedValues></PendingModifiedValues>
  <MemberClusters>
    <ClusterId>git-cache-001</ClusterId><ClusterId>git-cache-002</ClusterId><ClusterId>git-cache-003</ClusterId>
  </MemberClusters>
  <NodeGroups><NodeGroup>
    <NodeGroupId>0001</NodeGroupId>
    <Status>available</Status>
    <PrimaryEndpoint>
      <Address>git-cache.c0ffee.ng.0001.euw1.cache.amazonaws.com</Address><Port>6379</Port>
    </PrimaryEndpoint>
    <ReaderEndpoint>
      <Address>git-cache-ro.c0ffee.ng.0001.euw1.cache.amazonaws.com</Address><Port>6379</Port>
    </ReaderEndpoint>
    <NodeGroupMembers>
      <NodeGroupMember>
        <CacheClusterId>git-cache-001</CacheClusterId><CacheNodeId>0001</CacheNodeId>
        <PreferredAvailabilityZone>eu-west-1a</PreferredAvailabilityZone><CurrentRole>replica</CurrentRole>
      </NodeGroupMember>
      <NodeGroupMember>
        <CacheClusterId>git-cache-002</CacheClusterId><CacheNodeId>0001</CacheNodeId>
        <PreferredAvailabilityZone>eu-west-1b</PreferredAvailabilityZone><CurrentRole>primary</CurrentRole>
      </NodeGroupMember>
      <NodeGroupMember>
        <CacheClusterId>git-cache-003</CacheClusterId><CacheNodeId>0001</CacheNodeId>
        <PreferredAvailabilityZone>eu-west-1c</PreferredAvailabilityZone><CurrentRole>replica</CurrentRole>
      </NodeGroupMember>
    </NodeGroupMembers>
  </NodeGroup></NodeGroups>
</ReplicationGroup>";

/// Its first node.
const GIT_CACHE_NODE: &str = "<CacheCluster>
  <CacheClusterId>git-cache-001</CacheClusterId>
  <ReplicationGroupId>git-cache</ReplicationGroupId>
  <CacheClusterStatus>available</CacheClusterStatus>
  <Engine>valkey</Engine>
  <EngineVersion>8.1.0</EngineVersion>
  <CacheNodeType>cache.m7g.large</CacheNodeType>
  <NumCacheNodes>1</NumCacheNodes>
  <PreferredAvailabilityZone>eu-west-1a</PreferredAvailabilityZone>
  <PreferredMaintenanceWindow>sun:04:30-sun:05:30</PreferredMaintenanceWindow>
  <PendingModifiedValues></PendingModifiedValues>
  <CacheParameterGroup>
    <CacheParameterGroupName>git-cache-valkey8</CacheParameterGroupName><ParameterApplyStatus>in-sync</ParameterApplyStatus>
  </CacheParameterGroup>
  <CacheSubnetGroupName>git-cache</CacheSubnetGroupName>
  <SecurityGroups><member><SecurityGroupId>sg-1</SecurityGroupId><Status>active</Status></member></SecurityGroups>
</CacheCluster>";
