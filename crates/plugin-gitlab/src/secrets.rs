//! The keys of a GitLab: generated once or brought along, the same in every zone (domain.md, 1.4 and 9).

use serde_json::{Map, Value as Json, json};
use zonestack_core::component::RenderContext;
use zonestack_core::resource::{DataClass, Resource};
use zonestack_core::secret::{Generator, SecretKey, SecretRef};
use zonestack_core::value;

use crate::config::Settings;

/// The key under which the `secrets.yml` template is kept.
const TEMPLATE: &str = "secrets.yml";
const ROOT_PASSWORD: &str = "GITLAB_ROOT_PASSWORD";
const MAIL_PASSWORD: &str = "SMTP_PASS";

/// One key: the variable that carries it, where it comes from, how it is made otherwise.
pub(crate) struct Key<'a> {
    pub(crate) variable: &'static str,
    reference: Option<&'a SecretRef>,
    generator: Generator,
}

/// The keys that are variables of the image, each named like its variable.
pub(crate) fn keys(settings: &Settings) -> [Key<'_>; 8] {
    let given = &settings.secrets;
    let text = Generator::Alphanumeric;
    [
        Key::new("GITLAB_SECRETS_DB_KEY_BASE", given.db_key_base.as_ref(), text(64)),
        Key::new("GITLAB_SECRETS_SECRET_KEY_BASE", given.secret_key_base.as_ref(), text(64)),
        Key::new("GITLAB_SECRETS_OTP_KEY_BASE", given.otp_key_base.as_ref(), text(64)),
        Key::new(
            "GITLAB_SECRETS_ENCRYPTED_SETTINGS_KEY_BASE",
            given.encrypted_settings_key_base.as_ref(),
            text(64),
        ),
        Key::new(
            "GITLAB_SECRETS_ACTIVE_RECORD_ENCRYPTION_PRIMARY_KEY",
            given.active_record_primary_key.as_ref(),
            Generator::JsonList(32),
        ),
        Key::new(
            "GITLAB_SECRETS_ACTIVE_RECORD_ENCRYPTION_DETERMINISTIC_KEY",
            given.active_record_deterministic_key.as_ref(),
            Generator::JsonList(32),
        ),
        Key::new(
            "GITLAB_SECRETS_ACTIVE_RECORD_ENCRYPTION_KEY_DERIVATION_SALT",
            given.active_record_key_derivation_salt.as_ref(),
            text(32),
        ),
        Key::new(ROOT_PASSWORD, given.root_password.as_ref(), text(24)),
    ]
}

impl<'a> Key<'a> {
    fn new(variable: &'static str, reference: Option<&'a SecretRef>, generator: Generator) -> Self {
        Self { variable, reference, generator }
    }

    /// Where the container reads it.
    pub(crate) fn kept_at(&self, cx: &RenderContext<'_>) -> SecretKey {
        kept_at(self.reference, &name(cx), self.variable)
    }
}

/// The Secret of the keys.
pub(crate) fn name(cx: &RenderContext<'_>) -> String {
    format!("{}-secrets", cx.called)
}

/// A reference to a Secret is read where it is; everything else gets into a Secret of ours.
fn kept_at(reference: Option<&SecretRef>, secret: &str, key: &str) -> SecretKey {
    match reference {
        Some(SecretRef::Secret(at)) => at.clone(),
        _ => SecretKey { name: secret.to_owned(), key: key.to_owned() },
    }
}

/// What a Secret of ours holds for a key; nothing when the key is read elsewhere.
fn content(reference: Option<&SecretRef>, generator: &Generator) -> Option<Json> {
    match reference {
        Some(SecretRef::Secret(_)) => None,
        Some(reference) => Some(value::secret(reference)),
        None => Some(value::generate(generator)),
    }
}

/// Where the administrator's first password is.
pub(crate) fn root_password_at(settings: &Settings, cx: &RenderContext<'_>) -> SecretKey {
    kept_at(settings.secrets.root_password.as_ref(), &name(cx), ROOT_PASSWORD)
}

/// Where the `secrets.yml` template is.
pub(crate) fn template_at(settings: &Settings, cx: &RenderContext<'_>) -> SecretKey {
    kept_at(settings.secrets.template.as_ref(), &name(cx), TEMPLATE)
}

/// The image's `secrets.yml` template with one key more. The image has no variable for `openid_connect_signing_key`:
/// without this each pod would make its own at each start, and tokens signed in one zone would fail in another
/// (domain.md, 1.4). The placeholders are filled in by the image.
fn template() -> Generator {
    let prefix = "production:
  db_key_base: {{GITLAB_SECRETS_DB_KEY_BASE}}
  secret_key_base: {{GITLAB_SECRETS_SECRET_KEY_BASE}}
  otp_key_base: {{GITLAB_SECRETS_OTP_KEY_BASE}}
  encrypted_settings_key_base: {{GITLAB_SECRETS_ENCRYPTED_SETTINGS_KEY_BASE}}
  active_record_encryption_primary_key: {{GITLAB_SECRETS_ACTIVE_RECORD_ENCRYPTION_PRIMARY_KEY}}
  active_record_encryption_deterministic_key: {{GITLAB_SECRETS_ACTIVE_RECORD_ENCRYPTION_DETERMINISTIC_KEY}}
  active_record_encryption_key_derivation_salt: {{GITLAB_SECRETS_ACTIVE_RECORD_ENCRYPTION_KEY_DERIVATION_SALT}}
  openid_connect_signing_key: |
    ";
    let suffix = "\n\ndevelopment:\n  db_key_base: development\n\ntest:\n  db_key_base: test\n";
    Generator::RsaPem { prefix: prefix.to_owned(), indent: 4, suffix: suffix.to_owned() }
}

/// Where the mail server's password is.
pub(crate) fn mail_password_at(reference: &SecretRef, cx: &RenderContext<'_>) -> SecretKey {
    kept_at(Some(reference), &format!("{}-mail", cx.called), MAIL_PASSWORD)
}

/// The Secrets that are made: the keys, kept as long as any data; the mail server's password when it is not in a Secret yet.
pub(crate) fn render(settings: &Settings, cx: &RenderContext<'_>) -> Vec<Resource> {
    let mut data: Map<String, Json> = keys(settings)
        .iter()
        .filter_map(|key| Some((key.variable.to_owned(), content(key.reference, &key.generator)?)))
        .collect();
    if let Some(content) = content(settings.secrets.template.as_ref(), &template()) {
        data.insert(TEMPLATE.to_owned(), content);
    }
    let mut resources = Vec::new();
    if !data.is_empty() {
        resources.push(secret("secrets", &name(cx), &data, cx).holding(DataClass::Key));
    }
    let password = settings.smtp.as_ref().and_then(|smtp| smtp.password.as_ref());
    if let Some(reference @ (SecretRef::Env(_) | SecretRef::File(_))) = password {
        let data = Map::from_iter([(MAIL_PASSWORD.to_owned(), value::secret(reference))]);
        resources.push(secret("mail", &mail_password_at(reference, cx).name, &data, cx));
    }
    resources
}

fn secret(id: &str, name: &str, data: &Map<String, Json>, cx: &RenderContext<'_>) -> Resource {
    let manifest = json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": name,
            "namespace": cx.context.namespace,
            "labels": crate::workload::labels(cx),
        },
        "type": "Opaque",
        "stringData": data,
    });
    Resource::manifest(cx.id(id), manifest)
}
