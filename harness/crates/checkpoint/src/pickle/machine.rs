//! The machine: a stack, a memo, and one step for each opcode.
//!
//! Opcodes as in Python's `pickletools`; those that `torch.save` and TorchScript
//! never write are refused by number.

use std::collections::HashMap;

use super::Refused;
use super::global::Global;
use super::reader::Reader;
use super::value::{Arena, Id, Storage, TensorValue, Value};

/// Opcodes that are followed; checkpoints of a thousand tensors have some 50 000.
const MOST_STEPS: usize = 4_000_000;
/// Values that are built.
const MOST_VALUES: usize = 4_000_000;

/// Follows a pickle to its end. Gives its values and the one that it describes.
pub(crate) fn run(bytes: &[u8]) -> Result<(Arena, Id), Refused> {
    let mut machine = Machine {
        reader: Reader::new(bytes),
        arena: Arena::default(),
        stack: Vec::new(),
        marks: Vec::new(),
        memo: HashMap::new(),
    };
    for _ in 0..MOST_STEPS {
        if let Some(root) = machine.step()? {
            return Ok((machine.arena, root));
        }
        if machine.arena.len() > MOST_VALUES {
            return machine.refuse(format!("more than {MOST_VALUES} values"));
        }
    }
    machine.refuse(format!("more than {MOST_STEPS} opcodes"))
}

struct Machine<'b> {
    reader: Reader<'b>,
    arena: Arena,
    stack: Vec<Id>,
    /// Heights of the stack at the marks.
    marks: Vec<usize>,
    memo: HashMap<usize, Id>,
}

impl Machine<'_> {
    fn refuse<T>(&self, reason: impl Into<String>) -> Result<T, Refused> {
        self.reader.refuse(reason)
    }

    /// One opcode; the described value once the pickle ends.
    fn step(&mut self) -> Result<Option<Id>, Refused> {
        let opcode = self.reader.byte()?;
        match opcode {
            b'.' => return self.pop().map(Some),
            0x80 => {
                let protocol = self.reader.byte()?;
                if !(2..=5).contains(&protocol) {
                    return self.refuse(format!("pickle protocol {protocol}, expected 2 to 5"));
                }
            }
            // FRAME: the length is of no use, every read is checked.
            0x95 => drop(self.reader.take(8)?),
            b'(' => self.marks.push(self.stack.len()),
            b'0' => drop(self.pop()?),
            b'1' => drop(self.marked()?),
            b'2' => {
                let top = self.top()?;
                self.stack.push(top);
            }
            b'N' => self.push(Value::None),
            0x88 | 0x89 => self.push(Value::Bool),
            b'J' => {
                let value = i32::from_le_bytes(self.reader.array()?);
                self.push(Value::Int(value.into()));
            }
            b'K' => {
                let value = self.reader.byte()?;
                self.push(Value::Int(value.into()));
            }
            b'M' => {
                let value = u16::from_le_bytes(self.reader.array()?);
                self.push(Value::Int(value.into()));
            }
            0x8a => {
                let length = self.reader.length::<1>()?;
                self.long(length)?;
            }
            0x8b => {
                let length = self.reader.length::<4>()?;
                self.long(length)?;
            }
            b'G' => {
                let value = f64::from_be_bytes(self.reader.array()?);
                self.push(Value::Float(value));
            }
            b'X' => self.text::<4>()?,
            0x8c => self.text::<1>()?,
            0x8d => self.text::<8>()?,
            // Python 2 strings, which older checkpoints use for names.
            b'T' => self.text::<4>()?,
            b'U' => self.text::<1>()?,
            b'B' => self.bytes::<4>()?,
            b'C' => self.bytes::<1>()?,
            0x8e => self.bytes::<8>()?,
            b')' => self.push(Value::Tuple(Vec::new())),
            b']' => self.push(Value::List(Vec::new())),
            b'}' => self.push(Value::Dict(Vec::new())),
            b't' => {
                let items = self.marked()?;
                self.push(Value::Tuple(items));
            }
            0x85..=0x87 => {
                let count = usize::from(opcode - 0x84);
                let items = self.popped(count)?;
                self.push(Value::Tuple(items));
            }
            b'l' => {
                let items = self.marked()?;
                self.push(Value::List(items));
            }
            b'd' => {
                let items = self.marked()?;
                let entries = self.pairs(&items)?;
                self.push(Value::Dict(entries));
            }
            b'a' => {
                let item = self.pop()?;
                self.append(vec![item])?;
            }
            b'e' => {
                let items = self.marked()?;
                self.append(items)?;
            }
            b's' => {
                let items = self.popped(2)?;
                self.insert(&items)?;
            }
            b'u' => {
                let items = self.marked()?;
                self.insert(&items)?;
            }
            b'q' => {
                let slot = self.reader.length::<1>()?;
                self.remember(slot)?;
            }
            b'r' => {
                let slot = self.reader.length::<4>()?;
                self.remember(slot)?;
            }
            0x94 => self.remember(self.memo.len())?,
            b'h' => {
                let slot = self.reader.length::<1>()?;
                self.recall(slot)?;
            }
            b'j' => {
                let slot = self.reader.length::<4>()?;
                self.recall(slot)?;
            }
            b'c' => {
                let module = self.reader.line()?;
                let name = self.reader.line()?;
                self.global(module, name)?;
            }
            0x93 => {
                let names = self.popped(2)?;
                let text = |index: usize| self.arena.text(names[index]).map(str::to_owned);
                let (Some(module), Some(name)) = (text(0), text(1)) else {
                    return self.refuse("a class whose name is not text");
                };
                self.global(&module, &name)?;
            }
            b'R' | 0x81 => {
                let items = self.popped(2)?;
                self.call(items[0], items[1])?;
            }
            b'b' => {
                let items = self.popped(2)?;
                self.build(items[0], items[1])?;
            }
            b'Q' => {
                let id = self.pop()?;
                self.storage(id)?;
            }
            other => return self.refuse(format!("unsupported opcode {other:#04x}")),
        }
        Ok(None)
    }

    fn push(&mut self, value: Value) {
        let id = self.arena.add(value);
        self.stack.push(id);
    }

    /// The top of the stack, not below the last mark.
    fn top(&self) -> Result<Id, Refused> {
        let floor = self.marks.last().copied().unwrap_or(0);
        match self.stack.last() {
            Some(id) if self.stack.len() > floor => Ok(*id),
            _ => self.refuse("a value is popped from an empty stack"),
        }
    }

    fn pop(&mut self) -> Result<Id, Refused> {
        let id = self.top()?;
        self.stack.pop();
        Ok(id)
    }

    fn popped(&mut self, count: usize) -> Result<Vec<Id>, Refused> {
        let mut items = Vec::with_capacity(count);
        for _ in 0..count {
            items.push(self.pop()?);
        }
        items.reverse();
        Ok(items)
    }

    /// Pops the last mark and everything above it.
    fn marked(&mut self) -> Result<Vec<Id>, Refused> {
        match self.marks.pop() {
            Some(height) if height <= self.stack.len() => Ok(self.stack.split_off(height)),
            _ => self.refuse("no mark to go back to"),
        }
    }

    fn long(&mut self, length: usize) -> Result<(), Refused> {
        let bytes = self.reader.take(length)?;
        let value = match length {
            0..=8 => {
                let is_negative = bytes.last().is_some_and(|byte| byte & 0x80 != 0);
                let mut wide = [if is_negative { 0xff } else { 0 }; 8];
                wide[..length].copy_from_slice(bytes);
                Value::Int(i64::from_le_bytes(wide))
            }
            _ => Value::Number,
        };
        self.push(value);
        Ok(())
    }

    fn text<const N: usize>(&mut self) -> Result<(), Refused> {
        let length = self.reader.length::<N>()?;
        let bytes = self.reader.take(length)?;
        let text = self.reader.text(bytes)?.to_owned();
        self.push(Value::Text(text));
        Ok(())
    }

    fn bytes<const N: usize>(&mut self) -> Result<(), Refused> {
        let length = self.reader.length::<N>()?;
        self.reader.take(length)?;
        self.push(Value::Bytes);
        Ok(())
    }

    fn append(&mut self, items: Vec<Id>) -> Result<(), Refused> {
        let list = self.top()?;
        match self.arena.get_mut(list) {
            Value::List(list) => list.extend(items),
            Value::Object { .. } => {}
            _ => return self.refuse("an item is appended to something other than a list"),
        }
        Ok(())
    }

    fn insert(&mut self, items: &[Id]) -> Result<(), Refused> {
        let entries = self.pairs(items)?;
        let dict = self.top()?;
        match self.arena.get_mut(dict) {
            Value::Dict(dict) => dict.extend(entries),
            Value::Object { .. } => {}
            _ => return self.refuse("an entry is set in something other than a dict"),
        }
        Ok(())
    }

    fn pairs(&self, items: &[Id]) -> Result<Vec<(Id, Id)>, Refused> {
        let (pairs, rest) = items.as_chunks::<2>();
        match rest {
            [] => Ok(pairs.iter().map(|[key, value]| (*key, *value)).collect()),
            _ => self.refuse("a key without a value"),
        }
    }

    fn remember(&mut self, slot: usize) -> Result<(), Refused> {
        let top = self.top()?;
        self.memo.insert(slot, top);
        Ok(())
    }

    fn recall(&mut self, slot: usize) -> Result<(), Refused> {
        match self.memo.get(&slot) {
            Some(id) => {
                self.stack.push(*id);
                Ok(())
            }
            None => self.refuse(format!("slot {slot} of the memo is empty")),
        }
    }

    fn global(&mut self, module: &str, name: &str) -> Result<(), Refused> {
        match Global::find(module, name) {
            Some(global) => {
                self.push(Value::Global(global));
                Ok(())
            }
            None => self.refuse(format!(
                "it refers to {module}.{name}, which weights do not need and which loading with Python could run; nothing was run here"
            )),
        }
    }

    /// `callable(*arguments)` or `class.__new__(class, *arguments)`.
    fn call(&mut self, callable: Id, arguments: Id) -> Result<(), Refused> {
        let Value::Tuple(arguments) = self.arena.get(arguments).clone() else {
            return self.refuse("a call without a tuple of arguments");
        };
        let value = match self.arena.get(callable).clone() {
            Value::Global(Global::Dict) => Value::Dict(self.items(&arguments)?),
            Value::Global(Global::First) => match arguments.first() {
                Some(first) => {
                    self.stack.push(*first);
                    return Ok(());
                }
                None => return self.refuse("a call without its argument"),
            },
            Value::Global(Global::Tensor) => Value::Tensor(self.tensor(&arguments)?),
            Value::Global(Global::Inert(class) | Global::Module(class)) => {
                Value::Object { class, state: None }
            }
            _ => {
                let what = self.arena.describe(callable);
                return self.refuse(format!("a call of {what}"));
            }
        };
        self.push(value);
        Ok(())
    }

    /// The entries that `OrderedDict` is called with: none, or a list of pairs.
    fn items(&self, arguments: &[Id]) -> Result<Vec<(Id, Id)>, Refused> {
        let Some(list) = arguments.first() else {
            return Ok(Vec::new());
        };
        let Value::List(items) = self.arena.get(*list) else {
            return self.refuse("an OrderedDict of something other than a list");
        };
        let pair = |item: &Id| match self.arena.get(*item) {
            Value::Tuple(pair) | Value::List(pair) => match pair.as_slice() {
                [key, value] => Some((*key, *value)),
                _ => None,
            },
            _ => None,
        };
        let entries: Option<Vec<_>> = items.iter().map(pair).collect();
        match entries {
            Some(entries) => Ok(entries),
            None => self.refuse("an OrderedDict of something other than pairs"),
        }
    }

    fn tensor(&self, arguments: &[Id]) -> Result<TensorValue, Refused> {
        let [storage, offset, shape, stride, ..] = arguments else {
            return self.refuse("a tensor with fewer than four arguments");
        };
        let Value::Storage(storage) = self.arena.get(*storage) else {
            return self.refuse("a tensor without a storage");
        };
        let parts = (
            self.arena.count(*offset),
            self.arena.counts(*shape),
            self.arena.counts(*stride),
        );
        let (Some(offset), Some(shape), Some(stride)) = parts else {
            return self.refuse("a tensor whose offset, shape or stride is not a count");
        };
        if shape.len() != stride.len() {
            return self.refuse(format!("a tensor of shape {shape:?} and stride {stride:?}"));
        }
        Ok(TensorValue {
            storage: storage.clone(),
            offset,
            shape,
            stride,
        })
    }

    /// Sets an object's attributes. A dict's attributes are not its entries.
    fn build(&mut self, object: Id, attributes: Id) -> Result<(), Refused> {
        match self.arena.get_mut(object) {
            Value::Object { state, .. } => *state = Some(attributes),
            Value::Dict(_) | Value::Tensor(_) => {}
            _ => return self.refuse("attributes of what has none"),
        }
        self.stack.push(object);
        Ok(())
    }

    /// `('storage', type, key, device, count)`.
    fn storage(&mut self, id: Id) -> Result<(), Refused> {
        let Value::Tuple(parts) = self.arena.get(id).clone() else {
            return self.refuse("a reference to something outside the pickle");
        };
        let [tag, class, key, _, count, ..] = parts.as_slice() else {
            return self.refuse("a reference to something outside the pickle");
        };
        if self.arena.text(*tag) != Some("storage") {
            return self.refuse("a reference to something other than a storage");
        }
        let dtype = match self.arena.get(*class) {
            Value::Global(Global::Storage(dtype)) => *dtype,
            _ => {
                let what = self.arena.describe(*class);
                return self.refuse(format!(
                    "a storage of type {what}, which safetensors does not have"
                ));
            }
        };
        let key = self.arena.text(*key).map(str::to_owned);
        let (Some(key), Some(count)) = (key, self.arena.count(*count)) else {
            return self.refuse("a storage without a name or a length");
        };
        self.push(Value::Storage(Storage { dtype, key, count }));
        Ok(())
    }
}
