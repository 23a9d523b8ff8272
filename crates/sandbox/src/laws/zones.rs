//! Zones that are lost and come back; the site as discovery reads it.

use futures::FutureExt as _;
use serde_json::json;
use zonestack_core::discover::{ClusterReader as _, NetworkReader as _, NetworkRequest};
use zonestack_core::driver::Status;

use super::bed::{BASE, Bed, DOOR, STORE, class};

#[test]
fn a_lost_zone_takes_what_is_in_it_and_no_more() {
    let bed = Bed::new();
    let store = bed.made(STORE, "data/store", json!({}));
    bed.wait(10);
    let doors = ["eu-west-1a", "eu-west-1b"].map(|zone| {
        let spec = json!({ "store_id": store, "subnet_id": bed.subnet(zone) });
        (format!("data/door@{zone}"), spec)
    });
    let status = |(id, spec): &(String, _)| bed.look_for(DOOR, id, Clone::clone(spec)).status;
    let [a, b] = &doors;
    bed.made(DOOR, &a.0, a.1.clone());
    bed.wait(10);
    bed.change(|world| world.lose_zone("eu-west-1a")).unwrap();
    assert_eq!(status(a), Status::Failed("zone eu-west-1a is out of service".to_owned()));
    assert_eq!(bed.status(STORE, "data/store"), Status::Ready);
    assert_eq!(class(bed.create(DOOR, &a.0, a.1.clone())), "zone unavailable");
    bed.made(DOOR, &b.0, b.1.clone());
    bed.change(|world| world.restore_zone("eu-west-1a")).unwrap();
    assert_eq!(status(a), Status::Ready);
    assert!(bed.change(|world| world.lose_zone("eu-west-1z")).is_err());
}

#[test]
fn a_copy_in_another_zone_takes_over_after_a_while() {
    let bed = Bed::new();
    bed.made(BASE, "db/two", json!({ "multi_az": true }));
    bed.made(BASE, "db/one", json!({ "multi_az": false }));
    bed.wait(12 * 60);
    let zone =
        |bed: &Bed, name: &str| bed.world().find(BASE, name).unwrap().zone().unwrap().to_owned();
    assert_eq!((zone(&bed, "two"), zone(&bed, "one")), ("eu-west-1a".into(), "eu-west-1a".into()));
    bed.change(|world| world.lose_zone("eu-west-1a")).unwrap();
    assert_eq!(bed.status(BASE, "db/two"), Status::Pending("failing-over".to_owned()));
    bed.wait(60);
    assert_eq!(bed.status(BASE, "db/two"), Status::Ready);
    assert_eq!(zone(&bed, "two"), "eu-west-1b");
    assert!(matches!(bed.status(BASE, "db/one"), Status::Failed(_)));
    for other in ["eu-west-1b", "eu-west-1c"] {
        bed.change(|world| world.lose_zone(other)).unwrap();
    }
    assert_eq!(bed.status(BASE, "db/two"), Status::Failed("every zone is out of service".into()));
}

#[test]
fn discovery_reads_the_cluster_and_its_network() {
    let bed = Bed::new();
    bed.change(|world| world.lose_zone("eu-west-1c")).unwrap();
    let survey =
        |name: &str| bed.clock.run(bed.sandbox.cluster(name).survey("git").boxed()).unwrap();
    let cluster = survey("k8s.myzone.net").unwrap();
    assert!(!cluster.namespace_exists);
    assert_eq!(cluster.nodes.iter().filter(|node| node.schedulable).count(), 4);
    let error = survey("other").unwrap_err();
    assert_eq!(error.message, "the sandbox has the cluster k8s.myzone.net, not other");

    let workers = cluster.nodes.iter().filter(|node| !node.control_plane);
    let request = NetworkRequest {
        cluster: "k8s.myzone.net".to_owned(),
        instances: workers.filter_map(|node| node.instance.clone()).collect(),
        ..NetworkRequest::default()
    };
    let read = |region: &str, request: &NetworkRequest| {
        let network = bed.sandbox.network(region);
        bed.clock.run(async { network.survey(request).await }).unwrap()
    };
    let network = read("eu-west-1", &request).unwrap();
    assert_eq!((network.subnets.len(), network.instances.len()), (6, 6));
    assert!(network.tagged_security_groups.is_empty());
    let by_tags = NetworkRequest { instances: Vec::new(), ..request.clone() };
    assert_eq!(read("eu-west-1", &by_tags).unwrap().tagged_security_groups.len(), 1);
    let elsewhere = read("us-east-1", &request).unwrap_err();
    assert_eq!(elsewhere.message, "the sandbox is in the region eu-west-1, not us-east-1");
    let own = &network.vpcs[0].id;
    let wrong = |request: NetworkRequest, id: &str, own: &str| {
        let error = read("eu-west-1", &request).unwrap_err();
        assert!(error.message.contains(&format!("names {id}, but this sandbox was made with")));
        assert!(error.message.contains(own), "{error}");
        assert!(error.hint.contains("delete this one to start anew"), "{}", error.hint);
    };
    let ids = |id: &str| vec![id.to_owned()];
    wrong(NetworkRequest { vpc: Some("vpc-1".to_owned()), ..request.clone() }, "vpc-1", own);
    let subnet = bed.subnet("eu-west-1b");
    wrong(NetworkRequest { subnets: ids("subnet-1"), ..request.clone() }, "subnet-1", &subnet);
    let group = &network.instances[0].security_groups[0];
    wrong(NetworkRequest { security_groups: ids("sg-1"), ..request }, "sg-1", group);
    let dns = bed.sandbox.network("eu-west-1");
    let dns = bed.clock.run(async { dns.dns(&network.vpcs[0].id).await }).unwrap().unwrap();
    assert!(dns.support && dns.hostnames);
}
