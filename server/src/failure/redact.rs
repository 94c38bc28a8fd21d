//! Takes this machine's paths out of a text that a client is going to read.

/// What stands for a path.
const HIDDEN: &str = "<path>";

/// `text` with every absolute path replaced, but for those that lie at or below `sent`, which the client named itself.
pub(super) fn without_paths(text: &str, sent: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = path_start(rest) {
        let (before, path) = rest.split_at(start);
        let end = path.find(ends_path).unwrap_or(path.len());
        let (path, after) = path.split_at(end);
        clean.push_str(before);
        clean.push_str(if was_sent(path, sent) { path } else { HIDDEN });
        rest = after;
    }
    clean.push_str(rest);
    clean
}

/// Where the first path in `text` begins: at a slash that opens a word and does not stand alone.
fn path_start(text: &str) -> Option<usize> {
    let opens = |at: usize| text[..at].chars().next_back().is_none_or(opens_path);
    let goes_on = |at: usize| text[at + 1..].chars().next().is_some_and(|next| !ends_path(next));
    text.match_indices('/').map(|(at, _)| at).find(|&at| opens(at) && goes_on(at))
}

fn opens_path(before: char) -> bool {
    before.is_whitespace() || matches!(before, '\'' | '"' | '`' | '(' | '[' | '=' | ',')
}

fn ends_path(character: char) -> bool {
    character.is_whitespace() || matches!(character, '\'' | '"' | '`' | ')' | ']' | ',' | ';' | ':')
}

fn was_sent(path: &str, sent: &str) -> bool {
    let sent = sent.trim_end_matches('/');
    !sent.is_empty() && path.strip_prefix(sent).is_some_and(|below| below.is_empty() || below.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_hidden_unless_the_client_sent_them() {
        for (text, clean) in [
            ("cannot open /opt/ml/models/a/model: no", "cannot open /opt/ml/models/a/model: no"),
            ("'/opt/ml/models/a/model/xgboost-model' is short", "'/opt/ml/models/a/model/xgboost-model' is short"),
            ("cannot open /opt/ml/models/a/model2", "cannot open <path>"),
            ("(looked at /usr/lib/x.so, /lib/y.so); run `make`", "(looked at <path>, <path>); run `make`"),
            ("s3://bucket/key, 3/4 and a / b stay", "s3://bucket/key, 3/4 and a / b stay"),
            ("/", "/"),
            ("/tmp/é", "<path>"),
        ] {
            assert_eq!(without_paths(text, "/opt/ml/models/a/model"), clean);
        }
        assert_eq!(without_paths("at /etc/passwd", ""), "at <path>");
        assert_eq!(without_paths("at /etc/passwd", "/"), "at <path>");
    }
}
