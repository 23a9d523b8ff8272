//! A plan in a file: what it was made from, and a fingerprint. `up FILE` plans anew from the same inputs and refuses when
//! anything moved, so that it carries out exactly what was shown.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};
use zonestack_core::flow::Prepared;
use zonestack_core::name::InvalidName;
use zonestack_core::situation::Permits;

use crate::failure::Failure;
use crate::report::json;
use crate::session::Session;
use crate::stack_source::StackSource;

/// The version of the file's format.
const FORMAT: u32 = 1;

/// The file.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SavedPlan {
    zonestack_plan: u32,
    file: String,
    stack: String,
    set: Vec<String>,
    recreate: Vec<String>,
    #[serde(default)]
    replace: Vec<String>,
    #[serde(default)]
    max_deletes: Option<usize>,
    fingerprint: String,
    /// The plan for programs: for a reader, never read back.
    plan: serde_json::Value,
}

impl SavedPlan {
    /// What is to be saved of a session. A stack file holds no secrets, and neither does a plan.
    pub(crate) fn new(source: &StackSource, session: &Session, permits: &Permits) -> Self {
        Self {
            zonestack_plan: FORMAT,
            file: source.name.clone(),
            stack: String::from_utf8_lossy(&source.bytes).into_owned(),
            set: source.set.clone(),
            recreate: permits.recreate.iter().map(ToString::to_string).collect(),
            replace: permits.replace.iter().map(ToString::to_string).collect(),
            max_deletes: permits.max_deletes,
            fingerprint: fingerprint(&session.prepared),
            plan: json::plan(&session.prepared.owner.stack, &session.prepared.plan),
        }
    }

    pub(crate) fn write(&self, path: &Path) -> Result<(), Failure> {
        let text = json!(self).to_string();
        std::fs::write(path, text).map_err(|source| Failure::File {
            action: "write",
            path: path.to_owned(),
            hint: "",
            source,
        })
    }

    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let text = std::fs::read_to_string(path).map_err(|source| Failure::File {
            action: "read",
            path: path.to_owned(),
            hint: "save a plan first: zonestack plan --out FILE",
            source,
        })?;
        let saved: Self = serde_json::from_str(&text).map_err(|error| Failure::Usage {
            message: format!("{} is no saved plan: {error}", path.display()),
            hint: "save one with `zonestack plan --out FILE`; a stack file is named with -f"
                .to_owned(),
        })?;
        if saved.zonestack_plan > FORMAT {
            return Err(Failure::Usage {
                message: format!(
                    "{} was saved by a newer zonestack (format {}, this one reads {FORMAT})",
                    path.display(),
                    saved.zonestack_plan
                ),
                hint: "update zonestack, or plan again".to_owned(),
            });
        }
        Ok(saved)
    }

    /// What it was made from.
    pub(crate) fn source(&self) -> StackSource {
        StackSource {
            name: self.file.clone(),
            bytes: self.stack.clone().into_bytes(),
            set: self.set.clone(),
        }
    }

    /// What the person named when it was saved.
    pub(crate) fn permits(&self) -> Result<Permits, Failure> {
        fn parsed<T: FromStr<Err = InvalidName> + Ord>(
            names: &[String],
        ) -> Result<BTreeSet<T>, Failure> {
            let parsed: Result<_, InvalidName> = names.iter().map(|name| name.parse()).collect();
            parsed.map_err(|error| Failure::Usage {
                message: error.to_string(),
                hint: "plan again".to_owned(),
            })
        }
        Ok(Permits {
            recreate: parsed(&self.recreate)?,
            replace: parsed(&self.replace)?,
            max_deletes: self.max_deletes,
            ..Permits::default()
        })
    }

    /// Refuses when the world moved since.
    pub(crate) fn check(&self, session: &Session) -> Result<(), Failure> {
        if fingerprint(&session.prepared) == self.fingerprint {
            return Ok(());
        }
        Err(Failure::Refused {
            message: "the world has changed since this plan was saved; nothing was done".to_owned(),
            hint: "plan again, look at it, and carry that out".to_owned(),
        })
    }
}

/// Hash of the plan, the inventory's version, and what was found of each resource.
fn fingerprint(prepared: &Prepared) -> String {
    let mut hash = Sha256::new();
    hash.update(json::plan(&prepared.owner.stack, &prepared.plan).to_string());
    if let Some((_, version)) = &prepared.remembered {
        hash.update(&version.0);
    }
    for (id, found) in prepared.observed.iter() {
        let present = found.is_present();
        hash.update(
            json!([id.to_string(), present, found.remote_id, found.attributes]).to_string(),
        );
    }
    hexadecimal(&hash.finalize())
}

/// Two digits for each byte.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}
