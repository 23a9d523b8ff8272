//! A driver whose service answers from a list and remembers what was sent.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use aws_sdk_elasticache::config::retry::RetryConfig;
use aws_sdk_elasticache::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_elasticache::{Client, Config};
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

use super::{ElastiCacheDriver, REPLICATION_GROUP};

/// The password that must appear nowhere but in the call that sends it.
pub(crate) const PASSWORD: &str = "Tr0ub4dorPlainAsDay";
pub(crate) const ARN: &str =
    "arn:aws:elasticache:eu-west-1:111122223333:replicationgroup:git-cache";

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
        let noise = ["Action", "Version", "ReplicationGroupId"];
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
pub(crate) fn driver(answers: Vec<Answer>) -> (ElastiCacheDriver, Calls) {
    let answers = Mutex::new(VecDeque::from(answers));
    answering(move |_| {
        let none = || refused(500, "NoAnswerRecorded", "the test expects fewer calls");
        answers.lock().unwrap().pop_front().unwrap_or_else(none)
    })
}

/// A driver whose every call is answered by its parameters: for calls that run at the same time.
pub(crate) fn answering(
    answer: impl Fn(&BTreeMap<String, String>) -> Answer + Send + Sync + 'static,
) -> (ElastiCacheDriver, Calls) {
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
    (ElastiCacheDriver::with_client(Client::from_conf(config)), calls)
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

pub(crate) fn group() -> Target {
    target(REPLICATION_GROUP, "cache/replication-group", "git-cache")
}

pub(crate) fn query(target: Target, spec: Json) -> Query {
    Query { target, spec: Some(spec) }
}

/// The specification of a kind as the component renders it, with every reference resolved and a tag as the core adds it.
pub(crate) fn spec_of(kind: &str, settings: Json) -> Json {
    let zones = ["eu-west-1a", "eu-west-1b", "eu-west-1c"].map(|zone| zone.parse().unwrap());
    let context = Context::nominal("git".parse().unwrap(), "git", "eu-west-1", &zones);
    let component = "cache".parse().unwrap();
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
    spec["tags"]["Name"] = json!("git-cache");
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
