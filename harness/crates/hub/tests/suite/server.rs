//! A small HTTP server with a script, and a hub on top of it.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use harness_hub::{Hub, Progress, Repo, RepoFile, Request, RetryPolicy, Settings, Token};

pub(crate) const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// What a client asked.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) verb: String,
    pub(crate) path: String,
    headers: Vec<(String, String)>,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let found = headers.find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// First byte of the range that is asked for.
    pub(crate) fn start(&self) -> usize {
        let range = self
            .header("range")
            .and_then(|text| text.strip_prefix("bytes="));
        range.map_or(0, |text| text.trim_end_matches('-').parse().unwrap())
    }
}

/// What the server says.
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    /// Bytes of the body after which the connection drops.
    cut: Option<usize>,
}

impl Reply {
    pub(crate) fn status(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
            cut: None,
        }
    }

    pub(crate) fn header(mut self, name: &str, value: impl ToString) -> Self {
        self.headers.push((name.to_owned(), value.to_string()));
        self
    }

    /// The same with another status.
    pub(crate) fn status_to(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    pub(crate) fn cut(mut self, after: usize) -> Self {
        self.cut = Some(after);
        self
    }

    /// The part of `bytes` that a request asks for.
    pub(crate) fn part(asked: &Asked, bytes: &[u8]) -> Self {
        let start = asked.start();
        let mut reply = match start {
            0 => Self::status(200),
            start => Self::status(206).header(
                "Content-Range",
                format!("bytes {start}-{}/{}", bytes.len() - 1, bytes.len()),
            ),
        };
        reply.body = bytes[start..].to_vec();
        reply
    }

    fn write(&self, stream: &mut TcpStream, verb: &str) {
        let mut head = format!("HTTP/1.1 {} X\r\nConnection: close\r\n", self.status);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if !self
            .headers
            .iter()
            .any(|(name, _)| name == "Content-Length")
        {
            head.push_str(&format!("Content-Length: {}\r\n", self.body.len()));
        }
        head.push_str("\r\n");
        // A client that has hung up is part of what is tested.
        let _ = stream.write_all(head.as_bytes());
        if verb != "HEAD" {
            let end = self.cut.unwrap_or(self.body.len());
            let _ = stream.write_all(&self.body[..end]);
        }
    }
}

type Script = dyn Fn(&Asked, usize) -> Reply + Send + Sync;

/// Serves until the test ends.
pub(crate) struct Server {
    pub(crate) url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    /// `script` answers a request, given how many came before it.
    pub(crate) fn start(script: impl Fn(&Asked, usize) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (script, log): (Arc<Script>, _) = (Arc::new(script), Arc::clone(&asked));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (script, log) = (Arc::clone(&script), Arc::clone(&log));
                std::thread::spawn(move || serve(stream, &*script, &log));
            }
        });
        Self { url, asked }
    }

    /// A hub with one file at every path: what it says of it, and its bytes.
    pub(crate) fn hub(bytes: &'static [u8]) -> Self {
        Self::start(move |asked, _| hub_reply(asked, bytes))
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// What came in as `VERB path`.
    pub(crate) fn lines(&self) -> Vec<String> {
        let asked = self.asked().into_iter();
        asked
            .map(|asked| format!("{} {}", asked.verb, asked.path))
            .collect()
    }
}

fn serve(mut stream: TcpStream, script: &Script, log: &Mutex<Vec<Asked>>) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    let Some(Ok(first)) = lines.next() else {
        return;
    };
    let mut words = first.split(' ').map(str::to_owned);
    let (verb, path) = (words.next().unwrap(), words.next().unwrap());
    let headers = lines
        .map_while(|line| line.ok().filter(|line| !line.is_empty()))
        .filter_map(|line| {
            let (name, value) = line.split_once(": ")?;
            Some((name.to_lowercase(), value.to_owned()))
        });
    let asked = Asked {
        verb,
        path,
        headers: headers.collect(),
    };
    let before = {
        let mut log = log.lock().unwrap();
        log.push(asked.clone());
        log.len() - 1
    };
    script(&asked, before).write(&mut stream, &asked.verb);
}

/// What the hub says of a large file, and its bytes.
pub(crate) fn hub_reply(asked: &Asked, bytes: &[u8]) -> Reply {
    let reply = match asked.verb.as_str() {
        "HEAD" => Reply::status(200)
            .header("Content-Length", bytes.len())
            .header("X-Repo-Commit", COMMIT),
        _ => Reply::part(asked, bytes),
    };
    reply.header("X-Linked-Etag", format!("\"{}\"", sha256(bytes)))
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    harness_store::sha256_hex(bytes)
}

/// A hub client whose cache is `cache`.
pub(crate) fn client(cache: &Path, endpoint: &str) -> Hub {
    Hub::new(settings(cache, endpoint))
}

pub(crate) fn settings(cache: &Path, endpoint: &str) -> Settings {
    Settings {
        cache: cache.to_owned(),
        endpoint: endpoint.to_owned(),
        mirror: None,
        token: Token::new("hf_secret"),
        offline: false,
    }
}

pub(crate) fn request(files: &[&str]) -> Request {
    let files = files.iter().map(|name| RepoFile::file(*name)).collect();
    Request::new(Repo::model("org/name", "main").unwrap(), files)
}

/// Three attempts without waiting.
pub(crate) const HASTY: RetryPolicy = RetryPolicy {
    attempts: 3,
    first_wait: Duration::ZERO,
    longest_wait: Duration::from_secs(1),
};

/// Remembers what it is told.
#[derive(Default)]
pub(crate) struct Watch {
    pub(crate) begun: Vec<(String, Option<u64>, u64)>,
    pub(crate) last: u64,
    pub(crate) notes: Vec<String>,
    pub(crate) ended: usize,
}

impl Progress for Watch {
    fn begin(&mut self, file: &str, size: Option<u64>, have: u64) {
        self.begun.push((file.to_owned(), size, have));
    }

    fn at(&mut self, bytes: u64) {
        self.last = bytes;
    }

    fn note(&mut self, message: &str) {
        self.notes.push(message.to_owned());
    }

    fn end(&mut self) {
        self.ended += 1;
    }
}
