//! Which of a model's outputs a request asks for, in the platform's header for what only model and client understand.

use http::{HeaderMap, HeaderName};
use thicket_engine::Output;

use crate::error::{Error, ErrorKind, Result};

/// The header; the platform hands it on as it is.
static CUSTOM_ATTRIBUTES: HeaderName = HeaderName::from_static("x-amzn-sagemaker-custom-attributes");

/// The output that `output=…` among the attributes names; the value where they do not ask.
///
/// Attributes are separated by commas or semicolons. Those of other names are the client's own business.
///
/// # Errors
/// [`ErrorKind::UnknownOutput`] for an output that there is not.
pub(crate) fn output(headers: &HeaderMap) -> Result<Output> {
    let Some(attributes) = headers.get(&CUSTOM_ATTRIBUTES) else { return Ok(Output::Value) };
    let attributes = String::from_utf8_lossy(attributes.as_bytes());
    let pairs = attributes.split([',', ';']).filter_map(|attribute| attribute.split_once('='));
    let mut outputs = pairs.filter(|(name, _)| name.trim().eq_ignore_ascii_case("output"));
    outputs.next().map_or(Ok(Output::Value), |(_, output)| named(output.trim()))
}

fn named(output: &str) -> Result<Output> {
    match output {
        "value" => Ok(Output::Value),
        "margin" => Ok(Output::Margin),
        "leaf" => Ok(Output::Leaf),
        "contributions" => Ok(Output::Contributions),
        _ => {
            let message = format!("Output {output:?} is unknown, expected value, margin, leaf or contributions.");
            Err(Error::new(ErrorKind::UnknownOutput, message))
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn of(attributes: &'static str) -> Result<Output> {
        let mut headers = HeaderMap::new();
        headers.insert(&CUSTOM_ATTRIBUTES, HeaderValue::from_static(attributes));
        output(&headers)
    }

    #[test]
    fn the_attribute_names_the_output() {
        for (attributes, expected) in [
            ("output=margin", Output::Margin),
            ("output=leaf", Output::Leaf),
            ("trace=1; Output = contributions", Output::Contributions),
            ("output=value,trace=1", Output::Value),
            ("c000b4f9-df62-4c85-a0bf-7c525f9104a4", Output::Value),
            ("", Output::Value),
        ] {
            assert_eq!(of(attributes).unwrap(), expected, "{attributes}");
        }
        assert_eq!(output(&HeaderMap::new()).unwrap(), Output::Value);
    }

    #[test]
    fn an_unknown_output_is_named() {
        for attributes in ["output=shap", "output=", "output=Margin"] {
            let error = of(attributes).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::UnknownOutput);
            assert!(error.to_string().contains(&format!("{:?}", &attributes[7..])), "{error}");
        }
    }
}
