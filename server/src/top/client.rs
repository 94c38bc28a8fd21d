//! Asks a server for its state.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode, Uri, header::HOST, uri::Authority};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, time};

use super::{answer::Answer, sorting::Sorting};
use crate::error::{Error, ErrorKind, Result};

/// How long an answer may take, and how large it may be.
const PATIENCE: Duration = Duration::from_secs(5);
const ANSWER_BYTES_MAX: usize = 16 << 20;

/// Where a server answers.
#[derive(Clone, Debug)]
pub(super) struct Client {
    authority: Authority,
}

impl Client {
    /// The server at `url`, such as `http://127.0.0.1:8080` or `localhost:8080`.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] for anything else.
    pub(super) fn of(url: &str) -> Result<Self> {
        let refused =
            || Error::new(ErrorKind::Usage, format!("'{url}' cannot be used, expected an address as http://HOST:PORT"));
        let uri: Uri = url.parse().map_err(|_| refused())?;
        let is_plain = uri.scheme_str().is_none_or(|scheme| scheme == "http");
        let is_root = matches!(uri.path(), "" | "/" | "/console");
        let authority = uri.authority().filter(|authority| is_plain && is_root && !authority.as_str().contains('@'));
        Ok(Self { authority: authority.cloned().ok_or_else(refused)? })
    }

    /// What the server is called here.
    pub(super) fn name(&self) -> &str {
        self.authority.as_str()
    }

    /// The state, with so many models.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] with what is the matter.
    pub(super) async fn ask(&self, sorting: Sorting, rows: usize) -> Result<Answer> {
        let asked = time::timeout(PATIENCE, self.body(&sorting.query(rows))).await;
        let late = |_| Error::new(ErrorKind::Io, format!("{} does not answer in time", self.authority));
        let body = asked.map_err(late)??;
        let unread =
            |error| Error::caused(ErrorKind::Io, "cannot read the answer, which may be another version's", error);
        serde_json::from_slice(&body).map_err(unread)
    }

    async fn body(&self, query: &str) -> Result<Bytes> {
        let unreached = |error| Error::caused(ErrorKind::Io, format!("cannot reach {}", self.authority), error);
        let broken = |error| Error::caused(ErrorKind::Io, format!("{} breaks off", self.authority), error);
        let stream = TcpStream::connect(self.place()).await.map_err(unreached)?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
        // It ends with the sender, and what goes wrong is told there.
        drop(tokio::spawn(connection));
        let request = Request::get(format!("/console/state?{query}")).header(HOST, self.authority.as_str());
        let request = request.body(Empty::<Bytes>::new()).expect("paths and hosts were parsed");
        let answer = sender.send_request(request).await.map_err(broken)?;
        if answer.status() != StatusCode::OK {
            return Err(self.refused(answer.status()));
        }
        let body = Limited::new(answer.into_body(), ANSWER_BYTES_MAX).collect().await;
        let cut = |error| Error::new(ErrorKind::Io, format!("{} breaks off: {error}", self.authority));
        Ok(body.map_err(cut)?.to_bytes())
    }

    /// Where to connect.
    fn place(&self) -> (&str, u16) {
        let host = self.authority.host();
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        (bare, self.authority.port_u16().unwrap_or(80))
    }

    fn refused(&self, status: StatusCode) -> Error {
        let hint = if status == StatusCode::NOT_FOUND {
            ": it shows no console here, which --console on of thicket serve changes"
        } else {
            ""
        };
        Error::new(ErrorKind::Io, format!("{} answers {}{hint}", self.authority, status.as_u16()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_a_host_and_speak_http() {
        for (url, host, port) in [
            ("http://127.0.0.1:8080", "127.0.0.1", 8080),
            ("http://localhost:9/", "localhost", 9),
            ("http://[::1]:7/console", "::1", 7),
            ("localhost:8080", "localhost", 8080),
            ("http://example.com", "example.com", 80),
        ] {
            assert_eq!(Client::of(url).unwrap().place(), (host, port), "{url}");
        }
        for url in ["", "https://localhost:1", "/console", "http://u:p@localhost:1", "http://localhost:1/models", "a b"]
        {
            assert_eq!(Client::of(url).unwrap_err().kind(), ErrorKind::Usage, "{url}");
        }
    }
}
