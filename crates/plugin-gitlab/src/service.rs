//! How GitLab is reached and what it reaches: the load balancer, the network policy, the disruption budget
//! (domain.md, 7.2, 7.5, 7.6).

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json, json};
use zonestack_core::component::RenderContext;

use crate::config::{Controller, Scheme, Target};
use crate::render::Wired;
use crate::workload::labels;

const PREFIX: &str = "service.beta.kubernetes.io/aws-load-balancer";

/// Whether the AWS Load Balancer Controller makes the load balancer.
fn is_network_load_balancer(wired: &Wired<'_>) -> bool {
    match wired.settings.load_balancer.controller {
        Controller::Auto => wired.cx.context.cluster.load_balancer_controller,
        Controller::AwsLoadBalancerController => true,
        Controller::CloudController => false,
    }
}

/// Whether GitLab sees who calls. A Classic Load Balancer puts its own address in the place of the client's.
pub(crate) fn keeps_client_address(wired: &Wired<'_>) -> bool {
    is_network_load_balancer(wired)
}

fn metadata(cx: &RenderContext<'_>) -> Json {
    json!({
        "name": cx.called.as_str(),
        "namespace": cx.context.namespace,
        "labels": labels(cx),
    })
}

/// The Service of type LoadBalancer.
pub(crate) fn service(wired: &Wired<'_>) -> Json {
    let settings = wired.settings;
    let balancer = &settings.load_balancer;
    let web = if settings.https.is_some() { "https" } else { "http" };
    // HTTPS leaves port 80 out: this load balancer cannot redirect, and a login over it would be readable.
    let mut ports = vec![
        json!({ "name": web, "port": settings.web_port(), "targetPort": "http", "protocol": "TCP" }),
    ];
    if settings.ssh.enabled {
        ports.push(json!({
            "name": "ssh",
            "port": settings.ssh.port,
            "targetPort": "ssh",
            "protocol": "TCP",
        }));
    }
    let mut spec = json!({
        "type": "LoadBalancer",
        "selector": labels(wired.cx),
        "ports": ports,
    });
    let network = is_network_load_balancer(wired);
    if network {
        spec["loadBalancerClass"] = json!("service.k8s.aws/nlb");
    }
    if !network || balancer.target == Target::Instance {
        // Only nodes with a ready pod take traffic, and the client's address survives the node.
        spec["externalTrafficPolicy"] = json!("Local");
    }
    if !balancer.source_ranges.is_empty() {
        spec["loadBalancerSourceRanges"] = json!(balancer.source_ranges);
    }
    let mut metadata = metadata(wired.cx);
    metadata["annotations"] = annotations(wired, network).into();
    json!({ "apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec })
}

fn annotations(wired: &Wired<'_>, network: bool) -> Map<String, Json> {
    let settings = wired.settings;
    let mut annotations = Map::new();
    let mut set = |name: &str, value: &str| {
        annotations.insert(format!("{PREFIX}-{name}"), json!(value));
    };
    if let Some(https) = &settings.https {
        set("ssl-cert", &https.certificate);
        set("ssl-ports", "443");
        let policy = if network {
            "ELBSecurityPolicy-TLS13-1-2-2021-06"
        } else {
            "ELBSecurityPolicy-TLS-1-2-2017-01"
        };
        set("ssl-negotiation-policy", policy);
    }
    let balancer = &settings.load_balancer;
    let timeout = balancer.idle_timeout;
    if network {
        let (scheme, target) = match (balancer.scheme, balancer.target) {
            (Scheme::InternetFacing, Target::Instance) => ("internet-facing", "instance"),
            (Scheme::InternetFacing, Target::Ip) => ("internet-facing", "ip"),
            (Scheme::Internal, Target::Instance) => ("internal", "instance"),
            (Scheme::Internal, Target::Ip) => ("internal", "ip"),
        };
        set("scheme", scheme);
        set("nlb-target-type", target);
        set("attributes", "load_balancing.cross_zone.enabled=true");
        set("target-group-attributes", "preserve_client_ip.enabled=true");
        // TCP listeners only: a TLS listener's idle time is fixed.
        let idle = format!("tcp.idle_timeout.seconds={timeout}");
        if settings.https.is_none() {
            set("listener-attributes.TCP-80", &idle);
        }
        if settings.ssh.enabled {
            set(&format!("listener-attributes.TCP-{}", settings.ssh.port), &idle);
        }
    } else {
        // Not http: that would make every port an HTTP listener, SSH included.
        set("backend-protocol", "tcp");
        set("connection-idle-timeout", &timeout.to_string());
        set("cross-zone-load-balancing-enabled", "true");
        if balancer.scheme == Scheme::Internal {
            set("internal", "true");
        }
    }
    for (name, value) in &balancer.annotations {
        annotations.insert(name.clone(), json!(value));
    }
    annotations
}

/// Who may reach GitLab, and what it may reach. File system traffic is the node's, not the pod's: it needs no rule.
pub(crate) fn network_policy(wired: &Wired<'_>) -> Json {
    let settings = wired.settings;
    let tcp = |port: u16| json!({ "port": port, "protocol": "TCP" });
    let mut egress = BTreeSet::from([443, wired.database.port, wired.cache.port]);
    egress.extend(settings.smtp.iter().map(|smtp| smtp.port));
    egress.extend(&settings.egress_ports);
    let mut ingress = vec![tcp(80)];
    if settings.ssh.enabled {
        ingress.push(tcp(22));
    }
    json!({
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata(wired.cx),
        "spec": {
            "podSelector": { "matchLabels": labels(wired.cx) },
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [{ "ports": ingress }],
            "egress": [
                { "ports": [{ "port": 53, "protocol": "UDP" }, tcp(53)] },
                { "ports": egress.into_iter().map(tcp).collect::<Vec<_>>() },
            ],
        },
    })
}

/// One zone at a time may be emptied.
pub(crate) fn disruption_budget(cx: &RenderContext<'_>) -> Json {
    json!({
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": metadata(cx),
        "spec": { "maxUnavailable": 1, "selector": { "matchLabels": labels(cx) } },
    })
}
