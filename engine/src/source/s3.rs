//! Artifacts under a prefix of an S3 bucket, of AWS or of anyone who speaks its protocol.

use std::{fmt, path::Path, time::Duration};

use aws_config::{
    BehaviorVersion, meta::region::RegionProviderChain, retry::RetryConfig,
    stalled_stream_protection::StalledStreamProtectionConfig, timeout::TimeoutConfig,
};
use aws_sdk_s3::{Client, config::Builder, primitives::DateTime, types::Object};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};

use super::{Answer, Fetched, Listed, Page, Source, Version, name::is_name};
use crate::error::{Error, ErrorKind, Result};

mod checksum;
mod download;
mod location;
mod refusal;

use download::Download;
use location::Location;

/// How long a connection may take to stand.
const CONNECT_MAX: Duration = Duration::from_secs(3);
/// How long an object may let its first byte wait, and then bring nothing.
const ANSWER_MAX: Duration = Duration::from_secs(20);
const STALL_MAX: Duration = Duration::from_secs(5);
/// How long an object may take altogether, however steadily it comes.
const DOWNLOAD_MAX: Duration = Duration::from_mins(15);
/// How long any other answer may take, and how long the one may to the question whether there is anybody.
const QUESTION_MAX: Duration = Duration::from_secs(5);
const REACH_MAX: Duration = Duration::from_secs(2);
/// How long the first pause before a request is tried again is at the most.
const BACKOFF: Duration = Duration::from_millis(100);
/// What S3 asks for a page of the listing is what it asks for so many questions for an object's head.
const PAGE_COST: usize = 12;
/// The most that S3 puts on a page.
const PAGE_KEYS_MAX: i32 = 1000;
/// Where buckets are looked for when nothing names a region.
const REGION: &str = "us-east-1";

/// A bucket's prefix as a source: an artifact is an object under it.
#[derive(Clone)]
pub struct S3 {
    /// For small questions, and for objects: they have times of their own.
    questions: Client,
    objects: Client,
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
            .stalled_stream_protection(stalls)
            .load()
            .await;
        let retries = config.retry_config().cloned().unwrap_or_else(RetryConfig::standard);
        let base = Builder::from(&config)
            .force_path_style(location.is_plain())
            .retry_config(retries.with_initial_backoff(BACKOFF));
        let times = || TimeoutConfig::builder().connect_timeout(CONNECT_MAX);
        let client = |times| Client::from_conf(base.clone().timeout_config(times).build());
        let questions = client(times().operation_attempt_timeout(QUESTION_MAX).build());
        let objects = client(times().read_timeout(ANSWER_MAX).build());
        Ok(Self { questions, objects, location })
    }

    /// The key of the artifact `name`.
    fn key(&self, name: &str) -> Result<String> {
        if is_name(name) { Ok(self.location.key(name)) } else { Err(self.location.absent(name)) }
    }

    async fn head(&self, name: &str) -> Result<Version> {
        let request = self.questions.head_object().bucket(&self.location.bucket).key(self.key(name)?);
        let head = request.send().await.map_err(|error| refusal::of_object(&self.location, name, &error))?;
        Ok(version(head.e_tag(), head.last_modified(), head.content_length()))
    }

    async fn get(&self, name: &str, aside: &Path, bytes_max: u64) -> Result<Fetched> {
        self.key(name)?;
        let download = Download { client: &self.objects, location: &self.location, name, aside, bytes_max };
        let brought = tokio::time::timeout(DOWNLOAD_MAX, download.run()).await;
        let version = brought.unwrap_or_else(|_| Err(download.broken("it comes too slowly")))?;
        Ok(Fetched { path: aside.to_owned(), version })
    }

    /// A list of one key tells whether bucket and credentials are good; whether they may list is another matter.
    async fn ask(&self) -> Result<()> {
        let once = aws_sdk_s3::Config::builder()
            .retry_config(RetryConfig::disabled())
            .timeout_config(TimeoutConfig::builder().operation_timeout(REACH_MAX).build());
        let request = self.questions.list_objects_v2().bucket(&self.location.bucket).prefix(&self.location.prefix);
        match request.max_keys(1).customize().config_override(once).send().await {
            Err(error) if !refusal::is_forbidden(&error) => Err(refusal::of_listing(&self.location, &error)),
            _ => Ok(()),
        }
    }

    async fn list_page(&self, next: Option<&str>, artifacts_max: usize) -> Result<Page> {
        let request = self.questions.list_objects_v2().bucket(&self.location.bucket).prefix(&self.location.prefix);
        let keys_max = i32::try_from(artifacts_max).unwrap_or(i32::MAX).min(PAGE_KEYS_MAX);
        let request = request.max_keys(keys_max).set_continuation_token(next.map(str::to_owned));
        let page = request.send().await.map_err(|error| match next {
            Some(_) if refusal::is_invalid(&error) => Error::new(ErrorKind::InvalidInput, "no page begins there"),
            _ => refusal::of_listing(&self.location, &error),
        })?;
        let mut artifacts: Vec<Listed> = page.contents().iter().filter_map(|object| self.listed(object)).collect();
        // Directory buckets list in no order.
        artifacts.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Page { artifacts, next: page.next_continuation_token })
    }

    /// An object as an artifact; none for one that has no name here, such as a folder's marker.
    fn listed(&self, object: &Object) -> Option<Listed> {
        let name = object.key()?.strip_prefix(&self.location.prefix).filter(|name| is_name(name))?;
        let bytes = object.size().and_then(|bytes| bytes.try_into().ok()).unwrap_or(0);
        let version = object.e_tag().map(|tag| version(Some(tag), None, None));
        Some(Listed { name: name.to_owned(), bytes, version })
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

    fn page<'a>(&'a self, next: Option<&'a str>, artifacts_max: usize) -> Answer<'a, Page> {
        Box::pin(self.list_page(next, artifacts_max))
    }

    fn page_cost(&self) -> Option<usize> {
        Some(PAGE_COST)
    }
}

/// The object's entity tag, else what else changes with its bytes.
fn version(tag: Option<&str>, modified: Option<&DateTime>, length: Option<i64>) -> Version {
    Version(tag.map_or_else(
        || format!("{}-{}", modified.map(ToString::to_string).unwrap_or_default(), length.unwrap_or(-1)),
        |tag| tag.trim_matches('"').to_owned(),
    ))
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
