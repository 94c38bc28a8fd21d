//! One page of the loaded models.

use serde::Serialize;
use thicket_engine::ModelInfo;

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

/// Unlike AWS's, a page has a token only if a model follows, and a page of no models is a full one: lists end.
pub(super) fn page(models: &[ModelInfo], limit: Option<usize>, offset: Option<usize>) -> Page<'_> {
    let limit = limit.filter(|limit| (1..=PAGE_MODELS_MAX).contains(limit)).unwrap_or(PAGE_MODELS_MAX);
    let start = offset.unwrap_or(0).min(models.len());
    let end = models.len().min(start + limit);
    let entries = models[start..end].iter().map(|model| Entry { model_name: &model.name, model_url: &model.location });
    Page { next_page_token: (end < models.len()).then(|| end.to_string()), models: entries.collect() }
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
            runtime: "forest",
            loaded_at: std::time::UNIX_EPOCH,
        };
        names.iter().map(model).collect()
    }

    fn check_page(limit: Option<usize>, offset: Option<usize>, names: &[&str], token: Option<&str>) {
        let models = models(&["a", "b", "c"]);
        let page = page(&models, limit, offset);
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
    fn lists_are_written_as_aws_writes_them() {
        let text = |models: &[ModelInfo], limit| reply::pretty(&page(models, limit, None));
        assert_eq!(text(&[], None), "{\n  \"models\": []\n}\n");
        assert_eq!(
            text(&models(&["areg", "reg"]), Some(1)),
            "{\n  \"nextPageToken\": \"1\",\n  \"models\": [\n    {\n      \"modelName\": \"areg\",\n      \
             \"modelUrl\": \"/opt/ml/models/areg\"\n    }\n  ]\n}\n"
        );
    }
}
