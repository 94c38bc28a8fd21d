//! An object on its way to a file: streamed, taken up again where its body breaks off, and whole and right at its end.

use std::{io::SeekFrom, path::Path, time::Duration};

use aws_sdk_s3::{Client, operation::get_object::GetObjectOutput, primitives::ByteStream, types::ChecksumMode};
use tokio::{
    fs::File,
    io::{AsyncSeekExt, AsyncWriteExt},
    time::sleep,
};

use super::{
    super::{Version, too_large},
    checksum::Checksum,
    location::Location,
    refusal, version,
};
use crate::error::{Error, ErrorKind, Result};

/// How often an object is asked for, and how long the first pause between two tries is. Each is twice as long as the one
/// before.
const TRIES_MAX: u32 = 6;
const PAUSE: Duration = Duration::from_millis(100);

/// What is brought, and where to.
pub(super) struct Download<'a> {
    pub(super) client: &'a Client,
    pub(super) location: &'a Location,
    pub(super) name: &'a str,
    /// The new file.
    pub(super) aside: &'a Path,
    pub(super) bytes_max: u64,
}

/// What has arrived so far.
struct Part {
    file: File,
    bytes: u64,
    /// What the first answer said of the object.
    object: Option<Object>,
}

/// An object as S3 describes it.
#[derive(Debug)]
struct Object {
    tag: Option<String>,
    version: Version,
    bytes: Option<u64>,
    checksum: Option<Checksum>,
}

/// Why a try came to nothing.
enum Failed {
    /// Another may do better.
    ForNow(Error),
    ForGood(Error),
}

impl Download<'_> {
    /// Brings the object; its version.
    pub(super) async fn run(&self) -> Result<Version> {
        let file = File::create_new(self.aside).await.map_err(|cause| self.unwritten(cause))?;
        let mut part = Part { file, bytes: 0, object: None };
        let mut pause = PAUSE;
        let mut tries = 1;
        loop {
            let error = match self.attempt(&mut part).await {
                Ok(version) => return Ok(version),
                Err(Failed::ForGood(error)) => return Err(error),
                Err(Failed::ForNow(error)) => error,
            };
            if tries == TRIES_MAX {
                return Err(error);
            }
            tracing::warn!(model = self.name, bytes = part.bytes, error = error.story(), "downloading on");
            sleep(pause).await;
            (tries, pause) = (tries + 1, pause * 2);
        }
    }

    /// Asks for what is missing and writes it behind what is there.
    async fn attempt(&self, part: &mut Part) -> Result<Version, Failed> {
        let from = part.bytes;
        let answer = self.ask(part).await?;
        if from > 0 && !part.goes_on_with(&answer) {
            part.begin_anew().await.map_err(|cause| Failed::ForGood(self.unwritten(cause)))?;
            if answer.content_range().is_some() {
                return Err(Failed::ForNow(self.broken("it changed meanwhile")));
            }
        }
        let object = part.object.get_or_insert_with(|| Object::of(&answer));
        let bytes = object.bytes;
        if let Some(bytes) = bytes.filter(|&bytes| bytes > self.bytes_max) {
            return Err(Failed::ForGood(too_large(self.name, bytes, self.bytes_max)));
        }
        self.receive(part, answer.body).await?;
        if bytes.is_some_and(|bytes| bytes != part.bytes) {
            return Err(Failed::ForNow(self.broken("it ended before its time")));
        }
        self.finish(part, from > 0).await
    }

    /// The object's answer: from where its part ends, if that is still a part of it.
    async fn ask(&self, part: &mut Part) -> Result<GetObjectOutput, Failed> {
        let key = self.location.key(self.name);
        let mut request = self.client.get_object().bucket(&self.location.bucket).key(key);
        if part.bytes == 0 {
            request = request.checksum_mode(ChecksumMode::Enabled);
        } else {
            let tag = part.object.as_ref().and_then(|object| object.tag.clone());
            request = request.range(format!("bytes={}-", part.bytes)).set_if_match(tag);
        }
        match request.send().await {
            Err(error) if part.bytes > 0 && refusal::is_another_object(&error) => {
                part.begin_anew().await.map_err(|cause| Failed::ForGood(self.unwritten(cause)))?;
                Err(Failed::ForNow(self.broken("it changed meanwhile")))
            }
            answered => answered.map_err(|error| Failed::ForGood(refusal::of_object(self.location, self.name, &error))),
        }
    }

    /// Streams `body` into the file.
    async fn receive(&self, part: &mut Part, mut body: ByteStream) -> Result<(), Failed> {
        let unwritten = |cause| Failed::ForGood(self.unwritten(cause));
        while let Some(chunk) = body.next().await {
            let chunk = match chunk {
                Ok(chunk) => chunk,
                Err(error) => {
                    if part.is_whole() {
                        // All of it is there and wrong: its checksum says so.
                        part.begin_anew().await.map_err(unwritten)?;
                    }
                    return Err(Failed::ForNow(refusal::of_body(self.location, self.name, &error)));
                }
            };
            if part.bytes + chunk.len() as u64 > self.bytes_max {
                let bytes = part.bytes + chunk.len() as u64;
                return Err(Failed::ForGood(too_large(self.name, bytes, self.bytes_max)));
            }
            part.file.write_all(&chunk).await.map_err(unwritten)?;
            part.bytes += chunk.len() as u64;
        }
        part.file.flush().await.map_err(unwritten)
    }

    /// The version of the whole object. S3 gives no checksum with a part, so that nobody has looked at the sum of several.
    async fn finish(&self, part: &mut Part, was_resumed: bool) -> Result<Version, Failed> {
        let Some(Object { version, checksum, .. }) = part.object.as_ref() else {
            return Err(Failed::ForGood(self.broken("nothing is known of it")));
        };
        let version = version.clone();
        let Some(checksum) = checksum.clone().filter(|_| was_resumed) else { return Ok(version) };
        let unread = |cause| Failed::ForGood(self.unwritten(cause));
        if checksum.fits(self.aside).await.map_err(unread)? {
            return Ok(version);
        }
        part.begin_anew().await.map_err(unread)?;
        Err(Failed::ForNow(self.broken("it does not have its checksum")))
    }

    pub(super) fn broken(&self, cause: &'static str) -> Error {
        refusal::of_body(self.location, self.name, &std::io::Error::other(cause))
    }

    fn unwritten(&self, cause: std::io::Error) -> Error {
        Error::caused(ErrorKind::Io, format!("cannot write {}", self.aside.display()), cause)
    }
}

impl Part {
    /// Whether `answer` begins where this ends, in the same object.
    fn goes_on_with(&self, answer: &GetObjectOutput) -> bool {
        let Some(object) = &self.object else { return false };
        let begins_here = |range: &str| range.starts_with(&format!("bytes {}-", self.bytes));
        answer.content_range().is_some_and(begins_here) && object.tag.as_deref() == answer.e_tag()
    }

    fn is_whole(&self) -> bool {
        self.object.as_ref().is_some_and(|object| object.bytes == Some(self.bytes))
    }

    async fn begin_anew(&mut self) -> std::io::Result<()> {
        (self.bytes, self.object) = (0, None);
        self.file.set_len(0).await?;
        self.file.seek(SeekFrom::Start(0)).await.map(drop)
    }
}

impl Object {
    fn of(answer: &GetObjectOutput) -> Self {
        Self {
            tag: answer.e_tag().map(str::to_owned),
            version: version(answer.e_tag(), answer.last_modified(), answer.content_length()),
            bytes: answer.content_length().and_then(|bytes| bytes.try_into().ok()),
            checksum: Checksum::of(answer),
        }
    }
}
