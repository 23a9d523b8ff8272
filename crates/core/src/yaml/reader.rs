//! The parser's events, one after the other, into a tree.

use std::collections::BTreeMap;

use granit_parser::{Event, Parser, ScalarStyle, Span as Place};

use super::{Document, Key, MAX_DEPTH, MAX_TEXT, MAX_VALUES, Node, NodeValue, scalar, syntax};
use crate::diagnostic::{Diagnostic, Span};
use crate::secret::names_secret;

/// Reads one document; see [`super::read`].
pub(super) fn read(text: &str) -> Result<Document, Vec<Diagnostic>> {
    let mut options = granit_parser::options! {
        emit_unresolved_aliases: true,
        flow_nesting_limit: MAX_DEPTH,
        block_nesting_limit: MAX_DEPTH,
    };
    options.set_emit_comments(false);
    let mut reader = Reader { text, ..Reader::default() };
    for event in Parser::new_from_str_with_options(text, options) {
        let step = match event {
            Ok((event, place)) => reader.step(event, place),
            Err(error) => Err(syntax::diagnostic(text, &error)),
        };
        if let Err(fault) = step {
            reader.faults.push(fault);
            return Err(reader.faults);
        }
    }
    if let Some(root) = reader.root.take().filter(|root| !root.is_null()) {
        return Ok(Document { root, faults: reader.faults });
    }
    reader.faults.push(
        Diagnostic::error("empty-file", None, "the file has nothing in it")
            .hint("`zonestack init` writes a commented stack file"),
    );
    Err(reader.faults)
}

/// What is wrong with a key that is a text, wherever it was written.
pub(crate) fn key_fault(key: &str, span: Option<Span>) -> Option<Diagnostic> {
    if key == "<<" {
        let message = "merge keys (`<<`) are not part of YAML 1.2";
        Some(Diagnostic::error("merge-key", span, message).hint("write the keys out"))
    } else if key.starts_with('$') {
        let message = format!("the key `{key}` begins with `$`, which zonestack keeps for itself");
        Some(Diagnostic::error("reserved-key", span, message).hint("choose another name"))
    } else {
        None
    }
}

#[derive(Default)]
struct Reader<'t> {
    text: &'t str,
    /// The lists and maps that are open, outermost first.
    frames: Vec<Frame>,
    anchors: BTreeMap<usize, Anchored>,
    root: Option<Node>,
    faults: Vec<Diagnostic>,
    spent: Weight,
}

struct Frame {
    start: usize,
    anchor: usize,
    collection: Collection,
}

enum Collection {
    List(Vec<Node>),
    Map { entries: Vec<(Key, Node)>, lines: BTreeMap<String, usize>, next: Next },
}

/// What the next node of a map is.
enum Next {
    Key,
    Value(Key),
    /// The value of a key that was refused.
    Refused,
}

struct Anchored {
    node: Node,
    weight: Weight,
    depth: usize,
}

#[derive(Default, Clone, Copy)]
struct Weight {
    values: usize,
    text: usize,
}

impl Reader<'_> {
    /// Takes one event; an error ends the reading.
    fn step(&mut self, event: Event<'_>, place: Place) -> Result<(), Diagnostic> {
        let span = self.span(place);
        match event {
            Event::DocumentStart(..) if self.root.is_some() => {
                let message = "a second document begins here; a stack file is one document";
                return Err(Diagnostic::error("multiple-documents", Some(span), message)
                    .hint("keep one stack in each file, and remove the `---`"));
            }
            Event::Scalar(value, style, anchor, tag) => {
                self.refuse_tag(tag.is_some(), place, span);
                let value = match style {
                    ScalarStyle::Plain if span.length == 0 => NodeValue::Null,
                    ScalarStyle::Plain => scalar::resolve(&value),
                    _ => NodeValue::Text(value.into_owned()),
                };
                let written = self.text.get(span.offset..span.offset + span.length);
                let written = written.unwrap_or_default().to_owned();
                let node = Node { span: Some(span), written, value };
                self.spend(weigh(&node), span)?;
                self.finish(node, anchor, place.start.line())?;
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.refuse_tag(tag.is_some(), place, span);
                self.open(span, anchor, Collection::List(Vec::new()))?;
            }
            Event::MappingStart(_, anchor, tag) => {
                self.refuse_tag(tag.is_some(), place, span);
                let map = Collection::Map {
                    entries: Vec::new(),
                    lines: BTreeMap::new(),
                    next: Next::Key,
                };
                self.open(span, anchor, map)?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(span, place.start.line())?,
            Event::Alias(id) => self.alias(id, span, place.start.line())?,
            Event::UnresolvedAlias(name) => {
                self.faults.push(unknown_alias(&name, span));
                let node = Node { span: Some(span), ..Node::placeless(NodeValue::Null) };
                self.accept(node, place.start.line());
            }
            _ => {}
        }
        Ok(())
    }

    fn span(&self, place: Place) -> Span {
        let at = |marker: granit_parser::Marker| marker.byte_offset().unwrap_or(self.text.len());
        trimmed(self.text, at(place.start), at(place.end))
    }

    fn refuse_tag(&mut self, tagged: bool, place: Place, node: Span) {
        if tagged {
            let span = place.tag_span().map_or(node, |tag| self.span(tag));
            self.faults.push(
                Diagnostic::error("yaml-tag", Some(span), "YAML tags (`!…`) are not supported")
                    .hint("remove the tag; put a value in quotes to make it a text"),
            );
        }
    }

    fn open(
        &mut self,
        span: Span,
        anchor: usize,
        collection: Collection,
    ) -> Result<(), Diagnostic> {
        if self.frames.len() >= MAX_DEPTH {
            return Err(syntax::too_deep(Some(span)));
        }
        self.spend(Weight { values: 1, text: 0 }, span)?;
        self.frames.push(Frame { start: span.offset, anchor, collection });
        Ok(())
    }

    fn close(&mut self, end: Span, line: usize) -> Result<(), Diagnostic> {
        let Some(frame) = self.frames.pop() else { return Ok(()) };
        let value = match frame.collection {
            Collection::List(items) => NodeValue::List(items),
            Collection::Map { entries, .. } => NodeValue::Map(entries),
        };
        let span = trimmed(self.text, frame.start, end.offset + end.length);
        let node = Node { span: Some(span), written: String::new(), value };
        self.finish(node, frame.anchor, line)
    }

    /// A node is complete: kept for its aliases, and put where it belongs.
    fn finish(&mut self, node: Node, anchor: usize, line: usize) -> Result<(), Diagnostic> {
        if anchor != 0 {
            let weight = weigh(&node);
            self.spend(weight, node.span.unwrap_or_default())?;
            let depth = depth(&node);
            self.anchors.insert(anchor, Anchored { node: node.clone(), weight, depth });
        }
        self.accept(node, line);
        Ok(())
    }

    fn alias(&mut self, id: usize, span: Span, line: usize) -> Result<(), Diagnostic> {
        let Some(anchored) = self.anchors.get(&id) else {
            // Known to the parser but not complete: it stands inside what it names.
            return Err(Diagnostic::error(
                "endless-alias",
                Some(span),
                "this alias contains itself",
            )
            .hint("write the value out"));
        };
        if self.frames.len() + anchored.depth > MAX_DEPTH {
            return Err(syntax::too_deep(Some(span)));
        }
        self.spend(anchored.weight, span)?;
        if let Some(anchored) = self.anchors.get(&id) {
            let node = Node { span: Some(span), ..anchored.node.clone() };
            self.accept(node, line);
        }
        Ok(())
    }

    fn accept(&mut self, node: Node, line: usize) {
        let Some(frame) = self.frames.last_mut() else {
            self.root = Some(node);
            return;
        };
        match &mut frame.collection {
            Collection::List(items) => items.push(node),
            Collection::Map { entries, lines, next } => {
                *next = match std::mem::replace(next, Next::Key) {
                    Next::Key => match check_key(&node, line, lines) {
                        Ok(key) => Next::Value(key),
                        Err(fault) => {
                            self.faults.push(fault);
                            Next::Refused
                        }
                    },
                    Next::Value(key) => {
                        entries.push((key, node));
                        Next::Key
                    }
                    Next::Refused => Next::Key,
                };
            }
        }
    }

    /// Counts what the tree takes, so that a small file cannot become a large tree.
    fn spend(&mut self, weight: Weight, span: Span) -> Result<(), Diagnostic> {
        self.spent.values += weight.values;
        self.spent.text += weight.text;
        let exceeded = if self.spent.values > MAX_VALUES {
            format!("{MAX_VALUES} values")
        } else if self.spent.text > MAX_TEXT {
            format!("{MAX_TEXT} bytes of text")
        } else {
            return Ok(());
        };
        let message =
            format!("up to here the file has more than {exceeded}, with every alias written out");
        Err(Diagnostic::error("too-large", Some(span), message)
            .hint("use fewer aliases (`*name`), or split the stack"))
    }
}

fn check_key(
    node: &Node,
    line: usize,
    lines: &mut BTreeMap<String, usize>,
) -> Result<Key, Diagnostic> {
    let NodeValue::Text(text) = &node.value else {
        let message = format!("a key must be a text, this one is {}", node.describe());
        let fault = Diagnostic::error("key-not-text", node.span, message);
        let scalar = !node.written.is_empty();
        return Err(if scalar {
            fault.hint(format!("write \"{}\":", node.written))
        } else {
            fault
        });
    };
    if let Some(fault) = key_fault(text, node.span) {
        return Err(fault);
    }
    if let Some(first) = lines.get(text) {
        let message = format!("the key `{text}` is given twice, here and in line {first}");
        let twice = Diagnostic::error("duplicate-key", node.span, message)
            .hint("remove one of them, or rename it");
        return Err(if names_secret(text) { twice.concealed() } else { twice });
    }
    lines.insert(text.clone(), line);
    Ok(Key { text: text.clone(), span: node.span })
}

fn unknown_alias(name: &str, span: Span) -> Diagnostic {
    let message = format!("nothing above this line is marked `&{name}`");
    Diagnostic::error("unknown-alias", Some(span), message)
        .hint(format!("put the text in quotes if it should begin with `*`: \"*{name}\""))
}

fn trimmed(text: &str, start: usize, end: usize) -> Span {
    let written = text.get(start..end).unwrap_or_default();
    Span { offset: start, length: written.trim_end().len(), concealed: false }
}

fn weigh(node: &Node) -> Weight {
    let mut weight = Weight { values: 1, text: node.written.len() };
    let mut add = |other: Weight| {
        weight.values += other.values;
        weight.text += other.text;
    };
    match &node.value {
        NodeValue::List(items) => {
            for item in items {
                add(weigh(item));
            }
        }
        NodeValue::Map(entries) => {
            for (key, value) in entries {
                add(Weight { values: 1, text: key.text.len() });
                add(weigh(value));
            }
        }
        _ => {}
    }
    weight
}

fn depth(node: &Node) -> usize {
    match &node.value {
        NodeValue::List(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        NodeValue::Map(entries) => 1 + entries.iter().map(|(_, v)| depth(v)).max().unwrap_or(0),
        _ => 0,
    }
}
