//! The values that a pickle builds. They refer to each other by index, so that a
//! value that is used many times, or contains itself, is stored once.

use crate::dtype::Dtype;

/// Index of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Id(usize);

/// What a pickle can build here.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    None,
    Bool,
    Int(i64),
    Float(f64),
    /// An integer of more than 64 bits: nothing asks for its value.
    Number,
    Text(String),
    Bytes,
    Tuple(Vec<Id>),
    List(Vec<Id>),
    Dict(Vec<(Id, Id)>),
    /// A class or function by name, with what it may be used for.
    Global(super::global::Global),
    /// An instance of a class that is known by name alone, with its attributes.
    Object {
        class: String,
        state: Option<Id>,
    },
    Storage(Storage),
    Tensor(TensorValue),
}

/// Numbers that lie in the archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Storage {
    pub(crate) dtype: Dtype,
    pub(crate) key: String,
    /// Numbers in it.
    pub(crate) count: u64,
}

/// A view of a storage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TensorValue {
    pub(crate) storage: Storage,
    /// First number.
    pub(crate) offset: u64,
    pub(crate) shape: Vec<u64>,
    /// Numbers from one index to the next, for each dimension.
    pub(crate) stride: Vec<u64>,
}

/// All values of a pickle.
#[derive(Debug, Default)]
pub(crate) struct Arena {
    values: Vec<Value>,
}

impl Arena {
    pub(crate) fn add(&mut self, value: Value) -> Id {
        self.values.push(value);
        Id(self.values.len() - 1)
    }

    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }

    pub(crate) fn get(&self, id: Id) -> &Value {
        &self.values[id.0]
    }

    pub(crate) fn get_mut(&mut self, id: Id) -> &mut Value {
        &mut self.values[id.0]
    }

    pub(crate) fn text(&self, id: Id) -> Option<&str> {
        match self.get(id) {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A size or an offset.
    pub(crate) fn count(&self, id: Id) -> Option<u64> {
        match self.get(id) {
            Value::Int(value) => u64::try_from(*value).ok(),
            _ => None,
        }
    }

    pub(crate) fn counts(&self, id: Id) -> Option<Vec<u64>> {
        let (Value::Tuple(items) | Value::List(items)) = self.get(id) else {
            return None;
        };
        items.iter().map(|item| self.count(*item)).collect()
    }

    /// What messages call a value.
    pub(crate) fn describe(&self, id: Id) -> String {
        match self.get(id) {
            Value::None => "None".to_owned(),
            Value::Bool => "a bool".to_owned(),
            Value::Int(value) => format!("the number {value}"),
            Value::Float(value) => format!("the number {value}"),
            Value::Number => "a number".to_owned(),
            Value::Text(_) => "text".to_owned(),
            Value::Bytes => "bytes".to_owned(),
            Value::Tuple(items) => format!("a tuple of {}", items.len()),
            Value::List(items) => format!("a list of {}", items.len()),
            Value::Dict(entries) => format!("a dict of {}", entries.len()),
            Value::Global(global) => global.name(),
            Value::Object { class, .. } => format!("an object of class {class}"),
            Value::Storage(_) => "a storage".to_owned(),
            Value::Tensor(_) => "a tensor".to_owned(),
        }
    }
}
