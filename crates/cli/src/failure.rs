//! Why a command did not do what it was asked. Every error of the libraries becomes one of these here, and nowhere else is
//! one printed.

use std::path::PathBuf;

use serde_json::json;
use zonestack_aws::client::ClientError;
use zonestack_core::desired::RenderError;
use zonestack_core::diagnostic::{Diagnostic, Finding};
use zonestack_core::discover::SurveyError;
use zonestack_core::flow::FlowError;
use zonestack_core::inventory::InventoryError;
use zonestack_core::name::{Kind, ResourceId};
use zonestack_core::observe::ObserveError;
use zonestack_kubernetes::client::ConnectError;
use zonestack_sandbox::SandboxFileError;

use crate::args::Output;
use crate::exit::Exit;
use crate::report::style::Style;
use crate::report::{self, diagnostics, json::VERSION};
use crate::stack_source::StackSource;

/// A failed command.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// A file could not be read or written.
    #[error("cannot {action} {}: {source}", path.display())]
    File { action: &'static str, path: PathBuf, hint: &'static str, source: std::io::Error },
    /// The stack file has problems.
    #[error("{file} has problems")]
    Diagnostics { file: String, text: String, diagnostics: Vec<Diagnostic> },
    /// The surroundings cannot carry the stack.
    #[error("the stack cannot run there")]
    Surroundings(Vec<Finding>),
    /// The cluster or the network could not be read.
    #[error(transparent)]
    Survey(#[from] SurveyError),
    /// A plugin breaks its contract.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// No AWS client.
    #[error(transparent)]
    Aws(#[from] ClientError),
    /// No Kubernetes client.
    #[error(transparent)]
    Kubernetes(#[from] ConnectError),
    /// The sandbox's file.
    #[error(transparent)]
    Sandbox(#[from] SandboxFileError),
    /// The inventory.
    #[error(transparent)]
    Inventory(#[from] InventoryError),
    /// What is there could not be seen.
    #[error(transparent)]
    Observe(#[from] ObserveError),
    /// A guard refused; nothing was done.
    #[error("{message}")]
    Refused { message: String, hint: String },
    /// What was started did not do its part.
    #[error("{message}")]
    Failed { message: String, hint: String },
    /// Arguments that do not fit together.
    #[error("{message}")]
    Usage { message: String, hint: String },
    /// stdout could not be written.
    #[error("cannot write to stdout: {0}")]
    Stdout(#[from] std::io::Error),
}

impl Failure {
    /// The failure of a removal, which looks at no stack file.
    pub(crate) fn of_removal(error: FlowError) -> Self {
        let nowhere = StackSource { name: String::new(), bytes: Vec::new(), set: Vec::new() };
        Self::of(error, &nowhere)
    }

    /// The failure of a flow, with the stack file that its places are in.
    pub(crate) fn of(error: FlowError, source: &StackSource) -> Self {
        let message = error.to_string();
        match error {
            FlowError::NoDriver { stack, resources } => Self::Refused {
                message: no_driver(&stack, &resources),
                hint: "the plugin that made it is missing, and zonestack.lock does not know it: take the lock file back from \
                       version control, or add the plugin again with `zonestack plugin add FILE`"
                    .to_owned(),
            },
            FlowError::Stack(diagnostics) => source.diagnosed(diagnostics),
            FlowError::Survey(error) => Self::Survey(error),
            FlowError::Surroundings(findings) => Self::Surroundings(findings),
            FlowError::Render(error) => Self::Render(error),
            FlowError::Inventory(error) => Self::Inventory(error),
            FlowError::Observe(error) => Self::Observe(error),
            FlowError::Lost { found, .. } => {
                let shown: Vec<&str> = found.iter().take(5).map(String::as_str).collect();
                let more = match found.len().saturating_sub(shown.len()) {
                    0 => String::new(),
                    more => format!(" and {more} more"),
                };
                Self::Refused {
                    message: format!("{message}: {}{more}; nothing was changed", shown.join(", ")),
                    hint: "`zonestack recover` builds the inventory anew from their marks".to_owned(),
                }
            }
            FlowError::NotLost { .. } => {
                Self::Refused { message, hint: "there is nothing to recover".to_owned() }
            }
            FlowError::NothingToRecover { .. } => Self::Refused {
                message,
                hint: "look at the account, the region and the cluster; a first `zonestack up` needs no recovery"
                    .to_owned(),
            },
            FlowError::SeveralStacks { .. } => Self::Refused {
                message,
                hint: "choose one with --uid; the tag zonestack:uid of a resource shows it".to_owned(),
            },
            FlowError::Elsewhere { what, remembered, .. } => Self::Refused {
                message,
                hint: format!(
                    "go back to {what} {remembered}; or take the stack down there first, or give this one another name"
                ),
            },
        }
    }

    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Usage { .. } => Exit::Usage,
            Self::Refused { .. } | Self::Surroundings(_) => Exit::Refused,
            Self::File { .. }
            | Self::Diagnostics { .. }
            | Self::Survey(_)
            | Self::Render(_)
            | Self::Aws(_)
            | Self::Kubernetes(_)
            | Self::Sandbox(_)
            | Self::Inventory(_)
            | Self::Observe(_)
            | Self::Failed { .. }
            | Self::Stdout(_) => Exit::Failed,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::File { hint, .. } => Some((*hint).to_owned()),
            Self::Refused { hint, .. } | Self::Failed { hint, .. } | Self::Usage { hint, .. } => {
                Some(hint.clone())
            }
            Self::Survey(error) => Some(error.hint.clone()),
            Self::Inventory(InventoryError::Conflict) => {
                Some("run it again: it plans anew from what is there now".to_owned())
            }
            _ => None,
        }
        .filter(|hint| !hint.is_empty())
    }

    /// Tells it: to people on stderr, to programs as one document on stdout.
    pub(crate) fn tell(&self, output: Output, style: Style) {
        match output {
            Output::Json => {
                if report::document(&self.json()).is_err() {
                    report::note(&self.to_string());
                }
            }
            Output::Text => report::note(&self.text(style)),
        }
    }

    fn text(&self, style: Style) -> String {
        let mut lines = match self {
            Self::Diagnostics { file, text, diagnostics } => {
                return diagnostics::text(file, text, diagnostics, style);
            }
            Self::Surroundings(findings) => findings
                .iter()
                .flat_map(|finding| {
                    let line = format!("{} {}", style.bad("error:"), finding.message);
                    let hint = finding.hint.iter().map(|hint| format!("  hint: {hint}"));
                    std::iter::once(line).chain(hint).collect::<Vec<_>>()
                })
                .chain(std::iter::once("refused; nothing was changed".to_owned()))
                .collect(),
            Self::Observe(error) => std::iter::once(format!("{} {self}", style.bad("error:")))
                .chain(error.failures.iter().map(|(id, error)| format!("  {id}: {error}")))
                .collect(),
            _ => {
                let mut lines = vec![format!("{} {self}", style.bad("error:"))];
                let mut source = std::error::Error::source(self);
                while let Some(cause) = source {
                    let text = cause.to_string();
                    if !lines.iter().any(|line| line.contains(&text)) {
                        lines.push(format!("  because: {text}"));
                    }
                    source = cause.source();
                }
                lines
            }
        };
        lines.extend(self.hint().map(|hint| format!("hint: {hint}")));
        lines.join("\n")
    }

    fn json(&self) -> serde_json::Value {
        let problems = match self {
            Self::Diagnostics { text, diagnostics, .. } => diagnostics::json(text, diagnostics),
            Self::Surroundings(findings) => findings
                .iter()
                .map(|f| json!({ "severity": "error", "code": f.code, "message": f.message, "hint": f.hint }))
                .collect(),
            Self::Observe(error) => error
                .failures
                .iter()
                .map(|(id, error)| {
                    json!({ "severity": "error", "code": error.class.as_str(), "id": id.to_string(), "message": error.message })
                })
                .collect(),
            _ => Vec::new(),
        };
        json!({
            "version": VERSION,
            "error": { "message": self.to_string(), "hint": self.hint(), "exit": self.exit().code() },
            "problems": problems,
        })
    }
}

/// What is there without a driver: the first few resources, and every kind.
fn no_driver(stack: &str, resources: &[(ResourceId, Kind)]) -> String {
    let shown: Vec<String> =
        resources.iter().take(5).map(|(id, kind)| format!("{id} ({kind})")).collect();
    let more = match resources.len().saturating_sub(shown.len()) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!(
        "the stack {stack} has {}{more}, which nothing here can look at; nothing was changed",
        shown.join(", ")
    )
}
