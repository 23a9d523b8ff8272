//! Text → [`RawStack`]: the stack file as it was written, with every place, before anything is known of its meaning.

use std::collections::BTreeSet;

use crate::diagnostic::{Diagnostic, Span};
use crate::suggest;
use crate::yaml::{self, Key, MAX_FILE, Node, NodeValue};

/// A stack file that could be read. Whether it means anything is for [`crate::validate`] to say.
#[derive(Debug, Clone, PartialEq)]
pub struct RawStack {
    /// The file's value.
    pub(crate) root: Node,
    /// What is already known to be wrong with it. `validate` reports it together with the rest, so that a key which is given
    /// twice hides nothing else.
    pub(crate) faults: Vec<Diagnostic>,
}

/// Reads a stack file.
///
/// # Errors
/// What makes a file unreadable: not UTF-8, no YAML, empty, several documents, too large. Faults that leave it readable are
/// kept and reported by [`crate::validate::validate`].
pub fn parse(bytes: &[u8]) -> Result<RawStack, Vec<Diagnostic>> {
    if bytes.len() > MAX_FILE {
        let message = format!("the file has {} bytes, at most {MAX_FILE} are read", bytes.len());
        return Err(vec![Diagnostic::error("too-large", None, message)]);
    }
    let text = std::str::from_utf8(bytes).map_err(|error| vec![not_utf8(bytes, &error)])?;
    let document = yaml::read(text)?;
    Ok(RawStack { root: document.root, faults: document.faults })
}

fn not_utf8(bytes: &[u8], error: &std::str::Utf8Error) -> Diagnostic {
    let offset = error.valid_up_to();
    let byte = bytes.get(offset).copied().unwrap_or_default();
    let (line, _) = yaml::line_and_column(&String::from_utf8_lossy(&bytes[..offset]), offset);
    let message = if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        "the file is UTF-16; a stack file is UTF-8".to_owned()
    } else {
        format!("the file is not UTF-8: byte 0x{byte:02X} at offset {offset}, in line {line}")
    };
    Diagnostic::error("not-utf8", Some(Span { offset, ..Span::default() }), message)
        .hint("save the file as UTF-8")
}

/// The keys that `--set` reaches by their own name; every other first word is a component.
const TOP_LEVEL: [&str; 10] = [
    "apiVersion",
    "name",
    "cluster",
    "region",
    "namespace",
    "zones",
    "network",
    "tags",
    "plugins",
    "components",
];

/// A plugin that a stack file names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedPlugin {
    /// Its name.
    pub name: String,
    /// Its file, from the stack file's folder, when the file is in a place of its own.
    pub path: Option<String>,
}

impl RawStack {
    /// The plugins that it names, as far as they can be read: [`crate::validate`] says what is wrong with the others.
    pub fn plugins(&self) -> Vec<NamedPlugin> {
        let items = self.root.get("plugins").map(Node::items).unwrap_or_default();
        let named = |item: &Node| match item.text() {
            Some(name) => Some(NamedPlugin { name: name.to_owned(), path: None }),
            None => Some(NamedPlugin {
                name: item.get("name")?.text()?.to_owned(),
                path: item.get("path").and_then(Node::text).map(str::to_owned),
            }),
        };
        items.iter().filter_map(named).collect()
    }

    /// The component types that it uses, whether or not there are such.
    pub fn uses(&self) -> BTreeSet<String> {
        let components = self.root.get("components").map(Node::entries).unwrap_or_default();
        components
            .iter()
            .filter_map(|(_, component)| component.get("use")?.text().map(str::to_owned))
            .collect()
    }

    /// Changes one value, as `--set path=value` asks: `name`, `network.vpc`, and for a component's setting `gitlab.host`,
    /// short for `components.gitlab.with.host`. A number in the path is an index of a list: one past its end appends, and
    /// where nothing is yet, 0 begins one. The value is read as a YAML scalar, or as a list or map in brackets.
    ///
    /// # Errors
    /// A path that leads nowhere, or a value that is no YAML; neither has a place in the file.
    pub fn set(&mut self, path: &str, value: &str) -> Result<(), Diagnostic> {
        let value = value_of(path, value)?;
        let words = self.full_path(path)?;
        let lists = words[0] != "tags";
        set_at(&mut self.root, &words, lists, value).map_err(|reason| invalid(path, &reason))
    }

    fn full_path<'p>(&self, path: &'p str) -> Result<Vec<&'p str>, Diagnostic> {
        let words: Vec<&str> = path.split('.').collect();
        if words.iter().any(|word| word.is_empty()) {
            return Err(invalid(path, "a word between two dots is missing"));
        }
        if let Some(fault) = words.iter().find_map(|word| yaml::key_fault(word, None)) {
            return Err(fault);
        }
        let first = words[0];
        if TOP_LEVEL.contains(&first) {
            if first == "components" && words.len() < 3 {
                return Err(invalid(path, "a whole component cannot be set")
                    .hint("write component.setting=value"));
            }
            return Ok(words);
        }
        let components: Vec<&str> = self
            .root
            .get("components")
            .map(Node::entries)
            .unwrap_or_default()
            .iter()
            .map(|(key, _)| key.text.as_str())
            .collect();
        if !components.contains(&first) {
            let message = format!(
                "`{first}` is neither a component of the stack nor a key of the stack file"
            );
            let known: Vec<&str> =
                components.into_iter().chain(TOP_LEVEL.into_iter().take(9)).collect();
            return Err(invalid(path, &message).hint(suggest::advice(
                first,
                &known,
                "what can be set",
            )));
        }
        if words.len() < 2 {
            let message = format!("`{first}` is a component");
            return Err(invalid(path, &message)
                .hint(format!("name a setting of it: {first}.setting=value")));
        }
        Ok(["components", first, "with"].into_iter().chain(words[1..].iter().copied()).collect())
    }
}

fn invalid(path: &str, reason: &str) -> Diagnostic {
    Diagnostic::error("set", None, format!("--set {path}: {reason}"))
}

/// Only what begins with a bracket or a quote is read as YAML, so that `title=Note: this` stays a text.
fn value_of(path: &str, text: &str) -> Result<Node, Diagnostic> {
    if !text.starts_with(['[', '{', '"', '\'']) {
        let value = yaml::resolve(text);
        return Ok(Node { span: None, written: text.to_owned(), value });
    }
    let in_words = |faults: Vec<Diagnostic>| {
        let reasons: Vec<String> = faults.into_iter().map(|fault| fault.message).collect();
        invalid(path, &reasons.join("; "))
    };
    let document = yaml::read(text).map_err(in_words)?;
    if !document.faults.is_empty() {
        return Err(in_words(document.faults));
    }
    let mut root = document.root;
    forget_places(&mut root);
    Ok(root)
}

fn forget_places(node: &mut Node) {
    node.span = None;
    match &mut node.value {
        NodeValue::List(items) => {
            for item in items {
                forget_places(item);
            }
        }
        NodeValue::Map(entries) => {
            for (key, value) in entries {
                key.span = None;
                forget_places(value);
            }
        }
        _ => {}
    }
}

/// `lists`: whether a number begins a list where nothing is yet. The keys of `tags` may be numbers.
fn set_at(node: &mut Node, words: &[&str], lists: bool, value: Node) -> Result<(), String> {
    let Some((word, rest)) = words.split_first() else {
        *node = value;
        return Ok(());
    };
    if node.is_null() {
        let is_index = lists && word.bytes().all(|byte| byte.is_ascii_digit());
        node.value =
            if is_index { NodeValue::List(Vec::new()) } else { NodeValue::Map(Vec::new()) };
    }
    match &mut node.value {
        NodeValue::Map(entries) => {
            let found = entries.iter().position(|(key, _)| key.text == *word);
            let index = found.unwrap_or_else(|| {
                let key = Key { text: (*word).to_owned(), span: None };
                entries.push((key, Node::placeless(NodeValue::Null)));
                entries.len() - 1
            });
            set_at(&mut entries[index].1, rest, lists, value)
        }
        NodeValue::List(items) => {
            let index = word.parse::<usize>().ok().filter(|index| *index <= items.len());
            let index = index.ok_or_else(|| match items.len() {
                0 => format!("`{word}` is no index of an empty list: begin with 0"),
                length => format!("`{word}` is no index of a list of {length} values"),
            })?;
            if index == items.len() {
                items.push(Node::placeless(NodeValue::Null));
            }
            set_at(&mut items[index], rest, lists, value)
        }
        // Not said what stands there: it may be a secret.
        _ => Err(format!(
            "there is no `{word}` here: what should hold it is neither a map nor a list"
        )),
    }
}
