//! Checks that need the settings only. All problems, not the first.

use std::net::IpAddr;

use zonestack_core::diagnostic::Finding;

use super::{Controller, Operator, Schedule, Settings, Target};
use crate::environment::{is_managed, is_variable_name};
use crate::text::Text;
use crate::timezone::is_iana;
use crate::versions::{OLDEST, Version};

/// How an amount is read: as CPU or as memory.
type Reading = fn(&Text) -> Option<u64>;

impl Settings {
    pub(crate) fn check(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        self.check_names(&mut findings);
        self.check_version(&mut findings);
        self.check_https(&mut findings);
        self.check_load_balancer(&mut findings);
        self.check_size(&mut findings);
        self.check_mail(&mut findings);
        self.check_backup(&mut findings);
        self.check_environment(&mut findings);
        self.check_placement(&mut findings);
        findings
    }

    fn check_names(&self, findings: &mut Vec<Finding>) {
        let hosts = [
            ("host", Some(&self.host)),
            ("ssh.host", self.ssh.host.as_ref()),
            ("smtp.host", self.smtp.as_ref().map(|smtp| &smtp.host)),
        ];
        for (path, host) in hosts {
            if let Some(host) = host.filter(|host| !is_dns_name(host)) {
                findings.push(
                    Finding::error("invalid-host", path, format!("{host:?} is no DNS name"))
                        .hint("only the name in lower case, such as git.example.com: no https://, no port, no path"),
                );
            }
        }
        if !is_iana(&self.timezone) {
            findings.push(
                Finding::error(
                    "invalid-timezone",
                    "timezone",
                    format!("{:?} is no time zone's IANA name", self.timezone),
                )
                .hint("such as Europe/Paris; for Rails' own names there is railsTimezone"),
            );
        }
        if let Some(path) = &self.storage_path
            && !is_folder(path)
        {
            findings.push(
                Finding::error(
                    "invalid-path",
                    "storagePath",
                    format!("{path:?} is no folder of the file system"),
                )
                .hint("write names joined by slashes, without a leading one, such as git/data"),
            );
        }
    }

    fn check_version(&self, findings: &mut Vec<Finding>) {
        match Version::parse(&self.version) {
            None => findings.push(
                Finding::error(
                    "invalid-version",
                    "version",
                    format!("{:?} is no version of GitLab", self.version),
                )
                .hint("three numbers, such as 19.2.0: a tag like latest would upgrade GitLab at a restart"),
            ),
            Some(version) if version.major < OLDEST => findings.push(
                Finding::error(
                    "invalid-version",
                    "version",
                    format!("GitLab {version} is too old: {OLDEST}.0.0 is the first that zonestack knows"),
                )
                .hint("leave `version` out for a new GitLab"),
            ),
            Some(_) => {}
        }
        let name = self.image.rsplit('/').next().unwrap_or_default();
        if name.is_empty() || name.contains([':', '@']) {
            findings.push(
                Finding::error(
                    "invalid-image",
                    "image",
                    format!("{:?} is not the name of an image alone", self.image),
                )
                .hint(
                    "leave tag and digest out: the tag is `version`, by which upgrades are checked",
                ),
            );
        }
    }

    fn check_https(&self, findings: &mut Vec<Finding>) {
        if let Some(https) = &self.https
            && certificate_region(&https.certificate).is_none()
        {
            findings.push(
                Finding::error(
                    "invalid-certificate",
                    "https.certificate",
                    format!("{:?} is no certificate of AWS Certificate Manager", https.certificate),
                )
                .hint("its ARN, arn:aws:acm:REGION:ACCOUNT:certificate/ID, as `aws acm list-certificates` prints it"),
            );
        }
        if self.ssh.enabled && (self.ssh.port == 0 || self.ssh.port == self.web_port()) {
            findings.push(
                Finding::error(
                    "invalid-port",
                    "ssh.port",
                    format!("the load balancer cannot take SSH on port {}", self.ssh.port),
                )
                .hint("22, or another port that the web does not use"),
            );
        }
    }

    fn check_load_balancer(&self, findings: &mut Vec<Finding>) {
        for (index, range) in self.load_balancer.source_ranges.iter().enumerate() {
            if !is_cidr(range) {
                findings.push(not_a_range(&format!("loadBalancer.sourceRanges.{index}"), range));
            }
        }
        if let Some(range) = self.trusted_proxies.as_ref().filter(|range| !is_cidr(range)) {
            findings.push(not_a_range("trustedProxies", range));
        }
        if !(60..=4000).contains(&self.load_balancer.idle_timeout) {
            findings.push(Finding::error(
                "invalid-timeout",
                "loadBalancer.idleTimeout",
                format!("{} seconds: 60 to 4000 are allowed", self.load_balancer.idle_timeout),
            ));
        }
        if self.load_balancer.controller == Controller::CloudController
            && self.load_balancer.target == Target::Ip
        {
            findings.push(
                Finding::error(
                    "invalid-target",
                    "loadBalancer.target",
                    "the cloud controller's load balancers send to nodes, not to pods",
                )
                .hint("leave target out, or use the aws-load-balancer-controller"),
            );
        }
        for (index, port) in self.egress_ports.iter().enumerate() {
            if *port == 0 {
                let path = format!("egressPorts.{index}");
                findings.push(Finding::error("invalid-port", &path, "0 is no TCP port"));
            }
        }
    }

    fn check_size(&self, findings: &mut Vec<Finding>) {
        let (requests, limits) = (&self.resources.requests, &self.resources.limits);
        let cpu_limit = limits.cpu.as_ref().unwrap_or(&requests.cpu);
        let amounts: [(_, _, Reading); 4] = [
            ("resources.requests.cpu", &requests.cpu, Text::millis),
            ("resources.limits.cpu", cpu_limit, Text::millis),
            ("resources.requests.memory", &requests.memory, Text::bytes),
            ("resources.limits.memory", &limits.memory, Text::bytes),
        ];
        for (path, amount, read) in amounts {
            if read(amount).is_none_or(|number| number == 0) {
                let message = format!("{:?} is no amount", amount.as_str());
                findings.push(
                    Finding::error("invalid-amount", path, message)
                        .hint("CPU such as 2 or 500m, memory such as 8Gi"),
                );
            }
        }
        let pairs: [(_, _, _, Reading); 2] = [
            ("resources.limits.cpu", &requests.cpu, cpu_limit, Text::millis),
            ("resources.limits.memory", &requests.memory, &limits.memory, Text::bytes),
        ];
        for (path, request, limit, read) in pairs {
            if let (Some(asked), Some(allowed)) = (read(request), read(limit))
                && asked > allowed
            {
                let message = format!("the limit {limit} is below the request {request}");
                findings.push(Finding::error("limit-below-request", path, message));
            }
        }
        let ranges = [
            ("puma.workers", self.puma.workers, 1..=64),
            ("puma.threads", self.puma.threads, 1..=64),
            ("sidekiq.concurrency", self.sidekiq.concurrency, 1..=50),
        ];
        for (path, number, range) in ranges {
            if !range.contains(&number) {
                let message = format!("{number}: {} to {} are allowed", range.start(), range.end());
                findings.push(Finding::error("invalid-number", path, message));
            }
        }
    }

    fn check_mail(&self, findings: &mut Vec<Finding>) {
        let addresses = [
            ("rootEmail", &self.root_email),
            ("email.from", &self.email.from),
            ("email.replyTo", &self.email.reply_to),
        ];
        for (path, address) in addresses {
            if let Some(address) = address.as_ref().filter(|address| !is_mail_address(address)) {
                findings.push(Finding::error(
                    "invalid-email",
                    path,
                    format!("{address:?} is no mail address"),
                ));
            }
        }
        let Some(smtp) = &self.smtp else { return };
        if smtp.port == 0 {
            findings.push(Finding::error("invalid-port", "smtp.port", "0 is no TCP port"));
        }
        if smtp.user.is_some() != smtp.password.is_some() {
            findings.push(Finding::error(
                "incomplete-smtp",
                "smtp",
                "user and password are given together or not at all",
            ));
        }
    }

    fn check_backup(&self, findings: &mut Vec<Finding>) {
        let time = self.backup.time.split_once(':').and_then(|(hour, minute)| {
            let two = |text: &str| (text.len() == 2).then(|| text.parse::<u8>().ok())?;
            Some(two(hour)? < 24 && two(minute)? < 60)
        });
        if time != Some(true) {
            findings.push(
                Finding::error(
                    "invalid-time",
                    "backup.time",
                    format!("{:?} is no time of the day", self.backup.time),
                )
                .hint("such as \"04:00\", in quotes"),
            );
        }
        if self.backup.keep_days == 0 || self.backup.keep_days > 3650 {
            findings.push(Finding::error(
                "invalid-number",
                "backup.keepDays",
                format!("{}: 1 to 3650 are allowed", self.backup.keep_days),
            ));
        }
        if self.backup.schedule == Schedule::Disable && self.backup.zone.is_some() {
            findings.push(
                Finding::error("backup-disabled", "backup.zone", "no backups are made, in no zone")
                    .hint("add schedule: daily, or leave zone out"),
            );
        }
    }

    fn check_environment(&self, findings: &mut Vec<Finding>) {
        for name in self.environment.keys() {
            let path = format!("environment.{name}");
            if !is_variable_name(name) {
                findings.push(
                    Finding::error(
                        "invalid-variable",
                        &path,
                        format!("{name:?} is no variable's name"),
                    )
                    .hint("capital letters, digits and underscores"),
                );
            } else if is_managed(name) {
                findings.push(
                    Finding::error(
                        "managed-variable",
                        &path,
                        format!("{name} is set by zonestack"),
                    )
                    .hint(
                        "use the setting for it: two values of one variable would hide each other",
                    ),
                );
            }
        }
    }

    fn check_placement(&self, findings: &mut Vec<Finding>) {
        const ZONE: &str = "topology.kubernetes.io/zone";
        if self.node_selector.contains_key(ZONE) {
            findings.push(
                Finding::error(
                    "managed-label",
                    "nodeSelector",
                    format!("{ZONE} is chosen by zonestack"),
                )
                .hint("use `zones` of the stack file"),
            );
        }
        for (index, toleration) in self.tolerations.iter().enumerate() {
            let path = format!("tolerations.{index}");
            if toleration.operator == Some(Operator::Exists) && toleration.value.is_some() {
                findings.push(Finding::error("invalid-toleration", &path, "Exists takes no value"));
            }
            if toleration.key.is_none() && toleration.operator != Some(Operator::Exists) {
                findings.push(
                    Finding::error(
                        "invalid-toleration",
                        &path,
                        "a toleration without a key matches nothing",
                    )
                    .hint("operator: Exists tolerates every taint"),
                );
            }
        }
    }

    /// The load balancer's port for the web.
    pub(crate) fn web_port(&self) -> u16 {
        if self.https.is_some() { 443 } else { 80 }
    }
}

fn not_a_range(path: &str, range: &str) -> Finding {
    Finding::error("invalid-range", path, format!("{range:?} is no address range"))
        .hint("an address and a length, such as 203.0.113.0/24")
}

/// Whether a text is an address range such as `10.0.0.0/16`.
fn is_cidr(text: &str) -> bool {
    let Some((address, length)) = text.split_once('/') else { return false };
    let longest = match address.parse() {
        Ok(IpAddr::V4(_)) => 32,
        Ok(IpAddr::V6(_)) => 128,
        Err(_) => return false,
    };
    length.parse::<u8>().is_ok_and(|length| length <= longest)
}

/// Whether a text is a DNS name in lower case with a dot in it, and no address.
fn is_dns_name(text: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 253
        && text.contains('.')
        && text.split('.').all(label)
        && text.parse::<IpAddr>().is_err()
}

fn is_mail_address(text: &str) -> bool {
    text.split_once('@').is_some_and(|(user, domain)| {
        !user.is_empty()
            && !domain.is_empty()
            && !domain.contains('@')
            && !text.contains(|c: char| c.is_whitespace() || c == '"' || c == '\'')
    })
}

fn is_folder(text: &str) -> bool {
    text.split('/').all(|part| {
        !part.is_empty()
            && part != "."
            && part != ".."
            && part.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
    })
}

/// The partition and region of an ACM certificate's ARN.
pub(crate) fn certificate_region(arn: &str) -> Option<(&str, &str)> {
    let parts: Vec<&str> = arn.split(':').collect();
    let ["arn", partition @ ("aws" | "aws-cn" | "aws-us-gov"), "acm", region, account, resource] =
        parts[..]
    else {
        return None;
    };
    let twelve_digits = account.len() == 12 && account.chars().all(|c| c.is_ascii_digit());
    let id = resource.strip_prefix("certificate/")?;
    let id_fits = !id.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    (twelve_digits && id_fits && !region.is_empty()).then_some((partition, region))
}
