//! YAML text as a tree in which every key and value knows its place.
//!
//! It stands on the events of `granit-parser`, the parser inside `serde-saphyr`, and not on `serde-saphyr`'s serde layer: that
//! one stops at the first fault and loses how a scalar was written, while this tree carries on past a duplicate key, a tag or
//! an unknown alias and reports them all.
//!
//! What is read is YAML 1.2 with the core schema, so `on` and `yes` are texts. Refused are tags, merge keys, keys that are
//! not texts, keys that begin with `$` (they mark references inside zonestack, see [`crate::value`]) and a second document.

mod reader;
mod scalar;
mod syntax;

use serde_json::Value as Json;

use crate::diagnostic::{Diagnostic, Span};

pub(crate) use reader::key_fault;
pub(crate) use scalar::resolve;

/// The largest file that is read, in bytes.
pub const MAX_FILE: usize = 1 << 20;
/// How deep lists and maps may stand in each other.
pub const MAX_DEPTH: usize = 64;
/// How many values a file may have, each use of an alias counted with all that it stands for.
pub const MAX_VALUES: usize = 50_000;
/// How many bytes of text a file may have, each use of an alias counted with all that it stands for.
pub const MAX_TEXT: usize = 4 << 20;

/// A value with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Its place in the file; `None` when it was given with `--set`.
    pub span: Option<Span>,
    /// A scalar as it was written, quotes included; empty for a list, a map and a value that was left out.
    pub written: String,
    /// What it is.
    pub value: NodeValue,
}

/// What a [`Node`] is.
#[derive(Debug, Clone, PartialEq)]
pub enum NodeValue {
    /// Nothing: `null`, `~`, or a key without a value.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number. One that does not fit is a text, so that no digit is lost.
    Int(i64),
    /// A finite number with a fraction or an exponent.
    Float(f64),
    /// Everything else.
    Text(String),
    /// Values in order.
    List(Vec<Node>),
    /// Keys and values in the file's order; each key once.
    Map(Vec<(Key, Node)>),
}

/// A key with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The key.
    pub text: String,
    /// Its place in the file; `None` when it was given with `--set`.
    pub span: Option<Span>,
}

/// A file that has a tree, and what is wrong with it all the same.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// The file's value.
    pub root: Node,
    /// Faults that left the tree readable, such as a key that is given twice.
    pub faults: Vec<Diagnostic>,
}

/// Reads one YAML document.
///
/// # Errors
/// Every fault up to and including the one that ended the reading: no YAML, nothing in it, a second document, a limit passed.
pub fn read(text: &str) -> Result<Document, Vec<Diagnostic>> {
    reader::read(text)
}

/// The line and the column of a byte offset, both counted from 1, the column in characters. An offset after the end counts
/// as the end; a byte-order mark counts as nothing.
pub fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let mut end = offset.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let before = &text[..end];
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
    let column = before[start..].trim_start_matches('\u{feff}').chars().count() + 1;
    (line, column)
}

impl Node {
    /// A value without a place.
    pub fn placeless(value: NodeValue) -> Self {
        Self { span: None, written: String::new(), value }
    }

    /// The value of a key, when this is a map that has it.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.entry(key).map(|(_, node)| node)
    }

    /// A key and its value, when this is a map that has it.
    pub fn entry(&self, key: &str) -> Option<(&Key, &Self)> {
        self.entries().iter().find(|(have, _)| have.text == key).map(|(key, node)| (key, node))
    }

    /// Keys and values; none when this is no map.
    pub fn entries(&self) -> &[(Key, Self)] {
        match &self.value {
            NodeValue::Map(entries) => entries,
            _ => &[],
        }
    }

    /// Values in order; none when this is no list.
    pub fn items(&self) -> &[Self] {
        match &self.value {
            NodeValue::List(items) => items,
            _ => &[],
        }
    }

    /// The text, when it is one.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            NodeValue::Text(text) => Some(text),
            _ => None,
        }
    }

    /// True for nothing.
    pub fn is_null(&self) -> bool {
        self.value == NodeValue::Null
    }

    /// The same value as JSON.
    pub fn to_json(&self) -> Json {
        match &self.value {
            NodeValue::Null => Json::Null,
            NodeValue::Bool(value) => (*value).into(),
            NodeValue::Int(value) => (*value).into(),
            NodeValue::Float(value) => (*value).into(),
            NodeValue::Text(text) => text.as_str().into(),
            NodeValue::List(items) => items.iter().map(Self::to_json).collect(),
            NodeValue::Map(entries) => {
                entries.iter().map(|(key, node)| (key.text.clone(), node.to_json())).collect()
            }
        }
    }

    /// What a reader of a message calls it, such as `text "three"`.
    pub fn describe(&self) -> String {
        match &self.value {
            NodeValue::Null => "nothing".to_owned(),
            NodeValue::Bool(value) => value.to_string(),
            NodeValue::Int(_) | NodeValue::Float(_) => format!("the number {}", self.written),
            NodeValue::Text(text) => format!("text {:?}", excerpt(text)),
            NodeValue::List(_) => "a list".to_owned(),
            NodeValue::Map(_) => "a map".to_owned(),
        }
    }

    /// Where to point at for this value under a key at `key`: at a scalar itself, but at the key of a list, of a map and of a
    /// value that was left out, because those have no line of their own.
    pub fn place(&self, key: Option<Span>) -> Option<Span> {
        match &self.value {
            NodeValue::Map(entries) => {
                let first = entries.first().and_then(|(key, _)| key.span);
                key.or(first).or(self.span)
            }
            NodeValue::List(_) => key.or(self.span),
            _ => self.span.map(|span| if span.length == 0 { key.unwrap_or(span) } else { span }),
        }
    }
}

/// A fault of a value that has its place in the file, or else was given with `--set`.
pub(crate) fn fault(code: &'static str, span: Option<Span>, message: String) -> Diagnostic {
    let message = if span.is_none() { format!("{message} (given with --set)") } else { message };
    Diagnostic::error(code, span, message)
}

/// The beginning of a long text, for a message.
pub(crate) fn excerpt(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    if line.chars().count() <= 60 && line.len() == text.trim_end().len() {
        line.to_owned()
    } else {
        line.chars().take(60).chain(['…']).collect()
    }
}
