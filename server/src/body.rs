//! Takes a request's body off the wire, and no more of it than is allowed.

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};

use crate::{
    conversation::Conversation,
    failure::{Class, Failure},
};

/// The whole body: its one chunk as it lies in the read buffer, or its chunks put together.
///
/// # Errors
/// [`Class::TooLarge`] for more than `bytes_max` bytes, before anything is read when they are announced; what the wire
/// has refused, such as a body that does not arrive in time; [`Class::BadRequest`] for a body that breaks off.
pub(crate) async fn receive(
    mut body: Incoming,
    conversation: &Conversation,
    bytes_max: usize,
) -> Result<Bytes, Failure> {
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    if body.size_hint().lower() > u64::try_from(bytes_max).unwrap_or(u64::MAX) {
        return Err(too_large(bytes_max));
    }
    let gathered = gather(&mut body, bytes_max).await;
    gathered.map_err(|failure| conversation.refusal().unwrap_or(failure))
}

async fn gather(body: &mut Incoming, bytes_max: usize) -> Result<Bytes, Failure> {
    let Some(first) = next(body).await? else { return Ok(Bytes::new()) };
    let Some(second) = next(body).await? else {
        return if first.len() > bytes_max { Err(too_large(bytes_max)) } else { Ok(first) };
    };
    let mut whole = BytesMut::from(first);
    let mut chunk = Some(second);
    while let Some(bytes) = chunk {
        if whole.len() + bytes.len() > bytes_max {
            return Err(too_large(bytes_max));
        }
        whole.extend_from_slice(&bytes);
        chunk = next(body).await?;
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

fn too_large(bytes_max: usize) -> Failure {
    Failure::new(Class::TooLarge, format!("the body is larger than {bytes_max} bytes"))
}
