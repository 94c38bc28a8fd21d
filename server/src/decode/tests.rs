//! Media types, and damaged bodies in every form.

use super::*;

#[test]
fn forms_are_known_by_every_name_they_have() {
    for (form, names) in [
        (Form::Csv, "text/csv|csv|TEXT/CSV|text/csv; charset=utf-8|text/csv;label_size=1|text/csv;label_size = 1"),
        (Form::Libsvm, "libsvm|text/libsvm|text/x-libsvm|Text/LibSVM;charset=utf-8"),
        (Form::RecordIo, "recordio-protobuf|application/x-recordio-protobuf"),
        (Form::Json, "application/json|application/json; charset=UTF-8"),
        (Form::JsonLines, "application/jsonlines"),
    ] {
        for name in names.split('|') {
            assert_eq!(Form::of(Some(name.as_bytes())).unwrap(), form, "{name}");
        }
    }
    assert_eq!(Form::of(None).unwrap(), Form::Libsvm);
}

#[test]
fn other_forms_are_refused_as_they_were_sent() {
    let refused = |sent: &str| {
        let error = Form::of(Some(sent.as_bytes())).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnknownContentType);
        error.to_string()
    };
    for sent in ["Text/Plain", "", "label_size=1; text/csv", "incorrect_format", "multipart/form-data; boundary=x"] {
        assert_eq!(
            refused(sent),
            format!(
                "{sent} is not an accepted ContentType: csv, libsvm, parquet, recordio-protobuf, text/csv, text/libsvm, \
                 text/x-libsvm, application/x-parquet, application/x-recordio-protobuf, application/json, \
                 application/jsonlines."
            )
        );
    }
    for label_size in ["label_size=5", "label_size=1=1", "label_size=1; label_size=0"] {
        let expected = "is not an accepted csv ContentType. Optional parameter label_size must be equal to 1";
        assert_eq!(refused(&format!("text/csv; {label_size}")), format!("text/csv; {label_size} {expected}"));
    }
    for parquet in ["parquet", "application/x-parquet", "Application/X-Parquet; a=b"] {
        assert_eq!(refused(parquet), "Content-type application/x-parquet is not supported.");
    }
}

#[test]
fn rows_are_counted_high() {
    for (form, body, expected) in [
        (Form::Csv, "1,2\n3,4", 2),
        (Form::Libsvm, "0:1\n", 2),
        (Form::JsonLines, "[1]\n[2]\n", 3),
        (Form::Json, "[[1], [2]]", 4),
        (Form::RecordIo, "123456789", 2),
    ] {
        assert_eq!(form.rows_max(body.as_bytes()), expected, "{body}");
    }
}

#[test]
fn rows_that_cannot_be_read_are_introduced_by_their_form() {
    let read = |body: &str| {
        Form::Csv.read(body.as_bytes(), Columns::default(), Rules::default(), &mut Matrix::default()).unwrap_err()
    };
    let text = "Loading csv data failed with Exception, please ensure data is in csv format:\n row 1, column 2: could \
                not convert string to float: 'x'";
    assert_eq!((read("1,x").kind(), read("1,x").to_string().as_str()), (ErrorKind::InvalidRows, text));
    assert_eq!(read("").to_string(), "the body is empty");
}

/// A body in each form, from which damaged ones are made.
const SOUND: [(Form, &[u8]); 5] = [
    (Form::Csv, b"a,b,c\n1.5,-2e-3,\n\xef\xbc\x91, nan ,1_0\r\n4;5 6:7|8\t9,0.1,inf"),
    (Form::Libsvm, b"1 0:1.5 2:-2e-3\n\n1:1 1:2 2:1e400 # x\n4000000000:1 -1:1 0:1:2"),
    (
        Form::RecordIo,
        b"\n#\xd7\xce\x13\0\0\0\n\x11\n\x06values\x12\x07:\x05\n\x03*\x06\t\0\n#\xd7\xce\x19\0\0\0\n\x17\n\x06values\x12\r:\
          \x0b\n\x02\x01\x01\x12\x02\0\x02\x1a\x01\x03\0\0\0",
    ),
    (Form::Json, br#"{"instances": [[1.5, -2e-3, null], {"features": [1, NaN, 1e30]}, {"a": 1, "\u0062": null}]}"#),
    (Form::JsonLines, b"[1.5, -2e-3, null]\n{\"features\": [1, 2, 3]}\n{\"a\": 1, \"c\": 2}\n{}"),
];

/// Numbers that look random, always the same.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % end
    }

    /// Some bytes of `body` are changed, taken away or said again, or its end is cut off.
    fn damage(&mut self, body: &mut Vec<u8>) {
        let signs = b"0129-+.eE,:;| \t\r\n[]{}\"\\nN_\0\x7f\x80\xff";
        for _ in 0..=self.below(6) {
            let at = self.below(body.len());
            match self.below(5) {
                0 => body[at] = signs[self.below(signs.len())],
                1 => body[at] ^= 1 << self.below(8),
                2 => drop(body.drain(at..body.len().min(at + 1 + self.below(8)))),
                3 => body.truncate(at),
                _ => body.extend_from_within(at..),
            }
            if body.is_empty() {
                body.push(b'1');
            }
        }
    }
}

#[test]
fn damaged_bodies_are_rows_or_told_with_their_place() {
    let (mut random, mut matrix) = (Random(1), Matrix::default());
    for (form, sound) in SOUND {
        let mut read_well = 0;
        for copy in 0..20_000 {
            let mut body = sound.to_vec();
            random.damage(&mut body);
            let named = Columns::new(3, r#"{"feature_names": ["a", "b", "c"]}"#);
            let columns = if copy % 2 == 0 { named } else { Columns::default() };
            let first = if copy % 3 == 0 { libsvm::FirstIndex::Auto } else { libsvm::FirstIndex::Zero };
            let rules = Rules { libsvm_index: first, ..Rules::default() };
            match form.read(&body, columns, rules, &mut matrix) {
                Ok(()) => {
                    assert_eq!(matrix.rows() * matrix.columns, matrix.values.len(), "{body:?}");
                    assert!(matrix.rows() > 0 && !matrix.values.iter().any(|value| value.is_infinite()), "{body:?}");
                    read_well += 1;
                }
                Err(error) => assert!(!error.to_string().is_empty(), "{body:?}"),
            }
        }
        assert!(read_well > 50, "{form:?}: only {read_well} bodies were rows");
    }
}
