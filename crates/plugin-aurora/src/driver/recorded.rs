//! A driver whose service answers from a list and remembers what was sent.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use aws_sdk_rds::config::retry::RetryConfig;
use aws_sdk_rds::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_rds::{Client, Config};
use aws_smithy_http_client::test_util::infallible_client_fn;
use aws_smithy_types::body::SdkBody;
use futures::future::{BoxFuture, FutureExt};
use serde_json::{Value as Json, json};
use zonestack_core::component::RenderContext;
use zonestack_core::context::Context;
use zonestack_core::driver::{CallContext, Difference, Owner, Query, Target};
use zonestack_core::name::Kind;
use zonestack_core::secret::{SecretError, SecretRef, SecretSource, Sensitive};
use zonestack_core::value::is_marker;

use super::{AuroraDriver, CLUSTER, INSTANCE};

/// The password that must appear nowhere but in the call that sends it.
pub(crate) const PASSWORD: &str = "Tr0ub4dorPlainAsDay";
pub(crate) const ARN: &str = "arn:aws:rds:eu-west-1:111122223333:cluster:git-db";

/// That of the instance `git-db-eu-west-1a`.
pub(crate) const INSTANCE_ARN: &str = "arn:aws:rds:eu-west-1:111122223333:db:git-db-eu-west-1a";

/// What was sent: the parameters of each call.
#[derive(Clone, Default)]
pub(crate) struct Calls(Arc<Mutex<Vec<BTreeMap<String, String>>>>);

impl Calls {
    /// The actions, in order.
    pub(crate) fn actions(&self) -> Vec<String> {
        self.0.lock().unwrap().iter().map(|call| call["Action"].clone()).collect()
    }

    /// The parameters of the only call.
    pub(crate) fn only(&self) -> BTreeMap<String, String> {
        let calls = self.0.lock().unwrap();
        assert_eq!(calls.len(), 1, "{calls:?}");
        calls[0].clone()
    }

    /// The parameters of the last call.
    pub(crate) fn last(&self) -> BTreeMap<String, String> {
        self.0.lock().unwrap().last().unwrap().clone()
    }

    /// The parameters of the only call as `key=value`, without those that every call has.
    pub(crate) fn parameters(&self) -> Vec<String> {
        let noise = ["Action", "Version", "DBClusterIdentifier", "DBInstanceIdentifier"];
        let call = self.only();
        let kept = call.iter().filter(|(key, _)| !noise.contains(&key.as_str()));
        kept.map(|(key, value)| format!("{key}={value}")).collect()
    }
}

/// An answer of the service.
pub(crate) struct Answer {
    status: u16,
    body: String,
}

/// A success with the inside of the result element.
pub(crate) fn ok(action: &str, result: &str) -> Answer {
    let body =
        format!("<{action}Response><{action}Result>{result}</{action}Result></{action}Response>");
    Answer { status: 200, body }
}

/// A refusal.
pub(crate) fn refused(status: u16, code: &str, message: &str) -> Answer {
    let body = format!(
        "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>\
         <RequestId>r-1</RequestId></ErrorResponse>"
    );
    Answer { status, body }
}

/// A driver that gets these answers, in this order.
pub(crate) fn driver(answers: Vec<Answer>) -> (AuroraDriver, Calls) {
    let answers = Mutex::new(VecDeque::from(answers));
    answering(move |_| {
        let none = || refused(500, "NoAnswerRecorded", "the test expects fewer calls");
        answers.lock().unwrap().pop_front().unwrap_or_else(none)
    })
}

/// A driver whose every call is answered by its parameters: for calls that run at the same time.
pub(crate) fn answering(
    answer: impl Fn(&BTreeMap<String, String>) -> Answer + Send + Sync + 'static,
) -> (AuroraDriver, Calls) {
    let calls = Calls::default();
    let sent = calls.clone();
    let http = infallible_client_fn(move |request| {
        let body = request.body().bytes().unwrap_or_default();
        let call = decode(std::str::from_utf8(body).unwrap());
        let answer = answer(&call);
        sent.0.lock().unwrap().push(call);
        http::Response::builder().status(answer.status).body(SdkBody::from(answer.body)).unwrap()
    });
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .credentials_provider(Credentials::new("id", "key", None, None, "test"))
        .retry_config(RetryConfig::disabled())
        .http_client(http)
        .build();
    (AuroraDriver::with_client(Client::from_conf(config)), calls)
}

fn decode(body: &str) -> BTreeMap<String, String> {
    let text = |part: &str| {
        let mut bytes = Vec::new();
        let mut rest = part.bytes();
        while let Some(byte) = rest.next() {
            if byte == b'%' {
                let digits = [rest.next().unwrap(), rest.next().unwrap()];
                let digits = std::str::from_utf8(&digits).unwrap().to_owned();
                bytes.push(u8::from_str_radix(&digits, 16).unwrap());
            } else {
                bytes.push(byte);
            }
        }
        String::from_utf8(bytes).unwrap()
    };
    body.split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(k, v)| (text(k), text(v)))
        .collect()
}

/// Runs a future to its end.
pub(crate) fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(future)
}

/// Secrets that are there: every reference but `{ env: MISSING }` and `{ env: BAD }`.
pub(crate) struct Secrets;

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

/// Runs with the context of the stack `git`.
pub(crate) fn owner() -> Owner {
    Owner {
        stack: "git".to_owned(),
        uid: Some("u1".to_owned()),
        namespace: "git".to_owned(),
        region: "eu-west-1".to_owned(),
    }
}

pub(crate) fn cx(owner: &Owner) -> CallContext<'_> {
    CallContext::new(owner, &Secrets)
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

pub(crate) fn query(target: Target, spec: Json) -> Query {
    Query { target, spec: Some(spec) }
}

/// The specification of a kind as the component renders it, with every reference resolved and a tag as the core adds it.
pub(crate) fn spec_of(kind: &str, settings: Json) -> Json {
    let zones = ["eu-west-1a", "eu-west-1b", "eu-west-1c"].map(|zone| zone.parse().unwrap());
    let context = Context::nominal("git".parse().unwrap(), "git", "eu-west-1", &zones);
    let component = "db".parse().unwrap();
    let requirements = BTreeMap::new();
    let rendered = crate::render::render(
        &serde_json::from_value(settings).unwrap(),
        &RenderContext {
            component: &component,
            called: &component,
            context: &context,
            requirements: &requirements,
            consumers: 1,
        },
    );
    let resource = rendered.resources.into_iter().find(|r| r.kind.as_str() == kind).unwrap();
    let mut spec = resource.spec.resolve(&|_| Some(json!("sg-1"))).to_json();
    spec["tags"]["Name"] = json!("git-db");
    spec
}

/// What differs between a specification and attributes, path by path, as the core finds it: maps by key, the rest whole.
pub(crate) fn differences(wanted: &Json, actual: &Json) -> Vec<Difference> {
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
pub(crate) fn paths(differences: &[Difference]) -> Vec<&str> {
    differences.iter().map(|difference| difference.path.as_str()).collect()
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
