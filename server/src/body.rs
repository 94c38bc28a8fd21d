//! Takes a request's body off the wire, and no more of it than is allowed.

use std::ops::Deref;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};

use crate::{
    ahead::Ahead,
    budget::{Held, Share},
    conversation::Conversation,
    failure::{Class, Failure},
};

/// A whole body, and what of it was read before it was whole.
#[derive(Debug)]
pub(crate) struct Received {
    body: Held,
    pub(crate) ahead: Ahead,
}

impl From<Held> for Received {
    fn from(body: Held) -> Self {
        Self { body, ahead: Ahead::default() }
    }
}

impl Deref for Received {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.body
    }
}

/// The whole body: as the wire has handed it over, its one chunk as it lies in the read buffer, or its chunks put together.
/// Where there are more than one, what is there is read `ahead` of the rest.
///
/// # Errors
/// [`Class::TooLarge`] for more than `bytes_max` bytes, before anything is read when they are announced; [`Class::Busy`]
/// where other bodies have taken all that there is for them; what the wire
/// has refused, such as a body that does not arrive in time; [`Class::BadRequest`] for a body that breaks off.
pub(crate) async fn receive(
    mut body: Incoming,
    conversation: &Conversation,
    bytes_max: usize,
    mut share: Share,
    ahead: impl Fn() -> Ahead,
) -> Result<Received, Failure> {
    if let Some(whole) = conversation.body() {
        admit(whole.len(), bytes_max, &mut share)?;
        return Ok(share.held_by(whole).into());
    }
    if body.is_end_stream() {
        return Ok(share.held_by(Bytes::new()).into());
    }
    if body.size_hint().lower() > u64::try_from(bytes_max).unwrap_or(u64::MAX) {
        return Err(too_large(bytes_max));
    }
    let gathered = gather(&mut body, bytes_max, share, ahead).await;
    gathered.map_err(|failure| conversation.refusal().unwrap_or(failure))
}

/// Memory is taken as bytes arrive, not as they are announced, and from the share before it is taken.
async fn gather(
    body: &mut Incoming,
    bytes_max: usize,
    mut share: Share,
    ahead: impl Fn() -> Ahead,
) -> Result<Received, Failure> {
    let Some(first) = next(body).await? else { return Ok(share.held_by(Bytes::new()).into()) };
    admit(first.len(), bytes_max, &mut share)?;
    // A body of an announced length is known to be whole: to ask for its end takes another turn of the connection.
    let second = if body.is_end_stream() { None } else { next(body).await? };
    let Some(second) = second else { return Ok(share.held_by(first).into()) };
    let mut whole = Vec::new();
    let mut chunk = Some(second);
    append(&mut whole, &first, bytes_max, &mut share)?;
    drop(first);
    let mut rows = None;
    while let Some(bytes) = chunk {
        append(&mut whole, &bytes, bytes_max, &mut share)?;
        drop(bytes);
        if !body.is_end_stream() {
            rows.get_or_insert_with(&ahead).follow(&whole).await;
        }
        chunk = next(body).await?;
    }
    Ok(Received { body: share.held_by(whole.into()), ahead: rows.unwrap_or_default() })
}

/// Sees that so much of a body is not too much, and takes its share of memory.
fn admit(length: usize, bytes_max: usize, share: &mut Share) -> Result<(), Failure> {
    if length > bytes_max {
        return Err(too_large(bytes_max));
    }
    share.grow_to(length)
}

fn append(whole: &mut Vec<u8>, bytes: &[u8], bytes_max: usize, share: &mut Share) -> Result<(), Failure> {
    let length = whole.len() + bytes.len();
    if length > bytes_max {
        return Err(too_large(bytes_max));
    }
    if length > whole.capacity() {
        let capacity = length.max(2 * whole.capacity()).min(bytes_max);
        share.grow_to(capacity)?;
        whole.reserve_exact(capacity - whole.len());
    }
    whole.extend_from_slice(bytes);
    Ok(())
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
