//! What the YAML parser stumbled on, in words for the person who wrote the file.

use granit_parser::{ErrorKind, ScanError};

use super::MAX_DEPTH;
use crate::diagnostic::{Diagnostic, Span};

/// The diagnostic of an error that ends the reading.
pub(super) fn diagnostic(text: &str, error: &ScanError) -> Diagnostic {
    let offset = error.marker().byte_offset().unwrap_or(text.len()).min(text.len());
    let span = Some(Span { offset, ..Span::default() });
    if *error.kind() == ErrorKind::RecursionLimitExceeded {
        return too_deep(span);
    }
    if let Some(tab) = tab(text, offset, error.kind()) {
        return tab;
    }
    let (message, hint) = words(error.kind());
    Diagnostic { hint, ..Diagnostic::error("syntax", span, message) }
}

/// The diagnostic of lists and maps that stand too deep in each other.
pub(super) fn too_deep(span: Option<Span>) -> Diagnostic {
    Diagnostic::error(
        "too-deep",
        span,
        format!("lists and maps stand more than {MAX_DEPTH} deep in each other"),
    )
}

/// A tab in the indentation of the line of the error, or of the line after it (the parser sees a tab after a scalar before it
/// sees the next line). The parser names the effect, such as a key in the wrong column; the tab is the cause.
fn tab(text: &str, offset: usize, kind: &ErrorKind) -> Option<Diagnostic> {
    let tab_kind = matches!(
        kind,
        ErrorKind::TabNotAllowed
            | ErrorKind::TabInBlockIndentation
            | ErrorKind::TabInIndentation
            | ErrorKind::TabAtBlockScalarStart
            | ErrorKind::TabInPlainScalar
    );
    let mut offset_of_line = 0;
    let mut tabs = Vec::new();
    for line in text.split_inclusive('\n') {
        let indentation = line.len() - line.trim_start_matches([' ', '\t']).len();
        if let Some(at) = line[..indentation].find('\t').filter(|_| !line.trim().is_empty()) {
            tabs.push((offset_of_line, offset_of_line + at));
        }
        offset_of_line += line.len();
    }
    let line_of_error = text[..floor(text, offset)].rfind('\n').map_or(0, |at| at + 1);
    let next_line = text[line_of_error..].find('\n').map(|at| line_of_error + at + 1);
    let near = |start: usize| start == line_of_error || (tab_kind && Some(start) == next_line);
    let (_, at) = tabs.iter().find(|(start, _)| near(*start)).copied()?;
    let others = match tabs.len() {
        1 => String::new(),
        count => format!(" ({count} lines of this file are)"),
    };
    let message = format!("this line is indented with a tab{others}; YAML takes only spaces");
    let span = Some(Span { offset: at, length: 1, ..Span::default() });
    Some(Diagnostic::error("tab", span, message).hint("write two spaces for each tab"))
}

fn floor(text: &str, mut offset: usize) -> usize {
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

fn words(kind: &ErrorKind) -> (String, Option<String>) {
    let say = |message: &str, hint: &str| (message.to_owned(), Some(hint.to_owned()));
    match kind {
        ErrorKind::UnclosedFlowCollection { open } => {
            let close = if *open == '[' { ']' } else { '}' };
            let message = format!("the `{open}` that begins here is not closed");
            (message, Some(format!("write the missing `{close}`")))
        }
        ErrorKind::MismatchedFlowCollectionEnd { open, close } => {
            (format!("`{open}` is closed with `{close}`"), None)
        }
        ErrorKind::MisplacedFlowCollectionEnd => {
            say("this bracket closes nothing", "remove it, or put the text in quotes")
        }
        ErrorKind::UnclosedQuotedScalar => {
            say("the quote that begins here is not closed", "write the missing quote")
        }
        ErrorKind::ExpectedFlowMappingSeparator | ErrorKind::ExpectedFlowSequenceSeparator => say(
            "a `,` or the closing bracket is missing before this",
            "separate the values with `, `, and write a space after `:`",
        ),
        ErrorKind::InvalidColonPlacement => say(
            "a `:` cannot stand here; perhaps a bracket of a line above is not closed",
            "close the list with `]` or the map with `}`",
        ),
        ErrorKind::MappingValueNotAllowed | ErrorKind::MappingKeyNotAllowed => say(
            "a `:` cannot stand here: this line is already a value, or the line above has no `:`",
            "put a text that contains `: ` in quotes, and begin each key on its own line",
        ),
        ErrorKind::ExpectedBlockMappingKey | ErrorKind::InvalidIndentation => say(
            "this line stands in a column that fits no map or list above it",
            "let the keys of one map begin in the same column",
        ),
        ErrorKind::ExpectedDocumentStart => say(
            "this line stands further left than the first line of the file",
            "let all top-level keys begin in the first column",
        ),
        ErrorKind::ExpectedBlockSequenceEntry => say(
            "a list cannot be followed by a key in the same column",
            "begin every item of the list with `- `, or give the list a key of its own",
        ),
        ErrorKind::BlockSequenceEntryNotAllowed => say(
            "a list cannot begin in the line of its key",
            "begin the list on the next line, or write [a, b]",
        ),
        ErrorKind::SimpleKeyExpected | ErrorKind::InvalidSimpleKey => {
            say("this key has no `:` after it", "write `key: value`, with a space after the `:`")
        }
        ErrorKind::UnexpectedCharacter { character } if character.is_control() => (
            format!("the character U+{:04X} cannot stand in a text file", u32::from(*character)),
            Some("remove it".to_owned()),
        ),
        ErrorKind::UnexpectedCharacter { character } => (
            format!("no value may begin with `{character}`"),
            Some("put the text in quotes".to_owned()),
        ),
        ErrorKind::InvalidTrailingDoubleQuotedScalar
        | ErrorKind::InvalidTrailingSingleQuotedScalar => {
            say("something follows the closing quote", "put the whole text in one pair of quotes")
        }
        ErrorKind::UnknownQuotedScalarEscape => say(
            "this text has a backslash that means nothing in double quotes",
            "write `\\\\` for a backslash, or use single quotes",
        ),
        other => (format!("this is no YAML: {other}"), None),
    }
}
