//! A driver whose service answers from a list and remembers what was sent.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use zonestack_core::driver::Target;
use zonestack_core::name::Kind;
pub(crate) use zonestack_recorded::*;

use super::{INSTANCE, RdsDriver};

pub(crate) const ARN: &str = "arn:aws:rds:eu-west-1:111122223333:db:git-db";

/// A driver that gets these answers, in this order.
pub(crate) fn driver(answers: Vec<Answer>) -> (RdsDriver, Calls) {
    let (config, calls) = in_order(answers);
    (RdsDriver::new(&config), calls)
}

/// A driver whose every call is answered by its parameters: for calls that run at the same time.
pub(crate) fn answering(
    answer: impl Fn(&BTreeMap<String, String>) -> Answer + Send + Sync + 'static,
) -> (RdsDriver, Calls) {
    let (config, calls) = zonestack_recorded::answering(answer);
    (RdsDriver::new(&config), calls)
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

pub(crate) fn instance() -> Target {
    target(INSTANCE, "db/instance", "git-db")
}

/// The specification of a kind as the component renders it, with every reference resolved and a tag as the core adds it.
pub(crate) fn spec_of(kind: &str, settings: Json) -> Json {
    let settings = serde_json::from_value(settings).unwrap();
    zonestack_recorded::spec_of(kind, "db", |cx| crate::render::render(&settings, cx))
}

/// DescribeDBInstances with these instances.
pub(crate) fn described(instances: &str) -> Answer {
    ok("DescribeDBInstances", &format!("<DBInstances>{instances}</DBInstances>"))
}

/// The instance `git-db` as AWS describes it, as the default settings want it.
pub(crate) const GIT_DB: &str = "<DBInstance>
  <DBInstanceIdentifier>git-db</DBInstanceIdentifier>
  <DBInstanceArn>arn:aws:rds:eu-west-1:111122223333:db:git-db</DBInstanceArn>
  <DbiResourceId>db-ABCDEFGHIJKLMNOPQRSTUVWXYZ</DbiResourceId>
  <DBInstanceStatus>available</DBInstanceStatus>
  <Engine>postgres</Engine>
  <EngineVersion>17.6</EngineVersion>
  <DBInstanceClass>db.m7g.large</DBInstanceClass>
  <AllocatedStorage>100</AllocatedStorage>
  <MaxAllocatedStorage>400</MaxAllocatedStorage>
  <StorageType>gp3</StorageType>
  <Iops>3000</Iops>
  <StorageThroughput>125</StorageThroughput>
  <MultiAZ>true</MultiAZ>
  <AvailabilityZone>eu-west-1b</AvailabilityZone>
  <SecondaryAvailabilityZone>eu-west-1a</SecondaryAvailabilityZone>
  <DBName>git_production</DBName>
  <MasterUsername>git</MasterUsername>
  <Endpoint><Address>git-db.c0ffee.eu-west-1.rds.amazonaws.com</Address><Port>5432</Port></Endpoint>
  <DbInstancePort>0</DbInstancePort>
  <DBSubnetGroup><DBSubnetGroupName>git-db</DBSubnetGroupName></DBSubnetGroup>
  <VpcSecurityGroups><VpcSecurityGroupMembership>
    <VpcSecurityGroupId>sg-1</VpcSecurityGroupId><Status>active</Status>
  </VpcSecurityGroupMembership></VpcSecurityGroups>
  <DBParameterGroups><DBParameterGroup>
    <DBParameterGroupName>default.postgres17</DBParameterGroupName><ParameterApplyStatus>in-sync</ParameterApplyStatus>
  </DBParameterGroup></DBParameterGroups>
  <PubliclyAccessible>false</PubliclyAccessible>
  <StorageEncrypted>true</StorageEncrypted>
  <KmsKeyId>arn:aws:kms:eu-west-1:111122223333:key/0000-1111</KmsKeyId>
  <BackupRetentionPeriod>14</BackupRetentionPeriod>
  <PreferredBackupWindow>04:00-04:30</PreferredBackupWindow>
  <PreferredMaintenanceWindow>sun:04:30-sun:05:30</PreferredMaintenanceWindow>
  <CopyTagsToSnapshot>true</CopyTagsToSnapshot>
  <AutoMinorVersionUpgrade>true</AutoMinorVersionUpgrade>
  <DeletionProtection>true</DeletionProtection>
  <EngineLifecycleSupport>open-source-rds-extended-support-disabled</EngineLifecycleSupport>
  <EnabledCloudwatchLogsExports><member>upgrade</member><member>postgresql</member></EnabledCloudwatchLogsExports>
  <PerformanceInsightsEnabled>false</PerformanceInsightsEnabled>
  <CACertificateIdentifier>rds-ca-rsa2048-g1</CACertificateIdentifier>
  <PendingModifiedValues></PendingModifiedValues>
  <TagList>
    <Tag><Key>Name</Key><Value>git-db</Value></Tag>
    <Tag><Key>zonestack:stack</Key><Value>git</Value></Tag>
    <Tag><Key>zonestack:uid</Key><Value>u1</Value></Tag>
    <Tag><Key>zonestack:node</Key><Value>db/instance</Value></Tag>
  </TagList>
</DBInstance>";
