//! Which names an artifact may have: one rule for every source, so that a model keeps its name when it moves.

/// Longest name in bytes: what a request's target may hold and what S3 allows a key.
pub(super) const NAME_BYTES_MAX: usize = 1024;

/// Most parts of a name, and so the depth to which a listing descends.
pub(super) const PARTS_MAX: usize = 32;

/// Whether `name` may name an artifact: parts between single `/`, none of them empty or hidden (which bars `.` and `..`),
/// and nothing in them that some file system takes for a separator or an end.
pub(super) fn is_name(name: &str) -> bool {
    name.len() <= NAME_BYTES_MAX && name.split('/').count() <= PARTS_MAX && name.split('/').all(is_part)
}

fn is_part(part: &str) -> bool {
    !part.is_empty() && !part.starts_with('.') && !part.contains(['\0', '\\'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_paths_are_names() {
        for name in ["model.tar.gz", "NY/model.tar.gz", "a..b/c...", "Zürich 1/modèle"] {
            assert!(is_name(name), "{name:?}");
        }
        for name in ["", "/", "/a", "a/", "a//b", ".", "..", "a/../b", "a/.", ".hidden", "a/.b/c", "a\\b", "a\0b"] {
            assert!(!is_name(name), "{name:?}");
        }
    }

    #[test]
    fn names_are_bounded() {
        assert!(is_name(&"a".repeat(NAME_BYTES_MAX)));
        assert!(!is_name(&"a".repeat(NAME_BYTES_MAX + 1)));
        assert!(is_name(&["a"; PARTS_MAX].join("/")));
        assert!(!is_name(&["a"; PARTS_MAX + 1].join("/")));
    }
}
