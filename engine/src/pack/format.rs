//! The pack's layout on disk: the header, the section table and the records, as docs/pack.md has them.

use bytemuck::{Pod, Zeroable};

#[cfg(target_endian = "big")]
compile_error!("packs are little-endian and used in place");

/// The first bytes of every pack.
pub(crate) const MAGIC: [u8; 8] = *b"THICKET\0";
/// Raised with every change of the layout or of its meaning; other versions are refused.
pub(crate) const VERSION: u32 = 2;
/// Sections start at multiples of this: a cache line.
pub(crate) const ALIGNMENT: usize = 64;

/// The file's first 64 bytes.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct Header {
    pub(crate) magic: [u8; 8],
    pub(crate) version: u32,
    /// CRC-32 (IEEE) of everything behind the header.
    pub(crate) checksum: u32,
    /// Size of the whole file.
    pub(crate) file_bytes: u64,
    pub(crate) reserved: [u64; 5],
}

/// What a section holds; its place in the section table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub(crate) enum Section {
    /// One [`Forest`].
    Forest,
    /// `targets` base margins, `f32`.
    Base,
    /// One [`Tree`] each, in the order of summation.
    Trees,
    /// [`Node`]s.
    Nodes,
    /// [`CategorySet`]s.
    CategorySets,
    /// Words of the category sets' bits, `u32`.
    CategoryBits,
    /// UTF-8 JSON object: what the model says of itself.
    Properties,
    /// Of a linear model: for each feature one weight a target, `f32`. Empty for trees.
    Weights,
    /// How many training rows reached each node, by their weights, `f32`: one for each node, or nothing.
    Covers,
}

impl Section {
    /// How many sections a pack of this version has.
    pub(crate) const COUNT: usize = 9;
    /// What each is called in complaints, in the order of the table.
    pub(crate) const NAMES: [&str; Self::COUNT] =
        ["forest", "base", "trees", "nodes", "category sets", "category bits", "properties", "weights", "covers"];
}

/// Where a section lies.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct Span {
    /// From the start of the file; a multiple of [`ALIGNMENT`].
    pub(crate) offset: u64,
    pub(crate) bytes: u64,
}

/// The numbers that hold for the whole forest.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct Forest {
    /// Columns of the input.
    pub(crate) features: u32,
    /// Margins per row.
    pub(crate) targets: u32,
    /// 0: leaves are added onto the base; 1: the sum of the leaves is added to the base.
    pub(crate) sum_order: u32,
    /// `Finish::code`: the objective's link, or a post-transform.
    pub(crate) link: u32,
    /// How many trees, one behind the other, are one tree of the trainer's file; 0 where leaves have no numbers.
    pub(crate) values_per_leaf: u32,
    pub(crate) reserved: [u32; 11],
}

/// One tree of the sum.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct Tree {
    /// Index of its root in the nodes.
    pub(crate) root: u32,
    /// The margin its leaves add to.
    pub(crate) target: u32,
}

/// A split or a leaf.
///
/// The children of a split lie side by side behind it in the same file: `next` is the left one and `next + 1` the right
/// one, so a walk always moves forward and ends.
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct Node {
    /// Feature of a split in the low bits, and the flags below.
    pub(crate) tag: u32,
    /// Split: index of the left child. Leaf: its number in the trainer's file.
    pub(crate) next: u32,
    /// Numeric split: rows with a smaller value go left. Leaf: what it adds. Category split: bits of the set's index.
    pub(crate) value: f32,
}

impl Node {
    pub(crate) const FEATURE: u32 = (1 << 29) - 1;
    /// The node tests membership of a category set: members go right.
    pub(crate) const CATEGORIES: u32 = 1 << 29;
    /// The node is a leaf.
    pub(crate) const LEAF: u32 = 1 << 30;
    /// A missing value goes left.
    pub(crate) const MISSING_LEFT: u32 = 1 << 31;

    pub(crate) fn is_leaf(self) -> bool {
        self.tag & Self::LEAF != 0
    }

    pub(crate) fn is_category_split(self) -> bool {
        self.tag & Self::CATEGORIES != 0
    }

    pub(crate) fn missing_goes_left(self) -> bool {
        self.tag & Self::MISSING_LEFT != 0
    }

    pub(crate) fn feature(self) -> usize {
        (self.tag & Self::FEATURE) as usize
    }

    pub(crate) fn category_set(self) -> usize {
        self.value.to_bits() as usize
    }
}

/// A set of categories: bit `c % 32` of word `first_word + c / 32` says whether category `c` is a member.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct CategorySet {
    pub(crate) first_word: u32,
    pub(crate) words: u32,
}
