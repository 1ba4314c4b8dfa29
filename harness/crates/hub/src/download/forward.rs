//! Plain HTTP through a proxy: the proxy is asked for whole addresses. ureq's own way is a tunnel,
//! which most proxies open to port 443 alone.

use std::io;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, NextTimeout, TcpConnector, Transport,
};
use ureq::{Agent, Error, Proxy, ProxyProtocol};

/// An agent for `http` addresses through a proxy; `None` if the proxy is of another kind.
pub(super) fn agent(config: Config, proxy: &Proxy) -> Option<Agent> {
    if proxy.protocol() != ProxyProtocol::Http {
        return None;
    }
    let authorization = proxy.username().map(|user| {
        let password = proxy.password().unwrap_or_default();
        BASE64_STANDARD.encode(format!("{user}:{password}"))
    });
    let connector = ().chain(TcpConnector::default()).chain(ForwardConnector { authorization });
    let resolver = ProxyResolver {
        proxy: proxy.uri().clone(),
        inner: DefaultResolver::default(),
    };
    Some(Agent::with_parts(config, connector, resolver))
}

/// Gives the proxy's address, whatever is asked for.
#[derive(Debug)]
struct ProxyResolver {
    proxy: Uri,
    inner: DefaultResolver,
}

impl Resolver for ProxyResolver {
    fn resolve(
        &self,
        _: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        self.inner.resolve(&self.proxy, config, timeout)
    }
}

/// Wraps a connection to the proxy.
#[derive(Debug)]
struct ForwardConnector {
    /// User and password in base 64.
    authorization: Option<String>,
}

impl<In: Transport> Connector<In> for ForwardConnector {
    type Out = ForwardTransport<In>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        let authority = details.uri.authority();
        let authority = authority.ok_or_else(|| Error::BadUri(details.uri.to_string()))?;
        Ok(chained.map(|inner| ForwardTransport {
            inner,
            origin: format!("http://{}", authority.as_str()),
            authorization: self.authorization.clone(),
        }))
    }
}

/// A connection on which request lines get the whole address. Requests have no body.
#[derive(Debug)]
struct ForwardTransport<In> {
    inner: In,
    /// Scheme, host and port of the server.
    origin: String,
    authorization: Option<String>,
}

impl<In: Transport> Transport for ForwardTransport<In> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let output = self.inner.buffers().output();
        let Some(changed) = forwarded(
            &output[..amount],
            &self.origin,
            self.authorization.as_deref(),
        ) else {
            return self.inner.transmit_output(amount, timeout);
        };
        match output.get_mut(..changed.len()) {
            Some(start) => start.copy_from_slice(&changed),
            None => return Err(io::Error::other("the request is too long").into()),
        }
        self.inner.transmit_output(changed.len(), timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.inner.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        self.inner.is_open()
    }
}

/// The beginning of a request as a proxy expects it; `None` if it is no beginning.
fn forwarded(request: &[u8], origin: &str, authorization: Option<&str>) -> Option<Vec<u8>> {
    let (method, rest) = [&b"GET "[..], b"HEAD "]
        .into_iter()
        .find_map(|method| Some((method, request.strip_prefix(method)?)))?;
    let line = rest.windows(2).position(|pair| pair == b"\r\n")?;
    let mut changed = [method, origin.as_bytes(), &rest[..line + 2]].concat();
    if let Some(authorization) = authorization {
        changed.extend(format!("Proxy-Authorization: Basic {authorization}\r\n").into_bytes());
    }
    changed.extend(&rest[line + 2..]);
    Some(changed)
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;

    use ureq::{Agent, Proxy};

    use super::{agent, forwarded};

    #[test]
    fn a_proxy_that_opens_no_tunnel_is_asked_for_the_address() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = vec![0; 4096];
            let mut length = 0;
            while !request[..length].ends_with(b"\r\n\r\n") {
                length += stream.read(&mut request[length..]).unwrap();
            }
            let response = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nfile";
            stream.write_all(response).unwrap();
            String::from_utf8(request[..length].to_vec()).unwrap()
        });
        let proxy = Proxy::new(&format!("http://x:y@{address}")).unwrap();
        let config = Agent::config_builder().proxy(None).build();
        let response = agent(config, &proxy)
            .unwrap()
            .get("http://hub.invalid/a/b?c=d");
        let text = response
            .call()
            .unwrap()
            .body_mut()
            .read_to_string()
            .unwrap();
        assert_eq!(text, "file");
        let request = server.join().unwrap();
        assert!(
            request.starts_with("GET http://hub.invalid/a/b?c=d HTTP/1.1\r\n"),
            "{request}"
        );
        assert!(
            request.contains("Proxy-Authorization: Basic eDp5\r\n"),
            "{request}"
        );
        assert!(
            request
                .to_ascii_lowercase()
                .contains("host: hub.invalid\r\n"),
            "{request}"
        );
    }

    #[test]
    fn request_lines_get_the_whole_address() {
        let request = b"GET /a?b=c HTTP/1.1\r\nhost: hub\r\n\r\n";
        for (authorization, expected) in [
            (
                None,
                "GET http://hub:81/a?b=c HTTP/1.1\r\nhost: hub\r\n\r\n",
            ),
            (
                Some("eDp5"),
                "GET http://hub:81/a?b=c HTTP/1.1\r\nProxy-Authorization: Basic eDp5\r\nhost: hub\r\n\r\n",
            ),
        ] {
            let found = forwarded(request, "http://hub:81", authorization).unwrap();
            assert_eq!(String::from_utf8(found).unwrap(), expected);
        }
        assert_eq!(forwarded(b"body", "http://hub", None), None);
    }
}
