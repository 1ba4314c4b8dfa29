//! The YAML text as a tree in which every node has a position.
//!
//! serde_yaml reads the values, but drops the positions of a mapping's entries and stops at
//! the first mistake.

use std::collections::{BTreeMap, HashMap};

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Span};

use super::{Mistake, syntax};

/// Bytes of a suite that is still read.
const MOST_BYTES: usize = 1 << 20;
/// Lists and mappings inside each other.
const MOST_DEPTH: usize = 32;
/// Nodes after aliases have been followed.
const MOST_NODES: usize = 20_000;

/// Where a node begins: line and column, both from 1, in characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark {
    pub line: usize,
    pub column: usize,
    /// Characters to underline, at least 1.
    pub width: usize,
}

/// A node of the document.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    pub(crate) mark: Mark,
    pub(crate) value: Value,
    size: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    /// `plain` scalars have a type; quoted ones are text.
    Scalar {
        text: String,
        plain: bool,
    },
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Key {
    pub(crate) mark: Mark,
    pub(crate) text: String,
}

impl Node {
    /// The entry of a mapping; the first if the key is duplicated.
    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        self.entries()
            .iter()
            .find(|(found, _)| found.text == key)
            .map(|(_, node)| node)
    }

    /// Entries of a mapping, nothing for other nodes.
    pub(crate) fn entries(&self) -> &[(Key, Node)] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// Items of a list, nothing for other nodes.
    pub(crate) fn items(&self) -> &[Node] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    /// A scalar that YAML reads as text.
    pub(crate) fn as_str(&self) -> Option<&str> {
        match (&self.value, self.to_json()) {
            (Value::Scalar { text, .. }, serde_json::Value::String(_)) => Some(text),
            _ => None,
        }
    }

    /// The value as JSON, each plain scalar as serde_yaml reads it.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        match &self.value {
            Value::Scalar { text, plain: false } => text.clone().into(),
            Value::Scalar { text, .. } => plain_scalar(text),
            Value::List(items) => items.iter().map(Node::to_json).collect(),
            Value::Map(entries) => entries
                .iter()
                .map(|(key, node)| (key.text.clone(), node.to_json()))
                .collect(),
        }
    }
}

/// What serde_yaml makes of a plain scalar. It reads it as a mapping's value,
/// because at the start of a document `---` and `%` mean something else.
fn plain_scalar(text: &str) -> serde_json::Value {
    let read: Result<BTreeMap<String, serde_json::Value>, _> =
        serde_yaml::from_str(&format!("v: {text}"));
    match read {
        Ok(mut map) => map.remove("v").unwrap_or_default(),
        Err(_) => text.into(),
    }
}

/// A collection that is still open.
enum Open {
    List(Vec<Node>),
    Map(Vec<(Key, Node)>, Option<Key>),
}

struct Frame {
    open: Open,
    mark: Mark,
    anchor: usize,
}

/// Reads one document. The error is the one mistake after which the text has no
/// tree: broken YAML, or a document that is larger than any suite.
pub(crate) fn parse(text: &str) -> Result<Node, Mistake> {
    if text.len() > MOST_BYTES {
        return Err(Mistake::new(
            Mark::default(),
            format!("the file is larger than {MOST_BYTES} bytes"),
        ));
    }
    let mut builder = Builder::default();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| {
            let (message, hint) = syntax::explain(error.info());
            let mut mistake = Mistake::new(mark_of(*error.marker(), 1), message);
            mistake.hint = hint.map(str::to_owned);
            mistake
        })?;
        builder.take(event, span)?;
    }
    builder
        .root
        .ok_or_else(|| Mistake::new(Mark::default(), "the file is empty, expected a suite"))
}

#[derive(Default)]
struct Builder {
    stack: Vec<Frame>,
    anchors: HashMap<usize, Node>,
    nodes: usize,
    documents: usize,
    root: Option<Node>,
}

impl Builder {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Mistake> {
        let mark = mark_of(span.start, span.len());
        match event {
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 {
                    return Err(Mistake::new(
                        mark,
                        "more than one YAML document in the file",
                    ));
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                refuse_tag(tag.is_some(), mark)?;
                let node = Node {
                    mark,
                    value: Value::Scalar {
                        text: text.into_owned(),
                        plain: style == ScalarStyle::Plain,
                    },
                    size: 1,
                };
                self.add(node, anchor)?;
            }
            Event::SequenceStart(anchor, tag) => {
                refuse_tag(tag.is_some(), mark)?;
                self.open(Open::List(Vec::new()), mark, anchor)?;
            }
            Event::MappingStart(anchor, tag) => {
                refuse_tag(tag.is_some(), mark)?;
                self.open(Open::Map(Vec::new(), None), mark, anchor)?;
            }
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(frame) = self.stack.pop() {
                    let value = match frame.open {
                        Open::List(items) => Value::List(items),
                        Open::Map(entries, _) => Value::Map(entries),
                    };
                    let node = Node {
                        mark: frame.mark,
                        size: 1 + size_of(&value),
                        value,
                    };
                    self.add(node, frame.anchor)?;
                }
            }
            Event::Alias(id) => {
                let Some(known) = self.anchors.get(&id) else {
                    return Err(Mistake::new(mark, "an alias that refers to itself"));
                };
                self.nodes += known.size;
                self.bounded(mark)?;
                let mut node = self.anchors[&id].clone();
                node.mark = mark;
                self.add(node, 0)?;
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
        Ok(())
    }

    fn open(&mut self, open: Open, mark: Mark, anchor: usize) -> Result<(), Mistake> {
        if self.stack.len() == MOST_DEPTH {
            return Err(Mistake::new(
                mark,
                format!("lists and mappings are nested more than {MOST_DEPTH} deep"),
            ));
        }
        self.stack.push(Frame { open, mark, anchor });
        Ok(())
    }

    fn add(&mut self, node: Node, anchor: usize) -> Result<(), Mistake> {
        self.nodes += 1;
        self.bounded(node.mark)?;
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        let Some(frame) = self.stack.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        match &mut frame.open {
            Open::List(items) => items.push(node),
            Open::Map(entries, key) => match key.take() {
                Some(key) => entries.push((key, node)),
                None => *key = Some(key_of(node)?),
            },
        }
        Ok(())
    }

    fn bounded(&self, mark: Mark) -> Result<(), Mistake> {
        if self.nodes > MOST_NODES {
            return Err(Mistake::new(
                mark,
                format!("more than {MOST_NODES} values once aliases are followed"),
            ));
        }
        Ok(())
    }
}

fn size_of(value: &Value) -> usize {
    match value {
        Value::Scalar { .. } => 0,
        Value::List(items) => items.iter().map(|node| node.size).sum(),
        Value::Map(entries) => entries.iter().map(|(_, node)| node.size).sum(),
    }
}

fn key_of(node: Node) -> Result<Key, Mistake> {
    match node.value {
        Value::Scalar { text, .. } => Ok(Key {
            mark: node.mark,
            text,
        }),
        _ => Err(Mistake::new(node.mark, "a mapping key must be text")),
    }
}

fn refuse_tag(tagged: bool, mark: Mark) -> Result<(), Mistake> {
    if tagged {
        return Err(Mistake::new(mark, "YAML tags are not supported")
            .hint("write the value without the tag"));
    }
    Ok(())
}

fn mark_of(marker: Marker, width: usize) -> Mark {
    Mark {
        line: marker.line().max(1),
        column: marker.col() + 1,
        width: width.max(1),
    }
}
