//! The page: one file for the browser, put together from several for those who write it.

use http::HeaderValue;

/// Put in the place of the same word in the frame.
const STYLE: &str = include_str!("page/style.css");
const SCRIPT: &str = concat!(
    include_str!("page/elements.js"),
    include_str!("page/words.js"),
    include_str!("page/charts.js"),
    include_str!("page/bars.js"),
    include_str!("page/figures.js"),
    include_str!("page/models.js"),
    include_str!("page/departures.js"),
    include_str!("page/trial.js"),
    include_str!("page/main.js"),
);
const FRAME: &str = include_str!("page/frame.html");

/// The page, and what browsers let it do.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) html: String,
    /// Only what bears the page's nonce is style or script, and only this server is asked for anything.
    pub(super) policy: HeaderValue,
}

/// The page with `nonce`, which is never used again: an identifier of a request, whose characters are fit for it.
pub(super) fn page(nonce: &HeaderValue) -> Page {
    let nonce = nonce.to_str().unwrap_or_default();
    let html = FRAME.replace("NONCE", nonce).replace("/* STYLE */", STYLE).replace("/* SCRIPT */", SCRIPT);
    let policy = format!(
        "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; connect-src 'self'; img-src data:; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    Page { html, policy: HeaderValue::try_from(policy).expect("a nonce has hexadecimal digits and hyphens") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_whole_and_asks_nobody_else() {
        let page = page(&HeaderValue::from_static("ab-12"));
        assert_eq!(page.html.matches("nonce=\"ab-12\"").count(), 2);
        for placeholder in ["NONCE", "/* STYLE */", "/* SCRIPT */"] {
            assert!(!page.html.contains(placeholder), "{placeholder}");
        }
        // An address is only that of a namespace, and nothing is made of text but text.
        for line in page.html.lines().filter(|line| line.contains("://")) {
            assert!(line.contains("http://www.w3.org/2000/svg"), "{line}");
        }
        for word in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", " style=", "onclick="] {
            assert!(!page.html.contains(word), "{word}");
        }
        assert_eq!(page.html.matches("</script>").count(), 1);
        assert!(page.policy.to_str().unwrap().contains("script-src 'nonce-ab-12'"));
    }
}
