//! The settings of a `gitlab` component. Every check of them is in [`checks`].

mod checks;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use zonestack_core::secret::SecretRef;

use crate::text::Text;

pub(crate) use checks::certificate_region;

/// The code of every advisory of this component.
pub(crate) const ADVISORIES: [&str; 9] = [
    "aurora",
    "burstable-database",
    "git-on-nfs",
    "plain-http",
    "rds-cluster",
    "shared-gitaly",
    "storage-one-zone",
    "storage-zone-bound",
    "untested-version",
];

/// Settings of a `gitlab` component.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Settings {
    /// The DNS name under which people reach GitLab, such as `git.example.com`. It goes into clone URLs, mails and redirects;
    /// point it at the load balancer that `zonestack outputs` names.
    pub host: String,
    /// GitLab's version, which is the image's tag. An upgrade may not skip x.2, x.5, x.8 or x.11.
    #[serde(default = "defaults::version")]
    pub version: String,
    /// The image without a tag, such as a mirror of your own. It must be sameersbn/gitlab or built from it.
    #[serde(default = "defaults::image")]
    pub image: String,
    /// `active`: one GitLab in each zone, all serving. `failover`: one GitLab in any zone, which starts again in another
    /// zone when its own is lost; ten minutes without service, but never two writers of one repository.
    #[serde(default)]
    pub mode: Mode,
    /// HTTPS with a certificate of AWS Certificate Manager; without it GitLab is served in clear text.
    #[serde(default)]
    pub https: Option<Https>,
    /// Git over SSH.
    #[serde(default)]
    pub ssh: Ssh,
    /// The load balancer in front.
    #[serde(default)]
    pub load_balancer: LoadBalancer,
    /// What each GitLab pod asks for. GitLab recommends 8 cores and 16 GiB, and needs at least 8 GiB.
    #[serde(default)]
    pub resources: Resources,
    /// The web server. Its size decides over memory and database connections.
    #[serde(default)]
    pub puma: Puma,
    /// The background jobs.
    #[serde(default)]
    pub sidekiq: Sidekiq,
    /// Keys that you bring, such as those of a GitLab that moves here. What is left out is generated once and kept.
    #[serde(default)]
    pub secrets: Secrets,
    /// The administrator's mail address, used when the database is first filled.
    #[serde(default)]
    pub root_email: Option<String>,
    /// The time zone by its IANA name, such as `Europe/Paris`.
    #[serde(default = "defaults::timezone")]
    pub timezone: String,
    /// The time zone as Rails calls it, when the one derived from `timezone` is not what you want.
    #[serde(default)]
    pub rails_timezone: Option<String>,
    /// Whether everybody may open an account.
    #[serde(default)]
    pub signup: bool,
    /// Who mails are from.
    #[serde(default)]
    pub email: Email,
    /// The server that takes mails; without it none are sent.
    #[serde(default)]
    pub smtp: Option<Smtp>,
    /// Backups made by GitLab itself onto its file system. They do not contain the keys of `secrets`.
    #[serde(default)]
    pub backup: Backup,
    /// The address range of a proxy in front whose `X-Forwarded-For` is believed, such as `10.0.0.0/16`. The image takes one.
    #[serde(default)]
    pub trusted_proxies: Option<String>,
    /// More variables of the image, such as `GITLAB_PROJECTS_LIMIT: 10`. Those that zonestack sets are refused.
    #[serde(default)]
    pub environment: BTreeMap<String, Text>,
    /// A folder of the file system for this GitLab, such as `git`; made when it is not there. Default: the whole file system.
    #[serde(default)]
    pub storage_path: Option<String>,
    /// TCP ports that GitLab may call besides DNS, the database, the cache, mail and 443: for webhooks, mirrors, LDAP.
    #[serde(default)]
    pub egress_ports: Vec<u16>,
    /// More node labels to ask for. The zone is chosen by zonestack; `kubernetes.io/arch` is `amd64`, the image's only one,
    /// unless it is given here.
    #[serde(default)]
    pub node_selector: BTreeMap<String, String>,
    /// Taints that the pods tolerate, as in a pod's `tolerations`.
    #[serde(default)]
    pub tolerations: Vec<Toleration>,
}

mod defaults {
    pub(super) fn version() -> String {
        "19.2.0".to_owned()
    }

    pub(super) fn image() -> String {
        "sameersbn/gitlab".to_owned()
    }

    pub(super) fn timezone() -> String {
        "UTC".to_owned()
    }
}

/// How many GitLabs serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// One in each zone.
    #[default]
    Active,
    /// One in all.
    Failover,
}

/// HTTPS that ends at the load balancer.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Https {
    /// The certificate's ARN, `arn:aws:acm:…`, in the stack's region.
    pub certificate: String,
    /// For how many seconds browsers remember to use HTTPS only. A day at first: raise it once HTTPS is known to work.
    #[serde(default = "day")]
    pub hsts_max_age: u32,
}

fn day() -> u32 {
    86_400
}

/// Git over SSH.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Ssh {
    /// Whether the load balancer takes SSH.
    pub enabled: bool,
    /// The load balancer's port.
    pub port: u16,
    /// The name in SSH clone URLs, when it differs from `host`.
    pub host: Option<String>,
}

impl Default for Ssh {
    fn default() -> Self {
        Self { enabled: true, port: 22, host: None }
    }
}

/// The load balancer in front.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct LoadBalancer {
    /// Whether it is reached from the Internet or from the VPC only.
    pub scheme: Scheme,
    /// Who makes it. `auto` takes the AWS Load Balancer Controller (a Network Load Balancer) when the cluster has it, else
    /// the cloud controller (a Classic one). It cannot change while the Service exists.
    pub controller: Controller,
    /// What the AWS Load Balancer Controller sends to: `instance` works with every network plugin, `ip` saves a hop
    /// where pods have addresses of the VPC.
    pub target: Target,
    /// Who may connect, such as `203.0.113.0/24`. Empty: everybody.
    pub source_ranges: Vec<String>,
    /// Seconds without traffic after which a connection is cut: long pushes and SSH sessions are quiet for minutes.
    pub idle_timeout: u32,
    /// More annotations of the Service; they win over zonestack's own.
    pub annotations: BTreeMap<String, String>,
}

impl Default for LoadBalancer {
    fn default() -> Self {
        Self {
            scheme: Scheme::InternetFacing,
            controller: Controller::Auto,
            target: Target::Instance,
            source_ranges: Vec::new(),
            idle_timeout: 3600,
            annotations: BTreeMap::new(),
        }
    }
}

/// From where a load balancer is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Scheme {
    /// From everywhere.
    InternetFacing,
    /// From the VPC and what is connected to it.
    Internal,
}

/// Who makes the load balancer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Controller {
    /// What the cluster has.
    Auto,
    /// The AWS Load Balancer Controller.
    AwsLoadBalancerController,
    /// The cloud controller manager.
    CloudController,
}

/// What a Network Load Balancer sends to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Target {
    /// Nodes.
    Instance,
    /// Pods.
    Ip,
}

/// What each pod asks for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Resources {
    /// What is set aside for it.
    pub requests: Requests,
    /// What it may not exceed.
    pub limits: Limits,
}

/// What is set aside for a pod.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Requests {
    /// Cores, such as `2` or `500m`.
    pub cpu: Text,
    /// Bytes, such as `8Gi`.
    pub memory: Text,
}

impl Default for Requests {
    fn default() -> Self {
        Self { cpu: "2".into(), memory: "8Gi".into() }
    }
}

/// What a pod may not exceed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Limits {
    /// Cores. None by default: a limit would slow GitLab down for nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu: Option<Text>,
    /// Bytes, such as `12Gi`.
    pub memory: Text,
}

impl Default for Limits {
    fn default() -> Self {
        Self { cpu: None, memory: "12Gi".into() }
    }
}

/// The web server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Puma {
    /// Processes; each takes about a gibibyte.
    pub workers: u32,
    /// Threads of each process.
    pub threads: u32,
}

impl Default for Puma {
    fn default() -> Self {
        Self { workers: 3, threads: 4 }
    }
}

/// The background jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Sidekiq {
    /// How many jobs run at once.
    pub concurrency: u32,
}

impl Default for Sidekiq {
    fn default() -> Self {
        Self { concurrency: 25 }
    }
}

/// Keys by reference: `{ secret: {name: …, key: …} }`, `{ env: NAME }` or `{ file: PATH }`.
///
/// Whoever loses one of them loses data: save the Secret that holds them, GitLab's own backups leave it out.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Secrets {
    /// Encrypts CI variables.
    pub db_key_base: Option<SecretRef>,
    /// Signs sessions.
    pub secret_key_base: Option<SecretRef>,
    /// Encrypts the second factor of every user.
    pub otp_key_base: Option<SecretRef>,
    /// Encrypts settings files.
    pub encrypted_settings_key_base: Option<SecretRef>,
    /// Encrypts database columns: a JSON list with one text, `["…"]`.
    pub active_record_primary_key: Option<SecretRef>,
    /// Encrypts database columns that are searched: a JSON list with one text, `["…"]`.
    pub active_record_deterministic_key: Option<SecretRef>,
    /// The salt of the two keys before.
    pub active_record_key_derivation_salt: Option<SecretRef>,
    /// The administrator's first password, 12 characters or more. Used only when the database is first filled.
    pub root_password: Option<SecretRef>,
    /// A whole `secrets.yml` template of the image with your `openid_connect_signing_key` in it: the image has no variable
    /// for this key, which signs the tokens of CI jobs.
    pub template: Option<SecretRef>,
}

/// Who mails are from.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Email {
    /// The sender's address. Default: `gitlab@` and `host`.
    pub from: Option<String>,
    /// Where answers go. Default: `noreply@` and `host`.
    pub reply_to: Option<String>,
    /// The sender's name. Default: GitLab.
    pub display_name: Option<String>,
}

/// The server that takes mails.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Smtp {
    /// Its DNS name.
    pub host: String,
    /// Its port.
    #[serde(default = "submission")]
    pub port: u16,
    /// The user, when it asks for one.
    #[serde(default)]
    pub user: Option<String>,
    /// The user's password, by reference.
    #[serde(default)]
    pub password: Option<SecretRef>,
    /// The domain of the greeting. Default: `host` of GitLab.
    #[serde(default)]
    pub domain: Option<String>,
    /// How the password is given.
    #[serde(default)]
    pub authentication: Authentication,
    /// How the connection is encrypted: `starttls` (port 587), `tls` from the first byte (port 465), or `none`.
    #[serde(default)]
    pub encryption: Encryption,
}

fn submission() -> u16 {
    587
}

/// How an SMTP password is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Authentication {
    /// LOGIN.
    #[default]
    Login,
    /// PLAIN.
    Plain,
    /// CRAM-MD5.
    CramMd5,
}

impl Authentication {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Plain => "plain",
            Self::CramMd5 => "cram_md5",
        }
    }
}

/// How an SMTP connection is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Encryption {
    /// After a plain greeting.
    #[default]
    Starttls,
    /// From the first byte.
    Tls,
    /// Not at all.
    None,
}

/// Backups made by GitLab itself.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Backup {
    /// How often.
    pub schedule: Schedule,
    /// At what time of the day, in `timezone`.
    pub time: String,
    /// For how many days they are kept.
    pub keep_days: u32,
    /// The zone whose GitLab makes them. Default: the stack's first.
    pub zone: Option<String>,
}

impl Default for Backup {
    fn default() -> Self {
        Self { schedule: Schedule::Disable, time: "04:00".to_owned(), keep_days: 7, zone: None }
    }
}

/// How often a backup is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Schedule {
    /// Never.
    Disable,
    /// Every day.
    Daily,
    /// Every Sunday.
    Weekly,
    /// On the first of the month.
    Monthly,
}

impl Schedule {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Disable => "disable",
            Self::Daily => "daily",
            Self::Weekly => "weekly",
            Self::Monthly => "monthly",
        }
    }
}

/// A taint that pods tolerate.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Toleration {
    /// The taint's key; without it, every taint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// `Equal` compares the value, `Exists` does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator: Option<Operator>,
    /// The taint's value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// `NoSchedule`, `PreferNoSchedule` or `NoExecute`; without it, all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<Effect>,
    /// For `NoExecute`: seconds after which the pod leaves nevertheless.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub toleration_seconds: Option<u32>,
}

/// How a toleration compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum Operator {
    /// By value.
    Equal,
    /// By key.
    Exists,
}

/// What a taint does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum Effect {
    /// Keeps new pods away.
    NoSchedule,
    /// Keeps new pods away if it can.
    PreferNoSchedule,
    /// Sends running pods away.
    NoExecute,
}
