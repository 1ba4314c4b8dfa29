//! Downloading one URL into one file: resumed by range, counted, hashed.

use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::Path;

use harness_store::sha256_reader;
use ureq::http::StatusCode;

use super::error::FetchError;
use super::http::{Client, Failure, Verb, broken, header};
use super::progress::Progress;
use super::retry::{Attempts, RetryPolicy, TransientFailure};

/// What is known about a file before it is downloaded.
#[derive(Clone, Debug, Default)]
pub(crate) struct Expected {
    pub(crate) size: Option<u64>,
    pub(crate) sha256: Option<String>,
}

/// A file that was received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Received {
    pub(crate) size: u64,
    pub(crate) sha256: String,
}

/// Downloads the rest of `url` to the end of `file` and verifies the whole.
///
/// An existing part is resumed only if the whole can be verified by hash, and is downloaded once
/// more from the start if that hash is wrong.
pub(crate) fn transfer(
    client: &Client,
    url: &str,
    file: &Path,
    expected: &Expected,
    policy: RetryPolicy,
    progress: &mut dyn Progress,
) -> Result<Received, FetchError> {
    let mut part = Part::open(file)?;
    if expected.sha256.is_none() {
        part.clear()?;
    }
    let mut is_old = part.length > 0;
    progress.at(part.length);
    loop {
        receive(client, url, &mut part, expected, policy, progress)?;
        let found = part.sha256()?;
        match &expected.sha256 {
            Some(sha256) if *sha256 != found => {
                part.clear()?;
                if !is_old {
                    drop(part);
                    fs_err::remove_file(file)?;
                    return Err(FetchError::WrongHash {
                        from: url.to_owned(),
                        expected: sha256.clone(),
                        found,
                    });
                }
                is_old = false;
                progress.note(&format!(
                    "{url}: the existing part is damaged; starting over"
                ));
            }
            _ => {
                part.file.sync_all()?;
                return Ok(Received {
                    size: part.length,
                    sha256: found,
                });
            }
        }
    }
}

/// A partly downloaded file.
struct Part {
    file: fs_err::File,
    length: u64,
    /// The version of its bytes, as named by the server.
    etag: Option<String>,
}

impl Part {
    fn open(path: &Path) -> Result<Self, FetchError> {
        let mut options = fs_err::OpenOptions::new();
        let mut file = options
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?;
        let length = file.seek(SeekFrom::End(0))?;
        Ok(Self {
            file,
            length,
            etag: None,
        })
    }

    fn clear(&mut self) -> Result<(), FetchError> {
        self.file.set_len(0)?;
        self.file.seek(SeekFrom::Start(0))?;
        self.length = 0;
        self.etag = None;
        Ok(())
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), FetchError> {
        self.file.write_all(bytes)?;
        self.length += bytes.len() as u64;
        Ok(())
    }

    fn sha256(&mut self) -> Result<String, FetchError> {
        self.file.seek(SeekFrom::Start(0))?;
        let sum = sha256_reader(&mut self.file)?;
        self.file.seek(SeekFrom::End(0))?;
        Ok(sum)
    }
}

/// Sends requests until the part is complete.
fn receive(
    client: &Client,
    url: &str,
    part: &mut Part,
    expected: &Expected,
    policy: RetryPolicy,
    progress: &mut dyn Progress,
) -> Result<(), FetchError> {
    let mut attempts = Attempts::new(policy);
    if let Some(size) = expected.size.filter(|size| part.length > *size) {
        progress.note(&format!(
            "{url}: the existing part exceeds {size} bytes; starting over"
        ));
        part.clear()?;
    }
    while expected.size != Some(part.length) {
        let before = part.length;
        match attempt(client, url, part, expected, progress) {
            Ok(()) => return Ok(()),
            Err(Failure::Permanent(error)) => return Err(error),
            Err(Failure::Transient(failure)) => {
                if part.length > before {
                    attempts.reset();
                }
                attempts.wait(url, &failure, progress)?;
            }
        }
    }
    Ok(())
}

fn attempt(
    client: &Client,
    url: &str,
    part: &mut Part,
    expected: &Expected,
    progress: &mut dyn Progress,
) -> Result<(), Failure> {
    let mut headers = Vec::new();
    if part.length > 0 {
        headers.push(("Range", format!("bytes={}-", part.length)));
        if let Some(etag) = &part.etag {
            headers.push(("If-Range", etag.clone()));
        }
    }
    let mut response = client.send(Verb::Get, url, &headers)?;
    let announced = header(response.headers(), "content-length").and_then(|text| text.parse().ok());
    let total = match response.status() {
        StatusCode::PARTIAL_CONTENT => {
            let range = header(response.headers(), "content-range").and_then(range);
            match range {
                Some((start, total)) if start == part.length => total,
                _ => {
                    part.clear()?;
                    return Err(Failure::Transient(TransientFailure::new(
                        "the server sent a different range than requested",
                    )));
                }
            }
        }
        StatusCode::RANGE_NOT_SATISFIABLE => {
            if part.length == 0 {
                return Err(broken(url, "the server refused the request (416)".to_owned()).into());
            }
            part.clear()?;
            return Err(Failure::Transient(TransientFailure::new(
                "the file on the server is shorter than the existing part",
            )));
        }
        _ => {
            part.clear()?;
            announced
        }
    };
    if let (Some(expected), Some(found)) = (expected.size, total)
        && expected != found
    {
        part.clear()?;
        return Err(Failure::Permanent(FetchError::WrongSize {
            url: url.to_owned(),
            expected,
            found,
        }));
    }
    if part.etag.is_none() {
        let strong = |etag: &&str| !etag.starts_with("W/");
        part.etag = header(response.headers(), "etag")
            .filter(strong)
            .map(str::to_owned);
    }
    let whole = total.or(expected.size);
    let mut body = response.body_mut().as_reader();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let count = match body.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => {
                let length = part.length;
                let reason = format!("the connection broke after {length} bytes: {error}");
                return Err(Failure::Transient(TransientFailure::new(reason)));
            }
        };
        part.append(&buffer[..count])?;
        progress.at(part.length);
        if let Some(expected) = whole.filter(|whole| part.length > *whole) {
            let found = part.length;
            part.clear()?;
            return Err(Failure::Permanent(FetchError::WrongSize {
                url: url.to_owned(),
                expected,
                found,
            }));
        }
    }
    match whole {
        Some(whole) if part.length < whole => {
            Err(Failure::Transient(TransientFailure::new(format!(
                "the connection closed after {} of {whole} bytes",
                part.length
            ))))
        }
        _ => Ok(()),
    }
}

/// Start and total size in `bytes START-END/TOTAL`.
fn range(text: &str) -> Option<(u64, Option<u64>)> {
    let (span, total) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (start, _) = span.split_once('-')?;
    let total = match total {
        "*" => None,
        total => Some(total.parse().ok()?),
    };
    Some((start.parse().ok()?, total))
}
