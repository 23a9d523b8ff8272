//! The environment of a GitLab container (domain.md, 1.4). Every value is a text.

use serde_json::{Value as Json, json};
use zonestack_core::secret::SecretKey;

use crate::config::{Encryption, Schedule, Settings, Smtp};
use crate::render::{Site, Wired};
use crate::secrets;
use crate::service::keeps_client_address;
use crate::timezone::rails_name;

/// Variables that are set from settings, exports and the context. The `environment` setting may not name them.
const MANAGED: [&str; 53] = [
    "DB_ADAPTER",
    "DB_HOST",
    "DB_NAME",
    "DB_PASS",
    "DB_PORT",
    "DB_TYPE",
    "DB_USER",
    "GITLAB_BACKUP_EXPIRY",
    "GITLAB_BACKUP_SCHEDULE",
    "GITLAB_BACKUP_TIME",
    "GITLAB_BACKUPS",
    "GITLAB_EMAIL",
    "GITLAB_EMAIL_DISPLAY_NAME",
    "GITLAB_EMAIL_ENABLED",
    "GITLAB_EMAIL_REPLY_TO",
    "GITLAB_HOST",
    "GITLAB_HTTPS",
    "GITLAB_PORT",
    "GITLAB_ROOT_EMAIL",
    "GITLAB_ROOT_PASSWORD",
    "GITLAB_SECRETS_ACTIVE_RECORD_ENCRYPTION_DETERMINISTIC_KEY",
    "GITLAB_SECRETS_ACTIVE_RECORD_ENCRYPTION_KEY_DERIVATION_SALT",
    "GITLAB_SECRETS_ACTIVE_RECORD_ENCRYPTION_PRIMARY_KEY",
    "GITLAB_SECRETS_DB_KEY_BASE",
    "GITLAB_SECRETS_ENCRYPTED_SETTINGS_KEY_BASE",
    "GITLAB_SECRETS_OTP_KEY_BASE",
    "GITLAB_SECRETS_SECRET_KEY_BASE",
    "GITLAB_SHELL_SSH_PORT",
    "GITLAB_SIGNUP_ENABLED",
    "GITLAB_SSH_HOST",
    "GITLAB_SSH_LISTEN_PORT",
    "GITLAB_SSH_PORT",
    "GITLAB_TIMEZONE",
    "GITLAB_TRUSTED_PROXIES",
    "NGINX_HSTS_MAXAGE",
    "PUMA_THREADS_MAX",
    "PUMA_WORKERS",
    "RACK_ATTACK_WHITELIST",
    "REDIS_DB_NUMBER",
    "REDIS_HOST",
    "REDIS_PORT",
    "SIDEKIQ_CONCURRENCY",
    "SMTP_AUTHENTICATION",
    "SMTP_DOMAIN",
    "SMTP_ENABLED",
    "SMTP_HOST",
    "SMTP_OPENSSL_VERIFY_MODE",
    "SMTP_PASS",
    "SMTP_PORT",
    "SMTP_STARTTLS",
    "SMTP_TLS",
    "SMTP_USER",
    "TZ",
];

/// Whether zonestack sets a variable.
pub(crate) fn is_managed(name: &str) -> bool {
    MANAGED.contains(&name)
}

/// Whether a text names a variable as the image has them.
pub(crate) fn is_variable_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase() || c == '_')
        && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

/// The variables of one container, in the order of a list that grows.
struct Variables(Vec<Json>);

impl Variables {
    fn set(&mut self, name: &str, value: impl Into<Json>) {
        self.0.push(json!({ "name": name, "value": value.into() }));
    }

    fn number(&mut self, name: &str, value: impl std::fmt::Display) {
        self.set(name, value.to_string());
    }

    fn secret(&mut self, name: &str, at: &SecretKey) {
        self.0.push(json!({
            "name": name,
            "valueFrom": { "secretKeyRef": { "name": at.name, "key": at.key } },
        }));
    }
}

/// The environment of one GitLab.
pub(crate) fn environment(wired: &Wired<'_>, site: &Site<'_>) -> Vec<Json> {
    let mut variables = Variables(Vec::new());
    database(&mut variables, wired);
    web(&mut variables, wired);
    time(&mut variables, wired.settings, site);
    mail(&mut variables, wired);
    for key in secrets::keys(wired.settings) {
        variables.secret(key.variable, &key.kept_at(wired.cx));
    }
    for (name, value) in &wired.settings.environment {
        variables.set(name, value.as_str());
    }
    variables.0
}

fn database(variables: &mut Variables, wired: &Wired<'_>) {
    let (database, cache) = (wired.database, wired.cache);
    variables.set("DB_ADAPTER", "postgresql");
    variables.set("DB_HOST", database.host.to_json());
    variables.number("DB_PORT", database.port);
    variables.set("DB_NAME", database.database.as_str());
    variables.set("DB_USER", database.user.as_str());
    variables.secret("DB_PASS", &database.password);
    variables.set("REDIS_HOST", cache.host.to_json());
    variables.number("REDIS_PORT", cache.port);
    variables.set("REDIS_DB_NUMBER", "0");
}

fn web(variables: &mut Variables, wired: &Wired<'_>) {
    let settings = wired.settings;
    variables.set("GITLAB_HOST", settings.host.as_str());
    variables.set("GITLAB_HTTPS", settings.https.is_some().to_string());
    // Always set: a Service called gitlab would otherwise fill it with tcp://… (domain.md, 0.18).
    variables.number("GITLAB_PORT", settings.web_port());
    if let Some(https) = &settings.https {
        variables.number("NGINX_HSTS_MAXAGE", https.hsts_max_age);
    }
    variables.set("GITLAB_SSH_HOST", settings.ssh.host.as_deref().unwrap_or(&settings.host));
    variables.number("GITLAB_SSH_PORT", settings.ssh.port);
    variables.set("GITLAB_SIGNUP_ENABLED", settings.signup.to_string());
    variables.number("PUMA_WORKERS", settings.puma.workers);
    variables.number("PUMA_THREADS_MAX", settings.puma.threads);
    variables.number("SIDEKIQ_CONCURRENCY", settings.sidekiq.concurrency);
    if let Some(range) = &settings.trusted_proxies {
        variables.set("GITLAB_TRUSTED_PROXIES", range.as_str());
    }
    if !keeps_client_address(wired) {
        // Everybody seems to come from the load balancer: ten wrong passwords of one would ban all for an hour.
        let mut ranges = vec!["127.0.0.1"];
        ranges.extend(wired.cx.context.vpc.cidrs.iter().map(String::as_str));
        variables.set("RACK_ATTACK_WHITELIST", json!(ranges).to_string());
    }
    if let Some(address) = &settings.root_email {
        variables.set("GITLAB_ROOT_EMAIL", address.as_str());
    }
}

fn time(variables: &mut Variables, settings: &Settings, site: &Site<'_>) {
    variables.set("TZ", settings.timezone.as_str());
    let rails = settings.rails_timezone.clone().unwrap_or_else(|| rails_name(&settings.timezone));
    variables.set("GITLAB_TIMEZONE", rails);
    // The schedule runs in every container: one makes the backups, the others are told not to.
    let schedule = if site.makes_backups { settings.backup.schedule } else { Schedule::Disable };
    variables.set("GITLAB_BACKUP_SCHEDULE", schedule.as_str());
    if schedule != Schedule::Disable {
        variables.set("GITLAB_BACKUP_TIME", settings.backup.time.as_str());
        variables.number("GITLAB_BACKUP_EXPIRY", u64::from(settings.backup.keep_days) * 86_400);
    }
}

fn mail(variables: &mut Variables, wired: &Wired<'_>) {
    let settings = wired.settings;
    variables.set("GITLAB_EMAIL_ENABLED", settings.smtp.is_some().to_string());
    variables.set("SMTP_ENABLED", settings.smtp.is_some().to_string());
    let Some(smtp) = &settings.smtp else { return };
    let address = |given: &Option<String>, user: &str| {
        given.clone().unwrap_or_else(|| format!("{user}@{}", settings.host))
    };
    variables.set("GITLAB_EMAIL", address(&settings.email.from, "gitlab"));
    variables.set("GITLAB_EMAIL_REPLY_TO", address(&settings.email.reply_to, "noreply"));
    if let Some(name) = &settings.email.display_name {
        variables.set("GITLAB_EMAIL_DISPLAY_NAME", name.as_str());
    }
    server(variables, wired, smtp);
}

fn server(variables: &mut Variables, wired: &Wired<'_>, smtp: &Smtp) {
    variables.set("SMTP_HOST", smtp.host.as_str());
    variables.number("SMTP_PORT", smtp.port);
    variables.set("SMTP_DOMAIN", smtp.domain.as_deref().unwrap_or(&wired.settings.host));
    variables.set("SMTP_STARTTLS", (smtp.encryption == Encryption::Starttls).to_string());
    variables.set("SMTP_TLS", (smtp.encryption == Encryption::Tls).to_string());
    // The image's default believes any certificate.
    variables.set("SMTP_OPENSSL_VERIFY_MODE", "peer");
    if let (Some(user), Some(password)) = (&smtp.user, &smtp.password) {
        variables.set("SMTP_USER", user.as_str());
        variables.secret("SMTP_PASS", &secrets::mail_password_at(password, wired.cx));
        variables.set("SMTP_AUTHENTICATION", smtp.authentication.as_str());
    }
}
