//! What is wrong with a stack, where, and what to write instead.
//!
//! Components report a [`Finding`] at a path inside their own configuration; the core knows the file and turns it into a
//! [`Diagnostic`] with a place.

use serde::{Deserialize, Serialize};

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// The stack is refused.
    Error,
    /// The stack works, but its owner should know. Shown in the plan until acknowledged in the stack file.
    Advisory,
}

/// One thing that a component has to say about its configuration or its surroundings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Error or advisory.
    pub severity: Severity,
    /// A stable name in kebab case, such as `git-on-nfs`; what `acknowledge:` lists.
    pub code: &'static str,
    /// Where in the component's `with`: keys and list indices joined by dots, such as `backup.window`; empty for the
    /// component as a whole.
    pub path: String,
    /// What is wrong: one or two sentences, for the person who must act.
    pub message: String,
    /// What to write or do instead.
    pub hint: Option<String>,
}

impl Finding {
    /// A reason to refuse.
    pub fn error(code: &'static str, path: &str, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            code,
            path: path.to_owned(),
            message: message.into(),
            hint: None,
        }
    }

    /// Something its owner should know.
    pub fn advisory(code: &'static str, path: &str, message: impl Into<String>) -> Self {
        Self { severity: Severity::Advisory, ..Self::error(code, path, message) }
    }

    /// The same finding with advice.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// A range of bytes in the stack file's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Span {
    /// Offset of the first byte.
    pub offset: usize,
    /// Number of bytes; zero for a place between two characters.
    pub length: usize,
    /// Whether a secret may stand in these lines: reports then say where they are and do not show them.
    pub concealed: bool,
}

/// One problem of a stack file, with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Error or advisory.
    pub severity: Severity,
    /// A stable name in kebab case.
    pub code: &'static str,
    /// The component that it is about, when it is about one.
    pub component: Option<crate::name::ComponentName>,
    /// Where in the text; `None` when the problem is in no single place, such as an empty file.
    pub span: Option<Span>,
    /// What is wrong.
    pub message: String,
    /// What to write or do instead.
    pub hint: Option<String>,
}

impl Diagnostic {
    /// A reason to refuse the stack file.
    pub fn error(code: &'static str, span: Option<Span>, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            code,
            component: None,
            span,
            message: message.into(),
            hint: None,
        }
    }

    /// The same diagnostic about lines that must not be shown, because a secret may stand in them.
    #[must_use]
    pub(crate) fn concealed(mut self) -> Self {
        self.span = self.span.map(|span| Span { concealed: true, ..span });
        self
    }

    /// The same diagnostic with advice.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
