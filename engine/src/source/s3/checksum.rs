//! The checksum that S3 keeps of a whole object.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_smithy_checksums::ChecksumAlgorithm;

/// How much of a file is read at once.
const READ_BYTES: usize = 64 << 10;

/// What the bytes of a whole object come to, in base 64.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Checksum {
    algorithm: &'static str,
    expected: String,
}

impl Checksum {
    /// That of the object of which `answer` is the beginning. One that is put together from those of parts says nothing of the
    /// whole's bytes.
    pub(super) fn of(answer: &GetObjectOutput) -> Option<Self> {
        let known = [
            ("crc64nvme", answer.checksum_crc64_nvme()),
            ("crc32", answer.checksum_crc32()),
            ("crc32c", answer.checksum_crc32_c()),
            ("sha256", answer.checksum_sha256()),
            ("sha1", answer.checksum_sha1()),
        ];
        let (algorithm, expected) = known.into_iter().find_map(|(algorithm, expected)| Some((algorithm, expected?)))?;
        (!expected.contains('-')).then(|| Self { algorithm, expected: expected.to_owned() })
    }

    /// Whether the file at `path` comes to it.
    pub(super) async fn fits(self, path: &Path) -> io::Result<bool> {
        let path = path.to_owned();
        tokio::task::spawn_blocking(move || Ok(self.computed(File::open(path)?)? == self.expected)).await?
    }

    fn computed(&self, mut bytes: impl Read) -> io::Result<String> {
        let algorithm: ChecksumAlgorithm = self.algorithm.parse().map_err(io::Error::other)?;
        let (mut sum, mut buffer) = (algorithm.into_impl(), vec![0; READ_BYTES]);
        loop {
            let count = bytes.read(&mut buffer)?;
            if count == 0 {
                return Ok(sum.header_value().to_str().map_err(io::Error::other)?.to_owned());
            }
            sum.update(&buffer[..count]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_of_whole_objects_are_those_that_s3_writes() {
        let answer = || GetObjectOutput::builder();
        for (answer, expected) in [
            (answer().checksum_crc32("y/Q5Jg=="), true),
            (answer().checksum_crc32_c("4waSgw=="), true),
            (answer().checksum_crc64_nvme("rosUhgp5mIg="), true),
            (answer().checksum_sha1("98O8HYCOBHMq32eZZczDTKeuNEE="), true),
            (answer().checksum_sha256("FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU="), true),
            (answer().checksum_crc32("y/Q5Jw=="), false),
        ] {
            let sum = Checksum::of(&answer.build()).unwrap();
            assert_eq!(sum.computed(&b"123456789"[..]).unwrap() == sum.expected, expected, "{sum:?}");
        }
        assert_eq!(Checksum::of(&answer().build()), None);
        assert_eq!(Checksum::of(&answer().checksum_crc32("y/Q5Jg==-3").build()), None);
    }
}
