//! Colours: few, and everything can be understood without them.

use zonestack_core::plan::Action;

/// Whether output is coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Style {
    pub(crate) color: bool,
}

impl Style {
    fn paint(self, code: &str, text: &str) -> String {
        if self.color { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    pub(crate) fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }

    pub(crate) fn dim(self, text: &str) -> String {
        self.paint("2", text)
    }

    pub(crate) fn good(self, text: &str) -> String {
        self.paint("32", text)
    }

    pub(crate) fn warn(self, text: &str) -> String {
        self.paint("33", text)
    }

    pub(crate) fn bad(self, text: &str) -> String {
        self.paint("31", text)
    }

    /// The sign of an action, coloured.
    pub(crate) fn action(self, action: Action) -> String {
        let sign = sign(action);
        match action {
            Action::Create | Action::Adopt => self.good(sign),
            Action::Update | Action::Replace => self.warn(sign),
            Action::Delete | Action::Refuse => self.bad(sign),
            Action::Keep | Action::Retain => self.dim(sign),
        }
    }
}

/// One or two characters for an action, in the manner of Terraform.
pub(crate) fn sign(action: Action) -> &'static str {
    match action {
        Action::Create => "+",
        Action::Update => "~",
        Action::Replace => "±",
        Action::Delete => "-",
        Action::Keep => "=",
        Action::Adopt => ">",
        Action::Retain => "·",
        Action::Refuse => "✗",
    }
}
