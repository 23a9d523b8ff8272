//! A driver whose service answers from a list and remembers what was sent.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use zonestack_core::driver::Target;
use zonestack_core::name::Kind;
pub(crate) use zonestack_recorded::*;

use super::{AuroraDriver, CLUSTER, INSTANCE};

pub(crate) const ARN: &str = "arn:aws:rds:eu-west-1:111122223333:cluster:git-db";

/// That of the instance `git-db-eu-west-1a`.
pub(crate) const INSTANCE_ARN: &str = "arn:aws:rds:eu-west-1:111122223333:db:git-db-eu-west-1a";

/// A driver that gets these answers, in this order.
pub(crate) fn driver(answers: Vec<Answer>) -> (AuroraDriver, Calls) {
    let (config, calls) = in_order(answers);
    (AuroraDriver::new(&config), calls)
}

/// A driver whose every call is answered by its parameters: for calls that run at the same time.
pub(crate) fn answering(
    answer: impl Fn(&BTreeMap<String, String>) -> Answer + Send + Sync + 'static,
) -> (AuroraDriver, Calls) {
    let (config, calls) = zonestack_recorded::answering(answer);
    (AuroraDriver::new(&config), calls)
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

pub(crate) fn cluster() -> Target {
    target(CLUSTER, "db/cluster", "git-db")
}

pub(crate) fn instance() -> Target {
    let target = target(INSTANCE, "db/instance@eu-west-1a", "git-db-eu-west-1a");
    Target { remote_id: Some(INSTANCE_ARN.to_owned()), ..target }
}

/// The specification of a kind as the component renders it, with every reference resolved and a tag as the core adds it.
pub(crate) fn spec_of(kind: &str, settings: Json) -> Json {
    let settings = serde_json::from_value(settings).unwrap();
    zonestack_recorded::spec_of(kind, "db", |cx| crate::render::render(&settings, cx))
}

/// DescribeDBClusters with these clusters.
pub(crate) fn described(clusters: &str) -> Answer {
    ok("DescribeDBClusters", &format!("<DBClusters>{clusters}</DBClusters>"))
}

/// DescribeDBInstances with these instances.
pub(crate) fn described_instances(instances: &str) -> Answer {
    ok("DescribeDBInstances", &format!("<DBInstances>{instances}</DBInstances>"))
}

/// A cluster whose description has some of its parts replaced. Every part must be there.
#[track_caller]
pub(crate) fn edited(xml: &str, edits: &[(&str, &str)]) -> String {
    let edit = |xml: String, (from, to): &(&str, &str)| {
        assert!(xml.contains(from), "{from} is not in the description");
        xml.replace(from, to)
    };
    edits.iter().fold(xml.to_owned(), edit)
}

/// The cluster `git-db` as AWS describes it, as the default settings want it.
pub(crate) const GIT_DB: &str = "<DBCluster>
  <AllocatedStorage>1</AllocatedStorage>
  <AvailabilityZones>
    <AvailabilityZone>eu-west-1a</AvailabilityZone><AvailabilityZone>eu-west-1b</AvailabilityZone>
    <AvailabilityZone>eu-west-1c</AvailabilityZone>
  </AvailabilityZones>
  <BackupRetentionPeriod>14</BackupRetentionPeriod>
  <DatabaseName>git_production</DatabaseName>
  <DBClusterIdentifier>git-db</DBClusterIdentifier>
  <DBClusterParameterGroup>git-db-aurora-postgresql17</DBClusterParameterGroup>
  <DBSubnetGroup>git-db</DBSubnetGroup>
  <Status>available</Status>
  <Endpoint>git-db.cluster-c0ffee.eu-west-1.rds.amazonaws.com</Endpoint>
  <ReaderEndpoint>git-db.cluster-ro-c0ffee.eu-west-1.rds.amazonaws.com</ReaderEndpoint>
  <MultiAZ>true</MultiAZ>
  <Engine>aurora-postgresql</Engine>
  <EngineVersion>17.6</EngineVersion>
  <Port>5432</Port>
  <MasterUsername>git</MasterUsername>
  <PreferredBackupWindow>04:00-04:30</PreferredBackupWindow>
  <PreferredMaintenanceWindow>sun:04:30-sun:05:30</PreferredMaintenanceWindow>
  <DBClusterMembers>
    <DBClusterMember>
      <DBInstanceIdentifier>git-db-eu-west-1a</DBInstanceIdentifier><IsClusterWriter>true</IsClusterWriter>
      <DBClusterParameterGroupStatus>in-sync</DBClusterParameterGroupStatus><PromotionTier>1</PromotionTier>
    </DBClusterMember>
    <DBClusterMember>
      <DBInstanceIdentifier>git-db-eu-west-1b</DBInstanceIdentifier><IsClusterWriter>false</IsClusterWriter>
      <DBClusterParameterGroupStatus>in-sync</DBClusterParameterGroupStatus><PromotionTier>1</PromotionTier>
    </DBClusterMember>
  </DBClusterMembers>
  <VpcSecurityGroups><VpcSecurityGroupMembership>
    <VpcSecurityGroupId>sg-1</VpcSecurityGroupId><Status>active</Status>
  </VpcSecurityGroupMembership></VpcSecurityGroups>
  <HostedZoneId>Z29XKXDKYMONMX</HostedZoneId>
  <StorageEncrypted>true</StorageEncrypted>
  <KmsKeyId>arn:aws:kms:eu-west-1:111122223333:key/0000-1111</KmsKeyId>
  <DbClusterResourceId>cluster-ABCDEFGHIJKLMNOPQRSTUVWXYZ</DbClusterResourceId>
  <DBClusterArn>arn:aws:rds:eu-west-1:111122223333:cluster:git-db</DBClusterArn>
  <EnabledCloudwatchLogsExports><member>postgresql</member></EnabledCloudwatchLogsExports>
  <EngineMode>provisioned</EngineMode>
  <DeletionProtection>true</DeletionProtection>
  <CopyTagsToSnapshot>true</CopyTagsToSnapshot>
  <AutoMinorVersionUpgrade>true</AutoMinorVersionUpgrade>
  <EngineLifecycleSupport>open-source-rds-extended-support-disabled</EngineLifecycleSupport>
  <PendingModifiedValues></PendingModifiedValues>
  <TagList>
    <Tag><Key>Name</Key><Value>git-db</Value></Tag>
    <Tag><Key>zonestack:stack</Key><Value>git</Value></Tag>
    <Tag><Key>zonestack:uid</Key><Value>u1</Value></Tag>
    <Tag><Key>zonestack:node</Key><Value>db/cluster</Value></Tag>
  </TagList>
</DBCluster>";

/// Its instance in the first zone.
pub(crate) const GIT_DB_A: &str = "<DBInstance>
  <DBInstanceIdentifier>git-db-eu-west-1a</DBInstanceIdentifier>
  <DBInstanceArn>arn:aws:rds:eu-west-1:111122223333:db:git-db-eu-west-1a</DBInstanceArn>
  <DbiResourceId>db-ABCDEFGHIJKLMNOPQRSTUVWXYZ</DbiResourceId>
  <DBInstanceStatus>available</DBInstanceStatus>
  <DBClusterIdentifier>git-db</DBClusterIdentifier>
  <Engine>aurora-postgresql</Engine>
  <EngineVersion>17.6</EngineVersion>
  <DBInstanceClass>db.r7g.large</DBInstanceClass>
  <AllocatedStorage>1</AllocatedStorage>
  <StorageType>aurora</StorageType>
  <MultiAZ>false</MultiAZ>
  <AvailabilityZone>eu-west-1a</AvailabilityZone>
  <Endpoint><Address>git-db-eu-west-1a.c0ffee.eu-west-1.rds.amazonaws.com</Address><Port>5432</Port></Endpoint>
  <PromotionTier>1</PromotionTier>
  <PubliclyAccessible>false</PubliclyAccessible>
  <PreferredMaintenanceWindow>sun:04:30-sun:05:30</PreferredMaintenanceWindow>
  <AutoMinorVersionUpgrade>true</AutoMinorVersionUpgrade>
  <DeletionProtection>false</DeletionProtection>
  <PerformanceInsightsEnabled>false</PerformanceInsightsEnabled>
  <CACertificateIdentifier>rds-ca-rsa2048-g1</CACertificateIdentifier>
  <PendingModifiedValues></PendingModifiedValues>
  <TagList>
    <Tag><Key>Name</Key><Value>git-db</Value></Tag>
    <Tag><Key>zonestack:stack</Key><Value>git</Value></Tag>
    <Tag><Key>zonestack:uid</Key><Value>u1</Value></Tag>
    <Tag><Key>zonestack:node</Key><Value>db/instance@eu-west-1a</Value></Tag>
  </TagList>
</DBInstance>";
