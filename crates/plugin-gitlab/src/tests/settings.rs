use serde_json::{Value as Json, json};
use zonestack_core::component::Component;
use zonestack_core::diagnostic::Severity;

use crate::Gitlab;

/// Checks `with:` plus a host; an empty text means that nothing is wrong, `code at path` that exactly this is.
#[track_caller]
fn check(mut settings: Json, expected: &str) {
    if settings.get("host").is_none() {
        settings["host"] = json!("git.example.com");
    }
    let findings = Gitlab.check(&settings);
    assert!(findings.iter().all(|finding| finding.severity == Severity::Error));
    let found: Vec<_> = findings.iter().map(|f| format!("{} at {}", f.code, f.path)).collect();
    assert_eq!(found.join(", "), expected, "{settings} gives {findings:#?}");
}

#[test]
fn a_host_is_all_that_is_asked_for() {
    check(json!({}), "");
    let findings = Gitlab.check(&json!({}));
    assert!(findings[0].message.contains("missing field `host`"), "{findings:?}");
}

#[test]
fn unknown_settings_are_refused() {
    check(json!({ "hosts": [] }), "settings at ");
    check(json!({ "puma": { "worker": 3 } }), "settings at ");
}

#[test]
fn hosts_are_dns_names() {
    for host in [
        "https://git.example.com",
        "git.example.com:80",
        "Git.example.com",
        "gitlab",
        "10.0.0.1",
        "",
    ] {
        check(json!({ "host": host }), "invalid-host at host");
    }
    check(json!({ "ssh": { "host": "ssh.example.com" } }), "");
    check(json!({ "ssh": { "host": "-ssh.example.com" } }), "invalid-host at ssh.host");
    check(json!({ "smtp": { "host": "mail_1.example.com" } }), "invalid-host at smtp.host");
}

#[test]
fn versions_and_images_are_exact() {
    check(json!({ "version": "18.11.3", "image": "mirror.example:5000/gitlab" }), "");
    for version in ["latest", "19.2", "19.2.0-1", "v19.2.0", "8.12.6"] {
        check(json!({ "version": version }), "invalid-version at version");
    }
    for image in ["sameersbn/gitlab:19.2.0", "sameersbn/gitlab@sha256:0", "mirror.example/"] {
        check(json!({ "image": image }), "invalid-image at image");
    }
}

#[test]
fn a_certificate_is_an_arn() {
    for certificate in [
        "arn:aws:acm:eu-west-1:111122223333:certificate/0b6f4c1e-5d0e",
        "arn:aws-cn:acm:cn-north-1:111122223333:certificate/abc",
    ] {
        check(json!({ "https": { "certificate": certificate } }), "");
    }
    for certificate in [
        "abc",
        "arn:aws:iam::111122223333:server-certificate/abc",
        "arn:aws:acm::111122223333:certificate/abc",
        "arn:aws:acm:eu-west-1:1111:certificate/abc",
        "arn:aws:acm:eu-west-1:111122223333:certificate/",
    ] {
        check(
            json!({ "https": { "certificate": certificate } }),
            "invalid-certificate at https.certificate",
        );
    }
}

#[test]
fn ports_do_not_collide() {
    check(json!({ "ssh": { "port": 2222 } }), "");
    check(json!({ "ssh": { "port": 80 } }), "invalid-port at ssh.port");
    check(json!({ "ssh": { "port": 80, "enabled": false } }), "");
    check(json!({ "egressPorts": [25, 0] }), "invalid-port at egressPorts.1");
}

#[test]
fn the_load_balancer_is_checked() {
    check(
        json!({ "loadBalancer": { "scheme": "internal", "sourceRanges": ["10.0.0.0/8", "2001:db8::/32"] } }),
        "",
    );
    check(
        json!({ "loadBalancer": { "sourceRanges": ["10.0.0.0/8", "10.0.0.0", "10.0.0.0/33"] } }),
        "invalid-range at loadBalancer.sourceRanges.1, invalid-range at loadBalancer.sourceRanges.2",
    );
    check(
        json!({ "loadBalancer": { "idleTimeout": 30 } }),
        "invalid-timeout at loadBalancer.idleTimeout",
    );
    check(
        json!({ "loadBalancer": { "controller": "cloud-controller", "target": "ip" } }),
        "invalid-target at loadBalancer.target",
    );
    check(json!({ "loadBalancer": { "controller": "nginx" } }), "settings at ");
    check(json!({ "trustedProxies": "proxy" }), "invalid-range at trustedProxies");
}

#[test]
fn sizes_are_checked() {
    check(json!({ "resources": { "requests": { "cpu": 4 } } }), "");
    check(
        json!({ "resources": { "requests": { "cpu": 0.5, "memory": "6Gi" }, "limits": { "cpu": "1" } } }),
        "",
    );
    check(
        json!({ "resources": { "requests": { "memory": "lots" } } }),
        "invalid-amount at resources.requests.memory",
    );
    check(
        json!({ "resources": { "requests": { "memory": "16Gi" } } }),
        "limit-below-request at resources.limits.memory",
    );
    check(
        json!({ "resources": { "limits": { "cpu": "500m" } } }),
        "limit-below-request at resources.limits.cpu",
    );
    check(
        json!({ "puma": { "workers": 0, "threads": 65 }, "sidekiq": { "concurrency": 51 } }),
        "invalid-number at puma.workers, invalid-number at puma.threads, invalid-number at sidekiq.concurrency",
    );
}

#[test]
fn mail_is_checked() {
    check(json!({ "rootEmail": "ops@example.com", "smtp": { "host": "mail.example.com" } }), "");
    check(json!({ "rootEmail": "ops" }), "invalid-email at rootEmail");
    check(
        json!({ "email": { "from": "a b@c", "replyTo": "@c" } }),
        "invalid-email at email.from, invalid-email at email.replyTo",
    );
    check(
        json!({ "smtp": { "host": "mail.example.com", "user": "u", "port": 0 } }),
        "invalid-port at smtp.port, incomplete-smtp at smtp",
    );
    check(
        json!({ "smtp": { "host": "mail.example.com", "user": "u", "password": { "env": "P" } } }),
        "",
    );
    check(
        json!({ "smtp": { "host": "mail.example.com", "user": "u", "password": "secret" } }),
        "settings at ",
    );
}

#[test]
fn backups_are_checked() {
    check(json!({ "backup": { "schedule": "daily", "time": "23:59", "zone": "eu-west-1b" } }), "");
    for time in ["4:00", "24:00", "04:60", "noon"] {
        check(json!({ "backup": { "time": time } }), "invalid-time at backup.time");
    }
    check(json!({ "backup": { "keepDays": 0 } }), "invalid-number at backup.keepDays");
    check(json!({ "backup": { "zone": "eu-west-1b" } }), "backup-disabled at backup.zone");
}

#[test]
fn the_environment_may_not_hide_what_zonestack_sets() {
    check(
        json!({ "environment": { "GITLAB_PROJECTS_LIMIT": 10, "LDAP_ENABLED": true, "X": "y" } }),
        "",
    );
    check(json!({ "environment": { "DB_HOST": "x" } }), "managed-variable at environment.DB_HOST");
    check(json!({ "environment": { "db-host": "x" } }), "invalid-variable at environment.db-host");
    check(json!({ "environment": { "X": ["y"] } }), "settings at ");
}

#[test]
fn the_rest_is_checked() {
    check(json!({ "timezone": "Europe/Paris", "railsTimezone": "Bern" }), "");
    check(json!({ "timezone": "paris" }), "invalid-timezone at timezone");
    check(json!({ "storagePath": "git/data" }), "");
    for path in ["/git", "git/", "../git", "git//data"] {
        check(json!({ "storagePath": path }), "invalid-path at storagePath");
    }
    check(json!({ "nodeSelector": { "pool": "git", "kubernetes.io/arch": "arm64" } }), "");
    check(
        json!({ "nodeSelector": { "topology.kubernetes.io/zone": "x" } }),
        "managed-label at nodeSelector",
    );
    check(
        json!({ "tolerations": [{ "key": "pool", "value": "git", "effect": "NoSchedule" }] }),
        "",
    );
    check(
        json!({ "tolerations": [{ "key": "pool", "operator": "Exists", "value": "git" }] }),
        "invalid-toleration at tolerations.0",
    );
    check(json!({ "tolerations": [{ "value": "git" }] }), "invalid-toleration at tolerations.0");
}

#[test]
fn every_mistake_is_reported_at_once() {
    check(
        json!({ "host": "x", "version": "1", "timezone": "t" }),
        "invalid-host at host, invalid-timezone at timezone, invalid-version at version",
    );
}
