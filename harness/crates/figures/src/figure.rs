//! A picture with its numbers, and the files of it.

use std::path::{Path, PathBuf};

use harness_store::replace_file;

use crate::convert::convert;
use crate::error::FigureError;
use crate::options::{FigureFile, Format};

/// A picture and the numbers that it shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figure {
    /// Stem of its files: letters, digits and dashes.
    pub name: String,
    pub svg: String,
    /// The numbers as CSV, with a head.
    pub csv: String,
}

/// A file of a figure that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    pub path: PathBuf,
}

/// A table of numbers on its way into a CSV.
pub(crate) struct Numbers {
    writer: csv::Writer<Vec<u8>>,
}

impl Figure {
    pub(crate) fn new(name: &[&str], svg: String, numbers: Numbers) -> Result<Self, FigureError> {
        Ok(Self {
            name: stem(name),
            svg,
            csv: numbers.finish()?,
        })
    }

    /// The bytes of a file.
    ///
    /// # Errors
    /// It cannot be converted.
    pub fn bytes(&self, file: FigureFile) -> Result<Vec<u8>, FigureError> {
        match file {
            FigureFile::Picture(format) => convert(&self.svg, format),
            FigureFile::Numbers => Ok(self.csv.as_bytes().to_vec()),
        }
    }

    /// Writes it to a folder, which is made, in some formats, and its numbers beside it. Files of
    /// the same names are replaced.
    ///
    /// # Errors
    /// It cannot be converted, or a file not be written.
    pub fn write(&self, folder: &Path, formats: &[Format]) -> Result<Vec<Written>, FigureError> {
        fs_err::create_dir_all(folder)?;
        let mut written = Vec::new();
        let mut write = |ending: &str, bytes: &[u8]| {
            let path = folder.join(format!("{}.{ending}", self.name));
            let whole: std::io::Result<u64> = replace_file(&path, |out| out.write_all(bytes));
            whole?;
            written.push(Written { path });
            Ok::<(), FigureError>(())
        };
        for format in formats {
            write(format.ending(), &self.bytes(FigureFile::Picture(*format))?)?;
        }
        write("csv", &self.bytes(FigureFile::Numbers)?)?;
        Ok(written)
    }
}

impl Numbers {
    pub(crate) fn new(head: &[&str]) -> Result<Self, FigureError> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(head)?;
        Ok(Self { writer })
    }

    pub(crate) fn row<S: AsRef<[u8]>>(
        &mut self,
        cells: impl IntoIterator<Item = S>,
    ) -> Result<(), FigureError> {
        Ok(self.writer.write_record(cells)?)
    }

    fn finish(self) -> Result<String, FigureError> {
        let bytes = self.writer.into_inner();
        let bytes = bytes.map_err(csv::IntoInnerError::into_error)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

/// A number of a CSV; empty where there is none.
pub(crate) fn number(value: Option<f64>) -> String {
    value.map_or_else(String::new, |value| format!("{value:.6}"))
}

/// Parts of a name as a stem: whatever is no letter or digit becomes a dash.
fn stem(parts: &[&str]) -> String {
    let joined = parts.join("-").to_lowercase();
    let mut stem = String::new();
    for c in joined.chars() {
        if c.is_ascii_alphanumeric() {
            stem.push(c);
        } else if !stem.is_empty() && !stem.ends_with('-') {
            stem.push('-');
        }
    }
    stem.truncate(100);
    stem.trim_end_matches('-').to_owned()
}
