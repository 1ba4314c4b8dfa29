//! Reading what a browser asks for.

use std::io::{self, Read};
use std::net::IpAddr;

/// Most bytes of a request.
const MOST: usize = 16 << 10;
/// Most header fields of a request.
const FIELDS: usize = 64;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    /// Without what follows a `?`.
    pub(crate) path: String,
    /// Whether only the head is wanted.
    pub(crate) is_head: bool,
}

/// Why a request is not answered.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RequestError {
    #[error("cannot be read: {0}")]
    Io(#[from] io::Error),
    #[error("no HTTP request")]
    Malformed,
    #[error("only GET and HEAD are answered")]
    Method,
    /// Somebody else's page must not read this one through a name that leads here.
    #[error("this name is not served")]
    Host,
}

/// Reads the head of a request. Where `is_local`, it must be for a name of this machine.
pub(crate) fn read(from: &mut impl Read, is_local: bool) -> Result<Request, RequestError> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 2048];
    loop {
        let count = match from.read(&mut buffer) {
            Ok(0) => return Err(RequestError::Malformed),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error.into()),
        };
        bytes.extend_from_slice(&buffer[..count]);
        if let Some(request) = parse(&bytes, is_local)? {
            return Ok(request);
        }
        if bytes.len() > MOST {
            return Err(RequestError::Malformed);
        }
    }
}

/// `None` of a head that goes on.
fn parse(bytes: &[u8], is_local: bool) -> Result<Option<Request>, RequestError> {
    let mut fields = [httparse::EMPTY_HEADER; FIELDS];
    let mut head = httparse::Request::new(&mut fields);
    let status = head.parse(bytes).map_err(|_| RequestError::Malformed)?;
    if status.is_partial() {
        return Ok(None);
    }
    let is_head = match head.method {
        Some("GET") => false,
        Some("HEAD") => true,
        _ => return Err(RequestError::Method),
    };
    let mut hosts = head.headers.iter();
    let mut hosts = hosts
        .by_ref()
        .filter(|field| field.name.eq_ignore_ascii_case("host"));
    let host = hosts
        .next()
        .and_then(|field| str::from_utf8(field.value).ok());
    if is_local && !host.is_some_and(is_this_machine) {
        return Err(RequestError::Host);
    }
    let path = head.path.ok_or(RequestError::Malformed)?;
    let path = path.split_once('?').map_or(path, |(path, _)| path);
    Ok(Some(Request {
        path: path.to_owned(),
        is_head,
    }))
}

/// Whether a `Host` field names this machine, on any port: it may be forwarded.
fn is_this_machine(host: &str) -> bool {
    let host = host.trim();
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split_once(']').map(|(address, _)| address),
        None => Some(host.split_once(':').map_or(host, |(name, _)| name)),
    };
    name.is_some_and(|name| {
        name.eq_ignore_ascii_case("localhost")
            || name.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(text: &str) -> Result<Request, RequestError> {
        read(&mut text.as_bytes(), true)
    }

    #[test]
    fn requests_for_this_machine_are_read() {
        for host in [
            "localhost",
            "LOCALHOST:9",
            "127.0.0.1:8765",
            "127.1.2.3",
            "[::1]:80",
        ] {
            let found = asked(&format!("GET /a/b?c=d HTTP/1.1\r\nHost: {host}\r\n\r\n"));
            let expected = Request {
                path: "/a/b".to_owned(),
                is_head: false,
            };
            assert_eq!(found.unwrap(), expected, "{host}");
        }
        let head = asked("HEAD / HTTP/1.1\r\nhost: localhost\r\n\r\n");
        assert!(head.unwrap().is_head);
    }

    #[test]
    fn everything_else_is_refused() {
        for host in [
            "evil.example",
            "localhost.evil.example",
            "",
            "10.0.0.1",
            "[::1",
        ] {
            let found = asked(&format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n"));
            assert!(matches!(found, Err(RequestError::Host)), "{host}");
        }
        assert!(matches!(
            asked("GET / HTTP/1.1\r\n\r\n"),
            Err(RequestError::Host)
        ));
        let post = asked("POST / HTTP/1.1\r\nHost: localhost\r\n\r\n");
        assert!(matches!(post, Err(RequestError::Method)));
        let long = format!(
            "GET / HTTP/1.1\r\nHost: localhost\r\nx: {}",
            "y".repeat(MOST + 4096)
        );
        let many = "a: b\r\n".repeat(FIELDS + 1);
        let many = format!("GET / HTTP/1.1\r\nHost: localhost\r\n{many}\r\n");
        for text in ["", "GET / HT", "\0\0\r\n\r\n", &long, &many] {
            assert!(
                matches!(asked(text), Err(RequestError::Malformed)),
                "{text:.40}"
            );
        }
    }
}
