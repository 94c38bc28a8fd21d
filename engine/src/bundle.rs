//! A bundle: the packs of an ensemble's members in one file, as docs/pack.md has it.
//!
//! Having a [`Bundle`] is the proof that its members take the same rows and answer as many numbers.

use std::{io, ops::Range, path::Path, sync::Arc};

use bytemuck::{Pod, Zeroable, bytes_of, cast_slice, try_cast_slice, try_from_bytes};

use crate::{
    error::{Error, ErrorKind, Result},
    map::Map,
    pack::{
        Pack,
        format::{ALIGNMENT, Span},
    },
};

/// The first bytes of every bundle.
const MAGIC: [u8; 8] = *b"THICKETB";
/// Raised with every change of the header or the table; the members' packs have a version of their own.
const VERSION: u32 = 1;

/// The file's first 64 bytes.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
struct Header {
    magic: [u8; 8],
    version: u32,
    /// CRC-32 (IEEE) of the table of members.
    checksum: u32,
    /// Size of the whole file.
    file_bytes: u64,
    members: u32,
    reserved: [u32; 9],
}

/// A checked ensemble in read-only memory.
#[derive(Debug)]
pub(crate) struct Bundle(Vec<Pack>);

impl Bundle {
    /// Maps the published bundle at `path` and checks it.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] when it cannot be mapped, [`ErrorKind::InvalidArtifact`] with the place when it is damaged.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let cannot_map =
            |error| Error::caused(ErrorKind::Io, format!("cannot map the bundle {}", path.display()), error);
        Self::check(Map::file(path).map_err(cannot_map)?)
    }

    /// Checks the bundle in `bytes`, which are copied into a mapping of their own.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let cannot_map = |error: io::Error| Error::caused(ErrorKind::Io, "cannot map memory for a bundle", error);
        Self::check(Map::copy(bytes).map_err(cannot_map)?)
    }

    fn check(map: Map) -> Result<Self> {
        let places = places(&map).map_err(damaged)?;
        let map = Arc::new(map);
        let open = |(at, place)| {
            let within = |error: Error| Error::caused(error.kind(), format!("damaged bundle: member {at}"), error);
            Pack::within(&map, place).map_err(within)
        };
        let members = places.into_iter().enumerate().map(open).collect::<Result<Vec<_>>>()?;
        match members.iter().position(|member| member.shape() != members[0].shape()) {
            Some(at) => Err(damaged(format!("member {at} has other features or values than member 0"))),
            None => Ok(Self(members)),
        }
    }

    /// The packs, in the order in which their values are summed; at least one.
    pub(crate) fn members(&self) -> &[Pack] {
        &self.0
    }
}

fn damaged(complaint: String) -> Error {
    Error::new(ErrorKind::InvalidArtifact, format!("damaged bundle: {complaint}"))
}

/// Where the members lie in `file`.
fn places(file: &[u8]) -> Result<Vec<Range<usize>>, String> {
    let too_few = || format!("{} bytes are too few for a header and a table", file.len());
    let (header, behind) = file.split_at_checked(size_of::<Header>()).ok_or_else(too_few)?;
    let header: &Header = try_from_bytes(header).map_err(|error| format!("offset 0: {error}"))?;
    if header.magic != MAGIC || header.version != VERSION {
        return Err(format!("offset 0: this is no bundle of version {VERSION}"));
    }
    if header.file_bytes != file.len() as u64 {
        return Err(format!("offset 16: the file should have {} bytes and has {}", header.file_bytes, file.len()));
    }
    let table_bytes = (header.members as usize).checked_mul(size_of::<Span>());
    let table = table_bytes.and_then(|bytes| behind.get(..bytes)).filter(|table| !table.is_empty());
    let table = table.ok_or_else(|| format!("offset 24: {} members do not fit", header.members))?;
    if crc32fast::hash(table) != header.checksum {
        return Err("offset 12: the table has another checksum".to_owned());
    }
    let spans: &[Span] = try_cast_slice(table).map_err(|error| format!("offset 64: {error}"))?;
    spans.iter().enumerate().map(|(at, span)| place(*span, file.len()).ok_or_else(|| misplaced(at, *span))).collect()
}

fn place(span: Span, file_bytes: usize) -> Option<Range<usize>> {
    let (start, bytes) = (usize::try_from(span.offset).ok()?, usize::try_from(span.bytes).ok()?);
    let end = start.checked_add(bytes).filter(|end| *end <= file_bytes)?;
    start.is_multiple_of(ALIGNMENT).then_some(start..end)
}

fn misplaced(at: usize, span: Span) -> String {
    format!("member {at}: {} bytes at offset {} do not fit", span.bytes, span.offset)
}

/// The bytes of the bundle of `packs`, which are at least one and fewer than 2^32.
pub(crate) fn write(packs: &[Vec<u8>]) -> Vec<u8> {
    let table_end = size_of::<Header>() + packs.len() * size_of::<Span>();
    let mut file = vec![0; table_end];
    let mut spans = Vec::with_capacity(packs.len());
    for pack in packs {
        file.resize(file.len().next_multiple_of(ALIGNMENT), 0);
        spans.push(Span { offset: file.len() as u64, bytes: pack.len() as u64 });
        file.extend_from_slice(pack);
    }
    file[size_of::<Header>()..table_end].copy_from_slice(cast_slice(&spans));
    let header = Header {
        magic: MAGIC,
        version: VERSION,
        checksum: crc32fast::hash(cast_slice(&spans)),
        file_bytes: file.len() as u64,
        members: u32::try_from(packs.len()).expect("an artifact has far fewer files than 2^32"),
        reserved: [0; 9],
    };
    file[..size_of::<Header>()].copy_from_slice(bytes_of(&header));
    file
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pack::{
        draft::{Draft, SecondForm},
        format::{Forest, Node, Tree},
    };

    /// A forest of one leaf, for rows of so many features.
    fn pack(features: u32, leaf: f32) -> Vec<u8> {
        let draft = Draft {
            forest: Forest { features, targets: 1, sum_order: 0, link: 0, values_per_leaf: 0, ..Forest::default() },
            base: vec![0.5],
            trees: vec![Tree { root: 0, target: 0 }],
            nodes: vec![Node { tag: Node::LEAF, next: 0, value: leaf }],
            category_sets: Vec::new(),
            category_bits: Vec::new(),
            properties: "{}".to_owned(),
            weights: Vec::new(),
            covers: Vec::new(),
            second_form: SecondForm::default(),
        };
        draft.write()
    }

    #[test]
    fn what_is_written_is_read_in_order() {
        let bundle = Bundle::from_bytes(&write(&[pack(2, 1.0), pack(2, 2.0), pack(2, 3.0)])).unwrap();
        let leaves = bundle.members().iter().map(|member| member.sections().nodes[0].value);
        assert_eq!(leaves.collect::<Vec<_>>(), [1.0, 2.0, 3.0]);
    }

    #[test]
    fn every_truncation_and_every_flipped_bit_is_refused() {
        let (one, other) = (pack(2, 1.0), pack(2, 2.0));
        let bytes = write(&[one.clone(), other]);
        let is_refused = |bytes: &[u8]| Bundle::from_bytes(bytes).unwrap_err().kind() == ErrorKind::InvalidArtifact;
        assert!((0..bytes.len()).all(|length| length == 0 || is_refused(&bytes[..length])));
        let table_end = 64 + 2 * size_of::<Span>();
        let first = table_end.next_multiple_of(ALIGNMENT);
        let is_read = |at: &usize| {
            let second = (first + one.len()).next_multiple_of(ALIGNMENT);
            let unread =
                [28..64, table_end..first, first + 24..first + 64, first + one.len()..second, second + 24..second + 64];
            !unread.iter().any(|range| range.contains(at))
        };
        for at in (0..bytes.len()).filter(is_read) {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << (at % 8);
            assert!(is_refused(&flipped), "offset {at}");
        }
    }

    #[test]
    fn members_that_do_not_agree_are_refused() {
        let error = Bundle::from_bytes(&write(&[pack(2, 1.0), pack(3, 1.0)])).unwrap_err();
        assert_eq!(error.to_string(), "damaged bundle: member 1 has other features or values than member 0");
        assert!(Bundle::from_bytes(&write(&[])).unwrap_err().to_string().contains("0 members"));
    }
}
