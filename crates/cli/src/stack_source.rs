//! The stack file, read and wired.

use std::path::{Path, PathBuf};

use zonestack_core::context::Context;
use zonestack_core::desired::{Desired, RenderError, render};
use zonestack_core::diagnostic::{Diagnostic, Severity};
use zonestack_core::name::Zone;
use zonestack_core::parse::parse;
use zonestack_core::rename::Called;
use zonestack_core::wire::{Wiring, validate_and_wire};

use crate::extensions::{Extensions, folder_of};
use crate::failure::Failure;
use crate::settings::Settings;

/// A stack that is wired, with the plugins that it needs.
pub(crate) struct Wired {
    /// The stack.
    pub(crate) wiring: Wiring,
    /// What it may use, and what its plugins brought.
    pub(crate) extensions: Extensions,
}

/// A stack file with what was changed on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StackSource {
    /// What messages call it.
    pub(crate) name: String,
    /// Its bytes.
    pub(crate) bytes: Vec<u8>,
    /// `--set`, as typed.
    pub(crate) set: Vec<String>,
}

impl StackSource {
    /// Reads the file.
    pub(crate) fn read(path: &Path, set: &[String]) -> Result<Self, Failure> {
        let bytes = std::fs::read(path).map_err(|source| Failure::File {
            action: "read",
            path: path.to_owned(),
            hint: "name the stack file with -f, or write one with `zonestack init`",
            source,
        })?;
        let name = PathBuf::from(path).display().to_string();
        Ok(Self { name, bytes, set: set.to_vec() })
    }

    /// Everything that can be known without a network: parsed, validated, wired, and rendered against a made-up context so
    /// that what components have to say to each other is said. Plugins are loaded as far as the file needs them.
    pub(crate) fn wired(&self, settings: &Settings) -> Result<Wired, Failure> {
        let failure = |diagnostics| self.diagnosed(diagnostics);
        let mut raw = parse(&self.bytes).map_err(failure)?;
        for assignment in &self.set {
            let (path, value) = assignment.split_once('=').ok_or_else(|| Failure::Usage {
                message: format!("--set {assignment} has no value"),
                hint: "write --set component.path=value".to_owned(),
            })?;
            raw.set(path, value).map_err(|diagnostic| Failure::Usage {
                message: diagnostic.message,
                hint: diagnostic.hint.unwrap_or_default(),
            })?;
        }
        let folder = folder_of(Path::new(&self.name));
        let mut extensions = Extensions::beside(settings, &folder)?;
        extensions.load_for(&raw, &folder)?;
        let wiring = if let Ok(wiring) = validate_and_wire(&raw, extensions.registry()) {
            wiring
        } else {
            // What is not known may be a slip: hints name what the plugins bring too.
            extensions.load_what_is_there();
            validate_and_wire(&raw, extensions.registry()).map_err(failure)?
        };
        let mut wired = Wired { wiring, extensions };
        let rendered = wired.with_every_kind()?;
        let errors: Vec<_> = rendered
            .findings
            .into_iter()
            .filter(|finding| finding.severity == Severity::Error)
            .collect();
        if errors.is_empty() { Ok(wired) } else { Err(failure(errors)) }
    }

    /// The failure that these problems of the file are.
    pub(crate) fn diagnosed(&self, diagnostics: Vec<Diagnostic>) -> Failure {
        Failure::Diagnostics {
            file: self.name.clone(),
            text: String::from_utf8_lossy(&self.bytes).into_owned(),
            diagnostics,
        }
    }
}

impl Wired {
    /// Renders once, and loads the plugins of the kinds that a component leaves to others.
    fn with_every_kind(&mut self) -> Result<Desired, Failure> {
        loop {
            match self.rendered() {
                Err(RenderError::UnknownKind { id, kind }) => {
                    if !self.extensions.load_for_kind(&kind)? {
                        return Err(RenderError::UnknownKind { id, kind }.into());
                    }
                }
                other => return Ok(other?),
            }
        }
    }

    /// The graph for made-up ids: in the file's zones, or in three.
    pub(crate) fn nominal(&self) -> Result<Desired, Failure> {
        Ok(self.rendered()?)
    }

    fn rendered(&self) -> Result<Desired, RenderError> {
        let stack = &self.wiring.stack;
        let mut zones: Vec<Zone> = stack.zones.clone().unwrap_or_else(|| {
            let zones = ["a", "b", "c"].iter();
            zones.filter_map(|z| format!("{}{z}", stack.region).parse().ok()).collect()
        });
        zones.sort();
        let context = Context::nominal(stack.name.clone(), &stack.namespace, &stack.region, &zones);
        render(&self.wiring, &context, &self.extensions.declarations(), &Called::new())
    }
}
