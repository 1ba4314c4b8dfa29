//! Who watches a download.

/// Told what arrives.
pub trait Progress {
    /// A file begins; `have` bytes of it are there already.
    fn begin(&mut self, file: &str, size: Option<u64>, have: u64);
    /// This much of it is there now.
    fn at(&mut self, bytes: u64);
    /// Something that takes time or begins anew, in words.
    fn note(&mut self, message: &str);
    /// The file is there, checked.
    fn end(&mut self);
}

/// Nobody watches.
#[derive(Clone, Copy, Debug)]
pub struct Quiet;

impl Progress for Quiet {
    fn begin(&mut self, _: &str, _: Option<u64>, _: u64) {}
    fn at(&mut self, _: u64) {}
    fn note(&mut self, _: &str) {}
    fn end(&mut self) {}
}
