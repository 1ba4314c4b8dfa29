//! Reporting the progress of a download.

/// Receives the progress of downloads.
pub trait Progress {
    /// A file starts; `have` bytes of it are on disk already.
    fn begin(&mut self, file: &str, size: Option<u64>, have: u64);
    /// The number of bytes of the file that are on disk now.
    fn at(&mut self, bytes: u64);
    /// A message, for example about a wait or a restart.
    fn note(&mut self, message: &str);
    /// The file is complete and verified.
    fn end(&mut self);
}

/// Reports nothing.
#[derive(Clone, Copy, Debug)]
pub struct Quiet;

impl Progress for Quiet {
    fn begin(&mut self, _: &str, _: Option<u64>, _: u64) {}
    fn at(&mut self, _: u64) {}
    fn note(&mut self, _: &str) {}
    fn end(&mut self) {}
}
