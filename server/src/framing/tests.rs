//! Bytes in any pieces: what passes, what is refused, and that the pieces do not matter.

use super::*;

fn limits() -> Limits {
    Limits { head_bytes_max: 512, fields_max: 8, target_bytes_max: 64, chunks_max: 4, ..Limits::default() }
}

/// What becomes of `bytes` that come in pieces of `size`: the bytes let through, and the answer to what is refused.
fn follow(bytes: &[u8], size: usize) -> (usize, Option<(u16, String)>) {
    let (mut framing, mut passed, mut arrived, mut chunks) = (Framing::new(), 0, 0, BytesMut::new());
    loop {
        let passage = framing.follow(&bytes[passed..arrived], &limits(), &mut chunks);
        passed += passage.bytes;
        if let Some(refusal) = passage.refusal {
            let status = refusal.to_container(crate::configuration::Compat::Intended).status().as_u16();
            return (passed, Some((status, refusal.story().to_owned())));
        }
        if passage.bytes == 0 && arrived == bytes.len() {
            return (passed, None);
        }
        if passage.bytes == 0 {
            arrived = bytes.len().min(arrived.saturating_add(size));
        }
    }
}

fn check(text: &str, expected: Option<(u16, &str)>) {
    let whole = follow(text.as_bytes(), usize::MAX);
    let found = whole.1.as_ref().map(|(status, story)| (*status, story.as_str()));
    assert_eq!(found, expected, "{text:?}");
    for size in [1, 2, 3, 7, 64] {
        assert_eq!(follow(text.as_bytes(), size), whole, "{text:?} in pieces of {size}");
    }
}

fn check_passes(text: &str) {
    check(text, None);
    assert_eq!(follow(text.as_bytes(), usize::MAX).0, text.len(), "{text:?}");
}

fn check_refused(text: &str, status: u16, story: &str) {
    check(text, Some((status, story)));
}

/// A head whose lines after the Host are `lines`, each followed by CR LF.
fn head(lines: &str) -> String {
    format!("POST /models/a/invoke HTTP/1.1\r\nHost: x\r\n{lines}\r\n")
}

fn check_field_refused(line: &str, complaint: &str) {
    check_refused(&head(&format!("{line}\r\n")), 400, &format!("line 3 of the request's head {complaint}"));
}

fn check_chunk_refused(body: &str, chunk: usize, expected: &str) {
    let story = format!("chunk {chunk} of the request's body is malformed, expected {expected}");
    check_refused(&(head("Transfer-Encoding: chunked\r\n") + body), 400, &story);
}

#[test]
fn requests_follow_each_other() {
    let get = "GET /ping HTTP/1.1\r\nhost:\r\n\r\n";
    let sized = head("content-LENGTH: \t5 \r\nx: \u{e9}\t~\r\n") + "1,2,\n";
    let empty = head("Content-Length: 0\r\n");
    let chunked = head("transfer-encoding:Chunked\r\n");
    let chunked = chunked + "1\r\nx\r\n00A;name=\"v\" \t\r\n0123\r\n6789\r\n0\r\nTrailer: a\r\nb: \r\n\r\n";
    check_passes(&[get, &sized, get, &empty, &chunked, "\r\n\r\n", get, &chunked, &sized].concat());
    check_passes("OPTIONS * HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n");
    check_passes("GET http://a.b/c?d=%20 HTTP/1.1\r\nHost: a.b\r\n\r\n");
}

#[test]
fn an_unfinished_head_is_kept_back() {
    let head = head("");
    for end in 0..head.len() {
        assert_eq!(follow(&head.as_bytes()[..end], usize::MAX), (0, None), "{end}");
    }
    let text = format!("{head}{}", &head[..20]);
    assert_eq!(follow(text.as_bytes(), usize::MAX), (head.len(), None));
}

#[test]
fn requests_pass_one_by_one() {
    let requests =
        [head(""), head("Content-Length: 3\r\n") + "1,2", head("Transfer-Encoding: chunked\r\n") + "0\r\n\r\n"];
    let all = requests.concat();
    let (mut framing, mut rest) = (Framing::new(), all.as_bytes());
    for (number, request) in (1..).zip(&requests) {
        let passage = framing.follow(rest, &limits(), &mut BytesMut::new());
        assert_eq!((passage.bytes, framing.heads(), framing.is_within_body()), (request.len(), number, false));
        rest = &rest[passage.bytes..];
    }
}

#[test]
fn a_head_with_all_of_its_body_tells_where_it_says_how_long_that_is() {
    let follow = |text: &str| Framing::new().follow(text.as_bytes(), &limits(), &mut BytesMut::new());
    for (line, digits, body) in [
        ("Content-Length: 3", "3", "1,2"),
        ("a: 3\r\ncontent-length:\t 003 \t\r\nb: 3", "003", "1,2"),
        ("content-length:0", "0", ""),
    ] {
        let text = format!("\r\n{}{body}", head(&format!("{line}\r\n")));
        let passage = follow(&(text.clone() + "GET"));
        assert_eq!((passage.bytes, passage.as_is), (text.len(), text.len()));
        let whole = passage.whole.unwrap();
        assert_eq!((&text[whole.digits.clone()], &text[whole.bytes..]), (digits, body));
        assert!(text[..whole.digits.start].trim_end().to_ascii_lowercase().ends_with("content-length:"));
    }
    for text in [head(""), head("Content-Length: 3\r\n") + "1,", head("Transfer-Encoding: chunked\r\n") + "0\r\n\r\n"] {
        assert!(follow(&text).whole.is_none(), "{text:?}");
    }
}

#[test]
fn chunks_are_put_together() {
    let head = head("Transfer-Encoding: chunked\r\n");
    let body = "1;a\r\n1\r\n0\r\nb: c\r\n\r\nGET";
    let (mut framing, mut chunks) = (Framing::new(), BytesMut::new());
    let first = head.clone() + "1\r\na\r\n2\r\nbc\r\n3\r\nd";
    let passage = framing.follow(first.as_bytes(), &limits(), &mut chunks);
    assert_eq!((passage.bytes, passage.as_is), (first.len(), head.len()));
    assert_eq!(&chunks[..], b"00000004\r\nabcd\r\n");
    chunks.clear();
    let passage = framing.follow(b"ef", &limits(), &mut chunks);
    assert_eq!((passage.bytes, passage.as_is, framing.is_within_body()), (2, 0, true));
    assert_eq!(&chunks[..], b"00000002\r\nef\r\n");
    chunks.clear();
    let passage = framing.follow(("\r\n".to_owned() + body).as_bytes(), &limits(), &mut chunks);
    assert_eq!((passage.bytes, passage.as_is, framing.is_within_body()), (body.len() - 1, 0, false));
    assert_eq!(&chunks[..], b"00000001\r\n1\r\n0\r\n\r\n");
}

#[test]
fn request_lines_have_three_parts() {
    let refuse = |line: &str, status, story: &str| check_refused(&format!("{line}\r\nHost: x\r\n\r\n"), status, story);
    for line in ["GET", "GET ", "GET /", "GET HTTP/1.1"] {
        refuse(line, 400, "line 1 of the request's head is no request line, expected a method, a target and a version");
    }
    for line in ["GET  HTTP/1.1", "GET /a b HTTP/1.1", "GET /\u{e9} HTTP/1.1", "GET / HTTP/1.1 ", "GET /\t HTTP/1.1"] {
        refuse(line, 400, "line 1 of the request's head has a character in its target that has to be percent-encoded");
    }
    let malformed = "line 1 of the request's head has a target that is malformed, expected a path or an address";
    for target in ["/<b>", "/a`b", "http://", "a/b", "http:/a", "[::1", "http://[::1/a"] {
        refuse(&format!("GET {target} HTTP/1.1"), 400, malformed);
    }
    refuse("G@T / HTTP/1.1", 400, "line 1 of the request's head has a character in its method that no method has");
    for line in ["GET / http/1.1", "GET / HTTP/1", "GET / HTTP/11.1"] {
        refuse(line, 400, "line 1 of the request's head does not end with a version, expected HTTP/1.1");
    }
    for version in ["HTTP/1.0", "HTTP/2.0", "HTTP/0.9", "HTTP/1.2"] {
        refuse(&format!("GET / {version}"), 505, &format!("{version} is not spoken here, expected HTTP/1.1"));
    }
    check_refused("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "HTTP/2.0 is not spoken here, expected HTTP/1.1");
    for text in ["\x16\x03\x01", "\0", " GET / HTTP/1.1\r\n", "\u{feff}GET"] {
        check_refused(text, 400, "line 1 of the request's head does not begin with a method");
    }
    check_refused(&"\r\n".repeat(5), 400, "line 1 of the request's head is empty, expected a request line");
}

#[test]
fn lines_end_with_both_bytes() {
    let complaint = "ends with a bare line feed, expected a carriage return before it";
    for (text, line) in [
        ("\n", 1),
        ("GET / HTTP/1.1\nHost: x\r\n\r\n", 1),
        ("GET / HTTP/1.1\r\nHost: x\n\r\n", 2),
        ("GET / HTTP/1.1\r\nHost: x\r\n\n", 3),
        ("GET / HTTP/1.1\r\nHost: x\r\na: b\nc: d\r\n\r\n", 3),
    ] {
        check_refused(text, 400, &format!("line {line} of the request's head {complaint}"));
    }
    let complaint = "has a carriage return that no line feed follows";
    for line in ["a: b\rc: d", "a: b\r", "\ra: b", "a\r: b"] {
        check_field_refused(line, complaint);
    }
    for line in ["GET /\r/ HTTP/1.1", "GET / HTTP/1.1\r", "\rGET / HTTP/1.1"] {
        let story = format!("line 1 of the request's head {complaint}");
        check_refused(&format!("{line}\r\nHost: x\r\n\r\n"), 400, &story);
    }
}

#[test]
fn fields_are_names_and_values() {
    check_field_refused(" folded", "begins with a space, expected the name of a header: folded headers are not read");
    check_field_refused(
        "\tfolded: b",
        "begins with a space, expected the name of a header: folded headers are not read",
    );
    check_field_refused("a", "has no colon, expected a header's name and value");
    for line in ["a : b", ": b", "a\0: b", "a b: c", "a\u{e9}: b", "(a): b"] {
        check_field_refused(line, "has a character before its colon that no header's name has");
    }
    for line in ["a: \0", "a: \x7f", "a: \x0b"] {
        check_field_refused(line, "has a control character in its value");
    }
}

#[test]
fn there_is_one_host() {
    check_refused("GET / HTTP/1.1\r\n\r\n", 400, "the request has no Host, expected one");
    check_field_refused("HOST: x", "is a second Host, expected one");
    for host in ["a b", "a/b", "a@b", "a\"b", "\u{e9}"] {
        let story = "line 2 of the request's head is no Host, expected a name or an address and a port";
        check_refused(&format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n"), 400, story);
    }
}

#[test]
fn a_body_has_one_length() {
    for length in
        ["", "+1", "-1", "1 1", "1,1", "0x1", "1.0", "18446744073709551615", "99999999999999999999", "\u{664}"]
    {
        let complaint = "is no Content-Length, expected a number of bytes";
        check_field_refused(&format!("Content-Length: {length}"), complaint);
    }
    for coding in
        ["", "gzip", "gzip, chunked", "chunked, gzip", "chunked, chunked", "identity", "xchunked", "chunked;a"]
    {
        let complaint = "is a Transfer-Encoding that is not read here, expected chunked";
        check_field_refused(&format!("Transfer-Encoding: {coding}"), complaint);
    }
    let twice = |line: &str, name: &str| {
        let story = format!("line 4 of the request's head is a second {name}, expected one");
        check_refused(&head(&format!("{line}\r\n{line}\r\n")), 400, &story);
    };
    twice("Content-Length: 1", "Content-Length");
    twice("Transfer-Encoding: chunked", "Transfer-Encoding");
    let both = ["Content-Length: 1\r\n", "Transfer-Encoding: chunked\r\n"];
    for lines in [both.concat(), [both[1], both[0]].concat()] {
        let story = "the request has a Content-Length and a Transfer-Encoding, expected one of them";
        check_refused(&head(&lines), 400, story);
    }
}

#[test]
fn chunks_are_well_formed() {
    let size = "its size in up to 15 hexadecimal digits";
    for body in ["\r\n", "x", " 1\r\n", "1 \r\n", "-1\r\n", "0x1\r\n", "1\n", "0123456789abcdef\r\n", ";a\r\n"] {
        check_chunk_refused(body, 1, size);
    }
    check_chunk_refused("1\r\na\r\n\r\n", 2, size);
    check_chunk_refused("1\r\r\n", 1, "a line feed after the carriage return");
    check_chunk_refused("1;a\nb\r\n", 1, "no control character in its extension");
    for body in ["1\r\nab\r\n", "1\r\na\n", "1\r\na0\r\n\r\n"] {
        check_chunk_refused(body, 2, "a carriage return and a line feed after its bytes");
    }
    check_chunk_refused("0\r\n\n", 1, "the header lines of a trailer, or an empty line");
    check_chunk_refused("0\r\na: b\n\r\n", 1, "the header lines of a trailer, or an empty line");
    check_chunk_refused("0\r\n a: b\r\n\r\n", 1, "the header lines of a trailer, or an empty line");
    check_chunk_refused("0\r\na: b\r\r\n", 1, "a line feed after the carriage return");
}

#[test]
fn what_is_too_much_is_refused() {
    let long = format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(64));
    check_refused(&long, 414, "the request's target is longer than 64 bytes");
    check_refused(&"a".repeat(600), 414, "the request's target is longer than 64 bytes");
    let many = head(&"a: b\r\n".repeat(8));
    check_refused(&many, 431, "the request's head has more than 8 headers");
    check_passes(&head(&"a: b\r\n".repeat(7)));
    let large = head(&format!("a: {}\r\n", "b".repeat(512)));
    check_refused(&large, 431, "the request's head is longer than 512 bytes");
    check_refused(&large[..520], 431, "the request's head is longer than 512 bytes");
    let chunked = head("Transfer-Encoding: chunked\r\n");
    check_passes(&(chunked.clone() + &"1\r\na\r\n".repeat(4) + "0\r\n\r\n"));
    check_refused(&(chunked.clone() + &"1\r\na\r\n".repeat(5)), 413, "the body has more than 4 chunks");
    let story = "the body's chunk extensions and trailers are longer than 512 bytes";
    check_refused(&(chunked.clone() + "1;" + &"a".repeat(512)), 431, story);
    check_refused(&(chunked + "0\r\n" + &"a: b\r\n".repeat(200)), 431, story);
}
