//! What a client accepts, by RFC 9110, section 12.5.1.

use std::{borrow::Cow, cmp::Reverse};

use http::{HeaderMap, HeaderValue, header::ACCEPT};

use super::{Dialect, Form};
use crate::error::{Error, ErrorKind, Result};

/// What a client is going to get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// How the body is written.
    pub form: Form,
    /// The `Content-Type` it travels under.
    pub content_type: HeaderValue,
}

/// One range of media types in a list.
struct Range<'a> {
    name: &'a str,
    /// Thousandths; 0 for what the client will not have.
    weight: u16,
}

impl Accepted {
    /// The form of a client that does not say what it wants.
    #[must_use]
    pub fn default_of(form: Form, dialect: Dialect) -> Self {
        Self { form, content_type: form.media_type(dialect) }
    }

    /// What the `Accept` among `headers` asks for, and `default` when it asks for nothing in particular.
    ///
    /// A header that is one of our media types is answered under the name it used, but in a server of one model. Of a list, or of one with parameters,
    /// each form has the weight of the range that names it most closely. The greatest weight wins, then the closest
    /// name, then the default, then the range that stands first.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownAccept`] when nothing that it names is written here.
    pub fn of(headers: &HeaderMap, default: &Self, dialect: Dialect) -> Result<Self> {
        let mut lines = headers.get_all(ACCEPT).iter();
        let is_default = lines.next().is_none_or(|line| *line == default.content_type);
        if is_default && lines.next().is_none() {
            return Ok(default.clone());
        }
        Self::wanted(headers, default, dialect)
    }

    /// [`of`](Self::of) of any headers.
    fn wanted(headers: &HeaderMap, default: &Self, dialect: Dialect) -> Result<Self> {
        let text = field(headers);
        let text = text.trim();
        if text.is_empty() || text == "*/*" {
            return Ok(default.clone());
        }
        let named = Form::named(text).zip(headers.get(ACCEPT));
        if let Some((form, sent)) = named.filter(|_| dialect == Dialect::MultiModel) {
            return Ok(Self { form, content_type: sent.clone() });
        }
        let form = best(text, default.form).ok_or_else(|| unknown(text))?;
        Ok(Self::default_of(form, dialect))
    }
}

/// The header's value; a list may be spread over several lines of the head.
fn field(headers: &HeaderMap) -> Cow<'_, str> {
    let mut lines = headers.get_all(ACCEPT).iter().map(|line| String::from_utf8_lossy(line.as_bytes()));
    let first = lines.next().unwrap_or_default();
    lines.fold(first, |list, line| format!("{list}, {line}").into())
}

/// The form that a list wants most.
fn best(list: &str, default: Form) -> Option<Form> {
    let ranges: Vec<Range<'_>> = list.split(',').map(Range::read).collect();
    // Of equals the last is the greatest, so the order is turned round.
    let ranked = Form::ALL.into_iter().rev().filter_map(|form| Some((form, rank(&ranges, form, default)?)));
    ranked.max_by_key(|(_, rank)| *rank).map(|(form, _)| form)
}

/// How much a form is wanted: weight, closeness, whether it is the default, place. Nothing where it is not.
fn rank(ranges: &[Range<'_>], form: Form, default: Form) -> Option<(u16, u8, bool, Reverse<usize>)> {
    let matching =
        ranges.iter().enumerate().map(|(place, range)| (range.closeness(form), Reverse(place), range.weight));
    let (closeness, place, weight) = matching.max_by_key(|(closeness, place, _)| (*closeness, *place))?;
    (closeness > 0 && weight > 0).then_some((weight, closeness, form == default, place))
}

impl<'a> Range<'a> {
    fn read(text: &'a str) -> Self {
        let mut parts = text.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let pairs = parts.filter_map(|parameter| parameter.split_once('='));
        let mut weights = pairs.filter(|(name, _)| name.trim().eq_ignore_ascii_case("q"));
        let weight = weights.next().and_then(|(_, weight)| thousandths(weight.trim())).unwrap_or(1000);
        Self { name, weight }
    }

    /// How closely the range names `form`; 0 where it does not.
    fn closeness(&self, form: Form) -> u8 {
        let kind = form.name().split('/').next().unwrap_or_default();
        match self.name.split_once('/') {
            _ if Form::named(self.name) == Some(form) => 3,
            Some((own, "*")) if own.eq_ignore_ascii_case(kind) => 2,
            Some(("*", "*")) => 1,
            _ => 0,
        }
    }
}

/// A weight as the RFC writes it: from 0 to 1, up to three digits behind the point.
fn thousandths(weight: &str) -> Option<u16> {
    let (whole, digits) = weight.split_once('.').unwrap_or((weight, ""));
    if digits.len() > 3 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let part: u16 = format!("{digits:0<3}").parse().ok()?;
    match whole {
        "0" => Some(part),
        "1" if part == 0 => Some(1000),
        _ => None,
    }
}

fn unknown(accept: &str) -> Error {
    let message = format!(
        "Accept type {accept} is not supported. Please use supported accept types: ['application/json', \
         'application/jsonlines', 'application/x-recordio-protobuf', 'text/csv']."
    );
    Error::new(ErrorKind::UnknownAccept, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(lines: &[&'static str]) -> HeaderMap {
        lines.iter().map(|line| (ACCEPT, HeaderValue::from_static(line))).collect()
    }

    fn accepted_beside(accept: &'static str, default: Form) -> Result<(Form, String)> {
        accepted_in(Dialect::MultiModel, accept, default)
    }

    fn accepted_in(dialect: Dialect, accept: &'static str, default: Form) -> Result<(Form, String)> {
        let default = Accepted::default_of(default, dialect);
        let accepted = Accepted::of(&lines(&[accept]), &default, dialect)?;
        Ok((accepted.form, accepted.content_type.to_str().unwrap().to_owned()))
    }

    fn accepted(accept: &'static str) -> Result<(Form, String)> {
        accepted_beside(accept, Form::Json)
    }

    #[test]
    fn an_exact_accept_comes_back_as_it_was_sent() {
        for (accept, form) in [
            ("text/csv", Form::Csv),
            ("TEXT/CSV", Form::Csv),
            ("csv", Form::Csv),
            ("application/json", Form::Json),
            ("Application/JSON", Form::Json),
            ("application/jsonlines", Form::JsonLines),
            ("application/x-recordio-protobuf", Form::RecordIo),
        ] {
            assert_eq!(accepted(accept).unwrap(), (form, accept.to_owned()));
        }
    }

    #[test]
    fn a_server_of_one_model_uses_its_own_names() {
        for (accept, content_type) in [
            ("TEXT/CSV", "text/csv; charset=utf-8"),
            ("Application/JSON", "application/json"),
            ("application/json;verbose=True", "application/json"),
            ("application/jsonlines", "application/jsonlines"),
        ] {
            assert_eq!(accepted_in(Dialect::SingleModel, accept, Form::Json).unwrap().1, content_type);
        }
    }

    #[test]
    fn no_wish_gets_the_default() {
        let (multi, single) = (Dialect::MultiModel, Dialect::SingleModel);
        let csv = Accepted::default_of(Form::Csv, multi);
        assert_eq!(Accepted::of(&HeaderMap::new(), &csv, multi).unwrap(), csv);
        assert_eq!(accepted_in(single, "", Form::Csv).unwrap().1, "text/csv; charset=utf-8");
        for accept in ["", "*/*", " */* ", "*/*;q=0.1", "text/html, */*"] {
            assert_eq!(Accepted::of(&lines(&[accept]), &csv, multi).unwrap(), csv, "{accept:?}");
        }
    }

    #[test]
    fn the_defaults_own_name_gets_it_as_it_would_without_being_the_default() {
        for dialect in [Dialect::MultiModel, Dialect::SingleModel] {
            for default in Form::ALL.map(|form| Accepted::default_of(form, dialect)) {
                for headers in [HeaderMap::new(), HeaderMap::from_iter([(ACCEPT, default.content_type.clone())])] {
                    let wanted = Accepted::wanted(&headers, &default, dialect).unwrap();
                    assert_eq!(Accepted::of(&headers, &default, dialect).unwrap(), wanted, "{headers:?} {dialect:?}");
                }
            }
        }
    }

    #[test]
    fn lists_and_parameters_get_the_most_wanted_media_type() {
        for (accept, form) in [
            ("text/csv, application/json", Form::Json),
            ("application/jsonlines, text/csv", Form::JsonLines),
            ("text/html, application/json;verbose=True", Form::Json),
            ("text/csv;q=0.5, application/json;q=0.9", Form::Json),
            ("text/csv; charset=utf-8", Form::Csv),
            ("text/html, */*;q=0.1", Form::Json),
            ("text/*", Form::Csv),
            ("TEXT/*;q=0.2", Form::Csv),
            ("*/*, text/csv", Form::Csv),
            ("*/*, application/json;q=0", Form::Csv),
            ("application/*, application/json;q=0.5", Form::JsonLines),
            ("application/*;q=0, */*", Form::Csv),
            ("text/csv;q=0.001, application/json;q=0.0, */*;q=0", Form::Csv),
            ("application/jsonlines;q=1.000, text/csv;Q=0.999", Form::JsonLines),
            ("application/x-recordio-protobuf, text/csv;q=0.8", Form::RecordIo),
            ("text/csv;q=2, application/json;q=0.5", Form::Csv),
        ] {
            assert_eq!(accepted(accept).unwrap(), (form, form.name().to_owned()), "{accept}");
        }
    }

    #[test]
    fn lines_are_one_list() {
        let json = Accepted::default_of(Form::Json, Dialect::MultiModel);
        let of = |sent: &[&'static str]| Accepted::of(&lines(sent), &json, Dialect::MultiModel).unwrap().form;
        assert_eq!(of(&["text/html", "text/csv;q=0.5", "application/jsonlines;q=0.6"]), Form::JsonLines);
        assert_eq!(of(&["text/csv", "text/html"]), Form::Csv);
    }

    #[test]
    fn among_equals_the_default_goes_first() {
        for (accept, default, form) in [
            ("application/*", Form::JsonLines, Form::JsonLines),
            ("application/*", Form::Csv, Form::Json),
            ("text/*, application/*", Form::Json, Form::Json),
            ("text/csv, application/json", Form::Csv, Form::Csv),
            ("text/csv, application/json", Form::JsonLines, Form::Csv),
            ("*/*, application/*", Form::Csv, Form::Json),
        ] {
            assert_eq!(accepted_beside(accept, default).unwrap().0, form, "{accept} {default:?}");
        }
    }

    #[test]
    fn what_is_not_written_here_is_refused() {
        for accept in
            ["text/html", "application/x-npy", "text/csv;q=0", ",", "json", "*", "*/csv", "text/csv;q=0, text/*"]
        {
            let error = accepted(accept).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::UnknownAccept, "{accept}");
            assert!(error.to_string().starts_with(&format!("Accept type {accept} is not supported.")), "{error}");
        }
    }
}
