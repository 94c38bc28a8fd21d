//! Bodies that arrive in pieces are read, or refused, as whole ones.

use super::{super::read_for, *};
use crate::columns::Columns;

const NAMED: &str = r#"{"feature_names": ["a", "b"]}"#;

/// The rows of a body, or the complaint.
type Outcome = Result<(usize, Vec<u32>), String>;

fn bits(matrix: &Matrix) -> (usize, Vec<u32>) {
    let bits = |value: &f32| if value.is_nan() { f32::NAN.to_bits() } else { value.to_bits() };
    (matrix.columns, matrix.values.iter().map(bits).collect())
}

fn whole(body: &[u8], beyond_aws: bool) -> Outcome {
    let mut matrix = Matrix { columns: 7, values: vec![7.0] };
    let read = read_for(body, Columns::new(2, NAMED), beyond_aws, &mut matrix);
    read.map(|()| bits(&matrix)).map_err(|error| format!("{:?}: {error}", error.kind()))
}

/// What comes of a body that has arrived up to each of `ends` in turn, and whether nothing was read twice.
fn in_pieces(body: &[u8], ends: impl IntoIterator<Item = usize>, beyond_aws: bool) -> (Outcome, bool) {
    let (mut partial, mut matrix) = (Partial::default(), Matrix { columns: 7, values: vec![7.0] });
    let is_fine = ends.into_iter().all(|end| partial.read_on(&body[..end], |_| true));
    if is_fine && partial.finish(body, &mut matrix) {
        return (Ok(bits(&matrix)), true);
    }
    (whole(body, beyond_aws), false)
}

const BODIES: [&str; 27] = [
    "1,2\n3,4\n5,6",
    " \n\t1,2\r\n3,4\r\n\r\n 5,6\r\n \r\n",
    "1\n\n2\n\n\n",
    "1\n2\n \n",
    "1,\n,2\n,\n",
    "1\t\t\n\t2\t\n\t\t\n",
    "1;2\n3;4\n",
    "1|2|3|4\n5|6|7|8\n",
    "-1e-05\n2\n3\n",
    "10\n20\n30",
    "\u{ff11}\n2\n3",
    "a,b\n1,2\n3,4\n",
    "b,a\n1,2\n3,4\n",
    "b,a\n1,2\n3\n",
    "1,2\n3\n4,5\n",
    "1,2\n3,4,5\n6,7",
    "1,2\n3,x\n5,6\n",
    "1,2\n3,4\nx,6\n",
    "1,2\n3,4\n5,inf",
    "1,\r\n2,3\r\n",
    "\u{feff}1,2\n3,4\n",
    "nan,1_000\n +1 ,\u{ff12}\n-nan,1e3\n",
    "\n\n\n",
    "",
    " ",
    "1",
    "\n1\n",
];

#[test]
fn bodies_cut_anywhere_are_read_as_whole_ones() {
    for body in BODIES.map(str::as_bytes) {
        for beyond_aws in [false, true] {
            let expected = whole(body, beyond_aws);
            let check = |ends: &[usize]| {
                let (found, _) = in_pieces(body, ends.iter().copied(), beyond_aws);
                assert_eq!(found, expected, "{:?} at {ends:?}", String::from_utf8_lossy(body));
            };
            (0..=body.len()).for_each(|first| (first..=body.len()).for_each(|second| check(&[first, second])));
            check(&(0..=body.len()).collect::<Vec<_>>());
        }
    }
}

#[test]
fn tables_in_random_pieces_are_read_once() {
    let mut state = 5_u64;
    let mut below = |count: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % count
    };
    for table in 0..300 {
        let (columns, rows) = (1 + below(9), 2 + below(60));
        let (delimiter, end) = ([",", "\t", ";", " "][below(4)], ["\n", "\r\n"][below(2)]);
        let cell = |number: usize| format!("{}{}.{}", ["", "-"][number % 2], number % 100, number % 10_000);
        let rows: Vec<_> =
            (0..rows).map(|_| (0..columns).map(|_| cell(below(1 << 20))).collect::<Vec<_>>().join(delimiter)).collect();
        let body = rows.join(end) + ["", end, "\n\n \n"][below(3)];
        let mut ends: Vec<_> = (0..below(40)).map(|_| below(body.len() + 1)).collect();
        ends.sort_unstable();
        let first_two = rows[0].len() + end.len() + 1;
        ends.push(first_two);
        ends.sort_unstable();
        let (found, once) = in_pieces(body.as_bytes(), ends, true);
        assert_eq!(found, whole(body.as_bytes(), true), "table {table}: {body:?}");
        assert!(once, "table {table} was read twice: {body:?}");
    }
}

#[test]
fn what_is_complete_is_read_before_the_rest_is_there() {
    let mut partial = Partial::default();
    let mut check = |arrived: &str, read: &[f32]| {
        assert!(partial.read_on(arrived.as_bytes(), |_| true));
        assert_eq!((partial.matrix.values.as_slice(), partial.bytes_seen()), (read, arrived.len()), "{arrived:?}");
    };
    check("1,2", &[]);
    check("1,2\n", &[]);
    check("1,2\n3", &[1.0, 2.0]);
    check("1,2\n3,4\n \n", &[1.0, 2.0]);
    check("1,2\n3,4\n5,6\n7", &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
}

#[test]
fn long_lines_and_rows_without_room_wait_for_the_whole_body() {
    let line = "1.5,".repeat(PIECE_BYTES_MAX / 4) + "2\n";
    let body = format!("{line}{line}3");
    let mut partial = Partial::default();
    assert!(partial.read_on(body.as_bytes(), |_| true) && partial.is_over());
    assert_eq!(in_pieces(body.as_bytes(), [body.len()], true).0, whole(body.as_bytes(), true));

    let (body, mut partial) = ("1,2\n3,4\n".repeat(100), Partial::default());
    assert!(partial.read_on(&body.as_bytes()[..300], |numbers| numbers <= 300));
    assert!(!partial.is_over() && partial.matrix.values.capacity() <= 300);
    assert!(partial.read_on(&body.as_bytes()[..700], |_| false) && partial.is_over());
    assert!(partial.read_on(body.as_bytes(), |_| true));
    let mut matrix = Matrix::default();
    assert!(partial.finish(body.as_bytes(), &mut matrix));
    assert_eq!(bits(&matrix), whole(body.as_bytes(), true).unwrap());
}
