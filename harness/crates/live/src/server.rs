//! Answers browsers while a run goes on.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::address::ServeAddress;
use crate::assets::{ICON, PAGE, SCRIPT, STYLE};
use crate::board::Board;
use crate::request::{self, RequestError};
use crate::response::Response;

/// How long a browser may take to ask, or to take what it gets.
const PATIENCE: Duration = Duration::from_secs(5);
/// Browsers that are answered at once; others are turned away.
const MOST: usize = 32;
/// A page that asked this recently is open.
const OPEN: Duration = Duration::from_secs(4);

/// The page cannot be served.
#[derive(Debug, thiserror::Error)]
#[error("cannot serve at {address}: {source}")]
pub struct ServeError {
    pub address: SocketAddr,
    pub source: io::Error,
}

/// Serves a board until it is dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    board: Board,
    is_local: bool,
    stop: AtomicBool,
    /// Connections at once.
    open: AtomicUsize,
    started: Instant,
    /// Milliseconds from the start to the last question for the state, plus 1; 0 before the first.
    asked: AtomicU64,
    /// Whether a page was told that the run is over.
    told: AtomicBool,
    /// Version of the report that was asked for last, 0 before the first.
    shown: AtomicU64,
}

impl Server {
    /// Starts to serve `board`.
    ///
    /// # Errors
    /// The address is taken or not this machine's.
    pub fn start(at: ServeAddress, board: Board) -> Result<Self, ServeError> {
        let failed = |source| ServeError {
            address: at.socket,
            source,
        };
        let listener = TcpListener::bind(at.socket).or_else(|error| match at.may_move {
            true => TcpListener::bind(SocketAddr::new(at.socket.ip(), 0)),
            false => Err(error),
        });
        let listener = listener.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let shared = Arc::new(Shared {
            board,
            is_local: at.is_loopback(),
            stop: AtomicBool::new(false),
            open: AtomicUsize::new(0),
            started: Instant::now(),
            asked: AtomicU64::new(0),
            told: AtomicBool::new(false),
            shown: AtomicU64::new(0),
        });
        let of_thread = Arc::clone(&shared);
        let accepting = std::thread::spawn(move || accept(&listener, &of_thread));
        Ok(Self {
            address,
            shared,
            accepting: Some(accepting),
        })
    }

    /// The address to open.
    pub fn url(&self) -> String {
        let ip = self.address.ip();
        match ip.is_unspecified() {
            // A name for everywhere is none to open.
            true => format!("http://localhost:{}/", self.address.port()),
            false => format!("http://{}/", self.address),
        }
    }

    /// Says that the run is over, and waits at most `patience` until a page that is open knows it.
    pub fn finish(self, patience: Duration) {
        self.shared.board.over();
        let start = Instant::now();
        while start.elapsed() < patience && self.shared.is_watched() && !self.shared.is_told() {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        let ip = self.address.ip();
        let here = match (ip.is_unspecified(), ip.is_ipv4()) {
            (false, _) => ip,
            (true, true) => Ipv4Addr::LOCALHOST.into(),
            (true, false) => Ipv6Addr::LOCALHOST.into(),
        };
        // The listener waits for somebody; it ends with this one.
        let woken = TcpStream::connect_timeout(&(here, self.address.port()).into(), PATIENCE);
        if let (Ok(_), Some(accepting)) = (woken, self.accepting.take()) {
            // It answers in threads of their own, and cannot panic.
            let _ = accepting.join();
        }
    }
}

impl Shared {
    /// Whether a page asked a moment ago.
    fn is_watched(&self) -> bool {
        let asked = self.asked.load(Ordering::SeqCst);
        let now = self.started.elapsed().as_millis();
        asked > 0 && now.saturating_sub(u128::from(asked)) < OPEN.as_millis()
    }

    /// Whether a page knows of the end and has the last report.
    fn is_told(&self) -> bool {
        let shown = self.shown.load(Ordering::SeqCst);
        self.told.load(Ordering::SeqCst) && shown == self.board.state().version
    }

    fn answer(&self, path: &str) -> Response {
        match path {
            "/" => Response::ok("text/html; charset=utf-8", PAGE),
            // Reports ask for the second.
            "/icon.svg" | "/favicon.ico" => Response::ok("image/svg+xml", ICON),
            "/page.css" => Response::ok("text/css; charset=utf-8", STYLE),
            "/page.js" => Response::ok("text/javascript; charset=utf-8", SCRIPT),
            "/state.json" => {
                let now = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
                self.asked.store(now.saturating_add(1), Ordering::SeqCst);
                let state = self.board.state();
                match serde_json::to_vec(&state) {
                    Ok(body) => {
                        self.told.fetch_or(state.is_over, Ordering::SeqCst);
                        Response::ok("application/json", body)
                    }
                    Err(error) => Response::error("500 Internal Server Error", &error.to_string()),
                }
            }
            "/report" => match self.board.page() {
                Some(Ok((version, page))) => {
                    self.shown.store(version, Ordering::SeqCst);
                    Response::report(&page)
                }
                Some(Err(error)) => {
                    Response::error("500 Internal Server Error", &error.to_string())
                }
                None => Response::error("404 Not Found", "There is no report yet."),
            },
            "/report.json" => match self.board.report_json() {
                Some(json) => Response::ok("application/json", json),
                None => Response::error("404 Not Found", "There is no report yet."),
            },
            _ => Response::error("404 Not Found", "There is nothing here; the page is at /."),
        }
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for stream in listener.incoming() {
        if shared.stop.load(Ordering::SeqCst) {
            return;
        }
        let Ok(stream) = stream else {
            // Out of descriptors, say: another may come when one is free.
            std::thread::sleep(Duration::from_millis(50));
            continue;
        };
        if shared.open.fetch_add(1, Ordering::SeqCst) >= MOST {
            shared.open.fetch_sub(1, Ordering::SeqCst);
            continue;
        }
        let shared = Arc::clone(shared);
        std::thread::spawn(move || {
            // A browser that has gone misses nothing.
            let _ = serve(stream, &shared);
            shared.open.fetch_sub(1, Ordering::SeqCst);
        });
    }
}

fn serve(mut stream: TcpStream, shared: &Shared) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    let (response, is_head) = match request::read(&mut stream, shared.is_local) {
        Ok(request) => (shared.answer(&request.path), request.is_head),
        Err(RequestError::Io(error)) => return Err(error),
        Err(error @ RequestError::Malformed) => (
            Response::error("400 Bad Request", &error.to_string()),
            false,
        ),
        Err(error @ RequestError::Method) => {
            let refused = Response::error("405 Method Not Allowed", &error.to_string());
            (refused, false)
        }
        Err(error @ RequestError::Host) => {
            let refused = Response::error("421 Misdirected Request", &error.to_string());
            (refused, false)
        }
    };
    response.write(&mut stream, is_head)
}
