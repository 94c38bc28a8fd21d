//! A real S3 server of our own, s3s-fs, over a folder in which objects are files.

use std::{
    path::Path,
    process::{Child, Command, Stdio},
};

use crate::{
    announcement::await_announcement,
    error::{Error, Result},
    relay::relay,
};

/// Who may ask.
const ACCESS_KEY: &str = "thicket-bench";
const SECRET_KEY: &str = "a secret that only the benches know";

/// It stands for another machine, and is to take as little as it can of this one.
const NICER: &str = "5";

/// The one bucket.
pub const BUCKET: &str = "models";

/// A running server; it ends when it is dropped.
#[derive(Debug)]
pub struct Objects {
    child: Child,
    url: String,
}

impl Objects {
    /// Starts `program` over `folder`, in which the files of each bucket lie in a folder of its name.
    ///
    /// # Errors
    /// When it does not start, or ends before it says where it listens.
    pub fn start(program: &Path, folder: &Path) -> Result<Self> {
        if !program.is_file() {
            let program = program.display();
            return Err(Error::new(format!(
                "{program} is missing; python3 tests/tools/install.py installs the S3 server"
            )));
        }
        let mut command = Command::new("nice");
        command.args(["-n", NICER]).arg(program);
        command.args(["--host", "127.0.0.1", "--port", "0", "--access-key", ACCESS_KEY, "--secret-key", SECRET_KEY]);
        command.arg(folder).env("RUST_LOG", "s3s_fs=info").env("NO_COLOR", "1");
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let child = child.map_err(Error::at("nice"))?;
        let mut objects = Self { child, url: String::new() };
        let address = await_announcement(&mut objects.child, "server is running at http://");
        let address = address.ok_or_else(|| Error::new(format!("{command:?} did not listen")))?;
        objects.url = format!("http://{}", relay(address.parse().map_err(Error::at(&address))?)?);
        Ok(objects)
    }

    /// What a program needs to find this server and to be let in.
    #[must_use]
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("AWS_ENDPOINT_URL_S3", self.url.clone()),
            ("AWS_ACCESS_KEY_ID", ACCESS_KEY.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", SECRET_KEY.to_owned()),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
        ]
    }
}

impl Drop for Objects {
    fn drop(&mut self) {
        // It keeps nothing that would need a clean end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
