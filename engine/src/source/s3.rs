//! Artifacts under a prefix of an S3 bucket, of AWS or of anyone who speaks its protocol.

use std::{fmt, path::Path, time::Duration};

use aws_config::{
    BehaviorVersion, meta::region::RegionProviderChain, stalled_stream_protection::StalledStreamProtectionConfig,
    timeout::TimeoutConfig,
};
use aws_sdk_s3::{
    Client,
    config::Builder,
    operation::get_object::GetObjectOutput,
    primitives::{ByteStream, DateTime},
    types::{ChecksumMode, Object},
};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use tokio::{fs::File, io::AsyncWriteExt};

use super::{Answer, Fetched, Listed, Source, Version, name::is_name, too_large};
use crate::error::{Error, ErrorKind, Result};

mod location;
mod refusal;

use location::Location;

/// How long a connection may take to stand, and a request to be answered.
const CONNECT_MAX: Duration = Duration::from_secs(3);
const ANSWER_MAX: Duration = Duration::from_secs(20);
/// How long a body may bring nothing.
const STALL_MAX: Duration = Duration::from_secs(20);
/// Where buckets are looked for when nothing names a region.
const REGION: &str = "us-east-1";

/// A bucket's prefix as a source: an artifact is an object under it.
#[derive(Clone)]
pub struct S3 {
    client: Client,
    location: Location,
}

impl S3 {
    /// The prefix at `s3://bucket/prefix`; with and without `/` at its end are the same.
    ///
    /// Credentials, region and endpoint come from where AWS's own tools take them: environment, profile, web identity,
    /// container or instance. No request is made to the bucket yet.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] when `location` names no bucket.
    pub async fn open(location: &str) -> Result<Self> {
        let location = Location::parse(location)?;
        let tls = Provider::Rustls(CryptoMode::Ring);
        let stalls = StalledStreamProtectionConfig::enabled().grace_period(STALL_MAX).build();
        let config = aws_config::defaults(BehaviorVersion::latest())
            .http_client(aws_smithy_http_client::Builder::new().tls_provider(tls).build_https())
            .region(RegionProviderChain::default_provider().or_else(REGION))
            .timeout_config(TimeoutConfig::builder().connect_timeout(CONNECT_MAX).read_timeout(ANSWER_MAX).build())
            .stalled_stream_protection(stalls)
            .load()
            .await;
        let config = Builder::from(&config).force_path_style(location.is_plain()).build();
        Ok(Self { client: Client::from_conf(config), location })
    }

    /// The key of the artifact `name`.
    fn key(&self, name: &str) -> Result<String> {
        if is_name(name) { Ok(self.location.key(name)) } else { Err(self.location.absent(name)) }
    }

    async fn head(&self, name: &str) -> Result<Version> {
        let request = self.client.head_object().bucket(&self.location.bucket).key(self.key(name)?);
        let head = request.send().await.map_err(|error| refusal::of_object(&self.location, name, &error))?;
        Ok(version(head.e_tag(), head.last_modified(), head.content_length()))
    }

    async fn get(&self, name: &str, aside: &Path, bytes_max: u64) -> Result<Fetched> {
        let request = self.client.get_object().bucket(&self.location.bucket).key(self.key(name)?);
        let request = request.checksum_mode(ChecksumMode::Enabled);
        let object = request.send().await.map_err(|error| refusal::of_object(&self.location, name, &error))?;
        let version = version(object.e_tag(), object.last_modified(), object.content_length());
        if let Some(bytes) = length(&object).filter(|&bytes| bytes > bytes_max) {
            return Err(too_large(name, bytes, bytes_max));
        }
        self.save(name, object.body, aside, bytes_max).await?;
        Ok(Fetched { path: aside.to_owned(), version })
    }

    /// Streams `body` into the new file `aside`.
    async fn save(&self, name: &str, mut body: ByteStream, aside: &Path, bytes_max: u64) -> Result<()> {
        let unwritten = |cause| Error::caused(ErrorKind::Io, format!("cannot write {}", aside.display()), cause);
        let mut file = File::create_new(aside).await.map_err(unwritten)?;
        let mut bytes = 0;
        while let Some(chunk) = body.next().await {
            let chunk = chunk.map_err(|error| refusal::of_body(&self.location, name, &error))?;
            bytes += chunk.len() as u64;
            if bytes > bytes_max {
                return Err(too_large(name, bytes, bytes_max));
            }
            file.write_all(&chunk).await.map_err(unwritten)?;
        }
        file.flush().await.map_err(unwritten)
    }

    /// A list of one key tells whether bucket and credentials are good; whether they may list is another matter.
    async fn ask(&self) -> Result<()> {
        let request = self.client.list_objects_v2().bucket(&self.location.bucket).prefix(&self.location.prefix);
        match request.max_keys(1).send().await {
            Err(error) if !refusal::is_forbidden(&error) => Err(refusal::of_listing(&self.location, &error)),
            _ => Ok(()),
        }
    }

    async fn walk(&self) -> Result<Vec<Listed>> {
        let request = self.client.list_objects_v2().bucket(&self.location.bucket).prefix(&self.location.prefix);
        let mut pages = request.into_paginator().send();
        let mut listed = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| refusal::of_listing(&self.location, &error))?;
            listed.extend(page.contents().iter().filter_map(|object| self.listed(object)));
        }
        listed.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(listed)
    }

    /// An object as an artifact; none for one that has no name here, such as a folder's marker.
    fn listed(&self, object: &Object) -> Option<Listed> {
        let name = object.key()?.strip_prefix(&self.location.prefix).filter(|name| is_name(name))?;
        let bytes = object.size().and_then(|bytes| bytes.try_into().ok()).unwrap_or(0);
        Some(Listed { name: name.to_owned(), bytes })
    }
}

impl fmt::Debug for S3 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("S3").field(&self.location.to_string()).finish()
    }
}

impl Source for S3 {
    fn location(&self) -> String {
        self.location.to_string()
    }

    fn version<'a>(&'a self, name: &'a str) -> Answer<'a, Version> {
        Box::pin(self.head(name))
    }

    fn fetch<'a>(&'a self, name: &'a str, aside: &'a Path, bytes_max: u64) -> Answer<'a, Fetched> {
        Box::pin(self.get(name, aside, bytes_max))
    }

    fn reach(&self) -> Answer<'_, ()> {
        Box::pin(self.ask())
    }

    fn list(&self) -> Answer<'_, Vec<Listed>> {
        Box::pin(self.walk())
    }
}

/// The object's entity tag, else what else changes with its bytes.
fn version(tag: Option<&str>, modified: Option<&DateTime>, length: Option<i64>) -> Version {
    Version(tag.map_or_else(
        || format!("{}-{}", modified.map(ToString::to_string).unwrap_or_default(), length.unwrap_or(-1)),
        |tag| tag.trim_matches('"').to_owned(),
    ))
}

fn length(object: &GetObjectOutput) -> Option<u64> {
    object.content_length().and_then(|bytes| bytes.try_into().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_the_tag_else_time_and_size() {
        let time = DateTime::from_secs(1_600_000_000);
        assert_eq!(version(Some("\"abc\""), Some(&time), Some(7)), Version("abc".to_owned()));
        let untagged = version(None, Some(&time), Some(7));
        assert_ne!(untagged, version(None, Some(&DateTime::from_secs(1_600_000_001)), Some(7)));
        assert_ne!(untagged, version(None, Some(&time), Some(8)));
    }
}
