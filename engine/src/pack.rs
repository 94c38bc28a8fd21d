//! A pack: a forest or a linear model compiled into one file that is mapped and used in place.
//!
//! docs/pack.md documents the format. Opening one maps it, verifies its checksum and walks its records once; nothing is
//! parsed and nothing is allocated per node. Having a [`Pack`] is the proof that every index in it leads somewhere.

mod check;
pub(crate) mod draft;
pub(crate) mod format;
pub(crate) mod key;

use std::{io, ops::Range, path::Path, sync::Arc};

pub(crate) use check::Sections;
use self_cell::self_cell;

use crate::{
    error::{Error, ErrorKind, Result},
    map::Map,
};

self_cell! {
    /// What lies at that place of a map, viewed once: a prediction of one row is shorter than many a view would be.
    struct Records {
        owner: (Arc<Map>, Range<usize>),
        #[covariant]
        dependent: Sections,
    }
    impl { Debug }
}

/// A checked forest in read-only memory.
#[derive(Debug)]
pub(crate) struct Pack {
    records: Records,
}

impl Pack {
    /// Maps the published pack at `path` and checks it.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] when it cannot be mapped, [`ErrorKind::InvalidArtifact`] with the place when it is damaged.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let map = Map::file(path)
            .map_err(|error| Error::caused(ErrorKind::Io, format!("cannot map the pack {}", path.display()), error))?;
        Self::whole(map)
    }

    /// Checks the pack in `bytes`, which are copied into a mapping of their own.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let cannot_map = |error: io::Error| Error::caused(ErrorKind::Io, "cannot map memory for a pack", error);
        Self::whole(Map::copy(bytes).map_err(cannot_map)?)
    }

    fn whole(map: Map) -> Result<Self> {
        let place = 0..map.len();
        Self::within(&Arc::new(map), place)
    }

    /// Checks the pack that lies at `place` of `map`, which begins at a multiple of [`format::ALIGNMENT`].
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArtifact`] with the place when it is damaged.
    pub(crate) fn within(map: &Arc<Map>, place: Range<usize>) -> Result<Self> {
        let damaged = |complaint: String| Error::new(ErrorKind::InvalidArtifact, format!("damaged pack: {complaint}"));
        let records = Records::try_new((Arc::clone(map), place), |(map, place)| {
            let file = &map[place.clone()];
            let sections = Sections::view(file, &check::spans(file)?)?;
            sections.check().map(|()| sections)
        });
        Ok(Self { records: records.map_err(damaged)? })
    }

    /// The records.
    #[inline]
    pub(crate) fn sections(&self) -> &Sections<'_> {
        self.records.borrow_dependent()
    }

    /// Whether its file was cut short meanwhile: what was predicted before this is asked may be wrong then.
    pub(crate) fn is_damaged(&self) -> bool {
        self.records.borrow_owner().0.is_damaged()
    }

    /// How many columns a row has.
    pub(crate) fn features(&self) -> usize {
        self.sections().forest.features as usize
    }

    /// How many columns a row has, and how many values it is answered with.
    pub(crate) fn shape(&self) -> (usize, usize) {
        let sections = self.sections();
        (self.features(), sections.finish().columns(sections.base.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::{
        draft::{Draft, SecondForm},
        format::{CategorySet, Forest, Node, Tree},
        *,
    };

    /// Two trees over two features: `x0 < 1 ? 10 : (x1 in {1, 33} ? 30 : 20)` and the leaf 0.5.
    fn draft() -> Draft {
        let leaf = |value| Node { tag: Node::LEAF, next: 0, value };
        Draft {
            forest: Forest { features: 2, targets: 1, sum_order: 0, link: 0, values_per_leaf: 1, ..Forest::default() },
            base: vec![0.25],
            trees: vec![Tree { root: 0, target: 0 }, Tree { root: 5, target: 0 }],
            nodes: vec![
                Node { tag: Node::MISSING_LEFT, next: 1, value: 1.0 },
                leaf(10.0),
                Node { tag: Node::CATEGORIES | 1, next: 3, value: f32::from_bits(0) },
                leaf(20.0),
                leaf(30.0),
                leaf(0.5),
            ],
            category_sets: vec![CategorySet { first_word: 0, words: 2 }],
            category_bits: vec![1 << 1, 1 << 1],
            properties: "{}".to_owned(),
            weights: Vec::new(),
            covers: vec![6.0, 2.0, 4.0, 1.0, 3.0, 6.0],
            second_form: SecondForm::default(),
        }
    }

    fn complaint(bytes: &[u8]) -> String {
        let error = Pack::from_bytes(bytes).expect_err("a damaged pack was accepted");
        assert_eq!(error.kind(), ErrorKind::InvalidArtifact);
        error.to_string()
    }

    #[test]
    fn what_is_written_is_read() {
        let draft = draft();
        let pack = Pack::from_bytes(&draft.write()).unwrap();
        let sections = pack.sections();
        assert_eq!((sections.nodes.len(), sections.trees.len(), sections.base), (6, 2, &[0.25][..]));
        assert_eq!(sections.properties(), "{}");
        assert_eq!(sections.finish(), crate::finish::Finish::Link(thicket_converters::Link::Identity));
    }

    #[test]
    fn every_truncation_and_every_flipped_bit_is_refused() {
        let bytes = draft().write();
        for length in 0..bytes.len() {
            complaint(&bytes[..length]);
        }
        for at in (0..bytes.len()).filter(|at| !(24..64).contains(at)) {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << (at % 8);
            complaint(&flipped);
        }
    }

    #[test]
    fn indices_that_lead_nowhere_are_refused_with_their_place() {
        let refused = |change: &dyn Fn(&mut Draft), place: &str| {
            let mut draft = draft();
            change(&mut draft);
            let complaint = complaint(&draft.write());
            assert!(complaint.contains(place), "{complaint} lacks {place}");
        };
        refused(&|draft| draft.nodes[0].next = 0, "node 0: child 0");
        refused(&|draft| draft.nodes[2].next = 5, "node 2: child 5");
        refused(&|draft| draft.nodes[2].tag |= 2, "node 2: feature 3");
        refused(&|draft| draft.nodes[2].value = f32::from_bits(1), "node 2: category set 1");
        refused(&|draft| draft.trees[1].root = 6, "tree 1: root 6");
        refused(&|draft| draft.trees[0].target = 1, "tree 0: target 1");
        refused(&|draft| draft.category_sets[0].words = 3, "category set 0");
        refused(&|draft| draft.category_sets.clear(), "node 2: category set 0 of 0");
        refused(&|draft| draft.base.push(0.0), "section base: 2 margins");
        refused(&|draft| draft.forest.targets = 0, "section base");
        refused(&|draft| draft.forest.link = 99, "link 99");
        refused(&|draft| draft.weights.extend([1.0, 2.0]), "section weights: 2 weights beside 2 trees");
        refused(
            &|draft| {
                draft.trees.clear();
                draft.weights.extend([1.0, 2.0, 3.0]);
            },
            "section weights: 3 weights for 2 features and 1 targets",
        );
        refused(&|draft| draft.covers.truncate(5), "section covers: 5 for 6 nodes");
        refused(&|draft| draft.trees[1].root = 4, "tree 1: root 4 lies in the tree before");
        refused(&|draft| draft.nodes[0].next = 2, "node 0: child 2, expected 1");
    }

    #[test]
    fn a_second_form_that_leads_nowhere_is_refused_with_its_place() {
        Pack::from_bytes(&draft().with_second_form().write()).unwrap();
        let refused = |change: &dyn Fn(&mut Draft), place: &str| {
            let mut draft = draft().with_second_form();
            change(&mut draft);
            let complaint = complaint(&draft.write());
            assert!(complaint.contains(place), "{complaint} lacks {place}");
        };
        refused(&|draft| draft.second_form.blocks[0].columns[5] = 2, "block 0: a split asks for none of 2");
        refused(&|draft| draft.second_form.blocks[0].high[5] = 1, "block 0: a split asks for none of 2");
        refused(&|draft| draft.second_form.blocks[0].ruled_out[5] = 0x84, "block 0: a split asks for none of 2");
        refused(&|draft| draft.second_form.blocks[0].ruled_out[5] = 1, "block 0: not of three whole levels");
        refused(&|draft| draft.second_form.blocks[0].high[0] = 0x7f, "block 0: exit 7 leads to no later block");
        refused(&|draft| draft.second_form.columns.truncate(1), "block 0: a split asks for none of 1");
        refused(&|draft| draft.second_form.columns[1].from = 1, "column 1: feature 1, set 1");
        refused(&|draft| draft.second_form.columns[1].feature = 2, "column 1: feature 2");
        refused(&|draft| draft.second_form.columns[0].flags = 2, "column 0");
        refused(&|draft| draft.second_form.rulers[0].columns = 3, "ruler 0: its columns");
        refused(&|draft| draft.second_form.rulers[0].marks = 17, "ruler 0");
        refused(&|draft| draft.second_form.marks.clear(), "ruler 0");
        refused(&|draft| draft.second_form.roots.truncate(1), "section roots: 1 for 2 trees");
        refused(&|draft| draft.second_form.roots[1] = 9, "root 1: block 9 of 2");
        refused(&|draft| draft.forest.rank_max = 7, "greatest rank 7");
        refused(&|draft| draft.forest.block_levels = 4, "4 levels of blocks");
        refused(&|draft| draft.forest.block_levels = 2, "block 0: an exit leads to");
        refused(&|draft| draft.forest.rank_max = 0xfffe, "there are no blocks");
        refused(&|draft| draft.second_form.blocks.clear(), "there are no blocks");
    }

    #[test]
    fn properties_that_are_no_text_are_refused() {
        let mut bytes = draft().write();
        let at = bytes.windows(2).position(|pair| pair == b"{}").unwrap();
        bytes[at] = 0xff;
        let checksum = crc32fast::hash(&bytes[64..]);
        bytes[12..16].copy_from_slice(&checksum.to_le_bytes());
        assert!(complaint(&bytes).contains("section properties: invalid utf-8"));
    }

    #[test]
    fn without_covers_nodes_may_lie_in_any_order() {
        let mut draft = draft();
        draft.covers.clear();
        draft.trees[1].root = 4;
        Pack::from_bytes(&draft.write()).unwrap();
    }
}
