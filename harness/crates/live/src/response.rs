//! Writing what a browser gets.

use std::io::{self, Write};

/// An answer.
pub(crate) struct Response {
    pub(crate) status: &'static str,
    /// Media type.
    pub(crate) media: &'static str,
    /// Content security policy.
    policy: &'static str,
    pub(crate) body: Vec<u8>,
}

/// What a page may load: what comes from here. It may be framed here.
const POLICY: &str = "default-src 'self'; frame-ancestors 'self'; base-uri 'none'; \
                      form-action 'none'";

impl Response {
    pub(crate) fn ok(media: &'static str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status: "200 OK",
            media,
            policy: POLICY,
            body: body.into(),
        }
    }

    /// A report, whose page has a policy of its own: its inline style and script and nothing else.
    pub(crate) fn report(page: &str) -> Self {
        Self {
            policy: "frame-ancestors 'self'",
            ..Self::ok("text/html; charset=utf-8", page)
        }
    }

    pub(crate) fn error(status: &'static str, message: &str) -> Self {
        Self {
            status,
            media: "text/plain; charset=utf-8",
            policy: POLICY,
            body: format!("{message}\n").into_bytes(),
        }
    }

    /// Writes it, without its body where only the head is wanted.
    pub(crate) fn write(&self, to: &mut impl Write, is_head: bool) -> io::Result<()> {
        let (status, media, policy) = (self.status, self.media, self.policy);
        let length = self.body.len();
        write!(
            to,
            "HTTP/1.1 {status}\r\nContent-Type: {media}\r\nContent-Length: {length}\r\n\
             Content-Security-Policy: {policy}\r\nX-Content-Type-Options: nosniff\r\n\
             Referrer-Policy: no-referrer\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n"
        )?;
        if !is_head {
            to.write_all(&self.body)?;
        }
        to.flush()
    }
}
