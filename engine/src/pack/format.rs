//! The pack's layout on disk: the header, the section table and the records, as docs/pack.md has them.

use bytemuck::{Pod, Zeroable};

#[cfg(target_endian = "big")]
compile_error!("packs are little-endian and used in place");

/// The first bytes of every pack.
pub(crate) const MAGIC: [u8; 8] = *b"THICKET\0";
/// Raised with every change of the layout or of its meaning; other versions are refused.
pub(crate) const VERSION: u32 = 4;
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
    /// [`Ruler`]s, ascending by feature. This and what follows is a second form of the trees, which the fast kernels walk.
    Rulers,
    /// [`Column`]s: those of the rulers, in their order, then those of categories.
    Columns,
    /// The rulers' marks, `i32`.
    Marks,
    /// [`Block`]s, where ranks fit bytes and the trees have a second form.
    Blocks,
    /// [`WordBlock`]s, where ranks do not fit bytes and the trees have a second form.
    WordBlocks,
    /// For each tree the index of its first block, or of blocks of words what an exit would lead to it by, `u32`.
    Roots,
    /// What the leaves of trees of different height in blocks of words add, `f32`.
    LeafValues,
}

impl Section {
    /// How many sections a pack of this version has.
    pub(crate) const COUNT: usize = 16;
    /// What each is called in complaints, in the order of the table.
    pub(crate) const NAMES: [&str; Self::COUNT] = [
        "forest",
        "base",
        "trees",
        "nodes",
        "category sets",
        "category bits",
        "properties",
        "weights",
        "covers",
        "rulers",
        "columns",
        "marks",
        "blocks",
        "word blocks",
        "roots",
        "leaf values",
    ];
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
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
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
    /// Blocks on every way from a root to a leaf, where that is one number for all; 0 where it is not.
    pub(crate) block_levels: u32,
    /// The greatest rank that a row may have: [`Block::RANK_MAX`] or [`WordBlock::RANK_MAX`].
    pub(crate) rank_max: u32,
    pub(crate) reserved: [u32; 9],
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

/// What a row's values of one feature are measured with: how many marks are not above a value is its rank.
///
/// Marks are thresholds of the feature's splits, ascending, as sortable integers. They lie in `marks` as a tree of sixteens:
/// first all of them, then the first of each sixteen, and so on until sixteen are enough; each layer is filled up with
/// [`i32::MAX`] to a multiple of sixteen.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct Ruler {
    /// Column of the input.
    pub(crate) feature: u32,
    /// Index of its first mark.
    pub(crate) first_mark: u32,
    /// How many marks it has, without those that fill up and repeat.
    pub(crate) marks: u32,
    /// How many columns are made of its ranks.
    pub(crate) columns: u32,
}

/// One number of a row as blocks ask for it: a key, made of a rank or of a category.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct Column {
    /// Column of the input.
    pub(crate) feature: u32,
    /// [`MISSING_LEFT`](Self::MISSING_LEFT) or 0.
    pub(crate) flags: u32,
    /// Of a ruler's column: what is taken off the rank. Of a category's: index of the set.
    pub(crate) from: u32,
    pub(crate) reserved: u32,
}

impl Column {
    /// A missing value goes left.
    pub(crate) const MISSING_LEFT: u32 = 1;

    pub(crate) fn missing_goes_left(self) -> bool {
        self.flags & Self::MISSING_LEFT != 0
    }
}

/// Up to seven splits that are one piece of a tree, and what is below them, in one cache line.
///
/// Splits stand in slots 1 to 7, each behind those above it; slot 0 is none. A row goes right at a split if its rank in that
/// column is not below the split's. It leaves the block by the first exit that no split where it goes right rules out; exits
/// stand in their order from left to right. What has no split has rank 0, where every row goes right, and rules out
/// nothing, or what is right is the same as what is left.
///
/// Where all ways are of one length ([`block_levels`](Forest::block_levels)), every block has three whole levels: the
/// children of slot `i` are slots `2i` and `2i + 1`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct Block {
    /// The low bytes of the splits' columns.
    pub(crate) columns: [u8; 8],
    pub(crate) ranks: [u8; 8],
    /// Which exits each split rules out for rows that go right there, those on its left: bit `i` for exit `i`.
    pub(crate) ruled_out: [u8; 8],
    /// The high bytes of the splits' columns; of slot 0 which exits lead to leaves, bit `i` for exit `i`.
    pub(crate) high: [u8; 8],
    /// To leaves: the bits of what they add. To blocks: their index.
    pub(crate) exits: [u32; 8],
}

impl Block {
    /// Levels of a tree in a block that has whole ones.
    pub(crate) const DEPTH: usize = 3;
    /// Splits' slots, and the one before them; exits.
    pub(crate) const SLOTS: usize = 8;
    /// What splits rule out where a block has three whole levels.
    pub(crate) const WHOLE: [u8; 8] = [0, 0x0f, 0x03, 0x30, 0x01, 0x04, 0x10, 0x40];
    /// The most levels of blocks that trees have whose ways are all of one length.
    pub(crate) const LEVELS_MAX: usize = 3;
    /// The greatest rank.
    pub(crate) const RANK_MAX: u32 = 0xff;

    /// The column that the split in a slot asks for.
    #[inline]
    pub(crate) fn column(&self, slot: usize) -> usize {
        usize::from(u16::from_le_bytes([self.columns[slot], self.high[slot]]))
    }

    /// Whether an exit leads to a leaf.
    #[inline]
    pub(crate) fn is_leaf(&self, exit: usize) -> bool {
        self.high[0] >> exit & 1 == 1
    }
}

/// Three levels of a tree in one cache line, wherever its leaves are, where ranks do not fit bytes.
///
/// Slots 1 to 7 are splits: the children of slot `i` are slots `2i` and `2i + 1`, those from 8 on are exits. A split is
/// `rank << 16 | column * 8`, and a row goes right whose key in that column is greater; keys are `rank << 16 | 0xffff`.
/// Where a tree has fewer levels here, both ways of a split lead to the same.
///
/// In the last of [`block_levels`](Forest::block_levels) exits are the bits of what a leaf adds, before it they are indices of
/// blocks. Where ways differ in length, an exit is the index of a block, or that of a leaf value and [`LEAF`](Self::LEAF).
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct WordBlock(pub(crate) [u32; 16]);

impl WordBlock {
    /// The first exit's slot.
    pub(crate) const EXITS: usize = 8;
    /// The exit leads to a leaf.
    pub(crate) const LEAF: u32 = 1 << 31;
    /// A split both of whose ways lead to the same: no key is greater, whatever its column.
    pub(crate) const NO_SPLIT: u32 = 0xffff_0000;
    /// The most columns that splits can name.
    pub(crate) const COLUMNS_MAX: usize = 8191;
    /// The greatest rank.
    pub(crate) const RANK_MAX: u32 = 0xfffe;
}

/// How many numbers a ruler of so many marks takes in the marks section.
pub(crate) fn ruler_length(marks: usize) -> usize {
    let mut layer = marks.next_multiple_of(16);
    let mut length = layer;
    while layer > 16 {
        layer = (layer / 16).next_multiple_of(16);
        length += layer;
    }
    length
}

/// Fills the marks of one ruler, which are those from `start` on, up to a tree of sixteens.
pub(crate) fn add_layers(marks: &mut Vec<i32>, start: usize) {
    let mut layer = start;
    loop {
        let end = start + (marks.len() - start).next_multiple_of(16);
        marks.resize(end, i32::MAX);
        if end - layer <= 16 {
            return;
        }
        let firsts: Vec<i32> = marks[layer..].iter().step_by(16).copied().collect();
        layer = end;
        marks.extend(firsts);
    }
}
