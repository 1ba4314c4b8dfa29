//! The version record, which the host reads before any of a plugin's code runs.
//!
//! It is a block of plain bytes without pointers, so the host can read it from the file
//! and report the common mistakes (older SDK, `panic = "abort"`) in one line, where
//! abi_stable's layout comparison prints a thousand.

use thiserror::Error;

use crate::{ABI_MAJOR, ABI_MINOR};

/// Name of the symbol that holds a [`PluginRecord`].
pub const RECORD_SYMBOL: &str = "HARNESS_PLUGIN_RECORD";

const MAGIC: [u8; 8] = *b"HARNESSP";
const TEXT: usize = 64;

/// Versions a plugin was built with. The first 16 bytes never change their meaning.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PluginRecord {
    magic: [u8; 8],
    abi_major: [u8; 2],
    abi_minor: [u8; 2],
    /// 1 when panics unwind, 0 when they abort.
    unwinds: u8,
    /// `0`, `1`, `2`, `3`, `s` or `z`, as Cargo names it; 0 in older records.
    opt_level: u8,
    reserved: [u8; 2],
    sdk: [u8; TEXT],
    rustc: [u8; TEXT],
}

/// Why a block of bytes is not a record.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RecordError {
    /// Too few bytes.
    #[error("its version record is {found} bytes long, expected at least {expected}")]
    Short {
        /// Length of the block.
        found: usize,
        /// Length of a record.
        expected: usize,
    },
    /// Other bytes.
    #[error("its version record does not begin with `HARNESSP`")]
    Magic,
}

impl PluginRecord {
    /// Length in bytes.
    pub const SIZE: usize = size_of::<Self>();

    /// The record of a plugin that is compiled against this crate. Strings are truncated
    /// to 64 bytes.
    pub const fn new(sdk: &str, rustc: &str) -> Self {
        Self {
            magic: MAGIC,
            abi_major: ABI_MAJOR.to_le_bytes(),
            abi_minor: ABI_MINOR.to_le_bytes(),
            unwinds: cfg!(panic = "unwind") as u8,
            opt_level: first(env!("HARNESS_OPT_LEVEL")),
            reserved: [0; 2],
            sdk: padded(sdk),
            rustc: padded(rustc),
        }
    }

    /// The record of a plugin that needs another minor ABI version than that of this crate.
    #[must_use]
    pub const fn needing(mut self, minor: u16) -> Self {
        self.abi_minor = minor.to_le_bytes();
        self
    }

    /// Reads a record from the bytes of its symbol.
    ///
    /// # Errors
    /// The bytes are too few or no record.
    pub fn parse(bytes: &[u8]) -> Result<Self, RecordError> {
        let Some(bytes) = bytes.first_chunk::<{ Self::SIZE }>() else {
            return Err(RecordError::Short {
                found: bytes.len(),
                expected: Self::SIZE,
            });
        };
        let record = Self {
            magic: take(bytes, 0),
            abi_major: take(bytes, 8),
            abi_minor: take(bytes, 10),
            unwinds: bytes[12],
            opt_level: bytes[13],
            reserved: take(bytes, 14),
            sdk: take(bytes, 16),
            rustc: take(bytes, 16 + TEXT),
        };
        if record.magic == MAGIC {
            Ok(record)
        } else {
            Err(RecordError::Magic)
        }
    }

    /// The ABI version that it needs as (major, minor).
    pub fn abi(&self) -> (u16, u16) {
        (
            u16::from_le_bytes(self.abi_major),
            u16::from_le_bytes(self.abi_minor),
        )
    }

    /// Whether panics unwind, so that they can be caught.
    pub fn unwinds(&self) -> bool {
        self.unwinds == 1
    }

    /// Optimisation level of this crate in the plugin's build, and so of its other
    /// dependencies unless its profile names them, as Cargo writes it (`0`, `3`, `s`); none in
    /// records written before it was kept.
    pub fn opt_level(&self) -> Option<char> {
        let level = char::from(self.opt_level);
        level.is_ascii_alphanumeric().then_some(level)
    }

    /// SDK version.
    pub fn sdk(&self) -> String {
        text(&self.sdk)
    }

    /// Output of `rustc --version`.
    pub fn rustc(&self) -> String {
        text(&self.rustc)
    }
}

const fn padded(text: &str) -> [u8; TEXT] {
    let bytes = text.as_bytes();
    let mut out = [0; TEXT];
    let mut i = 0;
    while i < bytes.len() && i < TEXT {
        out[i] = bytes[i];
        i += 1;
    }
    out
}

const fn first(text: &str) -> u8 {
    match text.as_bytes() {
        [first, ..] => *first,
        [] => 0,
    }
}

fn take<const N: usize>(bytes: &[u8; PluginRecord::SIZE], at: usize) -> [u8; N] {
    let mut out = [0; N];
    out.copy_from_slice(&bytes[at..at + N]);
    out
}

fn text(bytes: &[u8; TEXT]) -> String {
    let end = bytes.iter().position(|&b| b == 0).unwrap_or(TEXT);
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(record: &PluginRecord) -> Vec<u8> {
        let mut out = record.magic.to_vec();
        out.extend(record.abi_major);
        out.extend(record.abi_minor);
        out.push(record.unwinds);
        out.push(record.opt_level);
        out.extend(record.reserved);
        out.extend(record.sdk);
        out.extend(record.rustc);
        out
    }

    #[test]
    fn a_record_reads_back_from_its_bytes() {
        let record = PluginRecord::new("0.1.0", "rustc 1.95.0");
        let read = PluginRecord::parse(&bytes(&record)).unwrap();
        assert_eq!(read, record);
        assert_eq!(read.abi(), (ABI_MAJOR, ABI_MINOR));
        assert_eq!(read.needing(1).abi(), (ABI_MAJOR, 1));
        assert_eq!(read.sdk(), "0.1.0");
        assert_eq!(read.rustc(), "rustc 1.95.0");
        assert!(read.unwinds());
        assert_eq!(
            read.opt_level(),
            env!("HARNESS_OPT_LEVEL").chars().next(),
            "as this crate was built"
        );
    }

    #[test]
    fn records_from_before_the_optimisation_level_have_none() {
        let mut old = bytes(&PluginRecord::new("0.1.0", "rustc"));
        old[13] = 0;
        assert_eq!(PluginRecord::parse(&old).unwrap().opt_level(), None);
    }

    #[test]
    fn other_and_short_blocks_are_rejected() {
        let good = bytes(&PluginRecord::new("0.1.0", "rustc"));
        assert_eq!(
            PluginRecord::parse(&good[..20]),
            Err(RecordError::Short {
                found: 20,
                expected: PluginRecord::SIZE
            })
        );
        let mut other = good;
        other[0] = b'X';
        assert_eq!(PluginRecord::parse(&other), Err(RecordError::Magic));
    }

    #[test]
    fn long_strings_are_truncated() {
        let record = PluginRecord::new(&"v".repeat(500), "");
        assert_eq!(record.sdk().len(), 64);
        assert_eq!(record.rustc(), "");
    }
}
