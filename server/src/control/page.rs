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

/// The models that `limit` and `offset` ask for, and a token if more follow.
///
/// To the letter, a page that ends with the last model has a token as well, which leads to an empty page. AWS's page of no
/// models, whose token leads to itself, is a full one here: lists end.
pub(super) fn page(models: &[ModelInfo], limit: Option<usize>, offset: Option<usize>, compat: Compat) -> Page<'_> {
    let limit = limit.filter(|limit| (1..=PAGE_MODELS_MAX).contains(limit)).unwrap_or(PAGE_MODELS_MAX);
    let start = offset.unwrap_or(0).min(models.len());
    let end = models.len().min(start + limit);
    let follows = end < models.len() || (compat.is_strict() && start + limit == models.len());
    let entries = models[start..end].iter().map(|model| Entry { model_name: &model.name, model_url: &model.location });
    Page { next_page_token: follows.then(|| end.to_string()), models: entries.collect() }
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

    fn check_page(limit: Option<usize>, offset: Option<usize>, names: &[&str], token: Option<&str>) {
        let models = models(&["a", "b", "c"]);
        let page = page(&models, limit, offset, Compat::Intended);
        let listed: Vec<&str> = page.models.iter().map(|entry| entry.model_name).collect();
        assert_eq!((listed.as_slice(), page.next_page_token.as_deref()), (names, token), "{limit:?} {offset:?}");
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
        let models = models(&["a", "b", "c"]);
        let token = |limit, offset| page(&models, limit, offset, Compat::Strict).next_page_token;
        assert_eq!(token(Some(2), None).as_deref(), Some("2"));
        assert_eq!(token(Some(3), None).as_deref(), Some("3"));
        assert_eq!(token(Some(1), Some(2)).as_deref(), Some("3"));
        assert_eq!(token(Some(3), Some(3)), None);
        assert_eq!(token(Some(0), None), None);
    }

    #[test]
    fn lists_are_written_as_aws_writes_them() {
        let text = |models: &[ModelInfo], limit| reply::pretty(&page(models, limit, None, Compat::Intended));
        assert_eq!(text(&[], None), "{\n  \"models\": []\n}\n");
        assert_eq!(
            text(&models(&["areg", "reg"]), Some(1)),
            "{\n  \"nextPageToken\": \"1\",\n  \"models\": [\n    {\n      \"modelName\": \"areg\",\n      \
             \"modelUrl\": \"/opt/ml/models/areg\"\n    }\n  ]\n}\n"
        );
    }
}
