//! Reads the bytes of a pickle, never beyond their end.

use super::Refused;

pub(crate) struct Reader<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl<'b> Reader<'b> {
    pub(crate) fn new(bytes: &'b [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub(crate) fn refuse<T>(&self, reason: impl Into<String>) -> Result<T, Refused> {
        Err(Refused {
            at: self.at,
            reason: reason.into(),
        })
    }

    pub(crate) fn take(&mut self, count: usize) -> Result<&'b [u8], Refused> {
        let left = self.bytes.len() - self.at;
        if count > left {
            return self.refuse(format!("expected {count} more bytes, found {left}"));
        }
        let taken = &self.bytes[self.at..self.at + count];
        self.at += count;
        Ok(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], Refused> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    pub(crate) fn byte(&mut self) -> Result<u8, Refused> {
        Ok(self.array::<1>()?[0])
    }

    /// A length of `N` bytes, little-endian.
    pub(crate) fn length<const N: usize>(&mut self) -> Result<usize, Refused> {
        let mut wide = [0; 8];
        wide[..N].copy_from_slice(self.take(N)?);
        match usize::try_from(u64::from_le_bytes(wide)) {
            Ok(length) => Ok(length),
            Err(_) => self.refuse("a length that no file has"),
        }
    }

    /// Text up to a line break.
    pub(crate) fn line(&mut self) -> Result<&'b str, Refused> {
        let rest = &self.bytes[self.at..];
        let Some(end) = rest.iter().position(|byte| *byte == b'\n') else {
            return self.refuse("a line without an end");
        };
        self.at += end + 1;
        self.text(&rest[..end])
    }

    pub(crate) fn text(&self, bytes: &'b [u8]) -> Result<&'b str, Refused> {
        match std::str::from_utf8(bytes) {
            Ok(text) => Ok(text),
            Err(_) => self.refuse("text that is not UTF-8"),
        }
    }
}
