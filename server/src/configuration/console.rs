//! Who is shown the console.

use std::net::IpAddr;

use http::uri::Authority;

use super::setting::Settings;
use crate::{arguments::Serve, error::Result};

/// Who is shown the console.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Console {
    /// Nobody.
    Off,
    /// Whoever asks under this machine's own name for itself: no page of another site whose name was made to lead here.
    Loopback,
    /// Whoever reaches the server.
    Everybody,
}

impl Console {
    /// Whether a request to `host`, as its header names it, is answered.
    #[must_use]
    pub fn answers(self, host: Option<&str>) -> bool {
        match self {
            Self::Off => false,
            Self::Loopback => host.is_some_and(is_authority_of_loopback),
            Self::Everybody => true,
        }
    }
}

/// What was set, else what the address allows that is listened on.
pub(super) fn console(serve: &Serve, settings: &Settings<'_>, host: &str) -> Result<Console> {
    let (flag, variables) = (serve.console.as_ref(), &["THICKET_CONSOLE"]);
    let chosen = settings.parsed("--console", flag, variables, "on or off", |text| match text {
        "on" => Some(Console::Everybody),
        "off" => Some(Console::Off),
        _ => None,
    })?;
    let default = if is_loopback(host) { Console::Loopback } else { Console::Off };
    Ok(chosen.unwrap_or(default))
}

fn is_authority_of_loopback(text: &str) -> bool {
    text.parse::<Authority>().is_ok_and(|authority| is_loopback(authority.host()))
}

/// Whether a host's name or address, in brackets or not, is loopback's.
fn is_loopback(host: &str) -> bool {
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    host.eq_ignore_ascii_case("localhost") || address.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopbacks_own_names_are_answered_unless_everybody_is() {
        for host in ["localhost", "LocalHost:8080", "127.0.0.1", "127.1.2.3:80", "[::1]:8080", "[::1]"] {
            assert!(Console::Loopback.answers(Some(host)), "{host}");
            assert!(!Console::Off.answers(Some(host)), "{host}");
        }
        for host in
            ["", "example.com", "localhost.example.com", "10.0.0.1:8080", "127.0.0.1.example.com", "[::2]", "a b"]
        {
            assert!(!Console::Loopback.answers(Some(host)), "{host}");
            assert!(Console::Everybody.answers(Some(host)), "{host}");
        }
        assert!(!Console::Loopback.answers(None));
    }
}
