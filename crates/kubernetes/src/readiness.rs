//! When an object is ready, what it waits for, and what it gives to others.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use zonestack_core::driver::Status;

use crate::kinds::{ObjectKind, Readiness};

/// Where an object stands. What it waits for is said in the object's own words; no further call is made for it.
pub(crate) fn status(kind: &ObjectKind, object: &Json) -> Status {
    if object.pointer("/metadata/deletionTimestamp").is_some() {
        return Status::Deleting;
    }
    let phase = object["status"]["phase"].as_str().unwrap_or("not seen by its controller yet");
    match kind.readiness {
        Readiness::Namespace if phase == "Terminating" => Status::Deleting,
        // The API server itself makes a namespace active.
        Readiness::Exists | Readiness::Namespace => Status::Ready,
        Readiness::Deployment => deployment(object),
        Readiness::StatefulSet => stateful_set(object),
        Readiness::Claim => claim(phase),
        Readiness::Volume => volume(phase, object),
        Readiness::Service if object["spec"]["type"] != "LoadBalancer" => Status::Ready,
        Readiness::Service | Readiness::Ingress if load_balancer(object).is_some() => Status::Ready,
        Readiness::Service | Readiness::Ingress => {
            Status::Pending("no load balancer yet".to_owned())
        }
        Readiness::Job => job(object),
    }
}

/// What an object gives to others, as far as it is known.
pub(crate) fn outputs(kind: &ObjectKind, object: &Json) -> BTreeMap<String, Json> {
    let value = |name: &str| match name {
        "hostname" => load_balancer(object).map(Json::from),
        "cluster_ip" => {
            let address = object["spec"]["clusterIP"].as_str()?;
            (address != "None" && !address.is_empty()).then(|| address.into())
        }
        _ => None,
    };
    let names = kind.outputs.iter().map(|(name, _)| *name);
    names.filter_map(|name| Some((name.to_owned(), value(name)?))).collect()
}

/// The name of a load balancer, or its address where it has no name.
fn load_balancer(object: &Json) -> Option<&str> {
    let entry = &object["status"]["loadBalancer"]["ingress"][0];
    ["hostname", "ip"].iter().find_map(|key| entry[*key].as_str())
}

fn condition<'a>(object: &'a Json, name: &str) -> Option<&'a Json> {
    object["status"]["conditions"].as_array()?.iter().find(|condition| condition["type"] == name)
}

fn text<'a>(json: &'a Json, key: &str) -> &'a str {
    json[key].as_str().unwrap_or_default()
}

/// The controller has not looked at the latest specification yet.
fn is_behind(object: &Json) -> bool {
    let generation = object["metadata"]["generation"].as_i64().unwrap_or(0);
    object["status"]["observedGeneration"].as_i64().unwrap_or(0) < generation
}

/// As `kubectl rollout status` decides.
fn deployment(object: &Json) -> Status {
    if is_behind(object) {
        return Status::Pending("its controller has not seen it yet".to_owned());
    }
    let wanted = object["spec"]["replicas"].as_i64().unwrap_or(1);
    let count = |name: &str| object["status"][name].as_i64().unwrap_or(0);
    let (all, updated, available) =
        (count("replicas"), count("updatedReplicas"), count("availableReplicas"));
    if updated >= wanted && all <= updated && available >= updated {
        return Status::Ready;
    }
    let progress = format!("{} of {wanted} pods ready", available.min(updated));
    // Pods that cannot even be made: quota, admission, a missing service account.
    let failure = condition(object, "ReplicaFailure").filter(|c| c["status"] == "True");
    let progress = match failure {
        Some(failure) => format!("{progress}: {}", text(failure, "message")),
        None if all > updated => format!("{progress}, {} old ones still there", all - updated),
        None => progress,
    };
    let stuck = condition(object, "Progressing")
        .is_some_and(|c| c["status"] == "False" && c["reason"] == "ProgressDeadlineExceeded");
    if stuck {
        Status::Failed(format!("{progress} within progressDeadlineSeconds"))
    } else {
        Status::Pending(progress)
    }
}

fn stateful_set(object: &Json) -> Status {
    if is_behind(object) {
        return Status::Pending("its controller has not seen it yet".to_owned());
    }
    let wanted = object["spec"]["replicas"].as_i64().unwrap_or(1);
    let count = |name: &str| object["status"][name].as_i64().unwrap_or(0);
    let by_hand = object["spec"]["updateStrategy"]["type"] == "OnDelete";
    let status = &object["status"];
    let is_latest = by_hand || status["currentRevision"] == status["updateRevision"];
    let ready = count("readyReplicas");
    if ready >= wanted && count("replicas") == wanted && is_latest {
        Status::Ready
    } else if is_latest {
        Status::Pending(format!("{ready} of {wanted} pods ready"))
    } else {
        let updated = count("updatedReplicas");
        Status::Pending(format!("{ready} of {wanted} pods ready, {updated} of the new revision"))
    }
}

fn claim(phase: &str) -> Status {
    match phase {
        "Bound" => Status::Ready,
        "Lost" => Status::Failed("Lost: its volume is gone".to_owned()),
        phase => Status::Pending(phase.to_owned()),
    }
}

/// A released volume works; that it still remembers its former claim is a difference of its attributes.
fn volume(phase: &str, object: &Json) -> Status {
    match phase {
        "Available" | "Bound" | "Released" => Status::Ready,
        "Failed" => Status::Failed(format!("Failed: {}", text(&object["status"], "message"))),
        phase => Status::Pending(phase.to_owned()),
    }
}

fn job(object: &Json) -> Status {
    let holds = |name: &str| condition(object, name).filter(|c| c["status"] == "True");
    if holds("Complete").is_some() {
        return Status::Ready;
    }
    match holds("Failed") {
        Some(failed) => {
            Status::Failed(format!("{}: {}", text(failed, "reason"), text(failed, "message")))
        }
        None => {
            Status::Pending(format!("{} running", object["status"]["active"].as_i64().unwrap_or(0)))
        }
    }
}

/// Why pods do not become ready, from the pods themselves: `web: ImagePullBackOff: …`, each reason once.
pub(crate) fn waiting_reasons(pods: &[Json]) -> Option<String> {
    let mut reasons: Vec<String> = Vec::new();
    for pod in pods {
        let unscheduled = condition(pod, "PodScheduled").filter(|c| c["status"] == "False");
        reasons
            .extend(unscheduled.map(|c| format!("{}: {}", text(c, "reason"), text(c, "message"))));
        let statuses = ["initContainerStatuses", "containerStatuses"];
        for container in statuses.iter().filter_map(|key| pod["status"][*key].as_array()).flatten()
        {
            let Some(waiting) = container["state"].get("waiting") else { continue };
            let (name, reason) = (text(container, "name"), text(waiting, "reason"));
            reasons.push(match text(waiting, "message") {
                "" => format!("{name}: {reason}"),
                message => format!("{name}: {reason}: {message}"),
            });
        }
    }
    reasons.sort();
    reasons.dedup();
    (!reasons.is_empty()).then(|| reasons.join("; "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kinds::named;

    #[track_caller]
    fn check(kind: &str, object: &Json, expected: &Status) {
        assert_eq!(status(named(kind).unwrap(), object), *expected);
    }

    fn pending(text: &str) -> Status {
        Status::Pending(text.to_owned())
    }

    fn deployment(generation: i64, status: &Json) -> Json {
        json!({ "metadata": { "generation": generation }, "spec": { "replicas": 2 }, "status": status })
    }

    #[test]
    fn a_deployment_is_ready_when_every_new_pod_is_available_and_no_old_one_is_left() {
        let counts = |all: i64, updated: i64, available: i64| {
            json!({
                "observedGeneration": 2, "replicas": all, "updatedReplicas": updated, "availableReplicas": available,
            })
        };
        check("Deployment", &deployment(2, &counts(2, 2, 2)), &Status::Ready);
        check("Deployment", &deployment(2, &counts(2, 2, 1)), &pending("1 of 2 pods ready"));
        check(
            "Deployment",
            &deployment(2, &counts(3, 2, 2)),
            &pending("2 of 2 pods ready, 1 old ones still there"),
        );
        check(
            "Deployment",
            &deployment(2, &counts(1, 0, 1)),
            &pending("0 of 2 pods ready, 1 old ones still there"),
        );
        check(
            "Deployment",
            &deployment(3, &counts(2, 2, 2)),
            &pending("its controller has not seen it yet"),
        );
        let mut none = deployment(1, &json!({ "observedGeneration": 1 }));
        none["spec"]["replicas"] = json!(0);
        check("Deployment", &none, &Status::Ready);
    }

    #[test]
    fn a_deployment_says_why_it_has_no_pods_and_when_it_has_given_up() {
        let status = json!({ "observedGeneration": 1, "conditions": [
            { "type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded" },
            { "type": "ReplicaFailure", "status": "True", "message": "exceeded quota: q" },
        ] });
        let text = "0 of 2 pods ready: exceeded quota: q within progressDeadlineSeconds";
        check("Deployment", &deployment(1, &status), &Status::Failed(text.to_owned()));
    }

    #[test]
    fn pods_say_what_they_wait_for_each_reason_once() {
        let pod = json!({ "status": {
            "conditions": [{ "type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes" }],
            "containerStatuses": [
                { "name": "web", "state": { "waiting": { "reason": "ImagePullBackOff", "message": "no such image" } } },
                { "name": "log", "state": { "running": {} } },
            ],
        } });
        assert_eq!(
            waiting_reasons(&[pod.clone(), pod]).unwrap(),
            "Unschedulable: 0/3 nodes; web: ImagePullBackOff: no such image"
        );
        assert_eq!(waiting_reasons(&[json!({})]), None);
    }

    #[test]
    fn volumes_and_claims_follow_their_phase() {
        let phase = |phase: &str| json!({ "status": { "phase": phase } });
        check("PersistentVolumeClaim", &phase("Bound"), &Status::Ready);
        check("PersistentVolumeClaim", &phase("Pending"), &pending("Pending"));
        check(
            "PersistentVolumeClaim",
            &phase("Lost"),
            &Status::Failed("Lost: its volume is gone".to_owned()),
        );
        check("PersistentVolume", &phase("Available"), &Status::Ready);
        check("PersistentVolume", &phase("Released"), &Status::Ready);
        check("PersistentVolume", &json!({}), &pending("not seen by its controller yet"));
        check("Namespace", &phase("Active"), &Status::Ready);
        check("Namespace", &phase("Terminating"), &Status::Deleting);
    }

    #[test]
    fn a_load_balancer_is_awaited_only_where_one_is_asked_for() {
        let service = named("Service").unwrap();
        let mut object = json!({ "spec": { "type": "LoadBalancer", "clusterIP": "10.0.0.7" } });
        check("Service", &object, &pending("no load balancer yet"));
        object["status"] =
            json!({ "loadBalancer": { "ingress": [{ "hostname": "x.elb.amazonaws.com" }] } });
        check("Service", &object, &Status::Ready);
        let outputs = outputs(service, &object);
        assert_eq!(outputs["hostname"], "x.elb.amazonaws.com");
        assert_eq!(outputs["cluster_ip"], "10.0.0.7");
        check("Service", &json!({ "spec": { "type": "ClusterIP" } }), &Status::Ready);
    }

    #[test]
    fn a_stateful_set_is_ready_in_its_latest_revision() {
        let set = |ready: i64, revision: &str| {
            json!({
                "spec": { "replicas": 1 },
                "status": { "replicas": 1, "readyReplicas": ready, "updatedReplicas": 0, "currentRevision": "a", "updateRevision": revision },
            })
        };
        check("StatefulSet", &set(1, "a"), &Status::Ready);
        check("StatefulSet", &set(0, "a"), &pending("0 of 1 pods ready"));
        check("StatefulSet", &set(1, "b"), &pending("1 of 1 pods ready, 0 of the new revision"));
    }

    #[test]
    fn whatever_is_going_is_deleting() {
        let going = json!({ "metadata": { "deletionTimestamp": "2026-11-23T07:00:00Z" } });
        for kind in crate::kinds::KINDS {
            assert_eq!(status(kind, &going), Status::Deleting);
        }
    }

    #[test]
    fn a_job_ends_in_one_of_two_conditions() {
        let job = |name: &str| {
            json!({ "status": { "conditions": [
            { "type": name, "status": "True", "reason": "BackoffLimitExceeded", "message": "too often" },
        ] } })
        };
        check("Job", &job("Complete"), &Status::Ready);
        check("Job", &job("Failed"), &Status::Failed("BackoffLimitExceeded: too often".to_owned()));
        check("Job", &json!({ "status": { "active": 1 } }), &pending("1 running"));
    }
}
