//! One page of the loaded models.

use serde::Serialize;
use thicket_engine::ModelInfo;

use crate::configuration::Compat;

/// Models on a page, at the most and unless told otherwise.
const PAGE_MODELS_MAX: usize = 100;

/// One page, as it is written.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Page<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
    models: Vec<Entry<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    model_name: &'a str,
    model_url: &'a str,
}

/// Which of all models a page holds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    pub(super) first: usize,
    pub(super) count: usize,
}

impl Wanted {
    /// The models that `limit` and `offset` ask for.
    pub(super) fn of(limit: Option<usize>, offset: Option<usize>) -> Self {
        let count = limit.filter(|limit| (1..=PAGE_MODELS_MAX).contains(limit)).unwrap_or(PAGE_MODELS_MAX);
        Self { first: offset.unwrap_or(0), count }
    }

    /// The page with these of `total` models, and a token if more follow.
    ///
    /// To the letter, a page that ends with the last model has a token as well, which leads to an empty page. AWS's page of no
    /// models, whose token leads to itself, is a full one here: lists end.
    pub(super) fn page(self, models: &[ModelInfo], total: usize, compat: Compat) -> Page<'_> {
        let end = self.first.saturating_add(self.count);
        let follows = end < total || (compat.is_strict() && end == total);
        let entries = models.iter().map(|model| Entry { model_name: &model.name, model_url: &model.location });
        Page { next_page_token: follows.then(|| end.to_string()), models: entries.collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reply;

    fn models(names: &[&str]) -> Vec<ModelInfo> {
        let model = |name: &&str| ModelInfo {
            name: (*name).to_owned(),
            location: format!("/opt/ml/models/{name}"),
            bytes: 1,
            runtime: Some("forest"),
            loaded_at: std::time::UNIX_EPOCH,
            requests: 0,
            popularity: 0.0,
            idle: None,
            is_pinned: false,
        };
        names.iter().map(model).collect()
    }

    /// The names on a page of three models, and its token.
    fn paged(limit: Option<usize>, offset: Option<usize>, compat: Compat) -> (Vec<String>, Option<String>) {
        let wanted = Wanted::of(limit, offset);
        let models: Vec<_> = models(&["a", "b", "c"]).into_iter().skip(wanted.first).take(wanted.count).collect();
        let page = wanted.page(&models, 3, compat);
        (page.models.iter().map(|entry| entry.model_name.to_owned()).collect(), page.next_page_token)
    }

    fn check_page(limit: Option<usize>, offset: Option<usize>, names: &[&str], token: Option<&str>) {
        let (listed, next) = paged(limit, offset, Compat::Intended);
        assert_eq!(
            (listed, next.as_deref()),
            (names.iter().map(|&name| name.to_owned()).collect(), token),
            "{limit:?} {offset:?}"
        );
    }

    #[test]
    fn pages_have_a_token_only_if_models_follow() {
        check_page(None, None, &["a", "b", "c"], None);
        check_page(Some(2), None, &["a", "b"], Some("2"));
        check_page(Some(2), Some(2), &["c"], None);
        check_page(Some(3), None, &["a", "b", "c"], None);
        check_page(Some(0), None, &["a", "b", "c"], None);
        check_page(Some(101), Some(1), &["b", "c"], None);
        check_page(Some(1), Some(usize::MAX), &[], None);
    }

    #[test]
    fn to_the_letter_a_last_full_page_has_a_token_too_and_lists_still_end() {
        let token = |limit, offset| paged(limit, offset, Compat::Strict).1;
        assert_eq!(token(Some(2), None).as_deref(), Some("2"));
        assert_eq!(token(Some(3), None).as_deref(), Some("3"));
        assert_eq!(token(Some(1), Some(2)).as_deref(), Some("3"));
        assert_eq!(token(Some(3), Some(3)), None);
        assert_eq!(token(Some(0), None), None);
    }

    #[test]
    fn lists_are_written_as_aws_writes_them() {
        let text = |models: &[ModelInfo], limit, total| {
            reply::pretty(&Wanted::of(limit, None).page(models, total, Compat::Intended))
        };
        assert_eq!(text(&[], None, 0), "{\n  \"models\": []\n}\n");
        assert_eq!(
            text(&models(&["areg"]), Some(1), 2),
            "{\n  \"nextPageToken\": \"1\",\n  \"models\": [\n    {\n      \"modelName\": \"areg\",\n      \
             \"modelUrl\": \"/opt/ml/models/areg\"\n    }\n  ]\n}\n"
        );
    }
}
