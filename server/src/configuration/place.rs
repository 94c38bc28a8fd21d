//! Places on the machine that are not named by an option: the cache and the shared libraries.

use std::{
    env,
    path::{Path, PathBuf},
};

use thicket_engine::Libraries;

use super::setting::Settings;
use crate::arguments::Runtimes;

/// Where converted models are kept by default: where a container with a read-only root can write, else where the user's
/// caches lie.
pub(super) fn cache_dir(container: bool, lookup: &dyn Fn(&str) -> Option<String>) -> PathBuf {
    if container {
        return PathBuf::from("/tmp/thicket");
    }
    let absolute = |name: &str| lookup(name).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute("XDG_CACHE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".cache")))
        .map_or_else(|| PathBuf::from("/tmp/thicket-cache"), |caches| caches.join("thicket"))
}

/// The shared libraries that were named, else those beside this process's executable.
#[must_use]
pub fn libraries(runtimes: &Runtimes, lookup: &dyn Fn(&str) -> Option<String>) -> Libraries {
    let settings = Settings::new(lookup);
    let onnxruntime = &["THICKET_ONNXRUNTIME", "ORT_DYLIB_PATH"];
    let executable = env::current_exe().ok();
    Libraries::find(
        settings.text("--onnxruntime", runtimes.onnxruntime.as_ref(), onnxruntime).map(PathBuf::from),
        settings.text("--xgboost", runtimes.xgboost.as_ref(), &["THICKET_XGBOOST_LIB"]).map(PathBuf::from),
        &library_folders(executable.as_deref().and_then(Path::parent)),
    )
}

/// Beside the executable, where an installation puts libraries, and where a checkout keeps them.
fn library_folders(executable_dir: Option<&Path>) -> Vec<PathBuf> {
    let mut folders = Vec::new();
    if let Some(dir) = executable_dir {
        folders.extend([dir.to_owned(), dir.join("lib"), dir.join("../lib/thicket")]);
    }
    if let Some(checkout) = executable_dir.filter(|dir| dir.ends_with("target/release")) {
        folders.push(checkout.join("../../runtimes"));
    }
    folders
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cache_lies_where_it_can_be_written() {
        let check = |container, variables: &[(&str, &str)], expected: &str| {
            let lookup =
                |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
            assert_eq!(cache_dir(container, &lookup), Path::new(expected));
        };
        check(true, &[("HOME", "/root")], "/tmp/thicket");
        check(false, &[("HOME", "/root"), ("XDG_CACHE_HOME", "/var/cache")], "/var/cache/thicket");
        check(false, &[("HOME", "/root"), ("XDG_CACHE_HOME", "")], "/root/.cache/thicket");
        check(false, &[], "/tmp/thicket-cache");
    }

    #[test]
    fn libraries_lie_beside_the_binary_or_in_the_checkout() {
        let folders = |dir: &str| -> Vec<String> {
            library_folders(Some(Path::new(dir))).iter().map(|folder| folder.display().to_string()).collect()
        };
        assert_eq!(folders("/usr/bin"), ["/usr/bin", "/usr/bin/lib", "/usr/bin/../lib/thicket"]);
        assert_eq!(folders("/src/target/release").last().unwrap(), "/src/target/release/../../runtimes");
        assert_eq!(library_folders(None), Vec::<PathBuf>::new());
    }
}
