//! Problems of a stack file, each at its place: file, line, column, what is wrong, what to write.

use std::fmt;

use miette::{
    GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode, SourceSpan,
};
use serde_json::{Value as Json, json};
use zonestack_core::diagnostic::{Diagnostic, Severity, Span};

use super::style::Style;

/// One problem, as miette wants it.
#[derive(Debug)]
struct Problem<'a> {
    diagnostic: &'a Diagnostic,
    source: &'a NamedSource<String>,
}

impl Problem<'_> {
    fn shown_span(&self) -> Option<Span> {
        self.diagnostic.span.filter(|span| !span.concealed)
    }
}

impl fmt::Display for Problem<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.diagnostic.message)?;
        match self.diagnostic.span {
            Some(span) if span.concealed => {
                let (line, column) = place(self.source.inner(), span.offset);
                let file = self.source.name();
                write!(f, "\n{file}:{line}:{column} (not shown: a secret may stand there)")
            }
            _ => Ok(()),
        }
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
        self.shown_span().map(|_| self.source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let span = self.shown_span()?;
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
    let concealed = |diagnostic: &Diagnostic| diagnostic.span.is_some_and(|span| span.concealed);
    // What stands around another problem may be a secret: without context only the words in question are shown.
    let context = usize::from(!diagnostics.iter().any(concealed));
    let handler =
        GraphicalReportHandler::new_themed(theme).with_width(100).with_context_lines(context);
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
    format!("{out}{file}: {errors} {noun}")
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

#[cfg(test)]
mod tests {
    use zonestack_core::parse::parse;
    use zonestack_core::wire::validate_and_wire;

    use super::*;
    use crate::builtins::Builtins;

    fn report(components: &str) -> String {
        let head =
            "apiVersion: zonestack/v1\nname: git\ncluster: k8s.example.net\nregion: eu-west-1\n";
        let file = format!("{head}components:\n{components}");
        let found = parse(file.as_bytes())
            .and_then(|raw| validate_and_wire(&raw, &Builtins::all().registry().unwrap()))
            .unwrap_err();
        let json = json(&file, &found);
        assert!(json.iter().all(|problem| problem["line"].is_u64()), "{json:?}");
        assert!(!json!(json).to_string().contains("hunter2"), "{json:?}");
        text("stack.yaml", &file, &found, Style { color: false })
    }

    #[test]
    fn a_line_with_a_secret_is_named_and_not_shown() {
        insta::assert_snapshot!(report("  db: { use: rds, with: { password: hunter2 } }\n"), @r"
        plain-secret

          × `password` must say where the secret is, not what it is
          │ stack.yaml:6:37 (not shown: a secret may stand there)
          help: write { secret: { name: …, key: … } }, { env: NAME } or { file: PATH }

        stack.yaml: 1 problem
        ");
    }

    #[test]
    fn no_other_problem_shows_the_line_either() {
        let text = report(
            "  db:\n    use: rds\n    with:\n      strage: 20\n      password: hunter2\n      clss: x\n",
        );
        insta::assert_snapshot!(text, @r"
        unknown-key

          × unknown key `strage` in `with` of `db`
           ╭─[stack.yaml:9:7]
         9 │ strage
           · ──────
           ╰────
          help: did you mean `storage`?

        plain-secret

          × `password` must say where the secret is, not what it is
          │ stack.yaml:10:17 (not shown: a secret may stand there)
          help: write { secret: { name: …, key: … } }, { env: NAME } or { file: PATH }

        unknown-key

          × unknown key `clss` in `with` of `db`
            ╭─[stack.yaml:11:7]
         11 │ clss
            · ────
            ╰────
          help: did you mean `class`?

        stack.yaml: 3 problems
        ");
    }

    #[test]
    fn a_secret_is_shown_nowhere() {
        for with in [
            "{ password: hunter2 }",
            "{ pasword: hunter2 }",
            "{ password: { value: hunter2 } }",
            "{ password: { secret: hunter2 } }",
            "{ password: { env: [hunter2] } }",
            "{ storag: 5, password: hunter2 }",
            "{ password: hunter2, password: hunter2 }",
            "\n      storag: 5\n      password:\n        hunter2",
            "\n      password: |\n        hunter2\n        hunter2\n      storag: 5",
            "\n      password: \"hunter2\n        hunter2\"\n      storag: 5",
        ] {
            let text = report(&format!("  db:\n    use: rds\n    with: {with}\n"));
            assert!(!text.contains("hunter2"), "{with}\n{text}");
            assert!(text.contains("stack.yaml:"), "{text}");
        }
        let gitlab =
            "  gitlab: { use: gitlab, with: { host: git.example.com, secrets: hunter2 } }\n";
        assert!(!report(gitlab).contains("hunter2"));
    }
}
