//! Where the page is served.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;

/// An address, and whether it must be that one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServeAddress {
    pub(crate) socket: SocketAddr,
    /// Whether another port will do.
    pub(crate) may_move: bool,
}

/// What is meant where no address is chosen; another port will do where this one is taken.
pub const DEFAULT_ADDRESS: &str = "127.0.0.1:8765";

impl ServeAddress {
    /// Whether only this machine can reach it.
    pub fn is_loopback(&self) -> bool {
        self.socket.ip().is_loopback()
    }
}

/// What is no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected an address and port such as 127.0.0.1:8765, or a port alone")]
pub struct AddressError;

impl FromStr for ServeAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let port = || text.strip_prefix(':').unwrap_or(text).parse().ok();
        let host = |name: &str, rest: &str| {
            let port: u16 = rest.parse().ok()?;
            let ip: IpAddr = match name {
                "localhost" => Ipv4Addr::LOCALHOST.into(),
                other => other.parse().ok()?,
            };
            Some(SocketAddr::from((ip, port)))
        };
        let socket = text.parse().ok();
        let socket = socket.or_else(|| port().map(|port: u16| (Ipv4Addr::LOCALHOST, port).into()));
        let socket = socket.or_else(|| {
            let (name, rest) = text.rsplit_once(':')?;
            host(name, rest)
        });
        Ok(Self {
            socket: socket.ok_or(AddressError)?,
            may_move: text == DEFAULT_ADDRESS,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_people_write_them() {
        let at = |text: &str| {
            let address = text.parse::<ServeAddress>();
            address.map(|address| (address.socket.to_string(), address.is_loopback()))
        };
        let found = |text: &str, is_loopback| Ok((text.to_owned(), is_loopback));
        assert_eq!(at("9000"), found("127.0.0.1:9000", true));
        assert_eq!(at(":9000"), found("127.0.0.1:9000", true));
        assert_eq!(at("localhost:9000"), found("127.0.0.1:9000", true));
        assert_eq!(at("[::1]:9000"), found("[::1]:9000", true));
        assert_eq!(at("0.0.0.0:80"), found("0.0.0.0:80", false));
        for bad in ["", "127.0.0.1", "70000", "host:80", "1.2.3.4:x", "::1"] {
            assert_eq!(at(bad), Err(AddressError), "{bad}");
        }
    }
}
