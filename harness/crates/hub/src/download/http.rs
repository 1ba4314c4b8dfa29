//! HTTP requests. Redirects are followed here, so that the token is sent to the hub only.

use std::time::Duration;

use ureq::config::ConfigBuilder;
use ureq::http::{HeaderMap, Response, StatusCode, Uri};
use ureq::typestate::AgentScope;
use ureq::{Agent, Body, Proxy};

use super::error::{FetchError, Refusal};
use super::forward;
use super::retry::TransientFailure;
use crate::settings::Settings;

/// Redirects that are followed.
const MAX_REDIRECTS: usize = 10;

/// An HTTP client with the settings of a hub.
pub(crate) struct Client {
    agent: Agent,
    /// For `http` addresses, if there is a proxy that is asked for them.
    forward: Option<(Agent, Proxy)>,
    authorization: Option<String>,
    /// The only origin to which the token is sent.
    home: Option<Origin>,
}

/// Scheme, host and port.
type Origin = (String, String, u16);

/// The method of a request.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    /// Headers only. Redirects to other hosts are not followed, since the hub's own response
    /// describes the file.
    Head,
    Get,
}

/// Why a request failed.
pub(crate) enum Failure {
    Transient(TransientFailure),
    Permanent(FetchError),
}

impl From<FetchError> for Failure {
    fn from(error: FetchError) -> Self {
        Self::Permanent(error)
    }
}

/// What every agent keeps to.
fn limits() -> ConfigBuilder<AgentScope> {
    Agent::config_builder()
        .max_redirects(0)
        .http_status_as_error(false)
        // Sizes, ranges and hashes refer to the stored bytes.
        .accept_encoding("identity")
        .user_agent(concat!("harness/", env!("CARGO_PKG_VERSION")))
        .timeout_connect(Some(Duration::from_secs(20)))
        .timeout_recv_response(Some(Duration::from_secs(60)))
        .timeout_per_read(Some(Duration::from_secs(60)))
}

impl Client {
    pub(crate) fn new(settings: &Settings) -> Self {
        let config = limits().build();
        let proxy = config.proxy().cloned();
        let forward = proxy.and_then(|proxy| {
            // Connections to the proxy itself need none.
            let agent = forward::agent(limits().proxy(None).build(), &proxy)?;
            Some((agent, proxy))
        });
        Self {
            agent: Agent::new_with_config(config),
            forward,
            authorization: settings.token.as_ref().map(|token| token.header()),
            home: origin(&settings.endpoint),
        }
    }

    fn agent_for(&self, url: &str) -> &Agent {
        let uri = url.parse::<Uri>().ok();
        let is_forwarded = |proxy: &Proxy| {
            uri.is_some_and(|uri| uri.scheme_str() == Some("http") && !proxy.is_no_proxy(&uri))
        };
        match &self.forward {
            Some((agent, proxy)) if is_forwarded(proxy) => agent,
            _ => &self.agent,
        }
    }

    /// Sends a request with extra headers and follows redirects.
    pub(crate) fn send(
        &self,
        verb: Verb,
        url: &str,
        headers: &[(&str, String)],
    ) -> Result<Response<Body>, Failure> {
        let mut at = url.to_owned();
        for _ in 0..=MAX_REDIRECTS {
            let had_token = self.authorization.is_some() && origin(&at) == self.home;
            let agent = self.agent_for(&at);
            let mut request = match verb {
                Verb::Head => agent.head(&at),
                Verb::Get => agent.get(&at),
            };
            for (name, value) in headers {
                request = request.header(*name, value);
            }
            if let Some(value) = self.authorization.as_ref().filter(|_| had_token) {
                request = request.header("Authorization", value);
            }
            let response = request.call().map_err(|error| transport(&at, error))?;
            let status = response.status();
            if !status.is_redirection() || status == StatusCode::NOT_MODIFIED {
                return classify(response, &at, had_token);
            }
            let next = header(response.headers(), "location").and_then(|to| join(&at, to));
            let Some(next) = next else {
                let reason = format!("status {status} without a valid Location header");
                return Err(broken(&at, reason).into());
            };
            // A hub's redirect describes the file; that of a mirror leads to such a one.
            let described = ["x-repo-commit", "x-linked-etag", "x-linked-size"];
            let is_hub = described
                .iter()
                .any(|name| header(response.headers(), name).is_some());
            if verb == Verb::Head && is_hub && origin(&next) != origin(&at) {
                return Ok(response);
            }
            if at.starts_with("https:") && !next.starts_with("https:") {
                let reason = format!("redirected to {next}, which is not HTTPS");
                return Err(broken(&at, reason).into());
            }
            at = next;
        }
        Err(broken(url, format!("more than {MAX_REDIRECTS} redirects")).into())
    }
}

pub(crate) fn broken(url: &str, reason: String) -> FetchError {
    FetchError::Broken {
        url: url.to_owned(),
        reason,
    }
}

/// A header's value, if it is text.
pub(crate) fn header<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

fn classify(
    response: Response<Body>,
    url: &str,
    had_token: bool,
) -> Result<Response<Body>, Failure> {
    let status = response.status().as_u16();
    let refusal = match status {
        200..=299 | 416 => return Ok(response),
        401 | 403 => Refusal::NotAllowed { status, had_token },
        404 | 410 => Refusal::NotFound {
            what: match header(response.headers(), "x-error-code") {
                Some("RepoNotFound") => "repository",
                Some("RevisionNotFound") => "revision",
                _ => "file",
            },
        },
        408 | 425 | 429 | 500..=599 => {
            let asked = header(response.headers(), "retry-after");
            return Err(Failure::Transient(TransientFailure {
                reason: format!("the server responded with status {status}"),
                wait: asked
                    .and_then(|text| text.trim().parse().ok())
                    .map(Duration::from_secs),
            }));
        }
        _ => Refusal::Status(status),
    };
    Err(Failure::Permanent(FetchError::Refused {
        url: url.to_owned(),
        refusal,
    }))
}

fn transport(url: &str, error: ureq::Error) -> Failure {
    match error {
        ureq::Error::Io(_)
        | ureq::Error::Timeout(_)
        | ureq::Error::ConnectionFailed
        | ureq::Error::HostNotFound
        | ureq::Error::Protocol(_)
        | ureq::Error::BodyStalled => Failure::Transient(TransientFailure::new(error.to_string())),
        other => Failure::Permanent(broken(url, other.to_string())),
    }
}

fn origin(url: &str) -> Option<Origin> {
    let uri: Uri = url.parse().ok()?;
    let scheme = uri.scheme_str()?.to_owned();
    let port = uri
        .port_u16()
        .unwrap_or(if scheme == "https" { 443 } else { 80 });
    Some((scheme, uri.host()?.to_ascii_lowercase(), port))
}

/// Resolves a Location header against `base`.
fn join(base: &str, location: &str) -> Option<String> {
    if location.starts_with("http://") || location.starts_with("https://") {
        return Some(location.to_owned());
    }
    let uri: Uri = base.parse().ok()?;
    let scheme = uri.scheme_str()?;
    if let Some(rest) = location.strip_prefix("//") {
        return Some(format!("{scheme}://{rest}"));
    }
    let host = uri.authority()?;
    let path = match location.strip_prefix('/') {
        Some(path) => path.to_owned(),
        None => {
            let (folder, _) = uri.path().rsplit_once('/')?;
            format!("{}/{location}", folder.trim_start_matches('/'))
        }
    };
    Some(format!(
        "{scheme}://{host}/{}",
        path.trim_start_matches('/')
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locations_are_followed_from_where_they_stand() {
        let base = "https://hub/a/b?c=d";
        for (location, expected) in [
            ("https://cdn/x", "https://cdn/x"),
            ("//cdn/x", "https://cdn/x"),
            ("/new/b", "https://hub/new/b"),
            ("e", "https://hub/a/e"),
        ] {
            assert_eq!(join(base, location).as_deref(), Some(expected));
        }
        assert_eq!(origin("https://HUB/x"), origin("https://hub:443/y"));
        assert_ne!(origin("http://hub/x"), origin("https://hub/x"));
        assert_ne!(origin("https://hub/x"), origin("https://hub.evil/x"));
    }
}
