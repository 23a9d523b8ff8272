//! Problems of a stack file, each at its place: file, line, column, what is wrong, what to write.

use std::fmt;

use miette::{
    GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode, SourceSpan,
};
use serde_json::{Value as Json, json};
use zonestack_core::diagnostic::{Diagnostic, Severity};

use super::style::Style;

/// One problem, as miette wants it.
#[derive(Debug)]
struct Problem<'a> {
    diagnostic: &'a Diagnostic,
    source: &'a NamedSource<String>,
}

impl fmt::Display for Problem<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.diagnostic.message)
    }
}

impl std::error::Error for Problem<'_> {}

impl miette::Diagnostic for Problem<'_> {
    fn code<'b>(&'b self) -> Option<Box<dyn fmt::Display + 'b>> {
        Some(Box::new(self.diagnostic.code))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.diagnostic.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Advisory => miette::Severity::Warning,
        })
    }

    fn help<'b>(&'b self) -> Option<Box<dyn fmt::Display + 'b>> {
        self.diagnostic.hint.as_ref().map(|hint| Box::new(hint) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.diagnostic.span.map(|_| self.source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let span = self.diagnostic.span?;
        let length = self.source.inner().len();
        let offset = span.offset.min(length);
        let span = SourceSpan::new(offset.into(), span.length.min(length - offset));
        Some(Box::new(std::iter::once(LabeledSpan::new_with_span(None, span))))
    }
}

/// The problems for people, then how many there are.
pub(crate) fn text(file: &str, text: &str, diagnostics: &[Diagnostic], style: Style) -> String {
    let theme =
        if style.color { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
    let handler = GraphicalReportHandler::new_themed(theme).with_width(100).with_context_lines(1);
    let source = NamedSource::new(file, text.to_owned());
    let mut out = String::new();
    for diagnostic in diagnostics {
        let problem = Problem { diagnostic, source: &source };
        if handler.render_report(&mut out, &problem).is_err() {
            out.push_str(&diagnostic.message);
        }
        out.push('\n');
    }
    let errors = diagnostics.iter().filter(|d| d.severity == Severity::Error).count();
    let noun = if errors == 1 { "problem" } else { "problems" };
    out.push_str(&format!("{file}: {errors} {noun}"));
    out
}

/// The problems for programs. Lines and columns count from one, columns in characters.
pub(crate) fn json(text: &str, diagnostics: &[Diagnostic]) -> Vec<Json> {
    let one = |diagnostic: &Diagnostic| {
        let place = diagnostic.span.map(|span| place(text, span.offset));
        json!({
            "severity": match diagnostic.severity {
                Severity::Error => "error",
                Severity::Advisory => "advisory",
            },
            "code": diagnostic.code,
            "component": diagnostic.component.as_ref().map(ToString::to_string),
            "line": place.map(|(line, _)| line),
            "column": place.map(|(_, column)| column),
            "message": diagnostic.message,
            "hint": diagnostic.hint,
        })
    };
    diagnostics.iter().map(one).collect()
}

fn place(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line, column)
}
