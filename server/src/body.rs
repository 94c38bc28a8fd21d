//! Takes a request's body off the wire, and no more of it than is allowed.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use tokio::time;

use crate::failure::{Class, Failure};

/// How long a body may take to arrive.
const ARRIVAL: Duration = Duration::from_secs(30);

/// How much of a body that is too large is thrown away so that its sender gets to read the answer, and for how long.
const DISCARDED_BYTES_MAX: usize = 64 << 20;
const DISCARDING: Duration = Duration::from_secs(5);

/// The whole body: its one chunk as it lies in the read buffer, or its chunks put together.
///
/// # Errors
/// [`Class::TooLarge`] for more than `bytes_max` bytes, before anything is read when they are announced;
/// [`Class::RequestTimeout`] and [`Class::BadRequest`] for a body that does not arrive in time or breaks off.
pub(crate) async fn receive(body: Incoming, bytes_max: usize) -> Result<Bytes, Failure> {
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    if body.size_hint().lower() > u64::try_from(bytes_max).unwrap_or(u64::MAX) {
        tokio::spawn(time::timeout(DISCARDING, discard(body)));
        return Err(too_large(bytes_max));
    }
    let late = |_| Failure::new(Class::RequestTimeout, "The request's body did not arrive in time");
    time::timeout(ARRIVAL, gather(body, bytes_max)).await.map_err(late)?
}

async fn gather(mut body: Incoming, bytes_max: usize) -> Result<Bytes, Failure> {
    let Some(first) = next(&mut body).await? else { return Ok(Bytes::new()) };
    let Some(second) = next(&mut body).await? else {
        return if first.len() > bytes_max { Err(too_large(bytes_max)) } else { Ok(first) };
    };
    let mut whole = BytesMut::from(first);
    let mut chunk = Some(second);
    while let Some(bytes) = chunk {
        if whole.len() + bytes.len() > bytes_max {
            tokio::spawn(time::timeout(DISCARDING, discard(body)));
            return Err(too_large(bytes_max));
        }
        whole.extend_from_slice(&bytes);
        chunk = next(&mut body).await?;
    }
    Ok(whole.freeze())
}

/// The next chunk that holds anything.
async fn next(body: &mut Incoming) -> Result<Option<Bytes>, Failure> {
    while let Some(frame) = body.frame().await {
        let broken = |error| Failure::new(Class::BadRequest, format!("The request's body broke off: {error}"));
        match frame.map_err(broken)?.into_data() {
            Ok(bytes) if !bytes.is_empty() => return Ok(Some(bytes)),
            _ => {}
        }
    }
    Ok(None)
}

async fn discard(mut body: Incoming) {
    let mut discarded = 0;
    while let Ok(Some(bytes)) = next(&mut body).await {
        discarded += bytes.len();
        if discarded > DISCARDED_BYTES_MAX {
            return;
        }
    }
}

fn too_large(bytes_max: usize) -> Failure {
    Failure::new(Class::TooLarge, format!("the body is larger than {bytes_max} bytes"))
}
