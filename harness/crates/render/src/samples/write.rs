//! From predictions to a folder of pages.

use std::io;
use std::path::{Path, PathBuf};

use super::index::{Written, index};
use super::page::page;
use super::picture::Pictures;
use super::templates::Templates;
use harness_report::Report;
use harness_report::samples::CellPredictions;
use harness_store::write_atomically;

/// Why pages were not written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PagesError {
    #[error("{path}: cannot be written: {source}")]
    Write { path: PathBuf, source: io::Error },
    #[error("the template of the pages: {0:#}")]
    Template(#[from] minijinja::Error),
}

/// Writes a page for each method, data set, upgrade and number of shots, with at most `most` images
/// of each kind, and `index.html`; returns the number of pages beside the index. Of several seeds
/// the lowest is shown. The index is written last: it leads to pages that are there.
///
/// # Errors
/// See [`PagesError`]; each names the file.
pub fn write_pages(
    report: &Report,
    cells: &[CellPredictions<'_>],
    pictures: &dyn Pictures,
    most: usize,
    folder: &Path,
) -> Result<usize, PagesError> {
    let failed = |path: &Path, source| PagesError::Write {
        path: path.to_owned(),
        source,
    };
    let write = |file: &str, text: &str| {
        let path = folder.join(file);
        write_atomically(&path, text.as_bytes()).map_err(|source| failed(&path, source))
    };
    std::fs::create_dir_all(folder).map_err(|source| failed(folder, source))?;
    let templates = Templates::new()?;
    let mut pages: Vec<Written<'_>> = Vec::new();
    for cell in lowest_seeds(cells) {
        let found = report.datasets.iter().find(|one| one.name == cell.dataset);
        let Some(dataset) = found else { continue };
        let file = format!("cell-{:04}.html", pages.len() + 1);
        write(&file, &page(&templates, cell, dataset, pictures, most)?)?;
        pages.push(Written { cell, file });
    }
    write("index.html", &index(&templates, report, &pages)?)?;
    Ok(pages.len())
}

/// The cell of the lowest seed of each method, data set, upgrade and number of shots.
fn lowest_seeds<'c>(cells: &'c [CellPredictions<'c>]) -> Vec<&'c CellPredictions<'c>> {
    let mut lowest: Vec<&CellPredictions<'_>> = Vec::new();
    for cell in cells {
        let is_same = |one: &&mut &CellPredictions<'_>| {
            (one.method, one.dataset, one.shots) == (cell.method, cell.dataset, cell.shots)
                && one.upgrade == cell.upgrade
        };
        match lowest.iter_mut().find(is_same) {
            Some(found) if cell.seed < found.seed => *found = cell,
            Some(_) => {}
            None => lowest.push(cell),
        }
    }
    lowest
}
